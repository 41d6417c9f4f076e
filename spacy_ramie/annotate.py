"""Mirrors a record in the fields that spaCy and its other components know."""

from collections.abc import Mapping, Sequence
from typing import Any

from spacy.tokens import Doc
from spacy.util import filter_spans

from .spans import entity_span


def set_annotations(
    doc: Doc,
    record: Mapping[str, Any],
    *,
    attr: str,
    spans_key: str,
    classes: Sequence[str],
    ents: bool | None,
) -> None:
    """Put a record on a document.

    doc (Doc): The note.
    record (Mapping): Its record.
    attr (str): Name of the attribute that holds it.
    spans_key (str): Key of all entities in `doc.spans`.
    classes (Sequence[str]): The classes that get a key in `doc.cats`.
    ents (bool | None): Overwrite `doc.ents` (True), add to them (False), or leave
        them (None).
    """
    doc._.set(attr, record)
    spans = [entity_span(doc, entity) for entity in record["entities"]]
    doc.spans[spans_key] = spans
    if ents is True:
        doc.set_ents(filter_spans(spans))
    elif ents is False:
        # filter_spans prefers the longer one; what was there before comes first.
        taken = {token.i for ent in doc.ents for token in ent}
        free = [s for s in spans if not taken & set(range(s.start, s.end))]
        doc.set_ents(filter_spans(free), default="unmodified")
    for label in classes:
        # Another component may have found it.
        doc.cats.setdefault(label, 0.0)
    for usage in record["usage"]:
        for label, score in (usage["scores"] or {usage["label"]: 1.0}).items():
            doc.cats[label] = max(doc.cats.get(label, 0.0), score)
