"""What tells the labels apart that a request has to choose from."""

from collections.abc import Sequence
from typing import NamedTuple

from .prefix import shared_length


class Labels(NamedTuple):
    """Labels as tokens.

    ids (Sequence[Sequence[int]]): The tokens of each label, its end included.
    shared (Sequence[int]): Those that all begin with.
    next (Sequence[int]): The one behind them of each label, where no two have the
        same; else nothing, and labels must be read whole.
    """

    ids: Sequence[Sequence[int]]
    shared: Sequence[int]
    next: Sequence[int]

    @property
    def rows(self) -> int:
        """Rows that a request takes in a batch."""
        return 1 if self.next else len(self.ids)


def tell_apart(ids: Sequence[Sequence[int]]) -> Labels:
    """Find where labels part.

    ids (Sequence): The tokens of each label, its end included.
    RETURNS (Labels): The labels.
    """
    shared = shared_length(ids)
    behind = [label[shared] for label in ids if len(label) > shared]
    apart = len(set(behind)) == len(ids)
    return Labels(ids, ids[0][:shared], behind if apart else [])
