"""The floor of each task with spans: what is below it is wrong too often."""

from collections.abc import Sequence

from spacy.tokens import Doc

from ..confidence import fit_floor
from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..extraction import Extraction
from .items import items_of

SPAN_TASKS = ("ner", "te")


def fit_floors(extraction: Extraction, docs: Sequence[Doc]) -> dict[str, float]:
    """Fit the least probability of a span or triple, for each task that finds some.

    extraction (Extraction): The tasks; its own floors and thresholds are not applied.
    docs (Sequence[Doc]): Gold documents that neither adapter nor base has seen.
    RETURNS (dict): Task to floor.
    """
    notes = extraction.uncalibrated(wave=1).run(docs)
    gold = [items_of(gold_annotations(record_of(doc) or {})) for doc in docs]
    floors = {}
    for task in SPAN_TASKS:
        if task not in extraction.tasks:
            continue
        found = []
        wanted = [{(item.label, item.key) for item in known[task]} for known in gold]
        for note, right in zip(notes, wanted, strict=True):
            for finding in note.findings:
                found += [
                    # What has no probability is never set aside.
                    (
                        1.0 if item.score is None else item.score,
                        (item.label, item.key) in right,
                    )
                    for item in items_of(finding.annotations)[task]
                ]
        floors[task] = fit_floor(found, sum(map(len, wanted)))
    return floors
