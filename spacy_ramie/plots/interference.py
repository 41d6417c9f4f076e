"""What tasks cost or give each other when one adapter learns them together."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .svg import draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Arms = Mapping[str, Mapping[str, Any]]
Figures = Mapping[str, Mapping[str, Mapping[str, Any]]]

# Each task's figure that does not hang on another task.
OWN = {"ner": "ner", "re": "re_gold", "te": "te", "uc": "uc_gold"}
# In place of a partner where there are several.
TOGETHER = "all the others"


class Effect(NamedTuple):
    """What learning together does to a task.

    partner (str): The other task, or `TOGETHER`.
    gain (float): F1 less that of the task alone.
    differs (bool): The difference is hardly chance (p below 0.05).
    """

    task: str
    partner: str
    gain: float
    differs: bool


def effects_of(arms: Arms, figures: Figures, against: str) -> list[Effect]:
    """Compare tasks that were learnt together with each of them alone.

    arms (Arms): The settings of each arm.
    figures (Figures): Per arm and figure F1 and p.
    against (str): The arm that p is about.
    RETURNS (list[Effect]): Empty where no arm has each task alone.
    """
    alone = next((name for name, arm in arms.items() if _apart(arm["groups"])), None)
    if alone is None:
        return []
    effects = []
    for name, arm in arms.items():
        together = [task for group in arm["groups"] for task in group]
        if len(arm["groups"]) != 1 or len(together) < 2:
            continue
        for task in together:
            others = [other for other in together if other != task]
            partner = others[0] if len(others) == 1 else TOGETHER
            before, after = (figures[arm].get(OWN[task]) for arm in (alone, name))
            # Not every experiment has every task alone.
            if before is not None and after is not None:
                gain, p = after["f1"] - before["f1"], after["p"]
                sure = against == alone and p is not None and p < 0.05
                effects.append(Effect(task, partner, gain, sure))
    return effects


def interference_map(name: str, effects: list[Effect]) -> str:
    """Draw a cell for each partner and task.

    name (str): Name of the figure.
    effects (list[Effect]): What `effects_of` gave; not empty.
    RETURNS (str): The SVG.
    """
    tasks = [task for task in OWN if any(effect.task == task for effect in effects)]
    partners = [p for p in (*OWN, TOGETHER) if any(e.partner == p for e in effects)]
    # A scale of its own would make much of nothing.
    most = max(0.02, *(abs(effect.gain) for effect in effects))

    def paint(figure: "Figure") -> None:
        from matplotlib import colormaps
        from matplotlib.patches import Rectangle

        panel = figure.subplots()
        for task, partner, gain, differs in effects:
            x, y = tasks.index(task), partners.index(partner)
            shade = colormaps["RdBu"](0.5 + 0.3 * gain / most)
            corner = (x - 0.48, y - 0.46)
            panel.add_patch(Rectangle(corner, 0.96, 0.92, color=shade, linewidth=0))
            text = f"{100 * gain:+.1f}{'*' if differs else ''}"
            panel.text(x, y, text, ha="center", va="center")
        panel.set_xticks(range(len(tasks)), tasks)
        panel.set_yticks(range(len(partners)), partners)
        panel.set(xlim=(-0.5, len(tasks) - 0.5), ylim=(len(partners) - 0.5, -0.5))
        panel.set(xlabel="task", ylabel="learnt together with")
        panel.spines[:].set_visible(False)
        panel.tick_params(length=0)

    title = "Change of F1 when two tasks are learnt together"
    return draw(
        name, title, (1.6 + 0.9 * len(tasks), 1.0 + 0.45 * len(partners)), paint
    )


def _apart(groups: list[list[str]]) -> bool:
    """Whether several tasks have an adapter each."""
    return len(groups) > 1 and all(len(group) == 1 for group in groups)
