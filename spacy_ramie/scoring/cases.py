"""Where an exemplar helped and where it harmed, item by item."""

from collections.abc import Mapping, Sequence
from typing import Any

from spacy.tokens import Doc

from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..retrieval.retriever import Retriever
from ..types import Hit, Unit
from ..units import unit_span, units_of
from .items import Item, items_of
from .scorer import Items, found_items

# How many cases of a task are kept.
KEPT = 20

_KINDS = {"ner": "ents", "re": "ramie_re", "te": "ramie_te", "uc": "ramie_uc"}

Records = Sequence[Mapping[str, Any]]


def find_cases(
    docs: Sequence[Doc], shown: Records, alone: Records, retriever: Retriever
) -> dict[str, dict[str, dict[str, Any]]]:
    """Compare the answers to questions that showed exemplars with those that did not.

    docs (Sequence[Doc]): Gold documents, segmented as the notes were.
    shown (Records): What was found in them with exemplars.
    alone (Records): What was found without.
    retriever (Retriever): Its exemplars are those that were shown.
    RETURNS (dict): Under "helped" the gold items that were found with exemplars alone,
        under "harmed" those found without alone; for each task the `count` of them
        and the first `cases`: `record`, `label`, `text`, and `exemplars` with id and
        similarity.
    """
    units = [units_of(doc) for doc in docs]
    hits = _hits(retriever, docs, units)
    found: dict[str, dict[str, dict[str, Any]]] = {
        name: {task: {"count": 0, "cases": []} for task in _KINDS}
        for name in ("helped", "harmed")
    }
    for doc, of_doc, one, other in zip(docs, units, shown, alone, strict=True):
        record = record_of(doc) or {}
        with_it, without = found_items(one), found_items(other)
        for task, items in items_of(gold_annotations(record)).items():
            for item in items:
                right = _has(with_it[_KINDS[task]], item)
                if right == _has(without[_KINDS[task]], item):
                    continue
                cases = found["helped" if right else "harmed"][task]
                cases["count"] += 1
                if len(cases["cases"]) < KEPT:
                    near = hits.get((task, _sentence(of_doc, item)), [])
                    cases["cases"].append(_case(record["id"], item, near))
    return found


def _hits(
    retriever: Retriever, docs: Sequence[Doc], units: Sequence[Sequence[Unit]]
) -> dict[tuple[str, str], list[Hit]]:
    """The exemplars of each task and sentence."""
    vectors = retriever.embed(
        [
            unit_span(doc, unit)
            for doc, of_doc in zip(docs, units, strict=True)
            for unit in of_doc
        ]
    )
    return {
        (task, text): hits
        for task in _KINDS
        for text, hits in zip(
            vectors, retriever.search(task, [*vectors.values()]), strict=True
        )
    }


def _has(found: Items, item: Item) -> bool:
    return item.key in found.get(item.label, ())


def _sentence(units: Sequence[Unit], item: Item) -> str:
    (start, _), *_ = item.places
    return next((u.text for u in units if u.start <= start < u.end), "")


def _case(record: str, item: Item, hits: Sequence[Hit]) -> dict[str, Any]:
    return {
        "record": record,
        "label": item.label,
        "text": " → ".join(item.texts),
        "exemplars": [
            {"id": hit.exemplar.id, "similarity": round(float(hit.similarity), 4)}
            for hit in hits
        ],
    }
