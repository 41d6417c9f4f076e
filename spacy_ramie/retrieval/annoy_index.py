"""Approximate search with Annoy."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy

from ..errors import Errors, RetrievalError
from .encoders import Rows, Vectors, dense
from .index import Found, IndexMaker
from .sidecar import check_sidecar, write_sidecar

# The angular distance of Annoy is the Euclidean one of the normalised vectors,
# so that cosine = 1 - distance ** 2 / 2.
METRIC = "angular"


class AnnoyIndex:
    """A forest of random projections, built once and then read-only.

    trees (int): How many.
    search_k (int): How many nodes a search looks at; with as many as there are
        exemplars it is all but exact.
    seed (int): Makes two builds the same to the bit (with one thread).
    """

    def __init__(self, trees: int, search_k: int, seed: int) -> None:
        self.trees = trees
        self.search_k = search_k
        self.seed = seed
        self._annoy: Any = None

    def build(self, vectors: Rows) -> None:
        """Take the vectors in and plant the trees."""
        self._annoy = _annoy(vectors.shape[1])
        self._annoy.set_seed(self.seed)
        for i, vector in enumerate(dense(vectors)):
            self._annoy.add_item(i, vector.tolist())
        self._annoy.build(self.trees, n_jobs=1)

    def search(self, queries: Vectors, n: int) -> list[Found]:
        """Give up to n rows and their cosines for each query, the best first."""
        found = []
        for vector in queries.tolist():
            rows, distances = self._annoy.get_nns_by_vector(
                vector, n, search_k=self.search_k, include_distances=True
            )
            pairs = zip(rows, distances, strict=True)
            found.append([(i, 1 - d * d / 2) for i, d in pairs])
        return found

    def vectors(self) -> Vectors:
        """Give the vectors back as they were taken in."""
        rows = [
            self._annoy.get_item_vector(i) for i in range(self._annoy.get_n_items())
        ]
        return numpy.asarray(rows, dtype=numpy.float32).reshape(-1, self._annoy.f)

    def to_disk(self, path: Path, encoder: str) -> None:
        """Write an .ann file and its sidecar."""
        file = path.with_suffix(".ann")
        # Annoy maps the file it was loaded from: never write over that one.
        fresh = file.with_suffix(".ann.new")
        self._annoy.save(str(fresh))
        fresh.replace(file)
        write_sidecar(
            file,
            (self._annoy.get_n_items(), self._annoy.f),
            encoder,
            kind="annoy",
            metric=METRIC,
            seed=self.seed,
            trees=self._annoy.get_n_trees(),
        )

    def from_disk(self, path: Path) -> None:
        """Map the file, once it was checked against its sidecar."""
        file = path.with_suffix(".ann")
        meta = check_sidecar(file, kind="annoy", metric=METRIC)
        self._annoy = _annoy(meta["dimension"])
        try:
            self._annoy.load(str(file))
        except OSError as error:
            raise RetrievalError(
                Errors.R301.format(path=file, problem=error)
            ) from error
        if self._annoy.get_n_items() != meta["count"]:
            problem = (
                f"it holds {self._annoy.get_n_items()} vectors, not {meta['count']}"
            )
            raise RetrievalError(Errors.R301.format(path=file, problem=problem))


def _annoy(dimension: int) -> Any:
    try:
        import annoy
    except ImportError as error:
        raise RetrievalError(Errors.R303) from error
    return annoy.AnnoyIndex(dimension, METRIC)


def make_annoy_index(
    trees: int = 5, search_k: int = 50_000, seed: int = 0
) -> IndexMaker:
    """Make Annoy indices (`spacy_ramie.AnnoyIndex.v1`).

    trees (int): How many trees. More find less in as many nodes.
    search_k (int): How many nodes a search looks at. On the supplement corpus
        50,000 of five trees find every nearest exemplar, and of fifty 87 %
        (`spacy ramie index-sweep`, 10,496 to 13,233 exemplars a task).
    seed (int): Seed of the projections.
    RETURNS (IndexMaker): Makes an empty index.
    """
    return partial(AnnoyIndex, trees, search_k, seed)
