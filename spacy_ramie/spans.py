"""Spans from character offsets."""

from collections.abc import Mapping
from typing import Any, cast

from spacy.tokens import Doc, Span


def char_span(
    doc: Doc, start: int, end: int, *, label: str = "", kb_id: str = "", id: str = ""
) -> Span:
    """Make a span of the tokens that characters touch.

    doc (Doc): The document.
    start (int): First character.
    end (int): The character behind the last.
    label (str): Label of the span.
    kb_id (str): Its entry in a knowledge base.
    id (str): Its identifier.
    RETURNS (Span): The span, widened to whole tokens.
    """
    span = doc.char_span(
        start, end, label=label, kb_id=kb_id, span_id=id, alignment_mode="expand"
    )
    # Only offsets outside the text give none, and there are none of those.
    return cast(Span, span)


def entity_span(doc: Doc, entity: Mapping[str, Any]) -> Span:
    """Make the span of an entity of a record, with its id and its ingredient.

    doc (Doc): The document.
    entity (Mapping): The entity as it stands in the record.
    RETURNS (Span): The span, equal to the one in `doc.spans`.
    """
    return char_span(
        doc,
        entity["start"],
        entity["end"],
        label=entity["label"],
        kb_id=entity["ingredient"] or "",
        id=entity["id"],
    )
