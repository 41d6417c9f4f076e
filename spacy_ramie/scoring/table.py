"""The figures of several systems as the rows of a table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Key of a figure, its heading.
_SHARES = {
    "ner": "Entities (NER)",
    "re": "Relations (RE)",
    "re_gold": "Relations, gold entities",
    "te": "Triples (TE)",
    "uc": "Usage (UC)",
    "uc_gold": "Usage, gold mentions",
}
_AMOUNTS = {
    "train_seconds": "Seconds to train",
    "seconds_per_1000": "Seconds per 1,000 sentences",
    "megabytes": "Megabytes",
}


def side_by_side(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """Write figures as rows, a column for each system.

    figures (Mapping): What `scoring.systems.measure` gave, by name of the system.
    YIELDS (list[str]): Heading and cells; an empty one where there is no figure.
    """
    systems = figures.values()
    for key, heading in _SHARES.items():
        yield [heading, *(_interval(system[key]) for system in systems)]
    for key, heading in _AMOUNTS.items():
        yield [heading, *(_amount(system[key]) for system in systems)]


def _interval(figure: Sequence[float] | None) -> str:
    if figure is None:
        return ""
    value, low, high = (100 * share for share in figure)
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def _amount(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
