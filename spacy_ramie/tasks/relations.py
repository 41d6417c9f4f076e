"""RE: the relation of each pair of entities in a sentence."""

from collections.abc import Sequence

from ..schema import Schema
from ..styles import Style
from ..styles.shown import show
from ..types import Annotations, Answer, Entity, Failure, Question, Relation, Unit
from .base import TaskMaker, ends_of, in_unit, local
from .classify import Classifier


class RelationTask:
    """Ask once for every head and tail of a sentence.

    schema (Schema): The labels and which of them can be head and tail.
    style (Style): How answers are written.
    instruction (str | None): Replaces the style's own instruction.
    """

    name = "re"
    wave = 2

    def __init__(
        self, schema: Schema, style: Style, instruction: str | None = None
    ) -> None:
        self.schema = schema
        self.style = style
        self.classifier = Classifier(style, "relation", schema.relations)
        self._instruction = instruction or style.instruction(self.name, schema)

    @property
    def labels(self) -> tuple[str, ...]:
        """The relation labels."""
        return tuple(self.classifier.words)

    def instruction(self) -> str:
        """Tell the model what to do."""
        return self._instruction

    def questions(self, unit: Unit, entities: Sequence[Entity]) -> list[Question]:
        """Ask about every allowed pair."""
        inside = [e for e in entities if in_unit(unit, e)]
        return [
            self.classifier.question(
                self.name,
                unit,
                self.style.ask_pair(
                    show(unit.text), local(unit, head), local(unit, tail)
                ),
                head,
                tail,
            )
            for head in inside
            for tail in inside
            if head is not tail and self.schema.can_relate(head.label, tail.label)
        ]

    def gold(self, question: Question, known: Annotations) -> str | None:
        """Write the gold relation of the pair."""
        asked = ends_of(*question.about)
        for relation in known.relations:
            if ends_of(relation.head, relation.tail) == asked:
                return self.classifier.write(relation.label)
        return None

    def read(self, question: Question, answer: Answer) -> Annotations:
        """Give the pair its relation."""
        found = self.classifier.read(answer)
        if isinstance(found, Failure):
            return Annotations(failures=(found,))
        label, scores = found
        head, tail = question.about
        relation = Relation(head, tail, label, scores.get(label), self.name, scores)
        return Annotations(relations=(relation,))


def make_re(instruction: str | None = None) -> TaskMaker:
    """Make the RE task (`spacy_ramie.RE.v1`)."""
    return lambda schema, style: RelationTask(schema, style, instruction)
