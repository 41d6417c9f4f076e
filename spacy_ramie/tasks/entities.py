"""NER: the entities of a sentence."""

from collections.abc import Sequence

from ..grounding import place_items
from ..schema import Schema
from ..styles import Style
from ..styles.shown import show
from ..types import Annotations, Answer, Entity, Question, Unit
from .base import TaskMaker, in_unit, labels_by_word, shown_text
from .items import complete_rows, row_score, ungrounded, unknown_label

FIELDS = ("text", "type")


class EntityTask:
    """Ask for all entities of a sentence at once.

    schema (Schema): The labels.
    style (Style): How answers are written.
    instruction (str | None): Replaces the style's own instruction.
    """

    name = "ner"
    wave = 1

    def __init__(
        self, schema: Schema, style: Style, instruction: str | None = None
    ) -> None:
        self.style = style
        self.words = schema.entities
        self._labels = labels_by_word(schema.entities)
        self._instruction = instruction or style.instruction(self.name, schema)

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity labels."""
        return tuple(self.words)

    def instruction(self) -> str:
        """Tell the model what to do."""
        return self._instruction

    def questions(self, unit: Unit, entities: Sequence[Entity]) -> list[Question]:
        """Ask once per sentence."""
        grammar = self.style.grammar(unit, (None, tuple(self.words.values())))
        return [Question(self.name, unit, show(unit.text), grammar=grammar)]

    def gold(self, question: Question, known: Annotations) -> str | None:
        """Write the gold entities of the sentence in their order."""
        unit = question.unit
        inside = [e for e in known.entities if in_unit(unit, e)]
        inside.sort(key=lambda e: (e.start, e.end))
        rows = [(shown_text(unit, e), self.words[e.label]) for e in inside]
        return self.style.write_items(FIELDS, rows)

    def read(self, question: Question, answer: Answer) -> Annotations:
        """Place every answered entity in the sentence."""
        rows, unread = self.style.read_items(FIELDS, answer.text)
        rows, failures = complete_rows(rows, unread, answer)
        entities = []
        places = place_items(question.unit, [row.fields[0] for row in rows])
        for row, place in zip(rows, places, strict=True):
            text, word = row.fields
            if word not in self._labels:
                failures.append(unknown_label(word, answer))
            elif place is None:
                failures.append(ungrounded(text, answer))
            else:
                start, end, ambiguous = place
                offset = question.unit.start
                entities.append(
                    Entity(
                        offset + start,
                        offset + end,
                        self._labels[word],
                        question.unit.text[start:end],
                        score=row_score(row, answer),
                        ambiguous=ambiguous,
                        source=self.name,
                    )
                )
        return Annotations(entities=tuple(entities), failures=tuple(failures))


def make_ner(instruction: str | None = None) -> TaskMaker:
    """Make the NER task (`spacy_ramie.NER.v1`)."""
    return lambda schema, style: EntityTask(schema, style, instruction)
