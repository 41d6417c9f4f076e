"""What tasks tell each other: the ends of a triple are entities, a pair has one relation."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .types import Entity, Relation


def entities_at_ends(
    relations: Iterable[Relation],
    known: Sequence[Entity],
    thresholds: Mapping[str, float],
) -> tuple[Entity, ...]:
    """Give the ends of relations that no known entity overlaps, as entities.

    An entity that the list of entities leaves out is often an end of a triple. Its
    probability is that of the triple, the highest of several. Ends without a label,
    where a schema leaves a choice, are no entities.

    relations (Iterable[Relation]): What was found without asking about entities.
    known (Sequence[Entity]): The entities that were found.
    thresholds (Mapping[str, float]): The least probability of each label.
    RETURNS (tuple[Entity, ...]): More entities, none of which overlap.
    """
    ends = [
        replace(end, score=r.score, source=r.source, ambiguous=r.ambiguous)
        for r in relations
        for end in (r.head, r.tail)
        if end.label and _sure(r.score) >= thresholds.get(end.label, 0.0)
    ]
    joined: list[Entity] = []
    for end in sorted(ends, key=lambda end: -_sure(end.score)):
        if not any(_overlap(end, other) for other in (*known, *joined)):
            joined.append(end)
    return tuple(joined)


def one_for_each_pair(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Give the triples of a note, RE and TE together.

    Of a pair of texts that both speak of in a sentence, RE's label stands: it was asked
    about that pair alone, and is right more often.

    record (Mapping): The record of the note.
    RETURNS (list): Head text, label, tail text; in the order of the note, each once.
    """
    starts = [start for start, _ in record.get("units", ())]

    def pair(relation: Mapping[str, Any]) -> tuple[int, str, str]:
        head, tail = relation["head"], relation["tail"]
        return bisect_right(starts, head["start"]), head["text"], tail["text"]

    relations = record.get("relations", ())
    ordered = sorted(relations, key=lambda r: (r["head"]["start"], r["tail"]["start"]))
    asked = {pair(r) for r in ordered if r["source"] == "re"}
    return list(
        dict.fromkeys(
            (r["head"]["text"], r["label"], r["tail"]["text"])
            for r in ordered
            if r["source"] == "re" or pair(r) not in asked
        )
    )


def _sure(score: float | None) -> float:
    # What has no probability is never doubtful.
    return 1.0 if score is None else score


def _overlap(one: Entity, other: Entity) -> bool:
    return one.start < other.end and other.start < one.end
