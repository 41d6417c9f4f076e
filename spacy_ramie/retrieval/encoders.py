"""What an encoder is, and the one that needs no weights."""

from collections.abc import Sequence
from itertools import chain
from typing import Protocol, runtime_checkable

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
        from scipy.sparse import csr_matrix
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.preprocessing import normalize

        # The n-grams stay within words, so that those of a text are those of its
        # words, of which many exemplars have few: each is taken apart once.
        words = [text.split() for text in texts]
        distinct = dict.fromkeys(chain([""], *words))
        numbers = {word: number for number, word in enumerate(distinct)}
        vectorizer = HashingVectorizer(
            analyzer="char_wb",
            ngram_range=(2, 4),
            n_features=self.dimension,
            norm=None,
            dtype=numpy.float32,
        )
        columns = [numbers[word] for word in chain.from_iterable(words)]
        ends = numpy.cumsum([0, *map(len, words)])
        ones = numpy.ones(len(columns), dtype=numpy.float32)
        which = csr_matrix((ones, columns, ends), (len(texts), len(distinct)))
        vectors: Vectors = normalize(which @ vectorizer.transform(distinct)).toarray()
        return vectors


def make_hashing_encoder(dimension: int = 1024) -> Encoder:
    """Make the weightless encoder (`spacy_ramie.HashingEncoder.v1`).

    dimension (int): Length of the vectors.
    RETURNS (Encoder): The encoder.
    """
    return HashingEncoder(dimension)
