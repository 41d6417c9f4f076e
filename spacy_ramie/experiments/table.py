"""From counts of trials to rows of a table, with intervals and tests in pairs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy

from ..scoring.bootstrap import Counts, f1_interval, paired_p
from .config import Experiment
from .trial import Trial

TITLES = {
    "strict": "Strict: characters and labels",
    "paper": "The paper's: sets of strings, gold entities given",
    "faults": "The paper's, with the two faults of its released scorer",
}
# In the order of the columns.
FIGURES = {
    "strict": ("ner", "re", "re_gold", "te", "uc", "uc_gold"),
    "paper": ("ner", "re", "te", "uc"),
    "faults": ("ner", "re", "te", "uc"),
}
COSTS = ("train_seconds", "load_seconds", "seconds_per_1000", "megabytes")

Done = Sequence[tuple[Trial, Mapping[str, Any]]]


def tabulate(experiment: Experiment, done: Done) -> dict[str, Any]:
    """Put the trials of an experiment together.

    experiment (Experiment): What was compared.
    done (Done): Trials and what `run_trial` gave.
    RETURNS (dict): Per ruler and arm, for each figure, `f1`, `low`, `high` (95 %, over
        records, all seeds together), `seeds` (F1 of each) and `p` (against the arm
        that the experiment names; None for that one); under "cost" the sums of the
        adapters of an arm, mean over seeds; under "left_out" the training records of
        an arm that are nearly test records.
    """
    arms = [arm.name for arm in experiment.arms]
    report: dict[str, Any] = {}
    for ruler in TITLES:
        counts = {arm: _counts(done, arm, ruler) for arm in arms}
        reference = counts[experiment.against]
        report[ruler] = {
            arm: {
                figure: _figure(
                    rows[figure],
                    None if arm == experiment.against else reference.get(figure),
                )
                for figure in FIGURES[ruler]
                if figure in rows
            }
            for arm, rows in counts.items()
        }
    report["cost"] = {arm: _cost(done, arm, len(experiment.seeds)) for arm in arms}
    # All adapters of an arm have the same records to draw from.
    report["left_out"] = {t.arm.name: found.get("left_out", 0) for t, found in done}
    return report


def rows_of(report: Mapping[str, Any], ruler: str) -> Iterator[list[str]]:
    """Write a ruler's part of a report as rows: arm, figures, their mean.

    report (Mapping): What `tabulate` gave.
    ruler (str): "strict", "paper" or "faults".
    YIELDS (list[str]): Cells; a star where the arm differs (p below 0.05).
    """
    for arm, figures in report[ruler].items():
        known = [figures.get(figure) for figure in FIGURES[ruler]]
        whole = [figure["f1"] for figure in known if figure is not None]
        mean = (
            f"{100 * sum(whole) / len(whole):.1f}" if len(whole) == len(known) else ""
        )
        yield [arm, *(_cell(figure) for figure in known), mean]


def _cell(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return ""
    star = "*" if figure["p"] is not None and figure["p"] < 0.05 else ""
    f1, low, high = (100 * figure[key] for key in ("f1", "low", "high"))
    return f"{f1:.1f}{star} ({low:.1f} to {high:.1f})"


def _counts(done: Done, arm: str, ruler: str) -> dict[str, list[Counts]]:
    """For each figure the counts of an arm, one array a seed."""
    found: dict[str, list[Counts]] = {}
    for trial, measured in done:
        if trial.arm.name == arm:
            for figure, rows in measured[ruler].items():
                found.setdefault(figure, []).append(numpy.array(rows))
    return found


def _figure(
    seeds: Sequence[Counts], reference: Sequence[Counts] | None
) -> dict[str, Any]:
    f1, low, high = f1_interval(sum(seeds))  # type: ignore[arg-type]
    p = None
    if reference is not None and len(reference) == len(seeds):
        p = paired_p(sum(seeds), sum(reference))  # type: ignore[arg-type]
    each = [f1_interval(counts)[0] for counts in seeds]
    return {"f1": f1, "low": low, "high": high, "p": p, "seeds": each}


def _cost(done: Done, arm: str, seeds: int) -> dict[str, float]:
    measured = [found for trial, found in done if trial.arm.name == arm]
    return {key: _sum(found[key] for found in measured) / seeds for key in COSTS}


def _sum(values: Iterable[float | None]) -> float:
    return sum(value for value in values if value is not None)
