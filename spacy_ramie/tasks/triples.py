"""TE: head, relation and tail of a sentence in one answer."""

from collections import Counter
from collections.abc import Sequence

from ..grounding import Place, place_pair
from ..schema import Schema
from ..styles import Style
from ..styles.shown import show
from ..types import Annotations, Answer, Entity, Question, Relation, Unit
from .base import TaskMaker, in_unit, labels_by_word, shown_text
from .items import complete_rows, row_score, ungrounded, unknown_label

FIELDS = ("head", "relation", "tail")


class TripleTask:
    """Ask for all triples of a sentence at once.

    The ends of a triple are texts without a type; an end gets a label where the
    schema leaves only one.

    schema (Schema): The labels.
    style (Style): How answers are written.
    instruction (str | None): Replaces the style's own instruction.
    """

    name = "te"
    wave = 1

    def __init__(
        self, schema: Schema, style: Style, instruction: str | None = None
    ) -> None:
        self.style = style
        self.words = schema.relations
        self._labels = labels_by_word(schema.relations)
        self._head = schema.heads[0] if len(schema.heads) == 1 else ""
        self._tail = schema.tails[0] if len(schema.tails) == 1 else ""
        self._instruction = instruction or style.instruction(self.name, schema)

    @property
    def labels(self) -> tuple[str, ...]:
        """The relation labels."""
        return tuple(self.words)

    def instruction(self) -> str:
        """Tell the model what to do."""
        return self._instruction

    def questions(self, unit: Unit, entities: Sequence[Entity]) -> list[Question]:
        """Ask once per sentence."""
        columns = (None, tuple(self.words.values()), None)
        grammar = self.style.grammar(unit, columns)
        return [Question(self.name, unit, show(unit.text), grammar=grammar)]

    def gold(self, question: Question, known: Annotations) -> str | None:
        """Write the gold relations within the sentence in the order of their heads."""
        unit = question.unit
        inside = [
            r
            for r in known.relations
            if in_unit(unit, r.head) and in_unit(unit, r.tail)
        ]
        inside.sort(key=lambda r: (r.head.start, r.tail.start))
        rows = [
            (shown_text(unit, r.head), self.words[r.label], shown_text(unit, r.tail))
            for r in inside
        ]
        return self.style.write_items(FIELDS, rows)

    def read(self, question: Question, answer: Answer) -> Annotations:
        """Place both ends of every answered triple in the sentence."""
        rows, unread = self.style.read_items(FIELDS, answer.text)
        rows, failures = complete_rows(rows, unread, answer)
        unit, relations, seen = question.unit, [], Counter[tuple[str, ...]]()
        for row in rows:
            head, word, tail = row.fields
            places = place_pair(unit, head, tail, seen[row.fields])
            seen[row.fields] += 1
            if word not in self._labels:
                failures.append(unknown_label(word, answer))
            elif places is None:
                failures.append(ungrounded(f"{head} ... {tail}", answer))
            else:
                relations.append(
                    Relation(
                        self._entity(unit, places[0], self._head),
                        self._entity(unit, places[1], self._tail),
                        self._labels[word],
                        row_score(row, answer),
                        self.name,
                        ambiguous=any(place.ambiguous for place in places),
                    )
                )
        return Annotations(relations=tuple(relations), failures=tuple(failures))

    @staticmethod
    def _entity(unit: Unit, place: Place, label: str) -> Entity:
        start, end = unit.start + place.start, unit.start + place.end
        return Entity(start, end, label, unit.text[place.start : place.end])


def make_te(instruction: str | None = None) -> TaskMaker:
    """Make the TE task (`spacy_ramie.TE.v1`)."""
    return lambda schema, style: TripleTask(schema, style, instruction)
