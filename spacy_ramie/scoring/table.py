"""The figures of several systems as the rows of a table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Key of a figure, its heading.
_SHARES = {
    "ner": "Entities (NER)",
    "re": "Relations (RE)",
    "re_gold": "Relations, gold entities",
    "te": "Triples (TE)",
    "triples": "Triples, RE and TE together",
    "uc": "Usage (UC)",
    "uc_gold": "Usage, gold mentions",
}
# Keys of `spacy evaluate`, their headings.
_SCORES = {
    "ents_f": "Entities (NER)",
    "ramie_re_f": "Relations (RE)",
    "ramie_re_gold_acc": "Relations, gold entities",
    "ramie_te_f": "Triples (TE)",
    "ramie_triples_f": "Triples, RE and TE together",
    "ramie_uc_f": "Usage (UC)",
    "ramie_uc_gold_acc": "Usage, gold mentions",
}
_FAILURES = ("ramie_requests", "ramie_unparsable", "ramie_ungrounded")
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


def variant_rows(scores: Mapping[str, Mapping[str, Any]]) -> Iterator[list[str]]:
    """Write the scores of a pipeline's variants as rows, a column for each.

    scores (Mapping): What `spacy evaluate` gives, by name of the variant.
    YIELDS (list[str]): Heading and cells; an empty one where there is no figure.
    """
    for key, heading in _SCORES.items():
        yield [heading, *(_percent(of.get(key)) for of in scores.values())]
    for key in _FAILURES:
        heading = key.removeprefix("ramie_").replace("_", " ").capitalize()
        yield [heading, *(str(of.get(key, "")) for of in scores.values())]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _interval(figure: Sequence[float] | None) -> str:
    if figure is None:
        return ""
    value, low, high = (100 * share for share in figure)
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def _amount(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
