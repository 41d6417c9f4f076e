"""The learning curve: F1 by how much of the labelled text was trained on."""

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .svg import COLORS, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arms = Mapping[str, Mapping[str, Any]]

# Share of the records and arm.
Point = tuple[float, str]


def curves_of(arms: Arms) -> dict[str, list[Point]]:
    """Find the learning curves among the arms of an experiment.

    Arms of one curve have the same exemplars from the same bank. Where all records
    are used, the bank of what is used and the full bank are the same.

    arms (Arms): The settings of each arm.
    RETURNS (dict): What the exemplars are to points, by share; empty where all arms
        have the same share.
    """
    if len({arm["share"] for arm in arms.values()}) < 2:
        return {}
    curves: dict[str, list[Point]] = defaultdict(list)
    for name, arm in arms.items():
        for bank in ("train", "full") if arm["share"] == 1 else (arm["bank"],):
            curves[_heading(arm["exemplars"], bank)].append((arm["share"], name))
    return {name: sorted(points) for name, points in curves.items() if points[1:]}


def learning_curves(
    name: str,
    curves: Mapping[str, list[Point]],
    figures: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> str:
    """Draw learning curves with their intervals, a panel for each figure.

    name (str): Name of the figure.
    curves (Mapping): What `curves_of` gave.
    figures (Mapping): Per arm and figure F1 and its interval.
    RETURNS (str): The SVG.
    """
    drawn = [arm for points in curves.values() for _, arm in points]
    headings = [
        key for key in figures[drawn[0]] if all(key in figures[a] for a in drawn)
    ]

    def paint(figure: "Figure") -> None:
        panels = figure.subplots(-(-len(headings) // 3), 3, squeeze=False).flat
        for panel in panels[len(headings) :]:
            panel.remove()
        for panel, heading in zip(panels, headings, strict=False):
            for color, (curve, points) in zip(COLORS, curves.items(), strict=False):
                values = [figures[arm][heading] for _, arm in points]
                shares = [100 * share for share, _ in points]
                panel.fill_between(
                    shares,
                    [100 * value["low"] for value in values],
                    [100 * value["high"] for value in values],
                    color=color,
                    alpha=0.12,
                    linewidth=0,
                )
                panel.plot(
                    shares,
                    [100 * value["f1"] for value in values],
                    color=color,
                    marker="o",
                    label=curve,
                )
            ticks = sorted({100 * share for p in curves.values() for share, _ in p})
            panel.set_xscale("log")
            panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
            panel.set_xticks([], minor=True)
            panel.set(title=heading, xlabel="% of the training records")
        figure.axes[0].set_ylabel("F1")
        figure.legend(
            *figure.axes[0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=len(curves),
        )

    title = "F1 by the share of the training records"
    return draw(name, title, (9.6, 0.4 + 2.6 * -(-len(headings) // 3)), paint)


def _heading(exemplars: str, bank: str) -> str:
    if exemplars == "none":
        return "no exemplar"
    records = "all records" if bank == "full" else "the records trained on"
    return f"{exemplars} exemplars from {records}"
