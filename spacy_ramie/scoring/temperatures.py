"""The temperature of each task, from how sure a pipeline was and whether it was right."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from spacy.tokens import Doc

from ..confidence import fit_temperature
from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..extraction import Extraction, NoteFindings
from ..types import Annotations, Relation, Usage
from .given import ends_of

# Task, probabilities of all that is possible, which of them is true.
Sure = tuple[str, list[float], int]


def fit_temperatures(extraction: Extraction, docs: Sequence[Doc]) -> dict[str, float]:
    """Fit a temperature for each task that gives probabilities.

    extraction (Extraction): The tasks; its temperatures are not applied.
    docs (Sequence[Doc]): Gold documents that neither adapter nor base has seen.
    RETURNS (dict): Task to temperature.
    """
    before, extraction.temperatures = extraction.temperatures, {}
    gold = [gold_annotations(record_of(doc) or {}) for doc in docs]
    try:
        found = extraction.run(docs)
        given = extraction.run(
            docs, [known.entities for known in gold], second_wave_only=True
        )
    finally:
        extraction.temperatures = before
    answers: dict[str, list[tuple[list[float], int]]] = defaultdict(list)
    for known, notes in zip(gold, zip(found, given, strict=True), strict=True):
        for task, chances, true in [
            *_spans(known, notes[0]),
            *_labels(known, notes[1]),
        ]:
            answers[task].append((chances, true))
    return {task: fit_temperature(members) for task, members in answers.items()}


def _spans(known: Annotations, note: NoteFindings) -> Iterator[Sure]:
    """Entities and triples are right or wrong."""
    places = {(e.start, e.end, e.label) for e in known.entities}
    triples = {(r.head.text, r.label, r.tail.text) for r in known.relations}
    for finding in note.findings:
        for e in finding.annotations.entities:
            if e.score is not None:
                true = int((e.start, e.end, e.label) not in places)
                yield finding.question.task, [e.score, 1 - e.score], true
        for r in finding.annotations.relations:
            if r.score is not None and not r.scores:
                true = int((r.head.text, r.label, r.tail.text) not in triples)
                yield finding.question.task, [r.score, 1 - r.score], true


def _labels(known: Annotations, note: NoteFindings) -> Iterator[Sure]:
    """Of the labels about gold entities one is true."""
    truth = {ends_of(r.head, r.tail): r.label for r in known.relations}
    truth |= {ends_of(u.entity): u.label for u in known.usage}
    for finding in note.findings:
        label = truth.get(ends_of(*finding.question.about))
        found = finding.annotations
        items: tuple[Relation | Usage, ...] = (*found.relations, *found.usage)
        for item in items:
            if label is not None and label in item.scores:
                true = list(item.scores).index(label)
                yield finding.question.task, list(item.scores.values()), true
