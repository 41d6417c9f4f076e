"""Several systems side by side, on the same records and by the same scorer."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc

from ..baseline.system import Baseline
from ..component import RamieExtractor
from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..extraction import NoteFindings
from ..files import folder_size
from ..record import make_record
from ..types import Annotations, Entity
from ..units import units_of
from .bootstrap import Counts, f1_interval
from .given import judge
from .scorer import found_items, gold_items

# Entities of each note in, findings about them out.
Asker = Callable[[Sequence[Doc], Sequence[Sequence[Entity]]], list[NoteFindings]]


class System(NamedTuple):
    """Something that extracts.

    find (Callable): Segmented notes in, their records out.
    ask (Asker): Asks about given entities.
    folders (Sequence[Path]): What has to be installed beside the code.
    seconds (float | None): How long it was trained, where that is known.
    tasks (frozenset[str]): What it can do: of ner, re, te and uc.
    """

    find: Callable[[Sequence[Doc]], list[Mapping[str, Any]]]
    ask: Asker
    folders: Sequence[Path]
    seconds: float | None
    tasks: frozenset[str]


def ramie_system(
    nlp: Language, component: RamieExtractor, folder: Path, seconds: float | None
) -> System:
    """Make a system of a pipeline of this package."""

    def find(docs: Sequence[Doc]) -> list[Mapping[str, Any]]:
        done = nlp.pipe(doc.text for doc in docs)
        return [doc._.get(component.attrs["record"]) for doc in done]

    def ask(
        docs: Sequence[Doc], given: Sequence[Sequence[Entity]]
    ) -> list[NoteFindings]:
        return component.extraction.run(docs, given, second_wave_only=True)

    tasks = frozenset(component.extraction.tasks)
    return System(find, ask, [folder], seconds, tasks)


def baseline_system(
    baseline: Baseline, folders: Sequence[Path], seconds: float
) -> System:
    """Make a system of a baseline."""

    def find(docs: Sequence[Doc]) -> list[Mapping[str, Any]]:
        return [make_record(note, lambda _: None) for note in baseline.find(docs)]

    tasks = {"ner", *baseline.choosers}
    if "re" in tasks:
        tasks.add("te")
    return System(find, baseline.find, folders, seconds, frozenset(tasks))


def measure(system: System, docs: Sequence[Doc]) -> dict[str, Any]:
    """Measure a system.

    system (System): The system.
    docs (Sequence[Doc]): Gold documents, segmented.
    RETURNS (dict): For ner, re, te and uc F1, and for re and uc with gold entities
        the share that is right: value, lower and upper end in [0, 1], or None where
        the system has no such task; `train_seconds`, `seconds_per_1000` sentences,
        the loading of models apart, and `megabytes`.
    """
    # Models are loaded on the first note.
    system.find(docs[:1])
    start = perf_counter()
    records = system.find(docs)
    seconds = perf_counter() - start
    sentences = sum(len(units_of(doc)) for doc in docs)
    gold = [gold_annotations(record_of(doc) or {}) for doc in docs]
    figures: dict[str, Any] = {
        task: f1_interval(counts) if task in system.tasks else None
        for task, counts in _found(docs, records).items()
    }
    for task, counts in _given(docs, gold, system).items():
        asked = task in system.tasks and counts.any()
        figures[f"{task}_gold"] = f1_interval(counts) if asked else None
    return {
        **figures,
        "train_seconds": system.seconds,
        "seconds_per_1000": 1000 * seconds / sentences,
        "megabytes": sum(map(folder_size, system.folders)) / 1e6,
    }


def _found(
    docs: Sequence[Doc], records: Sequence[Mapping[str, Any]]
) -> dict[str, Counts]:
    """Right, wrong and missed items of each record, by task."""
    rows: dict[str, list[tuple[int, int, int]]] = {}
    kinds = {"ner": "ents", "re": "ramie_re", "te": "ramie_te", "uc": "ramie_uc"}
    for doc, record in zip(docs, records, strict=True):
        gold, found = gold_items(doc), found_items(record)
        for task, kind in kinds.items():
            want = {(label, i) for label, items in gold[kind].items() for i in items}
            got = {(label, i) for label, items in found[kind].items() for i in items}
            row = len(want & got), len(got - want), len(want - got)
            rows.setdefault(task, []).append(row)
    return {task: numpy.array(counts) for task, counts in rows.items()}


def _given(
    docs: Sequence[Doc], gold: Sequence[Annotations], system: System
) -> dict[str, Counts]:
    """Right and wrong answers about gold entities: F1 is then the share right."""
    notes = system.ask(docs, [known.entities for known in gold])
    rows: dict[str, list[tuple[int, int, int]]] = {"re": [], "uc": []}
    for known, note in zip(gold, notes, strict=True):
        judged = judge(known, note)
        for kind, counts in rows.items():
            right = sum(j.right for j in judged if j.kind == kind)
            wrong = sum(not j.right for j in judged if j.kind == kind)
            counts.append((right, wrong, wrong))
    return {kind: numpy.array(counts) for kind, counts in rows.items()}
