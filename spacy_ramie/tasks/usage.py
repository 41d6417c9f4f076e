"""UC: the usage status of each supplement mention, or another class of a mention."""

from collections.abc import Sequence

from ..schema import Schema
from ..styles import Style
from ..styles.shown import show
from ..types import Annotations, Answer, Entity, Failure, Question, Unit, Usage
from .base import TaskMaker, in_unit, local
from .classify import Classifier


class UsageTask:
    """Ask once for every mention that has a class.

    schema (Schema): The classes and the entity labels that have one.
    style (Style): How answers are written.
    instruction (str | None): Replaces the style's own instruction.
    """

    name = "uc"
    wave = 2

    def __init__(
        self, schema: Schema, style: Style, instruction: str | None = None
    ) -> None:
        self.schema = schema
        self.style = style
        self.classifier = Classifier(style, schema.usage_name, schema.usage)
        self._instruction = instruction or style.instruction(self.name, schema)

    @property
    def labels(self) -> tuple[str, ...]:
        """The usage classes."""
        return tuple(self.classifier.words)

    def instruction(self) -> str:
        """Tell the model what to do."""
        return self._instruction

    def questions(self, unit: Unit, entities: Sequence[Entity]) -> list[Question]:
        """Ask about every mention of the right type."""
        return [
            self.classifier.question(
                self.name,
                unit,
                self.style.ask_mention(
                    show(unit.text), local(unit, entity), self.schema.usage_name
                ),
                entity,
            )
            for entity in entities
            if entity.label in self.schema.usage_of and in_unit(unit, entity)
        ]

    def gold(self, question: Question, known: Annotations) -> str | None:
        """Write the gold class of the mention."""
        (asked,) = question.about
        for usage in known.usage:
            if (usage.entity.start, usage.entity.end) == (asked.start, asked.end):
                return self.classifier.write(usage.label)
        return None

    def read(self, question: Question, answer: Answer) -> Annotations:
        """Give the mention its class."""
        found = self.classifier.read(answer)
        if isinstance(found, Failure):
            return Annotations(failures=(found,))
        label, scores = found
        usage = Usage(question.about[0], label, scores.get(label), scores)
        return Annotations(usage=(usage,))


def make_uc(instruction: str | None = None) -> TaskMaker:
    """Make the UC task (`spacy_ramie.UC.v1`)."""
    return lambda schema, style: UsageTask(schema, style, instruction)
