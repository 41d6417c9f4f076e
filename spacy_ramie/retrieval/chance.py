"""The control of a search: rows by chance."""

from functools import partial
from random import Random

from .encoders import Vectors
from .index import ExactIndex, Found, IndexMaker


class ChanceIndex(ExactIndex):
    """Finds rows by chance.

    seed (int): Source of chance.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = Random(seed)

    def search(self, queries: Vectors, n: int) -> list[Found]:
        """Give up to n rows for each query; their cosines are not computed."""
        rows = range(self._vectors.shape[0])
        n = min(n, len(rows))
        return [[(i, 0.0) for i in self._random.sample(rows, n)] for _ in queries]


def make_chance_index(seed: int = 0) -> IndexMaker:
    """Make indices that find rows by chance (`spacy_ramie.ChanceIndex.v1`).

    seed (int): Source of chance.
    RETURNS (IndexMaker): Makes an empty index.
    """
    return partial(ChanceIndex, seed)
