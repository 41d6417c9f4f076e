"""Extension attributes: one stored record, and views computed from it."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from spacy.tokens import Doc, Span

from .errors import ConfigError, Errors
from .reconcile import one_for_each_pair
from .spans import char_span, entity_span

# What each attribute is called unless the config says otherwise.
ATTRS = {
    "record": "ramie",
    "relations": "ramie_relations",
    "triples": "ramie_triples",
    "usage": "ramie_usage",
    "score": "ramie_score",
    "exemplars": "ramie_exemplars",
}

# Start, end and label of an entity.
Place = tuple[int, int, str]


class SpanRelation(NamedTuple):
    """A relation with spans of the document for its ends.

    source (str): The task that found it: "re" (pair by pair) or "te" (triples).
    """

    head: Span
    tail: Span
    label: str
    score: float | None
    source: str


# The getters are functions of this module, not closures: spaCy sends them to its
# worker processes, which start from a pickle on some systems.
def doc_relations(attr: str, doc: Doc) -> list[SpanRelation]:
    """Give the relations of a note."""
    record = doc._.get(attr) or {}
    known = {_place(entity): entity for entity in record.get("entities", ())}
    return [
        SpanRelation(
            _end(doc, relation["head"], known),
            _end(doc, relation["tail"], known),
            relation["label"],
            relation["score"],
            relation["source"],
        )
        for relation in record.get("relations", ())
    ]


def span_relations(attr: str, span: Span) -> list[SpanRelation]:
    """Give the relations whose head or tail a span is."""
    ends = (span.start, span.end)
    return [
        relation
        for relation in doc_relations(attr, span.doc)
        if ends
        in (
            (relation.head.start, relation.head.end),
            (relation.tail.start, relation.tail.end),
        )
    ]


def doc_triples(attr: str, doc: Doc) -> list[tuple[str, str, str]]:
    """Give the triples of a note: head text, relation, tail text; one for each pair."""
    return one_for_each_pair(doc._.get(attr) or {})


def span_usage(attr: str, span: Span) -> str | None:
    """Give the usage class of a mention."""
    return next((item["label"] for item in _items(attr, "usage", span)), None)


def span_score(attr: str, span: Span) -> float | None:
    """Give the confidence in an entity."""
    return next((item["score"] for item in _items(attr, "entities", span)), None)


def span_exemplars(attr: str, span: Span) -> list[dict[str, Any]]:
    """Give ids and similarities of the exemplars behind an entity and its class."""
    return [
        dict(exemplar)
        for kind in ("entities", "usage")
        for item in _items(attr, kind, span)
        for exemplar in item["exemplars"]
    ]


def _items(attr: str, kind: str, span: Span) -> Iterator[Mapping[str, Any]]:
    record = span.doc._.get(attr) or {}
    for item in record.get(kind, ()):
        same_label = "ingredient" not in item or item["label"] == span.label_
        if same_label and _covers(span, item["start"], item["end"]):
            yield item


def _covers(span: Span, start: int, end: int) -> bool:
    """Say whether a span is the tokens that characters touch."""
    if start < span.start_char or span.end_char < end:
        return False
    touched = char_span(span.doc, start, end)
    return (touched.start, touched.end) == (span.start, span.end)


def _end(
    doc: Doc, end: Mapping[str, Any], known: Mapping[Place, Mapping[str, Any]]
) -> Span:
    """The span of an entity, or of the end of a triple that no entity is."""
    if _place(end) in known:
        return entity_span(doc, known[_place(end)])
    return char_span(doc, end["start"], end["end"], label=end["label"])


def _place(item: Mapping[str, Any]) -> Place:
    return item["start"], item["end"], item["label"]


_DOC_VIEWS: dict[str, Callable[..., Any]] = {
    "relations": doc_relations,
    "triples": doc_triples,
}
_SPAN_VIEWS: dict[str, Callable[..., Any]] = {
    "relations": span_relations,
    "usage": span_usage,
    "score": span_score,
    "exemplars": span_exemplars,
}


def attribute_names(renamed: Mapping[str, str]) -> dict[str, str]:
    """Complete the names of the attributes.

    renamed (Mapping[str, str]): Names that differ from `ATTRS`.
    RETURNS (dict[str, str]): All names.
    """
    for key in renamed:
        if key not in ATTRS:
            expected = f"one of {', '.join(ATTRS)} as its keys"
            raise ConfigError(
                Errors.R002.format(name="attrs", expected=expected, value=key)
            )
    return {**ATTRS, **renamed}


def register_views(attrs: Mapping[str, str]) -> None:
    """Register the extension attributes, never over somebody else's.

    attrs (Mapping[str, str]): Their names, by the keys of `ATTRS`.
    """
    record = attrs["record"]
    if not Doc.has_extension(record):
        Doc.set_extension(record, default=None)
    elif Doc.get_extension(record) != (None, None, None, None):
        _refuse("Doc", "record", record)
    for owner, views in ((Doc, _DOC_VIEWS), (Span, _SPAN_VIEWS)):
        for key, view in views.items():
            name = attrs[key]
            if not owner.has_extension(name):
                owner.set_extension(name, getter=partial(view, record))
            elif not _ours(owner.get_extension(name)[2], view, record):
                _refuse(owner.__name__, key, name)


def _ours(getter: Any, view: Callable[..., Any], record: str) -> bool:
    return (
        isinstance(getter, partial)
        and getter.func.__qualname__ == view.__qualname__
        and getter.func.__module__ == view.__module__
        and getter.args == (record,)
    )


def _refuse(owner: str, key: str, name: str) -> None:
    raise ConfigError(Errors.R003.format(owner=owner, attr=name, key=key))
