"""The road of a note, from documents to what was found in them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from spacy.tokens import Doc

from .confidence import set_aside, soften
from .engine.base import Engine
from .prompting import build_request
from .reconcile import entities_at_ends
from .retrieval.encoders import Vectors
from .retrieval.retriever import Retriever
from .styles import Style
from .tasks import Task
from .types import Annotations, Answer, Entity, Hit, Question, Unit
from .units import unit_span, units_of
from .windows import halves, merge


class Finding(NamedTuple):
    """A question, the exemplars shown with it, and what came of it."""

    question: Question
    hits: Sequence[Hit]
    annotations: Annotations


class NoteFindings(NamedTuple):
    """All that was asked about one note.

    given (tuple): The entities that the second wave was asked about, where they
        were not predicted.
    """

    units: Sequence[Unit]
    findings: Sequence[Finding]
    given: tuple[Entity, ...] | None


class Extraction:
    """Asks all tasks about all sentences of a window of notes, in two waves.

    tasks (Mapping[str, Task]): The tasks by name.
    style (Style): The wording of prompts.
    retriever (Retriever): Finds exemplars.
    engine (Engine): Answers.

    temperatures (dict[str, float]): Per task how much its probabilities are softened.
    floors (dict[str, float]): Per task the probability below which what was found is
        set aside.
    thresholds (dict[str, float]): Instead of them, per label the probability below
        which what was found is set aside.
    join_ends (bool): The ends of triples are entities too: asked about, and reported.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        style: Style,
        retriever: Retriever,
        engine: Engine,
    ) -> None:
        self.tasks = tasks
        self.style = style
        self.retriever = retriever
        self.engine = engine
        self.temperatures: dict[str, float] = {}
        self.floors: dict[str, float] = {}
        self.thresholds: dict[str, float] = {}
        self.join_ends = False

    def uncalibrated(self, wave: int) -> "Extraction":
        """Give the same road for the tasks of one wave, each by itself.

        wave (int): 1, or 2 for the tasks about given entities.
        RETURNS (Extraction): Without temperatures, floors and thresholds, ends of
            triples not joined.
        """
        tasks = {name: task for name, task in self.tasks.items() if task.wave == wave}
        return Extraction(tasks, self.style, self.retriever, self.engine)

    def run(
        self,
        docs: Sequence[Doc],
        given: Sequence[Sequence[Entity]] | None = None,
        *,
        second_wave_only: bool = False,
    ) -> list[NoteFindings]:
        """Extract from notes.

        docs (Sequence[Doc]): The notes.
        given (Sequence | None): The entities of each note; None: they are
            predicted in the first wave.
        second_wave_only (bool): Ask about the given entities and nothing else.
        RETURNS (list[NoteFindings]): One for each note.
        """
        units = [units_of(doc) for doc in docs]
        vectors = self._embed(docs, units)
        first: list[list[Finding]] = [[] for _ in docs]
        if not second_wave_only:
            # Given entities need no task that finds entities.
            barred = frozenset(["ner"] if given is not None else [])
            asked = [
                [q for unit in of_doc for q in self._questions(1, unit, (), barred)]
                for of_doc in units
            ]
            first = self._ask(asked, vectors)
        if self.join_ends and given is None:
            first = [self._with_ends(findings) for findings in first]
        entities = given if given is not None else [_entities(f) for f in first]
        asked = [
            [q for unit in of_doc for q in self._questions(2, unit, known)]
            for of_doc, known in zip(units, entities, strict=True)
        ]
        second = self._ask(asked, vectors)
        return [
            NoteFindings(
                units[i],
                [*first[i], *second[i]],
                None if given is None else tuple(given[i]),
            )
            for i in range(len(docs))
        ]

    def _embed(
        self, docs: Sequence[Doc], units: Sequence[Sequence[Unit]]
    ) -> dict[str, Vectors]:
        spans = [
            unit_span(doc, unit)
            for doc, of_doc in zip(docs, units, strict=True)
            for unit in of_doc
        ]
        return self.retriever.embed(spans)

    def _questions(
        self,
        wave: int,
        unit: Unit,
        entities: Sequence[Entity],
        barred: frozenset[str] = frozenset(),
    ) -> list[Question]:
        return [
            question
            for name, task in self.tasks.items()
            if task.wave == wave and name not in barred
            for question in task.questions(unit, entities)
        ]

    def _ask(
        self, questions: Sequence[Sequence[Question]], vectors: Mapping[str, Vectors]
    ) -> list[list[Finding]]:
        """Ask the questions of all notes at once; give the findings by note."""
        flat = [question for of_doc in questions for question in of_doc]
        hits = self._search(flat, vectors)
        requests = [
            build_request(self.tasks[q.task], self.style, q, shown)
            for q, shown in zip(flat, hits, strict=True)
        ]
        answers = self.engine.run(requests)
        found = [
            Finding(q, shown[: a.exemplars], self._read(q, a))
            for q, shown, a in zip(flat, hits, answers, strict=True)
        ]
        done = iter(self._in_windows(found))
        return [[next(done) for _ in of_doc] for of_doc in questions]

    def _in_windows(self, findings: list[Finding]) -> list[Finding]:
        """Ask in windows what did not fit into the model's context.

        They are shown no exemplar: there is no room to spare. What does not fit in
        windows either, as a pair that stands too far apart, stays as it is.
        """
        cut = {
            i: self._questions_in_windows(finding.question)
            for i, finding in enumerate(findings)
            if _too_long(finding)
        }
        if not any(cut.values()):
            return findings
        for i, parts in zip(cut, self._ask(list(cut.values()), {}), strict=True):
            if not all(map(_too_long, parts)):
                merged = merge([part.annotations for part in parts])
                findings[i] = Finding(findings[i].question, (), merged)
        return findings

    def _questions_in_windows(self, question: Question) -> list[Question]:
        task = self.tasks[question.task]
        asked = [
            again
            for window in halves(question.unit)
            for again in task.questions(window, question.about)
            if again.about == question.about
        ]
        # What is about given entities has one answer.
        return asked[:1] if question.about else asked

    def _with_ends(self, findings: Sequence[Finding]) -> list[Finding]:
        """Add the ends of triples to the entities, beside the triples they are from."""
        unsure = (item for f in findings for item in f.annotations.unsure)
        # What NER was too unsure of stays set aside.
        aside = [item for item in unsure if isinstance(item, Entity)]
        known = _entities(findings) + aside
        joined: list[Finding] = []
        for finding in findings:
            found = finding.annotations
            new = entities_at_ends(found.relations, known, self.thresholds)
            known += new
            entities = (*found.entities, *new)
            annotations = replace(found, entities=entities) if new else found
            joined.append(finding._replace(annotations=annotations))
        return joined

    def _search(
        self, questions: Sequence[Question], vectors: Mapping[str, Vectors]
    ) -> list[list[Hit]]:
        """Find the exemplars of questions: one search for a task and a sentence."""
        found: dict[tuple[str, str], list[Hit]] = {}
        for task in self.tasks:
            texts = list(
                dict.fromkeys(
                    q.unit.text
                    for q in questions
                    if q.task == task and q.unit.text in vectors
                )
            )
            hits = self.retriever.search(task, [vectors[text] for text in texts])
            found.update(((task, t), h) for t, h in zip(texts, hits, strict=True))
        return [found.get((q.task, q.unit.text), []) for q in questions]

    def _read(self, question: Question, answer: Answer) -> Annotations:
        if answer.error is not None:
            return Annotations(failures=(answer.error,))
        found = self.tasks[question.task].read(question, answer)
        found = soften(found, self.temperatures.get(question.task, 1.0))
        floor = self.floors.get(question.task, 0.0)
        return set_aside(found, self.thresholds, floor)


def _too_long(finding: Finding) -> bool:
    return any(f.kind == "too_long" for f in finding.annotations.failures)


def _entities(findings: Sequence[Finding]) -> list[Entity]:
    return [entity for f in findings for entity in f.annotations.entities]
