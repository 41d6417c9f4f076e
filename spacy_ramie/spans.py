"""Spans from character offsets."""

from typing import cast

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
