"""What an index is, and the exact one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy
from thinc.api import get_current_ops

from ..errors import Errors, RetrievalError
from .encoders import Rows, Vectors, dense, is_sparse, lengths_of
from .sidecar import check_sidecar, write_sidecar

# Rows and their cosines.
Found = list[tuple[int, float]]
# Queries that are compared in one product of matrices.
BLOCK = 1024
# Queries up to which a sparse product is faster than writing the zeros out.
FEW = 32


@runtime_checkable
class Index(Protocol):
    """Finds the rows of a matrix whose cosine with a vector is highest."""

    def build(self, vectors: Rows) -> None:
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
        self._vectors: Rows = numpy.zeros((0, 0), dtype=numpy.float32)
        # What few queries are compared by, and what many are: rows of length one on the
        # device of the current ops. Made when first needed.
        self._lengths: Vectors | None = None
        self._rows: Any = None

    def build(self, vectors: Rows) -> None:
        """Take the vectors in."""
        self._vectors, self._lengths, self._rows = vectors, None, None

    def search(self, queries: Vectors, n: int) -> list[Found]:
        """Give up to n rows and their cosines for each query, the best first."""
        found: list[Found] = []
        for at in range(0, len(queries), BLOCK):
            cosines = self._cosines(normalised(queries[at : at + BLOCK]))
            for row, least in zip(cosines, _nth_greatest(cosines, n), strict=True):
                # Sorting all of them would take longer than the product.
                near = numpy.flatnonzero(row >= least)
                best = near[numpy.argsort(-row[near], kind="stable")][:n]
                found.append([*zip(best.tolist(), row[best].tolist(), strict=True)])
        return found

    def _cosines(self, queries: Vectors) -> Vectors:
        if is_sparse(self._vectors) and len(queries) <= FEW:
            if self._lengths is None:
                self._lengths = lengths_of(self._vectors)
            few: Vectors = (self._vectors @ queries.T).T / self._lengths
            return few
        ops = get_current_ops()
        if self._rows is None:
            self._rows = normalised(self.vectors())
        self._rows = ops.asarray(self._rows)
        cosines: Vectors = ops.to_numpy(ops.asarray(queries) @ self._rows.T)
        return cosines

    def vectors(self) -> Vectors:
        """Give the vectors back as they were taken in, their zeros written out."""
        return dense(self._vectors)

    def to_disk(self, path: Path, encoder: str) -> None:
        """Write a .npy file, or a .npz file of sparse vectors, and its sidecar."""
        dense_file, sparse_file = path.with_suffix(".npy"), path.with_suffix(".npz")
        if is_sparse(self._vectors):
            from scipy.sparse import save_npz

            file, other = sparse_file, dense_file
            save_npz(file, self._vectors)
        else:
            file, other = dense_file, sparse_file
            numpy.save(file, self._vectors, allow_pickle=False)
        other.unlink(missing_ok=True)
        write_sidecar(file, self._vectors.shape, encoder, kind="exact")

    def from_disk(self, path: Path) -> None:
        """Read them back, checked."""
        file = path.with_suffix(".npz")
        sparse = file.is_file()
        if not sparse:
            file = path.with_suffix(".npy")
        meta = check_sidecar(file, kind="exact")
        if sparse:
            from scipy.sparse import load_npz

            vectors = load_npz(file)
        else:
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
