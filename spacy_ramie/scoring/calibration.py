"""How far the model's probabilities can be trusted."""

from collections.abc import Sequence

import numpy

BINS = 10


def trust(prefix: str, sure: Sequence[tuple[float, bool]]) -> dict[str, float | None]:
    """Give the calibration error and the Brier score of some answers.

    prefix (str): What the keys begin with.
    sure (Sequence): Per answer its probability and whether it was right.
    RETURNS (dict): `{prefix}_ece` and `{prefix}_brier`, both in [0, 1] and best at
        0; None without answers.
    """
    return {
        f"{prefix}_ece": expected_calibration_error(sure) if sure else None,
        f"{prefix}_brier": brier_score(sure) if sure else None,
    }


def expected_calibration_error(sure: Sequence[tuple[float, bool]]) -> float:
    """Compare probabilities with the shares that were right, in ten bins of one width.

    The mean over the answers of how far the mean probability of a bin is from its
    share of right answers (Guo et al., On Calibration of Modern Neural Networks,
    ICML 2017, equation 3).

    sure (Sequence): Per answer its probability and whether it was right.
    RETURNS (float): In [0, 1].
    """
    chances, right = numpy.asarray(sure, dtype=float).T
    bins = numpy.minimum((chances * BINS).astype(int), BINS - 1)
    gaps = numpy.bincount(bins, weights=chances - right, minlength=BINS)
    return float(numpy.abs(gaps).sum() / len(sure))


def brier_score(sure: Sequence[tuple[float, bool]]) -> float:
    """Give the mean squared difference between probabilities and what came true.

    sure (Sequence): Per answer its probability and whether it was right.
    RETURNS (float): In [0, 1].
    """
    chances, right = numpy.asarray(sure, dtype=float).T
    return float(numpy.mean((chances - right) ** 2))
