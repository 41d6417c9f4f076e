"""Experiments as sections of the report: tables and figures, by what is in them."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from ..experiments.table import FIGURES, TITLES, rows_of
from ..plots.cost import cost_bars
from ..plots.interference import effects_of, interference_map
from ..plots.learning import curves_of, learning_curves

Report = Mapping[str, Any]


class Figure(NamedTuple):
    """A figure of the page.

    svg (Markup): The drawing.
    caption (str): What is to be seen.
    """

    svg: Markup
    caption: str


class Table(NamedTuple):
    """A table of the page."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


class Study(NamedTuple):
    """An experiment.

    name (str): What its links are called.
    command (str): What makes its file.
    against (str): The arm that stars are about; empty where the file does not say.
    """

    name: str
    heading: str
    command: str
    against: str
    tables: Sequence[Table]
    figures: Sequence[Figure]


def study_of(name: str, path: str, report: Report) -> Study:
    """Show an experiment.

    name (str): Name within the page.
    path (str): Its file.
    report (Report): What `ramie experiment` wrote there.
    RETURNS (Study): A table for each ruler, and the figures that its arms allow.
    """
    settings = report["settings"]
    made = ["ramie", "experiment", settings.get("config", "CONFIG"), path]
    return Study(
        name,
        Path(path).stem,
        shlex.join(["python", "-m", "spacy", *made, *settings.get("options", ())]),
        settings.get("against", ""),
        [
            Table(title, ["arm", *FIGURES[ruler], "mean"], [*rows_of(report, ruler)])
            for ruler, title in TITLES.items()
        ],
        [*_figures(name, report, settings)],
    )


def _figures(
    name: str, report: Report, settings: Mapping[str, Any]
) -> Iterator[Figure]:
    # Files of earlier versions do not say what an arm is.
    arms = settings.get("arms", {})
    strict = report["strict"]
    curves = curves_of(arms)
    if curves:
        yield Figure(
            Markup(learning_curves(f"{name}-learning", curves, strict)),
            "F1 (strict) by the share of the training records; shaded: 95 % intervals"
            " over records.",
        )
    effects = effects_of(arms, strict, settings.get("against", ""))
    if effects:
        yield Figure(
            Markup(interference_map(f"{name}-interference", effects)),
            "F1 points (strict; relations and usage with gold entities) that a task"
            " gains or loses by what its adapter learns beside it, against an adapter"
            " of its own; * p < 0.05.",
        )
    yield Figure(
        Markup(cost_bars(f"{name}-cost", report["cost"])),
        "What all adapters of an arm cost together.",
    )
