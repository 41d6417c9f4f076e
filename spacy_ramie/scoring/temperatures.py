"""The temperature of each task with labels: how sure it was, and what was true."""

from collections import defaultdict
from collections.abc import Sequence

from spacy.tokens import Doc

from ..confidence import fit_temperature
from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..extraction import Extraction
from ..types import Relation, Usage
from .given import ends_of


def fit_temperatures(extraction: Extraction, docs: Sequence[Doc]) -> dict[str, float]:
    """Fit a temperature for each task that gives labels probabilities.

    extraction (Extraction): The tasks; its own temperatures are not applied.
    docs (Sequence[Doc]): Gold documents that neither adapter nor base has seen.
    RETURNS (dict): Task to temperature.
    """
    before, extraction.temperatures = extraction.temperatures, {}
    gold = [gold_annotations(record_of(doc) or {}) for doc in docs]
    try:
        given = [known.entities for known in gold]
        notes = extraction.run(docs, given, second_wave_only=True)
    finally:
        extraction.temperatures = before
    answers: dict[str, list[tuple[list[float], int]]] = defaultdict(list)
    for known, note in zip(gold, notes, strict=True):
        truth = {ends_of(r.head, r.tail): r.label for r in known.relations}
        truth |= {ends_of(u.entity): u.label for u in known.usage}
        for finding in note.findings:
            label = truth.get(ends_of(*finding.question.about))
            found = finding.annotations
            items: tuple[Relation | Usage, ...] = (*found.relations, *found.usage)
            for item in items:
                if label is not None and label in item.scores:
                    true = list(item.scores).index(label)
                    chances = list(item.scores.values())
                    answers[finding.question.task].append((chances, true))
    return {task: fit_temperature(members) for task, members in answers.items()}
