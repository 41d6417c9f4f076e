"""The floor of each task with spans: what is below it is wrong too often."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spacy.tokens import Doc

from ..confidence import fit_floor
from ..extraction import Extraction
from ..record import make_record
from .scorer import gold_items


def fit_floors(extraction: Extraction, docs: Sequence[Doc]) -> dict[str, float]:
    """Fit the least probability of a span or triple, for each task that finds some.

    extraction (Extraction): The tasks; its own floors and thresholds are not applied.
    docs (Sequence[Doc]): Gold documents that neither adapter nor base has seen.
    RETURNS (dict): Task to floor.
    """
    before = extraction.floors, extraction.thresholds
    extraction.floors = extraction.thresholds = {}
    try:
        records = [make_record(note, lambda _: None) for note in extraction.run(docs)]
    finally:
        extraction.floors, extraction.thresholds = before
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    wanted: dict[str, int] = defaultdict(int)
    for doc, record in zip(docs, records, strict=True):
        gold = gold_items(doc)
        for task, kind in (("ner", "ents"), ("te", "ramie_te")):
            wanted[task] += sum(map(len, gold[kind].values()))
            found[task] += [
                (score, item in gold[kind].get(label, ()))
                for label, item, score in _items(task, record)
            ]
    return {
        task: fit_floor(found[task], wanted[task])
        for task in ("ner", "te")
        if task in extraction.tasks
    }


def _items(
    task: str, record: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[Any, Any], float]]:
    """Label, item in the form of `gold_items`, probability."""
    if task == "ner":
        for entity in record["entities"]:
            place = entity["start"], entity["end"]
            yield entity["label"], place, _known(entity["score"])
    else:
        for relation in record["relations"]:
            if relation["source"] == "te":
                ends = relation["head"]["text"], relation["tail"]["text"]
                yield relation["label"], ends, _known(relation["score"])


def _known(score: float | None) -> float:
    # What has no probability is never set aside.
    return 1.0 if score is None else score
