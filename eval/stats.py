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


def exchanged(a: Array, b: Array, reduce: Reduce) -> Array:
    """Return reduce(b) - reduce(a) under the null hypothesis, (PERMUTATIONS,).

    It is then chance which of a case's two values came from which run, so
    they are exchanged at random. For a mean this is the sign-flip test of
    Fisher 1935. The same exchanges are made for every pair of equal length.
    """
    generator = np.random.default_rng(SEED)
    rows = max(1, _BATCH // len(a))
    found = []
    for first in range(0, PERMUTATIONS, rows):
        swap = generator.random((min(rows, PERMUTATIONS - first), len(a))) < 0.5
        found.append(reduce(np.where(swap, a, b)) - reduce(np.where(swap, b, a)))
    return np.concatenate(found)


def two_sided_p(observed: float, under_null: Array) -> float:
    """Return the share of differences under the null that are as large, the observed one among them."""
    if not observed or np.isnan(observed):
        return 1.0
    extreme = int((np.abs(under_null) >= abs(observed) - 1e-12).sum())
    return (extreme + 1) / (len(under_null) + 1)


def westfall_young(observed: Sequence[float], under_null: Sequence[Array]) -> list[float]:
    """Adjust p values of several metrics of the same cases for their number.

    Step-down maxT of Westfall and Young 1993, algorithm 4.1 of Ge, Dudoit and
    Speed 2003: each difference is divided by its spread under the null, and
    compared with the largest of those still in question. Metrics that move
    together cost little, unlike with Holm or Bonferroni.

    Args:
        observed: a difference per metric.
        under_null: per metric, differences under the same exchanges.
    """
    spreads = [float(np.sqrt(np.nanmean(null**2))) or np.inf for null in under_null]
    sizes = [0.0 if np.isnan(d) else abs(d) / s for d, s in zip(observed, spreads, strict=True)]
    scaled = [np.nan_to_num(np.abs(n) / s) for n, s in zip(under_null, spreads, strict=True)]
    order = sorted(range(len(sizes)), key=lambda i: -sizes[i])
    adjusted = [1.0] * len(sizes)
    highest = 0.0
    for step, i in enumerate(order):
        largest = np.max([scaled[j] for j in order[step:]], axis=0)
        highest = max(highest, two_sided_p(sizes[i], largest))
        adjusted[i] = highest
    return adjusted


def _percentiles(values: Array) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
