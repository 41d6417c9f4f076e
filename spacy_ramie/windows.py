"""A sentence that is too long for the model, in windows that overlap."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from .types import Annotations, Entity, Failure, Relation, Unit, Usage

MESSAGE = "the sentence does not fit into the context: it was asked in windows"

_T = TypeVar("_T")


def halves(unit: Unit) -> list[Unit]:
    """Cut a sentence into two windows that share a quarter of its tokens.

    unit (Unit): The sentence.
    RETURNS (list[Unit]): The windows, both shorter; none of a single token.
    """
    count = len(unit.tokens)
    size = count - max(1, 3 * count // 8)
    if not size:
        return []
    return [_window(unit, 0, size), _window(unit, count - size, count)]


def merge(parts: Sequence[Annotations]) -> Annotations:
    """Put together what was said of the windows of one sentence, each thing once.

    Of an entity that a window cut off the other has more: the longer one is kept.

    parts (Sequence[Annotations]): Of each window, with the offsets of the note.
    RETURNS (Annotations): Of the sentence, with a failure that says so.
    """
    whole = (
        entity
        for part in parts
        for entity in part.entities
        if not any(
            _cut_off(entity, longer)
            for other in parts
            if other is not part
            for longer in other.entities
        )
    )
    values: dict[str, list[Mapping[str, Any]]] = {}
    for part in parts:
        for name, items in part.values.items():
            known = values.setdefault(name, [])
            known += [item for item in items if item not in known]
    failures = (f for part in parts for f in part.failures if f.kind != "windowed")
    return Annotations(
        _once(whole, _place),
        _once((r for part in parts for r in part.relations), _ends),
        _once((u for part in parts for u in part.usage), _mention),
        {name: tuple(items) for name, items in values.items()},
        (Failure("windowed", MESSAGE), *failures),
        _once((item for part in parts for item in part.unsure), _what),
    )


def _window(unit: Unit, first: int, end: int) -> Unit:
    start, stop = unit.tokens[first][0], unit.tokens[end - 1][1]
    tokens = tuple((s - start, e - start) for s, e in unit.tokens[first:end])
    return Unit(unit.text[start:stop], unit.start + start, tokens)


def _once(items: Iterable[_T], key: Callable[[_T], Hashable]) -> tuple[_T, ...]:
    found: dict[Hashable, _T] = {}
    for item in items:
        found.setdefault(key(item), item)
    return tuple(found.values())


def _cut_off(entity: Entity, other: Entity) -> bool:
    return (
        entity.label == other.label
        and other.start <= entity.start
        and entity.end <= other.end
        and _place(entity) != _place(other)
    )


def _place(entity: Entity) -> Hashable:
    return entity.start, entity.end, entity.label


def _ends(relation: Relation) -> Hashable:
    return _place(relation.head), _place(relation.tail), relation.label


def _mention(usage: Usage) -> Hashable:
    return _place(usage.entity)


def _what(item: Entity | Relation | Usage) -> Hashable:
    if isinstance(item, Entity):
        return "entity", _place(item)
    if isinstance(item, Relation):
        return "relation", _ends(item)
    return "usage", _mention(item)
