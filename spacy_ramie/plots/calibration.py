"""Reliability diagrams: probabilities beside how often they came true."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .svg import COLORS, FAINT, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reliability_diagrams(
    name: str, tasks: Mapping[str, Sequence[Mapping[str, Any]]]
) -> str:
    """Draw a diagram for each task.

    name (str): Name of the figure.
    tasks (Mapping): Heading to what `calibration.reliability` gave; none empty.
    RETURNS (str): The SVG.
    """

    def paint(figure: "Figure") -> None:
        panels = figure.subplots(1, len(tasks), sharey=True, squeeze=False)[0]
        for panel, (heading, bins) in zip(panels, tasks.items(), strict=True):
            answers = sum(members["answers"] for members in bins)
            chances = [members["probability"] for members in bins]
            panel.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1)
            panel.bar(
                chances,
                [members["answers"] / answers for members in bins],
                width=0.06,
                color=FAINT,
            )
            rights = [members["right"] for members in bins]
            panel.plot(chances, rights, color=COLORS[0], marker="o")
            panel.set_title(f"{heading}\n{answers:,} answers")
            panel.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="probability")
            panel.set_aspect("equal")
        panels[0].set_ylabel("share that is right")

    title = "Share of right answers by probability, for each task"
    return draw(name, title, (2.4 * len(tasks), 2.9), paint)
