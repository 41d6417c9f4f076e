"""What the arms of an experiment cost, in seconds and megabytes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .svg import COLORS, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Key in the report of an experiment, heading.
COSTS = {
    "train_seconds": "seconds to train",
    "load_seconds": "seconds to load",
    "seconds_per_1000": "seconds per 1,000 records",
    "megabytes": "megabytes of adapters",
}


def cost_bars(name: str, cost: Mapping[str, Mapping[str, float]]) -> str:
    """Draw a bar for each arm and cost.

    name (str): Name of the figure.
    cost (Mapping): Per arm what it cost, as `experiments.table.tabulate` gives it.
    RETURNS (str): The SVG.
    """

    def paint(figure: "Figure") -> None:
        arms = list(cost)
        panels = figure.subplots(1, len(COSTS), sharey=True)
        for panel, (key, heading) in zip(panels, COSTS.items(), strict=True):
            values = [cost[arm][key] for arm in arms]
            bars = panel.barh(arms, values, color=COLORS[0], height=0.7)
            panel.bar_label(bars, [_short(value) for value in values], padding=3)
            panel.set_title(heading)
            panel.set_xticks([])
            panel.spines[["bottom", "left"]].set_visible(False)
            panel.tick_params(length=0)
            panel.margins(x=0.25)
        panels[0].invert_yaxis()

    title = "Seconds and megabytes of each arm"
    return draw(name, title, (9.6, 0.7 + 0.24 * len(cost)), paint)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
