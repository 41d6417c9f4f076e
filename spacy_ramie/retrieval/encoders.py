"""What an encoder is, and the one that needs no weights."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy
from murmurhash import mrmr
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Span

Vectors = NDArray[numpy.float32]
# Vectors, or where nearly all of them is zero scipy's csr_matrix of the same.
Rows: TypeAlias = Any


@runtime_checkable
class Encoder(Protocol):
    """Turns sentences into vectors that can be compared by their cosine."""

    @property
    def identity(self) -> str:
        """What, if it changes, makes stored vectors worthless."""

    def queries(self, sentences: Sequence[Span]) -> Vectors:
        """Embed sentences of notes: one row each."""

    def documents(self, texts: Sequence[str], nlp: Language) -> Rows:
        """Embed the keys of exemplars: one row each."""


def is_sparse(rows: Rows) -> bool:
    """Say whether vectors are a matrix of scipy's, which is imported where one is made.

    rows (Rows): Vectors.
    RETURNS (bool): Whether their zeros are left out.
    """
    return hasattr(rows, "toarray")


def dense(rows: Rows) -> Vectors:
    """Write the zeros of vectors out.

    rows (Rows): Vectors, sparse or not.
    RETURNS (Vectors): The same as an array.
    """
    vectors: Vectors = rows.toarray() if is_sparse(rows) else rows
    return vectors


def lengths_of(rows: Any) -> Vectors:
    """Give the lengths of sparse vectors.

    rows (Any): A csr_matrix.
    RETURNS (Vectors): A number for each row; 1 for one of zeros, which divides it.
    """
    squares = numpy.square(rows.data, dtype=numpy.float64)
    squared = type(rows)((squares, rows.indices, rows.indptr), rows.shape)
    lengths = numpy.sqrt(squared @ numpy.ones(rows.shape[1])).astype(numpy.float32)
    return numpy.where(lengths == 0, numpy.float32(1), lengths)


class HashingEncoder:
    """Character n-grams hashed into a fixed number of buckets; nothing to load.

    Those of scikit-learn's HashingVectorizer with `analyzer="char_wb"` and
    `ngram_range=(2, 4)`, whose import takes longer than this count: within words, a blank
    at either end, hashed by MurmurHash3, half of them counting down.

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
        return dense(self._encode([sentence.text for sentence in sentences]))

    def documents(self, texts: Sequence[str], nlp: Language) -> Rows:
        """Embed the keys of exemplars, as a sparse matrix."""
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Rows:
        # The n-grams of a text are those of its words, of which many exemplars have
        # few: each is taken apart once.
        of_texts, words = _counts([text.split() for text in texts])
        of_words, ngrams = _counts([_ngrams(word) for word in words])
        vectors = of_texts @ (of_words @ self._buckets(ngrams))
        vectors.data /= numpy.repeat(lengths_of(vectors), numpy.diff(vectors.indptr))
        return vectors

    def _buckets(self, ngrams: Sequence[str]) -> Any:
        """The bucket of each n-gram, and whether it counts up or down there."""
        from scipy.sparse import csr_matrix

        hashes = numpy.fromiter(map(mrmr.hash, ngrams), numpy.int64, len(ngrams))
        signs = numpy.where(hashes < 0, -1, 1).astype(numpy.float32)
        columns, ends = abs(hashes) % self.dimension, numpy.arange(len(ngrams) + 1)
        return csr_matrix((signs, columns, ends), (len(ngrams), self.dimension))


def _ngrams(word: str) -> list[str]:
    padded = f" {word.lower()} "
    return [padded[i : i + n] for n in (2, 3, 4) for i in range(len(padded) - n + 1)]


def _counts(bags: Sequence[Sequence[str]]) -> tuple[Any, list[str]]:
    """How often each of the distinct strings is in each bag, and those strings."""
    from scipy.sparse import csr_matrix

    distinct = list(dict.fromkeys(chain.from_iterable(bags)))
    numbers = {string: number for number, string in enumerate(distinct)}
    ends = numpy.cumsum([0, *map(len, bags)])
    columns = map(numbers.__getitem__, chain.from_iterable(bags))
    found = numpy.fromiter(columns, numpy.int32, ends[-1])
    ones = numpy.ones(len(found), dtype=numpy.float32)
    return csr_matrix((ones, found, ends), (len(bags), len(distinct))), distinct


def make_hashing_encoder(dimension: int = 1024) -> Encoder:
    """Make the weightless encoder (`spacy_ramie.HashingEncoder.v1`).

    dimension (int): Length of the vectors.
    RETURNS (Encoder): The encoder.
    """
    return HashingEncoder(dimension)
