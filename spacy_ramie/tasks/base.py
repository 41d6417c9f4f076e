"""What a task is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from ..schema import Schema
from ..styles import Style
from ..styles.shown import show
from ..types import Annotations, Answer, Entity, Question, Unit


@runtime_checkable
class Task(Protocol):
    """One kind of question.

    A task knows neither spaCy nor a model. To add one, write a class with these
    members and register a function that returns a `TaskMaker`.

    name (str): Its name in prompts, records and failures.
    wave (int): 1 if it asks about the sentence, 2 if about entities found there.
    """

    name: str
    wave: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it can give."""

    def instruction(self) -> str:
        """Tell the model what to do."""

    def questions(self, unit: Unit, entities: Sequence[Entity]) -> list[Question]:
        """Ask about a unit, given its entities (none in the first wave)."""

    def gold(self, question: Question, known: Annotations) -> str | None:
        """Write the completion that the gold labels call for.

        Without a gold label for the question there is none: it is no training
        example then.
        """

    def read(self, question: Question, answer: Answer) -> Annotations:
        """Turn an answer into annotations; what does not fit becomes failures."""


TaskMaker = Callable[[Schema, Style], Task]


def labels_by_word(words: Mapping[str, str]) -> dict[str, str]:
    """Invert a mapping from labels to their wording."""
    return {word: label for label, word in words.items()}


def in_unit(unit: Unit, entity: Entity) -> bool:
    """Say whether an entity stands wholly within a unit."""
    return unit.start <= entity.start and entity.end <= unit.end


def local(unit: Unit, entity: Entity) -> tuple[int, int]:
    """Give the offsets of an entity in characters of its unit."""
    return entity.start - unit.start, entity.end - unit.start


def ends_of(*entities: Entity) -> tuple[int, ...]:
    """Give the offsets of what a question is about, which tell it from others."""
    return tuple(at for entity in entities for at in (entity.start, entity.end))


def shown_text(unit: Unit, entity: Entity) -> str:
    """Give an entity's text as the model sees it in its unit."""
    return show(unit.text)[slice(*local(unit, entity))]
