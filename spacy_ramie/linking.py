"""Names the ingredient of a mention by the mentions that were labelled before."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from .types import Entity


def learn_ingredients(entities: Iterable[Entity]) -> dict[str, str]:
    """Collect how labelled mentions are normalised.

    entities (Iterable[Entity]): Labelled mentions; those without an ingredient
        are passed over.
    RETURNS (dict[str, str]): Lower-cased text to its most frequent ingredient.
    """
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for entity in entities:
        if entity.ingredient is not None:
            seen[_key(entity.text)][entity.ingredient] += 1
    return {text: counts.most_common(1)[0][0] for text, counts in seen.items()}


def ingredient_of(entity: Entity, known: Mapping[str, str]) -> str | None:
    """Look up the ingredient of a mention.

    entity (Entity): The mention.
    known (Mapping[str, str]): What `learn_ingredients` collected.
    RETURNS (str | None): The ingredient, or None where the text is new.
    """
    return entity.ingredient or known.get(_key(entity.text))


def name_of(text: str, known: Mapping[str, str]) -> str:
    """Name what a mention is about, whether its ingredient is known or not.

    text (str): The mention.
    known (Mapping[str, str]): What `learn_ingredients` collected.
    RETURNS (str): The ingredient, or where the text is new its words in lower case.
    """
    return known.get(_key(text), _key(text))


def _key(text: str) -> str:
    return " ".join(text.lower().split())
