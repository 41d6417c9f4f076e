"""From gold documents to questions with their answers."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

from spacy.tokens import Doc

from ..styles.shown import show
from ..tasks import Task
from ..types import Exemplar, Question
from ..units import units_of
from .docbin import record_of
from .records import gold_annotations


class Item(NamedTuple):
    """A question about a gold document and the completion it calls for."""

    question: Question
    completion: str
    exemplar: Exemplar


def make_items(docs: Iterable[Doc], tasks: Sequence[Task]) -> Iterator[Item]:
    """Ask every task about every sentence, with the gold entities given.

    docs (Iterable[Doc]): Gold documents, segmented as the pipeline segments.
    tasks (Sequence[Task]): The tasks.
    YIELDS (Item): The questions that have a gold answer, in order.
    """
    for doc in docs:
        record = record_of(doc)
        if record is None:
            continue
        known = gold_annotations(record)
        numbers = count()
        for unit in units_of(doc):
            for task in tasks:
                for question in task.questions(unit, known.entities):
                    completion = task.gold(question, known)
                    if completion is None:
                        continue
                    exemplar = Exemplar(
                        f"{record['id']}/{next(numbers)}",
                        task.name,
                        record["id"],
                        show(unit.text),
                        question.input,
                        completion,
                    )
                    yield Item(question, completion, exemplar)
