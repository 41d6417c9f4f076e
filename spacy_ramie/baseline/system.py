"""spaCy's own pipeline in the place of the model: the same questions, no prompt."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ..errors import ConfigError, Errors
from ..extraction import Finding, NoteFindings
from ..schema import Schema
from ..tasks import Task
from ..types import Annotations, Answer, Entity, Question
from ..units import units_of
from .training import BEST, NER
from .usage_rules import CLASSES, usage_by_rules

# Answers questions whose answer is one of their choices.
Chooser = Callable[[Sequence[Question]], list[Answer]]


class Baseline:
    """Finds entities with spaCy's NER and answers questions about them.

    ner (Language): A pipeline with an NER component.
    tasks (Mapping[str, Task]): The tasks that ask.
    choosers (Mapping[str, Chooser]): What answers, by task.
    """

    def __init__(
        self, ner: Language, tasks: Mapping[str, Task], choosers: Mapping[str, Chooser]
    ) -> None:
        self.ner = ner
        self.tasks = tasks
        self.choosers = choosers

    def find(
        self, docs: Sequence[Doc], given: Sequence[Sequence[Entity]] | None = None
    ) -> list[NoteFindings]:
        """Extract from notes.

        docs (Sequence[Doc]): The notes, segmented.
        given (Sequence | None): The entities of each note; None: they are predicted.
        RETURNS (list[NoteFindings]): One for each note. Every relation is a triple,
            too.
        """
        entities = [*map(list, given)] if given is not None else self._entities(docs)
        units = [units_of(doc) for doc in docs]
        findings: list[list[Finding]] = [[] for _ in docs]
        for name, choose in self.choosers.items():
            task = self.tasks[name]
            asked = [
                (i, question)
                for i, known in enumerate(entities)
                for unit in units[i]
                for question in task.questions(unit, known)
            ]
            answers = choose([question for _, question in asked])
            for (i, question), answer in zip(asked, answers, strict=True):
                read = task.read(question, answer)
                findings[i].append(Finding(question, (), _with_triples(read)))
        return [
            NoteFindings(of_doc, found, tuple(known))
            for of_doc, found, known in zip(units, findings, entities, strict=True)
        ]

    def _entities(self, docs: Sequence[Doc]) -> list[list[Entity]]:
        return [
            [Entity(e.start_char, e.end_char, e.label_, e.text) for e in doc.ents]
            for doc in self.ner.pipe(doc.text for doc in docs)
        ]


def load_baseline(folder: Path, tasks: Mapping[str, Task]) -> Baseline:
    """Load what `train_baseline` left.

    folder (Path): Its output.
    tasks (Mapping[str, Task]): The tasks of the pipeline to compare with.
    RETURNS (Baseline): spaCy's NER and text classifiers.
    """
    if not (folder / NER / BEST).is_dir():
        raise ConfigError(Errors.R014.format(folder=folder))
    choosers = {
        name: choose_by_textcat(spacy.load(folder / name / BEST))
        for name in tasks
        if name != NER and (folder / name / BEST).is_dir()
    }
    return Baseline(spacy.load(folder / NER / BEST), tasks, choosers)


def with_rules(baseline: Baseline, schema: Schema) -> Baseline:
    """Put the published usage rules behind the NER of a baseline.

    baseline (Baseline): Its NER and tasks are used.
    schema (Schema): Its usage classes.
    RETURNS (Baseline): Rules for usage where the classes are those of the rules,
        else NER alone.
    """
    choosers = {}
    if "uc" in baseline.tasks and set(schema.usage) == CLASSES:
        choosers["uc"] = choose_by_rules(list(schema.usage))
    return Baseline(baseline.ner, baseline.tasks, choosers)


def choose_by_textcat(classifier: Language) -> Chooser:
    """Answer with the text classifier that was trained on such questions."""

    def choose(questions: Sequence[Question]) -> list[Answer]:
        docs = classifier.pipe(question.input for question in questions)
        return [_best(q, doc.cats) for q, doc in zip(questions, docs, strict=True)]

    return choose


def choose_by_rules(classes: Sequence[str]) -> Chooser:
    """Answer usage questions by rules.

    classes (Sequence[str]): The classes in the order of a question's choices.
    """

    def choose(questions: Iterable[Question]) -> list[Answer]:
        answers = []
        for question in questions:
            (mention,) = question.about
            unit = question.unit
            label = usage_by_rules(unit.text[: mention.start - unit.start].split())
            chances = dict.fromkeys(question.choices, 0.0)
            chances[question.choices[classes.index(label)]] = 1.0
            answers.append(_best(question, chances))
        return answers

    return choose


def _best(question: Question, chances: Mapping[str, float]) -> Answer:
    scores = tuple(chances.get(choice, 0.0) for choice in question.choices)
    return Answer(question.choices[scores.index(max(scores))], scores)


def _with_triples(read: Annotations) -> Annotations:
    triples = tuple(replace(relation, source="te") for relation in read.relations)
    return replace(read, relations=(*read.relations, *triples))
