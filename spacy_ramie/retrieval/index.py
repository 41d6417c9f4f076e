"""What an index is, and the exact one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy
from thinc.api import get_current_ops

from ..errors import Errors, RetrievalError
from .encoders import Vectors
from .sidecar import check_sidecar, write_sidecar

# Rows and their cosines.
Found = list[tuple[int, float]]
# Queries that are compared in one product of matrices.
BLOCK = 1024


@runtime_checkable
class Index(Protocol):
    """Finds the rows of a matrix whose cosine with a vector is highest."""

    def build(self, vectors: Vectors) -> None:
        """Take the vectors in."""

    def search(self, queries: Vectors, n: int) -> list[Found]:
        """Give up to n rows and their cosines for each query, the best first."""

    def vectors(self) -> Vectors:
        """Give the vectors back as they were taken in."""

    def to_disk(self, path: Path, encoder: str) -> None:
        """Write a file and its sidecar; path has no ending."""

    def from_disk(self, path: Path) -> None:
        """Read them back, checked."""


IndexMaker = Callable[[], Index]


class ExactIndex:
    """Compares with every row, through thinc's ops.

    The oracle, and fast enough for banks below about 100,000 exemplars.
    """

    def __init__(self) -> None:
        self._vectors: Vectors = numpy.zeros((0, 0), dtype=numpy.float32)
        # On the device of the current ops.
        self._rows: Any = self._vectors

    def build(self, vectors: Vectors) -> None:
        """Take the vectors in."""
        self._vectors = vectors
        self._rows = get_current_ops().asarray(normalised(vectors))

    def search(self, queries: Vectors, n: int) -> list[Found]:
        """Give up to n rows and their cosines for each query, the best first."""
        ops = get_current_ops()
        rows = ops.asarray(self._rows)
        found: list[Found] = []
        for at in range(0, len(queries), BLOCK):
            block = ops.asarray(normalised(queries[at : at + BLOCK]))
            cosines = ops.to_numpy(block @ rows.T)
            for row, least in zip(cosines, _nth_greatest(cosines, n), strict=True):
                # Sorting all of them would take longer than the product.
                near = numpy.flatnonzero(row >= least)
                best = near[numpy.argsort(-row[near], kind="stable")][:n]
                found.append([*zip(best.tolist(), row[best].tolist(), strict=True)])
        return found

    def vectors(self) -> Vectors:
        """Give the vectors back as they were taken in."""
        return self._vectors

    def to_disk(self, path: Path, encoder: str) -> None:
        """Write a .npy file and its sidecar."""
        file = path.with_suffix(".npy")
        numpy.save(file, self._vectors, allow_pickle=False)
        write_sidecar(file, self._vectors.shape, encoder, kind="exact")

    def from_disk(self, path: Path) -> None:
        """Read them back, checked."""
        file = path.with_suffix(".npy")
        meta = check_sidecar(file, kind="exact")
        vectors = numpy.load(file, allow_pickle=False)
        if vectors.shape != (meta["count"], meta["dimension"]):
            problem = f"its shape is {vectors.shape}"
            raise RetrievalError(Errors.R301.format(path=file, problem=problem))
        self.build(vectors)


def _nth_greatest(rows: Vectors, n: int) -> Vectors:
    """Give the n-th greatest number of each row, or its least where it has fewer."""
    place = max(0, rows.shape[1] - n)
    return numpy.partition(rows, place, axis=1)[:, place]


def normalised(vectors: Vectors) -> Vectors:
    """Scale rows to length one; a row of zeros stays, and so do rows that are."""
    lengths = numpy.sqrt(numpy.einsum("ij,ij->i", vectors, vectors))
    if numpy.allclose(lengths, 1, rtol=0, atol=1e-6):
        return vectors
    scaled = vectors / numpy.where(lengths == 0, 1, lengths)[:, None]
    return scaled.astype(numpy.float32)


def make_exact_index() -> IndexMaker:
    """Make exact indices (`spacy_ramie.ExactIndex.v1`)."""
    return ExactIndex
