"""From what a model said back to where it stands in the note.

Pure functions on strings and offsets. The n-th answer with the same string is
its n-th occurrence; an answer that stands nowhere is not placed.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from .styles.shown import show
from .types import Unit


class Place(NamedTuple):
    """Where an answer stands, in characters of the sentence.

    ambiguous (bool): It stands in more places than it was said.
    """

    start: int
    end: int
    ambiguous: bool


def occurrences(unit: Unit, text: str) -> list[tuple[int, int]]:
    """Find the places of a text in a sentence, at token borders.

    Where the very text is nowhere, it is looked for without regard to case and,
    as a piece of a token, widened to the whole token; but a word of it is a whole
    word there, or its singular: iron does not stand in environment.

    unit (Unit): The sentence.
    text (str): What to look for, as the model was shown it.
    RETURNS (list): Start and end of each place, from left to right.
    """
    if not text:
        return []
    shown = show(unit.text)
    starts = {start for start, _ in unit.tokens}
    ends = {end for _, end in unit.tokens}
    places = _find_all(shown, text)
    exact = [(s, e) for s, e in places if s in starts and e in ends]
    if exact:
        return exact
    if not places and len(shown.lower()) == len(shown):
        places = _find_all(shown.lower(), text.lower())
    widened = (_widen(unit, s, e) for s, e in places if _is_word(shown, s, e))
    return sorted({place for place in widened if place is not None})


def place_items(unit: Unit, texts: Sequence[str]) -> list[Place | None]:
    """Place a list of answers, each n-th of a kind at its n-th occurrence.

    An occurrence inside a longer answer (green tea in green tea extract) is used
    only when there is no other.

    unit (Unit): The sentence.
    texts (Sequence[str]): The answers in their order.
    RETURNS (list): A place for each answer; None for one said more often than it
        stands there, or that stands nowhere.
    """
    counts = Counter(texts)
    queues: dict[str, list[Place]] = {}
    taken: list[tuple[int, int]] = []
    for text in sorted(counts, key=len, reverse=True):
        found = occurrences(unit, text)
        free = [p for p in found if not any(_inside(p, other) for other in taken)]
        chosen = free if len(free) >= counts[text] else found
        ambiguous = len(chosen) > counts[text]
        queues[text] = [Place(*p, ambiguous) for p in chosen[: counts[text]]]
        taken += chosen[: counts[text]]
    return [queues[text].pop(0) if queues[text] else None for text in texts]


def place_pair(
    unit: Unit, head: str, tail: str, nth: int = 0
) -> tuple[Place, Place] | None:
    """Place the two ends of a triple where they stand closest together.

    Places that overlap come last: in "B12 deficiency, so B12 was started" it is
    the second B12 that treats the B12 deficiency.

    unit (Unit): The sentence.
    head (str): Text of the head.
    tail (str): Text of the tail.
    nth (int): How many equal triples came before: the next closest pair is taken.
    RETURNS (tuple | None): The two places, or None.
    """
    heads, tails = occurrences(unit, head), occurrences(unit, tail)
    pairs = [(h, t) for h in heads for t in tails if h != t]
    if len(pairs) <= nth:
        return None
    pairs.sort(key=lambda pair: (_overlap(*pair), _distance(*pair), pair))
    chosen = pairs[nth]
    return Place(*chosen[0], len(heads) > 1), Place(*chosen[1], len(tails) > 1)


def _find_all(text: str, part: str) -> list[tuple[int, int]]:
    places, at = [], text.find(part)
    while at >= 0:
        places.append((at, at + len(part)))
        at = text.find(part, at + 1)
    return places


def _widen(unit: Unit, start: int, end: int) -> tuple[int, int] | None:
    touched = [(s, e) for s, e in unit.tokens if s < end and e > start]
    return (touched[0][0], touched[-1][1]) if touched else None


def _is_word(text: str, start: int, end: int) -> bool:
    rest = (
        "".join(takewhile(str.isalpha, text[end:])) if text[end - 1].isalpha() else ""
    )
    begun = start > 0 and text[start - 1].isalpha() and text[start].isalpha()
    return not begun and rest.lower() in ("", "s", "es")


def _inside(inner: tuple[int, int], outer: tuple[int, int]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1] and inner != outer


def _distance(a: tuple[int, int], b: tuple[int, int]) -> int:
    return max(b[0] - a[1], a[0] - b[1], 0)


def _overlap(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] < b[1] and b[0] < a[1]
