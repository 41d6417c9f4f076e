"""Entities, relations, triples and usage in one form, to be compared one by one."""

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from ..types import Annotations, Entity, Relation, Usage

# Start and end, in characters of the note.
Place = tuple[int, int]


class Item(NamedTuple):
    """Something that was found, or should have been.

    label (str): Its label.
    key (Hashable): What must be the same, beside the label, for it to be right: that
        of `scorer.gold_items`.
    places (tuple[Place, ...]): Of the entity or mention, or of head and tail.
    texts (tuple[str, ...]): What stands there.
    score (float | None): The probability of the label.
    scores (Mapping[str, float]): The probabilities of all labels, where there are any.
    """

    label: str
    key: Hashable
    places: tuple[Place, ...]
    texts: tuple[str, ...]
    score: float | None = None
    scores: Mapping[str, float] = {}


def items_of(known: Annotations) -> dict[str, list[Item]]:
    """Give annotations as items, by task.

    known (Annotations): Gold annotations, or what a task found.
    RETURNS (dict): Items of ner, re, te and uc; a gold relation is one of both re and
        te.
    """
    return {
        "ner": [_entity(entity) for entity in known.entities],
        "re": [_pair(r) for r in known.relations if r.source in ("", "re")],
        "te": [_triple(r) for r in known.relations if r.source in ("", "te")],
        "uc": [_class(usage) for usage in known.usage],
    }


def unsure_of(found: Annotations) -> dict[str, list[Item]]:
    """Give what was set aside as too unsure as items, by task.

    found (Annotations): What a task found.
    RETURNS (dict): As that of `items_of`.
    """
    return items_of(
        Annotations(
            tuple(item for item in found.unsure if isinstance(item, Entity)),
            tuple(item for item in found.unsure if isinstance(item, Relation)),
            tuple(item for item in found.unsure if isinstance(item, Usage)),
        )
    )


def _entity(entity: Entity) -> Item:
    """Give an entity as an item."""
    place = entity.start, entity.end
    return Item(entity.label, place, (place,), (entity.text,), entity.score)


def _pair(relation: Relation) -> Item:
    ends = relation.head, relation.tail
    return Item(
        relation.label,
        tuple((end.start, end.end, end.label) for end in ends),
        tuple((end.start, end.end) for end in ends),
        tuple(end.text for end in ends),
        relation.score,
        relation.scores,
    )


def _triple(relation: Relation) -> Item:
    pair = _pair(relation)
    return pair._replace(key=pair.texts)


def _class(usage: Usage) -> Item:
    item = _entity(usage.entity)
    return item._replace(label=usage.label, score=usage.score, scores=usage.scores)
