"""Several systems side by side, on the same records and by the same scorer."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from spacy.language import Language
from spacy.tokens import Doc

from ..baseline.system import Baseline
from ..component import RamieExtractor
from ..corpus.docbin import record_of
from ..corpus.records import gold_annotations
from ..extraction import NoteFindings
from ..files import folder_size
from ..record import make_record
from ..types import Entity
from ..units import units_of
from .bootstrap import f1_interval
from .rulers import given_counts, strict_counts

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
    RETURNS (dict): For ner, re, te, triples (RE and TE together) and uc F1, and for re and uc with gold entities
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
    able = system.tasks | ({"triples"} if system.tasks & {"re", "te"} else set())
    figures: dict[str, Any] = {
        task: f1_interval(counts) if task in able else None
        for task, counts in strict_counts(docs, records).items()
    }
    notes = system.ask(docs, [known.entities for known in gold])
    for task, counts in given_counts(docs, notes).items():
        asked = task in system.tasks and counts.any()
        figures[f"{task}_gold"] = f1_interval(counts) if asked else None
    return {
        **figures,
        "train_seconds": system.seconds,
        "seconds_per_1000": 1000 * seconds / sentences,
        "megabytes": sum(map(folder_size, system.folders)) / 1e6,
    }
