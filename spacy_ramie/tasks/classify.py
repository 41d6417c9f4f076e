"""What the tasks with one label for an answer share."""

from collections.abc import Mapping

from ..styles import Style
from ..types import Answer, Entity, Failure, Question, Unit
from .base import labels_by_word


class Classifier:
    """One label out of a closed set.

    style (Style): How answers are written.
    field (str): What the label is called in styles that name their fields.
    words (Mapping[str, str]): Label to wording.
    """

    def __init__(self, style: Style, field: str, words: Mapping[str, str]) -> None:
        self.style = style
        self.field = field
        self.words = words
        self.choices = tuple(style.write_label(field, w) for w in words.values())
        self._labels = labels_by_word(words)

    def write(self, label: str) -> str:
        """Write a label as a completion."""
        return self.style.write_label(self.field, self.words[label])

    def question(self, task: str, unit: Unit, input: str, *about: Entity) -> Question:
        """Make a question that is answered by one of the labels."""
        return Question(task, unit, input, about, choices=self.choices)

    def read(self, answer: Answer) -> tuple[str, dict[str, float]] | Failure:
        """Read the label of an answer and the probability of every label.

        answer (Answer): The answer.
        RETURNS (tuple | Failure): Label and probabilities; an engine that cannot
            score gives none of the latter.
        """
        word = self.style.read_label(self.field, answer.text)
        if word is None or word not in self._labels:
            kind = "truncated" if answer.truncated else "unparsable"
            message = f"the answer is none of: {', '.join(self._labels)}"
            return Failure(kind, message, answer.text)
        scores = dict(zip(self.words, answer.scores, strict=False))
        return self._labels[word], scores
