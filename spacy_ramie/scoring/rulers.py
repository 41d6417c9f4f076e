"""Two rulers: strict in characters, and the paper's in strings.

Both give counts of right, wrong and missed items for each record, so that figures can
be drawn again for intervals and compared in pairs.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy
from spacy.tokens import Doc

from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..extraction import NoteFindings
from .bootstrap import Counts
from .given import judge
from .scorer import found_items, gold_items

Records = Sequence[Mapping[str, Any]]

_KINDS = {
    "ner": "ents",
    "re": "ramie_re",
    "te": "ramie_te",
    "triples": "ramie_triples",
    "uc": "ramie_uc",
}


def strict_counts(docs: Sequence[Doc], records: Records) -> dict[str, Counts]:
    """Compare characters and labels, end to end.

    docs (Sequence[Doc]): Gold documents.
    records (Records): Their predicted records.
    RETURNS (dict): Counts of shape (records, 3) for ner, re, te and uc, and for triples
        of RE and TE together.
    """
    rows: dict[str, list[tuple[int, int, int]]] = {task: [] for task in _KINDS}
    for doc, record in zip(docs, records, strict=True):
        gold, found = gold_items(doc), found_items(record)
        for task, kind in _KINDS.items():
            want = {(label, i) for label, items in gold[kind].items() for i in items}
            got = {(label, i) for label, items in found[kind].items() for i in items}
            rows[task].append(_compare(want, got))
    return {task: numpy.array(counts) for task, counts in rows.items()}


def given_counts(
    docs: Sequence[Doc], notes: Sequence[NoteFindings]
) -> dict[str, Counts]:
    """Compare answers about the gold entities: F1 is then the share that is right.

    docs (Sequence[Doc]): Gold documents.
    notes (Sequence[NoteFindings]): What came of asking about their entities.
    RETURNS (dict): Counts of shape (records, 3) for re and uc.
    """
    rows: dict[str, list[tuple[int, int, int]]] = {"re": [], "uc": []}
    for doc, note in zip(docs, notes, strict=True):
        judged = judge(gold_annotations(record_of(doc) or {}), note)
        for kind, counts in rows.items():
            right = sum(j.right for j in judged if j.kind == kind)
            wrong = sum(not j.right for j in judged if j.kind == kind)
            counts.append((right, wrong, wrong))
    return {kind: numpy.array(counts) for kind, counts in rows.items()}


def paper_counts(docs: Sequence[Doc], records: Records) -> dict[str, Counts]:
    """Compare sets of strings for each record, as the paper does (its section 2.5).

    Where a text is said twice in a record it counts once, and where it stands is of
    no matter. Relations and usage are `given_counts`: the paper gives gold entities.

    docs (Sequence[Doc]): Gold documents.
    records (Records): Their predicted records.
    RETURNS (dict): Counts of shape (records, 3) for ner and te.
    """
    entities, triples = [], []
    for doc, record in zip(docs, records, strict=True):
        known = gold_annotations(record_of(doc) or {})
        want: set[Hashable] = {(e.text, e.label) for e in known.entities}
        got: set[Hashable] = {
            (e["text"], e["label"]) for e in record.get("entities", ())
        }
        entities.append(_compare(want, got))
        want = {(r.head.text, r.label, r.tail.text) for r in known.relations}
        got = {
            (r["head"]["text"], r["label"], r["tail"]["text"])
            for r in record.get("relations", ())
            if r["source"] == "te"
        }
        triples.append(_compare(want, got))
    return {"ner": numpy.array(entities), "te": numpy.array(triples)}


def with_faults(counts: Counts, unread: Sequence[bool]) -> Counts:
    """Count as the released code does: what it cannot read, and the first line, go.

    counts (Counts): Of shape (records, 3).
    unread (Sequence[bool]): For each record whether an answer could not be read.
    RETURNS (Counts): The same with those rows empty.
    """
    kept = counts.copy()
    kept[numpy.array(unread, dtype=bool)] = 0
    kept[:1] = 0
    return kept


def unread_records(records: Records, task: str) -> list[bool]:
    """Say for each record whether an answer to a task could not be read."""
    return [
        any(
            failure["task"] == task and failure["kind"] in ("unparsable", "truncated")
            for failure in record.get("failures", ())
        )
        for record in records
    ]


def _compare(want: set[Any], got: set[Any]) -> tuple[int, int, int]:
    return len(want & got), len(got - want), len(want - got)
