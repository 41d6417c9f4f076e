"""What of a long list is shown where there is room for a part of it."""

from collections import Counter
from collections.abc import Hashable, Sequence


def choose(groups: Sequence[Hashable], sizes: Sequence[int], room: int) -> list[int]:
    """Take in turn the next member of each group, as long as there is room.

    groups (Sequence[Hashable]): The group of each member.
    sizes (Sequence[int]): How much room it takes.
    room (int): How much there is.
    RETURNS (list[int]): Numbers of those taken, in order.
    """
    seen: Counter[Hashable] = Counter()
    turns = []
    for number, group in enumerate(groups):
        turns.append((seen[group], number))
        seen[group] += 1
    taken = []
    for _, number in sorted(turns):
        if sizes[number] <= room:
            room -= sizes[number]
            taken.append(number)
    return sorted(taken)
