"""How far the model's probabilities can be trusted."""

from collections.abc import Sequence
from typing import Any

import numpy

BINS = 10


def trust(prefix: str, sure: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """Give the calibration error and the Brier score of some answers.

    prefix (str): What the keys begin with.
    sure (Sequence): Per answer its probability and whether it was right.
    RETURNS (dict): `{prefix}_ece` and `{prefix}_brier`, both in [0, 1] and best at
        0; None without answers. `{prefix}_bins`: what a diagram is drawn of.
    """
    return {
        f"{prefix}_ece": expected_calibration_error(sure) if sure else None,
        f"{prefix}_brier": brier_score(sure) if sure else None,
        f"{prefix}_bins": reliability(sure),
    }


def reliability(sure: Sequence[tuple[float, bool]]) -> list[dict[str, Any]]:
    """Put answers into ten bins of one width by their probability.

    sure (Sequence): Per answer its probability and whether it was right.
    RETURNS (list[dict]): For each bin that has any, how many `answers`, their mean
        `probability` and the share of them that is `right`.
    """
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for chance, right in sure:
        bins[min(int(chance * BINS), BINS - 1)].append((chance, right))
    return [
        {
            "answers": len(members),
            "probability": sum(chance for chance, _ in members) / len(members),
            "right": sum(right for _, right in members) / len(members),
        }
        for members in bins
        if members
    ]


def expected_calibration_error(sure: Sequence[tuple[float, bool]]) -> float:
    """Compare probabilities with the shares that were right, in ten bins of one width.

    The mean over the answers of how far the mean probability of a bin is from its
    share of right answers (Guo et al., On Calibration of Modern Neural Networks,
    ICML 2017, equation 3).

    sure (Sequence): Per answer its probability and whether it was right.
    RETURNS (float): In [0, 1].
    """
    gaps = (
        members["answers"] * abs(members["probability"] - members["right"])
        for members in reliability(sure)
    )
    return float(sum(gaps) / len(sure))


def brier_score(sure: Sequence[tuple[float, bool]]) -> float:
    """Give the mean squared difference between probabilities and what came true.

    sure (Sequence): Per answer its probability and whether it was right.
    RETURNS (float): In [0, 1].
    """
    chances, right = numpy.asarray(sure, dtype=float).T
    return float(numpy.mean((chances - right) ** 2))
