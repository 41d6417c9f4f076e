"""Timing arms against each other: they take turns, so that noise hits all alike."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple


class Row(NamedTuple):
    """A line of the table.

    name (str): What was timed.
    against (str): What it is compared with.
    target (str): What was wanted.
    value (float): The median over the rounds.
    low (float): The least of the rounds.
    high (float): The most.
    unit (str): "x" (times as fast), or "%" (of the whole).
    met (bool): The target was met.
    note (str): What the arms answered, and what else one must know.
    """

    name: str
    against: str
    target: str
    value: float
    low: float
    high: float
    unit: str
    met: bool
    note: str


class Arm(NamedTuple):
    """Seconds of each round, and what the last one gave."""

    seconds: list[float]
    result: Any


def alternate(arms: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, Arm]:
    """Run all arms once to warm up, then in turns.

    arms (Mapping): What to run, by name.
    rounds (int): How often each is timed.
    RETURNS (dict): The arms.
    """
    for run in arms.values():
        run()
    timed = {name: Arm([], None) for name in arms}
    for _ in range(rounds):
        for name, run in arms.items():
            gc.collect()
            start = time.perf_counter()
            result = run()
            seconds = [*timed[name].seconds, time.perf_counter() - start]
            timed[name] = Arm(seconds, result)
    return timed


def times_as_fast(
    name: str,
    against: str,
    *,
    target: float,
    new: Arm,
    old: Arm,
    note: str,
    work: float = 1,
) -> Row:
    """Compare two arms round by round.

    name (str): What was timed.
    against (str): What it is compared with.
    target (float): How many times as fast it should be.
    new (Arm): The one.
    old (Arm): The other.
    note (str): What else to know.
    work (float): The work of the new arm, in units of the old one's.
    RETURNS (Row): The line of the table.
    """
    pairs = zip(old.seconds, new.seconds, strict=True)
    ratios = [before * work / after for before, after in pairs]
    value = median(ratios)
    spread = min(ratios), max(ratios)
    wanted = f"{target:g} x"
    return Row(name, against, wanted, value, *spread, "x", value >= target, note)


def share(
    name: str, against: str, *, target: float, shares: list[float], note: str
) -> Row:
    """Say how much of a whole a part takes.

    name (str): The part.
    against (str): The whole.
    target (float): The most it should take, in percent.
    shares (list[float]): What it took in each round, in percent.
    note (str): What else to know.
    RETURNS (Row): The line of the table.
    """
    value = median(shares)
    spread = min(shares), max(shares)
    wanted = f"at most {target:g} %"
    return Row(name, against, wanted, value, *spread, "%", value <= target, note)


def same_texts(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """Say how many of the answers are the same but for blanks at their ends.

    ours (Sequence[str]): The one arm's.
    theirs (Sequence[str]): The other's.
    RETURNS (float): Their share.
    """
    pairs = list(zip(ours, theirs, strict=True))
    return sum(a.strip() == b.strip() for a, b in pairs) / len(pairs)
