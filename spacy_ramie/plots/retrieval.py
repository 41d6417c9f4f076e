"""How good retrieval is by itself, for both queries and every depth."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .svg import COLORS, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVES = ("precision", "recall", "ndcg")
# Query of `experiments.neighbours`, style of its lines.
QUERIES = {"sentence": "-", "with answer": ":"}


def retrieval_curves(
    name: str, found: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> str:
    """Draw what `experiments.neighbours.study_neighbours` found for a retriever.

    name (str): Name of the figure.
    found (Mapping): Per task and query the figures.
    RETURNS (str): The SVG.
    """
    tasks = {task: queries for task, queries in found.items() if queries}
    # Chance has the one query.
    asked = [query for query in QUERIES if all(query in q for q in tasks.values())]

    def paint(figure: "Figure") -> None:
        panels = figure.subplots(1, 1 + len(CURVES))
        for at, query in enumerate(asked):
            places = [number + 0.4 * at - 0.2 for number in range(len(tasks))]
            panels[0].bar(
                places,
                [queries[query]["copied"] for queries in tasks.values()],
                width=0.36,
                color=COLORS[: len(tasks)],
                alpha=0.5 if at else 1,
            )
            for panel, curve in zip(panels[1:], CURVES, strict=True):
                for color, queries in zip(COLORS, tasks.values(), strict=False):
                    depths, values = _curve(queries[query], curve)
                    panel.plot(depths, values, QUERIES[query], color=color, marker="o")
        panels[0].set_xticks(range(len(tasks)), list(tasks))
        panels[0].set_title("copied\n(pale: with answer)")
        for panel, curve in zip(panels[1:], CURVES, strict=True):
            panel.set(title=f"{curve}@k\n(dotted: with answer)", xlabel="k")
        for panel in panels:
            panel.set_ylim(0, 1.02)

    title = "Copied answers, precision, recall and nDCG of retrieval by task"
    return draw(name, title, (9.6, 2.7), paint)


def _curve(scores: Mapping[str, float], name: str) -> tuple[list[int], list[float]]:
    """Depths and values of one figure, from keys such as `recall@3`."""
    depths = sorted(
        int(k.partition("@")[2]) for k in scores if k.startswith(f"{name}@")
    )
    return depths, [scores[f"{name}@{depth}"] for depth in depths]
