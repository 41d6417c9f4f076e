"""The exemplars of one task and how they are searched."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from ..types import Exemplar, Hit
from .encoders import Vectors
from .index import Index


class Bank:
    """The exemplars of one task and their index.

    exemplars (Sequence[Exemplar]): The exemplars, in the order of the vectors.
    index (Index): Holds a vector for each.
    """

    def __init__(self, exemplars: Sequence[Exemplar], index: Index) -> None:
        self.exemplars = exemplars
        self.index = index

    def search(
        self, queries: Vectors, k: int, *, but: Sequence[Exemplar] | None
    ) -> list[list[Hit]]:
        """Find the exemplars most similar to sentences.

        queries (Vectors): The embedded sentences.
        k (int): How many at most for each.
        but (Sequence[Exemplar] | None): While training, the items themselves:
            neither its note nor the same sentence of another note is shown to one.
        RETURNS (list): For each sentence the best, the most similar first.
        """
        barred = [self._kin_of(e) for e in but] if but else [set()] * len(queries)
        most = k + max(map(len, barred), default=0)
        return [
            [Hit(self.exemplars[i], cosine) for i, cosine in found if i not in kin][:k]
            for found, kin in zip(self.index.search(queries, most), barred, strict=True)
        ]

    def indexed_by(self, index: Index) -> "Bank":
        """Give the same exemplars with another index.

        index (Index): An empty one, which takes the vectors in.
        RETURNS (Bank): The other bank.
        """
        index.build(self.index.vectors())
        return Bank(self.exemplars, index)

    @cached_property
    def _kin(self) -> dict[tuple[str, str], set[int]]:
        """Rows by note and by sentence; asked for while training alone."""
        kin = defaultdict(set)
        for i, exemplar in enumerate(self.exemplars):
            kin["group", exemplar.group].add(i)
            kin["sentence", exemplar.sentence].add(i)
        return kin

    def _kin_of(self, exemplar: Exemplar) -> set[int]:
        """Rows of the same note or of the same sentence."""
        none: set[int] = set()
        return self._kin.get(("group", exemplar.group), none) | self._kin.get(
            ("sentence", exemplar.sentence), none
        )
