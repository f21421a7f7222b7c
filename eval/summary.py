"""From scored outcomes to the `eval --json` form: totals with intervals, by kind, by case.

Knows the register of metrics and arrays; neither runs nor draws anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from eval.cases import KINDS
from eval.metrics import METRICS, Metric
from eval.outcome import Outcome
from eval.stats import interval


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the `eval --json` form.

    `metrics` maps a name to value, scored, unscored (numbers of cases) and
    ci95 ([low, high] or None); value and ci95 are None where nothing is
    scored. `by_kind` holds n and metrics of the kinds that occur.
    """
    present = [kind for kind in KINDS if any(o.case.kind == kind for o in outcomes)]
    groups = {kind: [o for o in outcomes if o.case.kind == kind] for kind in present}
    return {
        "n": len(outcomes),
        "metrics": totals(outcomes),
        "by_kind": {kind: {"n": len(group), "metrics": totals(group)} for kind, group in groups.items()},
        "cases": [outcome.to_dict() for outcome in outcomes],
    }


def totals(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """Return each metric over the outcomes: value, scored, unscored, ci95."""
    return {name: _total(metric, outcomes) for name, metric in METRICS.items()}


def _total(metric: Metric, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    given = [outcome.scores[metric.name].value for outcome in outcomes if metric.name in outcome.scores]
    values = [value for value in given if value is not None]
    between = interval(values, metric.reduce)
    return {
        "value": float(metric.reduce(np.asarray(values, dtype=float))) if values else None,
        "scored": len(values),
        "unscored": len(outcomes) - len(values),
        "ci95": list(between) if between else None,
    }
