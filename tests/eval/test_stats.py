"""Intervals and tests against SciPy and scikit-learn, and worked by hand."""

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import f1_score

from eval.stats import exchanged, f1, interval, mean, paired_interval, quantile, two_sided_p, westfall_young


def paired_p(a, b, reduce):
    return two_sided_p(float(reduce(b) - reduce(a)), exchanged(a, b, reduce))


DRAW = np.random.default_rng(3)


def test_bootstrap_interval_agrees_with_scipy():
    values = DRAW.random(80)
    theirs = scipy.stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=1)
    low, high = interval(list(values), mean)
    assert low == pytest.approx(theirs.confidence_interval.low, abs=0.01)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=0.01)


def test_interval_covers_the_truth_about_95_times_in_100():
    covered = 0
    for _ in range(300):
        low, high = interval(list(DRAW.random(60) < 0.7), mean)
        covered += low <= 0.7 <= high
    assert 0.90 <= covered / 300 <= 0.98


def test_paired_test_agrees_with_scipy():
    a = (DRAW.random(60) < 0.6).astype(float)
    b = np.where(DRAW.random(60) < 0.2, 1.0, a)

    def difference(x, y, axis):
        return np.mean(y, axis=axis) - np.mean(x, axis=axis)

    theirs = scipy.stats.permutation_test(
        (a, b), difference, permutation_type="samples", n_resamples=20_000, rng=1, vectorized=True
    )
    assert paired_p(a, b, mean) == pytest.approx(theirs.pvalue, abs=0.01)


def test_no_change_has_p_one_and_interval_zero():
    a = DRAW.random(50)
    assert paired_p(a, a.copy(), mean) == 1.0
    assert paired_interval(a, a.copy(), mean) == (0.0, 0.0)


def test_false_alarms_stay_near_one_in_twenty():
    alarms = sum(
        paired_p((DRAW.random(40) < 0.5) * 1.0, (DRAW.random(40) < 0.5) * 1.0, mean) < 0.05
        for _ in range(100)
    )
    assert alarms <= 12  # more than 12 of 100 at 5 % happen once in 500


def test_f1_and_quantile_agree_with_sklearn_and_numpy():
    truth, said = DRAW.random(200) < 0.3, DRAW.random(200) < 0.4
    scored = [float(t and s) for t, s in zip(truth, said, strict=True) if t or s]
    assert float(f1(np.array(scored))) == pytest.approx(f1_score(truth, said), abs=1e-12)
    values = DRAW.random(37)
    for share in (0.0, 0.5, 0.95, 1.0):
        assert float(quantile(share)(values)) == pytest.approx(np.quantile(values, share), abs=1e-12)


def test_adjusting_costs_nothing_for_a_metric_told_twice_and_more_for_independent_ones():
    a = (DRAW.random(60) < 0.6) * 1.0
    b = np.where(DRAW.random(60) < 0.15, 1.0 - a, a)
    others = [((DRAW.random(60) < 0.5) * 1.0, (DRAW.random(60) < 0.5) * 1.0) for _ in range(10)]
    alone = paired_p(a, b, mean)
    for pairs, cost in (([(a, b)] * 5, 1.0), ([(a, b), *others], 12.0)):
        differences = [float(mean(y) - mean(x)) for x, y in pairs]
        adjusted = westfall_young(differences, [exchanged(x, y, mean) for x, y in pairs])
        assert alone - 1e-12 <= adjusted[0] <= min(1.0, cost * alone) + 0.01


def test_adjusted_false_alarms_over_a_family_stay_near_one_in_twenty():
    alarms = 0
    for _ in range(60):
        pairs = [((DRAW.random(30) < 0.5) * 1.0, (DRAW.random(30) < 0.5) * 1.0) for _ in range(6)]
        differences = [float(mean(y) - mean(x)) for x, y in pairs]
        alarms += min(westfall_young(differences, [exchanged(x, y, mean) for x, y in pairs])) < 0.05
    assert alarms <= 9  # of 60; unadjusted, about 16 would be


def test_unscored_cases_take_no_part():
    values = np.array([[1.0, np.nan, 0.0], [np.nan, np.nan, np.nan]])
    assert mean(values)[0] == 0.5 and np.isnan(mean(values)[1])
    assert interval([1.0], mean) is None
