"""Numbers from many cases: means and quantiles, bootstrap intervals, paired tests.

Arrays only. NaN stands for an unscored case: it takes no part, and where none
is left the result is NaN. Everything random is seeded, so the same scores
give the same report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Reduce = Callable[[Array], Array]  # (..., n) values, NaN where unscored -> (...)

RESAMPLES = 1000  # the interval's ends move by less than 0.01 between seeds at 100 cases
PERMUTATIONS = 9999  # (count + 1) / 10000 is then a round p value; Phipson & Smyth 2010
LEVEL = 0.95
SEED = 20220126
_BATCH = 1_000_000  # numbers held at once while resampling


def mean(values: Array) -> Array:
    """Average the last axis over what is scored."""
    scored = ~np.isnan(values)
    count = scored.sum(axis=-1)
    total = np.where(scored, values, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def f1(values: Array) -> Array:
    """F1 from 1 for every true positive, 0 for every false positive or negative.

    Their mean is the Jaccard index J = TP / (TP + FP + FN), and
    F1 = 2 TP / (2 TP + FP + FN) = 2 J / (1 + J).
    """
    jaccard = mean(values)
    return 2 * jaccard / (1 + jaccard)


def quantile(share: float) -> Reduce:
    """Return the reduction to a quantile, interpolated linearly as numpy does."""

    def reduce(values: Array) -> Array:
        ordered = np.sort(values, axis=-1)  # NaN last
        count = (~np.isnan(values)).sum(axis=-1)
        if not values.shape[-1]:
            return np.full(values.shape[:-1], np.nan)
        place = share * np.maximum(count - 1, 0)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, np.maximum(count - 1, 0))
        first = np.take_along_axis(ordered, low[..., None], -1)[..., 0]
        second = np.take_along_axis(ordered, high[..., None], -1)[..., 0]
        return np.asarray(first + (place - low) * (second - first))

    return reduce


def interval(values: Sequence[float], reduce: Reduce) -> tuple[float, float] | None:
    """Return the 95 % percentile bootstrap interval over scored cases, None for fewer than two.

    Cases are drawn with replacement RESAMPLES times; Efron 1979.
    """
    given = np.asarray(values, dtype=float)
    if len(given) < 2:
        return None
    generator = np.random.default_rng(SEED)
    rows = max(1, _BATCH // len(given))
    drawn = []
    for first in range(0, RESAMPLES, rows):
        picks = generator.integers(0, len(given), (min(rows, RESAMPLES - first), len(given)))
        drawn.append(reduce(given[picks]))
    return _percentiles(np.concatenate(drawn))


def paired_interval(a: Array, b: Array, reduce: Reduce) -> tuple[float, float] | None:
    """Return the 95 % bootstrap interval of reduce(b) - reduce(a); a case's two values go together."""
    if len(a) < 2:
        return None
    generator = np.random.default_rng(SEED)
    rows = max(1, _BATCH // len(a))
    drawn = []
    for first in range(0, RESAMPLES, rows):
        picks = generator.integers(0, len(a), (min(rows, RESAMPLES - first), len(a)))
        drawn.append(reduce(b[picks]) - reduce(a[picks]))
    differences = np.concatenate(drawn)
    differences = differences[~np.isnan(differences)]
    return _percentiles(differences) if len(differences) else None


def paired_p(a: Array, b: Array, reduce: Reduce) -> float:
    """Return the two-sided p value of reduce(b) - reduce(a) by a paired permutation test.

    Under the null hypothesis it is chance which of a case's two values came
    from which run, so they are exchanged at random PERMUTATIONS times. For a
    mean this is the sign-flip test of Fisher 1935.
    """
    changed = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    observed = float(reduce(b) - reduce(a))
    if not changed.any() or np.isnan(observed):
        return 1.0
    generator = np.random.default_rng(SEED)
    rows = max(1, _BATCH // len(a))
    extreme = 0
    for first in range(0, PERMUTATIONS, rows):
        swap = generator.random((min(rows, PERMUTATIONS - first), len(a))) < 0.5
        difference = reduce(np.where(swap, a, b)) - reduce(np.where(swap, b, a))
        extreme += int((np.abs(difference) >= abs(observed) - 1e-12).sum())
    return (extreme + 1) / (PERMUTATIONS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values for their number; Holm 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def _percentiles(values: Array) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
