"""How far a figure could be off for want of records: bootstrap intervals."""

from typing import Any

import numpy
from numpy.typing import NDArray

# Resamples of the records, and the share of them that an interval holds.
RESAMPLES, INSIDE = 2000, 0.95

# One row a record: right answers, wrong answers, missed ones.
Counts = NDArray[numpy.int64]


def f1(counts: Any) -> Any:
    """Give F1 from counts.

    counts (Any): Array of shape (..., 3): right, wrong, missed.
    RETURNS (Any): Array of shape (...), 0 where there is nothing to find and nothing
        found.
    """
    right, wrong, missed = numpy.moveaxis(numpy.asarray(counts, dtype=float), -1, 0)
    whole = 2 * right + wrong + missed
    return numpy.divide(2 * right, whole, out=numpy.zeros_like(whole), where=whole > 0)


def f1_interval(counts: Counts, seed: int = 0) -> tuple[float, float, float]:
    """Give F1 and its interval: records are drawn again and again, with replacement.

    The percentile bootstrap (Efron 1979), 95 % of 2,000 resamples of whole records,
    since the answers within a record depend on each other.

    counts (Counts): Shape (records, 3).
    seed (int): Source of chance: equal for all systems, so that they are measured on
        the same resamples.
    RETURNS (tuple): F1, lower and upper end, in [0, 1].
    """
    chance = numpy.random.default_rng(seed)
    drawn = chance.integers(len(counts), size=(RESAMPLES, len(counts)))
    values = f1(counts[drawn].sum(axis=1))
    low, high = numpy.quantile(values, [(1 - INSIDE) / 2, (1 + INSIDE) / 2])
    return float(f1(counts.sum(axis=0))), float(low), float(high)


def paired_p(counts: Counts, others: Counts, seed: int = 0) -> float:
    """Say how likely so large a difference of F1 is when the systems do not differ.

    Approximate randomisation (Noreen 1989): the two systems' counts of a record are
    exchanged by chance, 2,000 times; two-sided.

    counts (Counts): Shape (records, 3), of one system.
    others (Counts): Of the other, on the same records.
    seed (int): Source of chance.
    RETURNS (float): Above 0, at most 1.
    """
    observed = abs(f1(counts.sum(axis=0)) - f1(others.sum(axis=0)))
    chance = numpy.random.default_rng(seed)
    swapped = chance.random((RESAMPLES, len(counts), 1)) < 0.5
    one = numpy.where(swapped, others, counts).sum(axis=1)
    other = numpy.where(swapped, counts, others).sum(axis=1)
    apart = numpy.abs(f1(one) - f1(other)) >= observed - 1e-12
    return float((apart.sum() + 1) / (RESAMPLES + 1))
