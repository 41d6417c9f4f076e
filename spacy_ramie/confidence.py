"""Probabilities made softer, or harder, by a temperature.

A model that learnt a small corpus by heart is surer than it should be. One number
for each task, fitted on the dev split, mends much of that and changes no answer (Guo
et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy

from .types import Annotations

# Nothing is impossible: keeps logarithms finite.
LEAST = 1e-12


def soften(found: Annotations, temperature: float) -> Annotations:
    """Change the probabilities of what was found; labels and places stay.

    found (Annotations): What a task read from an answer.
    temperature (float): 1 changes nothing, more is less sure.
    RETURNS (Annotations): The same with other probabilities.
    """
    if temperature == 1:
        return found
    return replace(
        found,
        entities=tuple(
            replace(e, score=_softened_one(e.score, temperature))
            for e in found.entities
        ),
        relations=tuple(
            replace(
                r,
                scores=(scores := _softened_all(r.scores, temperature)),
                score=scores.get(r.label, _softened_one(r.score, temperature)),
            )
            for r in found.relations
        ),
        usage=tuple(
            replace(
                u,
                scores=(scores := _softened_all(u.scores, temperature)),
                score=scores.get(u.label, _softened_one(u.score, temperature)),
            )
            for u in found.usage
        ),
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


def _softened_one(chance: float | None, temperature: float) -> float | None:
    if chance is None:
        return None
    return softened((chance, 1 - chance), temperature)[0]


def _softened_all(chances: Mapping[str, float], temperature: float) -> dict[str, float]:
    if not chances:
        return {}
    values = softened([*chances.values()], temperature)
    return dict(zip(chances, values, strict=True))
