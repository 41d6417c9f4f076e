"""One adapter of one arm: trained, measured, and its counts kept."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, NamedTuple

import srsly
from spacy.tokens import Doc, DocBin

from ..corpus.docbin import read_docs, record_of
from ..corpus.records import gold_annotations
from ..files import folder_size
from ..record import make_record
from ..scoring.bootstrap import Counts
from ..scoring.rulers import (
    given_counts,
    paper_counts,
    strict_counts,
    unread_records,
    with_faults,
)
from ..training.adapter import LOG, train_adapter
from ..training.config import Setup, load_setup
from .config import Arm, Experiment

logger = logging.getLogger(__name__)

RETRIEVER = "components.ramie_extractor.retriever"


class Trial(NamedTuple):
    """An adapter to train.

    tasks (tuple): The tasks it learns; empty: all of the config.
    """

    arm: Arm
    tasks: tuple[str, ...]
    seed: int

    def folder(self, work: Path) -> Path:
        """Where its adapter and its counts lie."""
        name = "-".join(self.tasks) or "all"
        return work / self.arm.name / name / f"seed-{self.seed}"


def trials_of(experiment: Experiment) -> list[Trial]:
    """List the adapters of all arms, with every seed."""
    return [
        Trial(arm, tasks, seed)
        for seed in experiment.seeds
        for arm in experiment.arms
        for tasks in arm.groups or ((),)
    ]


def run_trial(experiment: Experiment, trial: Trial) -> dict[str, Any]:
    """Train an adapter and measure it; what was done before is read again.

    experiment (Experiment): What it is part of.
    trial (Trial): The adapter.
    RETURNS (dict): `tasks`; per ruler ("strict", "paper", "faults") the counts of each
        record by task; `train_seconds`, `load_seconds`, `seconds_per_1000` records
        and `megabytes`.
    """
    folder = trial.folder(experiment.work)
    done = folder / "counts.json"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        measured = _train_and_measure(experiment, trial, folder)
        # Renamed when it is whole: an interruption leaves no half of it.
        srsly.write_json(folder / "counts.part", measured)
        (folder / "counts.part").replace(done)
    found: dict[str, Any] = srsly.read_json(done)
    return found


def _train_and_measure(
    experiment: Experiment, trial: Trial, folder: Path
) -> dict[str, Any]:
    adapter = folder / "adapter"
    overrides = {
        **experiment.overrides,
        **trial.arm.overrides,
        "paths.adapter": str(adapter),
        "ramie.training.seed": trial.seed,
    }
    if trial.arm.exemplars == "none":
        overrides[f"{RETRIEVER}.k"] = 0
    elif trial.arm.exemplars == "random":
        chance = {"@misc": "spacy_ramie.ChanceIndex.v1", "seed": trial.seed}
        overrides.update({f"{RETRIEVER}.index.{k}": v for k, v in chance.items()})
    setup = _load(experiment, trial, overrides)
    full = setup.paths["train"]
    if trial.arm.share < 1:
        train = folder / "train.spacy"
        _draw(setup, trial.arm.share, trial.seed, train)
        overrides["paths.train"] = str(train)
        setup = _load(experiment, trial, overrides)
    if not (adapter / LOG).is_file():
        train_adapter(setup)
    setup = _load(experiment, trial, overrides)
    bank = full if trial.arm.bank == "full" else setup.paths["train"]
    component = setup.component
    component.initialize(
        lambda: [], nlp=setup.nlp, exemplars=bank, adapter=str(adapter)
    )
    start = perf_counter()
    component.load()
    loaded = perf_counter() - start
    docs = component.prepare(
        read_docs(experiment.test, setup.nlp, component.schema), setup.nlp
    )
    return {
        "tasks": list(component.extraction.tasks),
        **_measure(setup, docs),
        "train_seconds": _trained(adapter),
        "load_seconds": loaded,
        "megabytes": folder_size(adapter) / 1e6,
    }


def _load(experiment: Experiment, trial: Trial, overrides: dict[str, Any]) -> Setup:
    setup = load_setup(experiment.config, overrides)
    extraction = setup.component.extraction
    if trial.tasks:
        extraction.tasks = {name: extraction.tasks[name] for name in trial.tasks}
    steps = experiment.steps * len(extraction.tasks)
    setup.settings["training"] = {**setup.settings["training"], "max_steps": steps}
    return setup


def _draw(setup: Setup, share: float, seed: int, target: Path) -> None:
    """Write some of the training records; a smaller share is part of a larger one."""
    docs = read_docs(Path(setup.paths["train"]), setup.nlp, setup.component.schema)
    Random(seed).shuffle(docs)
    some = docs[: max(1, round(share * len(docs)))]
    DocBin(docs=some, store_user_data=True).to_disk(target)


def _measure(setup: Setup, docs: Sequence[Doc]) -> dict[str, Any]:
    extraction = setup.component.extraction
    start = perf_counter()
    records = [make_record(note, lambda _: None) for note in extraction.run(docs)]
    seconds = perf_counter() - start
    gold = [gold_annotations(record_of(doc) or {}).entities for doc in docs]
    given = given_counts(docs, extraction.run(docs, gold, second_wave_only=True))
    strict = strict_counts(docs, records)
    paper = {**paper_counts(docs, records), **given}
    faults = {
        task: with_faults(counts, unread_records(records, task))
        for task, counts in paper.items()
    }
    asked = set(extraction.tasks)
    # Relations and usage end to end need entities of the same model.
    whole = asked if "ner" in asked else asked & {"te"}
    return {
        "strict": {
            **_plain(strict, whole),
            **{f"{t}_gold": rows for t, rows in _plain(given, asked).items()},
        },
        "paper": _plain(paper, asked),
        "faults": _plain(faults, asked),
        "seconds_per_1000": 1000 * seconds / len(docs),
    }


def _plain(counts: Mapping[str, Counts], tasks: set[str]) -> dict[str, Any]:
    return {task: rows.tolist() for task, rows in counts.items() if task in tasks}


def _trained(adapter: Path) -> float | None:
    """Seconds of the training loop."""
    log: list[dict[str, Any]] = srsly.read_json(adapter / LOG)
    return next((e["train_runtime"] for e in log if "train_runtime" in e), None)
