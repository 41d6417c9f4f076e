"""One adapter of one arm: trained, measured, and its counts kept."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import srsly
from spacy.tokens import Doc

from ..corpus.docbin import record_of
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
from .records import draw, read_test

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
        record by task; `left_out`, the training records that are nearly test records;
        `train_seconds`, `load_seconds`, `seconds_per_1000` records (relations and
        usage about gold entities where it has no entities of its own) and
        `megabytes`.
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
    arm = trial.arm
    adapter = folder / "adapter"
    overrides = _overrides(experiment, trial, adapter)
    config = Path(arm.train) if arm.train else experiment.config
    setup = _load(experiment.config, experiment, trial, overrides)
    test = read_test(experiment, setup)
    train = bank = folder / "train.spacy"
    if arm.bank == "full":
        bank = folder / "bank.spacy"
        draw(setup, arm._replace(share=1.0, few=None), trial.seed, test, bank)
    setup = _load(config, experiment, trial, overrides)
    left_out = draw(setup, arm, trial.seed, test, train)
    overrides["paths.train"] = str(train)
    if not (adapter / LOG).is_file():
        train_adapter(_load(config, experiment, trial, overrides))
    setup = _load(experiment.config, experiment, trial, overrides)
    component = setup.component
    # The supplement schema comes with exemplars of its own.
    component.extraction.retriever.banks = {}
    # The records of another schema are no exemplars.
    exemplars = None if arm.train and arm.bank != "full" else str(bank)
    component.initialize(
        lambda: [], nlp=setup.nlp, exemplars=exemplars, adapter=str(adapter)
    )
    # What is imported once is not counted.
    component.load()
    component.extraction.engine.set_adapter(str(adapter))
    start = perf_counter()
    component.load()
    loaded = perf_counter() - start
    docs = component.prepare(test, setup.nlp)
    return {
        "tasks": list(component.extraction.tasks),
        **_measure(setup, docs),
        "left_out": left_out,
        "train_seconds": _trained(adapter),
        "load_seconds": loaded,
        "megabytes": folder_size(adapter) / 1e6,
    }


def _overrides(experiment: Experiment, trial: Trial, adapter: Path) -> dict[str, Any]:
    arm = trial.arm
    overrides = {
        **experiment.overrides,
        **arm.overrides,
        "paths.adapter": str(adapter),
        "ramie.training.seed": trial.seed,
    }
    if arm.exemplars == "none":
        overrides[f"{RETRIEVER}.k"] = 0
    elif arm.exemplars == "random":
        chance = {"@misc": "spacy_ramie.ChanceIndex.v1", "seed": trial.seed}
        overrides.update({f"{RETRIEVER}.index.{k}": v for k, v in chance.items()})
    if arm.start:
        before = trial._replace(arm=experiment.arm(arm.start))
        overrides["ramie.start"] = str(before.folder(experiment.work) / "adapter")
    return overrides


def _load(
    config: Path, experiment: Experiment, trial: Trial, overrides: dict[str, Any]
) -> Setup:
    setup = load_setup(config, overrides)
    extraction = setup.component.extraction
    # Tasks are compared: none may profit from what another one found.
    extraction.join_ends = False
    if trial.tasks:
        # Another schema may have no labels for one.
        known = [name for name in trial.tasks if name in extraction.tasks]
        extraction.tasks = {name: extraction.tasks[name] for name in known}
    each = experiment.steps if trial.arm.steps is None else trial.arm.steps
    steps = each * len(extraction.tasks)
    # Without a step transformers would count in epochs.
    limit = {"max_steps": steps} if steps else {"max_steps": -1, "num_train_epochs": 0}
    setup.settings["training"] = {**setup.settings["training"], **limit}
    return setup


def _measure(setup: Setup, docs: Sequence[Doc]) -> dict[str, Any]:
    extraction = setup.component.extraction
    asked = set(extraction.tasks)
    start = perf_counter()
    records = [make_record(note, lambda _: None) for note in extraction.run(docs)]
    seconds = perf_counter() - start
    gold = [gold_annotations(record_of(doc) or {}).entities for doc in docs]
    start = perf_counter()
    notes = extraction.run(docs, gold, second_wave_only=True)
    if "ner" not in asked:
        # Without entities of its own it was not asked about any before.
        seconds += perf_counter() - start
    given = given_counts(docs, notes)
    strict = strict_counts(docs, records)
    paper = {**paper_counts(docs, records), **given}
    faults = {
        task: with_faults(counts, unread_records(records, task))
        for task, counts in paper.items()
    }
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
