"""What an encoder is, and the one that needs no weights."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Span

Vectors = NDArray[numpy.float32]


@runtime_checkable
class Encoder(Protocol):
    """Turns sentences into vectors that can be compared by their cosine."""

    @property
    def identity(self) -> str:
        """What, if it changes, makes stored vectors worthless."""

    def queries(self, sentences: Sequence[Span]) -> Vectors:
        """Embed sentences of notes: one row each."""

    def documents(self, texts: Sequence[str], nlp: Language) -> Vectors:
        """Embed the keys of exemplars: one row each."""


class HashingEncoder:
    """Character n-grams hashed into a fixed number of buckets; nothing to load.

    dimension (int): Length of the vectors.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._vectorizer: Any = None

    @property
    def identity(self) -> str:
        """The n-grams and the number of buckets."""
        return f"hashing/char_wb-2-4/{self.dimension}"

    def queries(self, sentences: Sequence[Span]) -> Vectors:
        """Embed sentences of notes."""
        return self._encode([sentence.text for sentence in sentences])

    def documents(self, texts: Sequence[str], nlp: Language) -> Vectors:
        """Embed the keys of exemplars."""
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        if self._vectorizer is None:
            from sklearn.feature_extraction.text import HashingVectorizer

            self._vectorizer = HashingVectorizer(
                analyzer="char_wb", ngram_range=(2, 4), n_features=self.dimension
            )
        vectors: Vectors = self._vectorizer.transform(texts).toarray()
        return vectors.astype(numpy.float32)


def make_hashing_encoder(dimension: int = 1024) -> Encoder:
    """Make the weightless encoder (`spacy_ramie.HashingEncoder.v1`).

    dimension (int): Length of the vectors.
    RETURNS (Encoder): The encoder.
    """
    return HashingEncoder(dimension)
