"""PHEE as published (Sun et al., EMNLP 2022; version 2) to corpus records.

Entities are the drugs (DRUG) and what they are about (EVENT): effects, and the
disorders of treatments and subjects. Every drug and event of a sentence make a
pair: NEGATIVE for the effect of an adverse event, POSITIVE for the effect of a
therapeutic event and for what a drug treats, NOT_RELATED otherwise. In place of
usage stands the assertion of the event that a drug belongs to.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import CorpusError, Errors

Span = tuple[int, int]
Event = Mapping[str, Any]

ADVERSE = "Adverse_event"


def convert_phee(path: Path) -> list[dict[str, Any]]:
    """Convert a published file.

    path (Path): `train.jsonl`, `dev.jsonl` or `test.jsonl` of version 2.
    RETURNS (list[dict]): Records of the schema `phee`.
    """
    if not path.is_file():
        raise CorpusError(Errors.R102.format(path=path))
    records = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                records.append(convert_sentence(json.loads(line)))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                problem = f"not a sentence as PHEE has them ({error!r})"
                raise CorpusError(
                    Errors.R101.format(path=path, line=number, id="?", problem=problem)
                ) from error
    return records


def convert_sentence(data: Mapping[str, Any]) -> dict[str, Any]:
    """Convert one published sentence.

    data (Mapping): A line of the file.
    RETURNS (dict): Its record.
    """
    events = [e for a in data["annotations"] for e in a["events"]]
    labels: dict[Span, str] = {}
    # A span that is a drug in one place and a disorder in another is a drug.
    for event in events:
        labels.update(dict.fromkeys(_affected(event), "EVENT"))
    for event in events:
        labels.update(dict.fromkeys(_drugs(event), "DRUG"))
    ids = {span: f"T{i}" for i, span in enumerate(sorted(labels), start=1)}
    entities = [
        {"id": id, "start": span[0], "end": span[1], "label": labels[span]}
        for span, id in ids.items()
    ]
    pairs = _related(events)
    drugs = [span for span in ids if labels[span] == "DRUG"]
    relations = [
        {
            "head": ids[drug],
            "tail": ids[event],
            "label": pairs.get((drug, event), "NOT_RELATED"),
        }
        for drug in drugs
        for event in ids
        if labels[event] == "EVENT"
        # A drug within the name of an event (ticlopidine-induced aplasia) says
        # nothing of it unless PHEE does.
        and ((drug, event) in pairs or not _overlap(drug, event))
    ]
    assertions: dict[Span, set[str]] = defaultdict(set)
    for event in events:
        for drug in _drugs(event):
            assertions[drug].add(_assertion(event))
    # A drug whose events differ in their assertion has none of its own.
    usage = [
        {"entity": ids[drug], "label": next(iter(assertions[drug]))}
        for drug in drugs
        if len(assertions[drug]) == 1
    ]
    return {
        "id": data["id"],
        "text": data["context"],
        "entities": entities,
        "relations": relations,
        "usage": usage,
    }


def _related(events: list[Event]) -> dict[tuple[Span, Span], str]:
    """Label the pairs that are related; what a drug caused outweighs what it treats."""
    pairs: dict[tuple[Span, Span], str] = {}
    for event in events:
        effect = "NEGATIVE" if event["event_type"] == ADVERSE else "POSITIVE"
        treated = list(_spans(event.get("Treatment", {}).get("Disorder")))
        for drug in _drugs(event):
            for tail in treated:
                pairs.setdefault((drug, tail), "POSITIVE")
            for tail in _spans(event.get("Effect")):
                if pairs.get((drug, tail)) != "NEGATIVE":
                    pairs[drug, tail] = effect
    return pairs


def _overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _drugs(event: Event) -> list[Span]:
    return list(_spans(event.get("Treatment", {}).get("Drug")))


def _affected(event: Event) -> Iterator[Span]:
    yield from _spans(event.get("Effect"))
    for owner in ("Treatment", "Subject"):
        yield from _spans(event.get(owner, {}).get("Disorder"))


def _assertion(event: Event) -> str:
    if event.get("Negated", {}).get("value"):
        return "NEGATED"
    return "SPECULATED" if event.get("Speculated", {}).get("value") else "ASSERTED"


def _spans(argument: Mapping[str, Any] | None) -> Iterator[Span]:
    """The spans of an argument; a discontinuous one gives the span that covers it."""
    if argument is None:
        return
    for texts, starts in zip(argument["text"], argument["start"], strict=True):
        ends = [at + len(text) for text, at in zip(texts, starts, strict=True)]
        yield min(starts), max(ends)
