"""What kind of mistake something is: borders, class, missed, invented."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .items import Item, Place

# In the order in which they are looked for, with what they mean.
KINDS = {
    "wrong class": "a gold item's place or pair, with another label, its own or an end's",
    "boundary": "the label of a gold item that it overlaps, with other borders",
    "missed": "a gold item that none of the former stands for",
    "invented": "everything else that was found and is not gold",
}


class Mistake(NamedTuple):
    """Something that was found and is wrong, or was not found.

    kind (str): One of `KINDS`.
    gold (Item | None): What should have been found; None: nothing.
    found (Item | None): What was; None: nothing.
    """

    kind: str
    gold: Item | None
    found: Item | None


def find_mistakes(gold: Sequence[Item], found: Sequence[Item]) -> list[Mistake]:
    """Compare what was found by one task in one note with what should have been.

    Every wrong item is one mistake, and so is every gold item that was neither found
    nor is what a wrong one should have been. One gold item can be what several wrong
    ones should have been.

    gold (Sequence[Item]): What should have been found; those with equal label and key
        are one.
    found (Sequence[Item]): What was, likewise.
    RETURNS (list[Mistake]): First the wrong items, then the missed ones.
    """
    wanted = {(item.label, item.key): item for item in gold}
    given = {(item.label, item.key): item for item in found}
    unmet = [item for name, item in wanted.items() if name not in given]
    met = [item for name, item in wanted.items() if name in given]
    mistakes = [
        _judge(item, [*unmet, *met])
        for name, item in given.items()
        if name not in wanted
    ]
    accounted = {(m.gold.label, m.gold.key) for m in mistakes if m.gold is not None}
    mistakes += [
        Mistake("missed", item, None)
        for item in unmet
        if (item.label, item.key) not in accounted
    ]
    return mistakes


def is_copied(found: Item, shown: Iterable[Item]) -> bool:
    """Say whether an item is what the exemplar's answer would give.

    found (Item): What was found.
    shown (Iterable[Item]): What the answer of the exemplar says, read as an answer
        about the same sentence.
    RETURNS (bool): Whether text and label are among them.
    """
    return any((found.label, found.texts) == (i.label, i.texts) for i in shown)


def _judge(item: Item, gold: Sequence[Item]) -> Mistake:
    """Find what a wrong item should have been; the first of equals."""
    for other in gold:
        if other.places == item.places or other.key == item.key:
            return Mistake("wrong class", other, item)
    near = [o for o in gold if o.label == item.label and _shared(o, item)]
    if near:
        return Mistake("boundary", max(near, key=lambda o: _shared(o, item)), item)
    return Mistake("invented", None, item)


def _shared(one: Item, other: Item) -> int:
    """Characters that two items share; 0 where one of their ends shares none."""
    shared = [_common(a, b) for a, b in zip(one.places, other.places, strict=True)]
    return sum(shared) if all(shared) else 0


def _common(one: Place, other: Place) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))
