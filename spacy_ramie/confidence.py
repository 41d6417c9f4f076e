"""How sure is sure enough: temperatures of probabilities, floors and thresholds.

A model that learnt a small corpus by heart is surer than it should be. One number
for each task, fitted on the dev split, mends much of that and changes no answer (Guo
et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2). Spans are
left alone: theirs are products over tokens, too low where they are low and too high
where they are high, which one number does not mend. They get a floor instead: under
the grammar a model must say something legal, and what it was forced to say has next
to no probability.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy

from .types import Annotations, Entity, Relation, Usage

_L = TypeVar("_L", Relation, Usage)

# Nothing is impossible: keeps logarithms finite.
LEAST = 1e-12
# Floors to choose from: few, as they are chosen on few records.
FLOORS = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)


def soften(found: Annotations, temperature: float) -> Annotations:
    """Change the probabilities of labels; the labels stay.

    found (Annotations): What a task read from an answer.
    temperature (float): 1 changes nothing, more is less sure.
    RETURNS (Annotations): The same with other probabilities.
    """
    if temperature == 1:
        return found
    return replace(
        found,
        relations=tuple(_softened_label(r, temperature) for r in found.relations),
        usage=tuple(_softened_label(u, temperature) for u in found.usage),
    )


def set_aside(
    found: Annotations, thresholds: Mapping[str, float], floor: float = 0.0
) -> Annotations:
    """Move what the model is not sure enough of out of the way, without losing it.

    found (Annotations): What a task read from an answer.
    thresholds (Mapping[str, float]): The least probability of each label.
    floor (float): That of a label that is not among them.
    RETURNS (Annotations): The same with the doubtful items in `unsure`.
    """
    if not thresholds and not floor:
        return found

    def doubtful(item: Entity | Relation | Usage) -> bool:
        return item.score is not None and item.score < thresholds.get(item.label, floor)

    items: tuple[Entity | Relation | Usage, ...]
    items = (*found.entities, *found.relations, *found.usage)
    return replace(
        found,
        entities=tuple(item for item in found.entities if not doubtful(item)),
        relations=tuple(item for item in found.relations if not doubtful(item)),
        usage=tuple(item for item in found.usage if not doubtful(item)),
        unsure=tuple(item for item in items if doubtful(item)),
    )


def softened(chances: Sequence[float], temperature: float) -> list[float]:
    """Raise probabilities to the power 1 / temperature and scale their sum to 1.

    chances (Sequence[float]): Of all that is possible.
    temperature (float): Above 0.
    RETURNS (list[float]): Theirs after it, in the same order.
    """
    logs = numpy.log(numpy.maximum(chances, LEAST)) / temperature
    powers = numpy.exp(logs - logs.max())
    whole: list[float] = (powers / powers.sum()).tolist()
    return whole


def fit_temperature(answers: Sequence[tuple[Sequence[float], int]]) -> float:
    """Find the temperature under which the truth is likeliest.

    answers (Sequence): Per answer the probabilities of all that is possible, and
        which of them is true.
    RETURNS (float): Between 0.1 and 10; 1 without answers.
    """
    from scipy.optimize import minimize_scalar

    if not answers:
        return 1.0

    def loss(log_temperature: float) -> float:
        temperature = float(numpy.exp(log_temperature))
        right = [softened(chances, temperature)[true] for chances, true in answers]
        return float(-numpy.log(numpy.maximum(right, LEAST)).mean())

    bounds = numpy.log((0.1, 10.0))
    found = minimize_scalar(loss, bounds=bounds, method="bounded")
    return round(float(numpy.exp(found.x)), 4)


def fit_floor(found: Sequence[tuple[float, bool]], wanted: int) -> float:
    """Find the least probability below which leaving out what was found gives most.

    found (Sequence[tuple[float, bool]]): The probability of what was found, and
        whether it is right.
    wanted (int): How much there was to find.
    RETURNS (float): One of `FLOORS`, the one of the highest F1; the lowest of equals.
    """

    def f1(floor: float) -> float:
        kept = [right for score, right in found if score >= floor]
        return 2 * sum(kept) / max(1, len(kept) + wanted)

    return max(FLOORS, key=f1)


def _softened_label(item: _L, temperature: float) -> _L:
    if not item.scores:
        return item
    chances = softened([*item.scores.values()], temperature)
    scores = dict(zip(item.scores, chances, strict=True))
    return replace(item, scores=scores, score=scores.get(item.label))
