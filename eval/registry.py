"""The register of metrics: what each is called, means, comes from, and how cases add up.

A metric is one decorated function in one of the `metrics*` modules; results,
report, comparison, thresholds and screens read this register, so adding one
touches no other place. Knows no metric.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from eval.outcome import Outcome, Score
from eval.stats import Reduce, mean
from rag.types import Source

logger = logging.getLogger(__name__)

Reader = Callable[[str], Source]
ScoreCase = Callable[[Outcome, Reader | None], Score]
Unit = Literal["share", "ms"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `reduce` makes one number of the scored cases' values.

    `label`, `description`, `source` and `range` are Chinese, for the report.
    `better` says which way is up; `unit` "share" is 0 to 1, "ms" milliseconds.
    `headline` is the place among what a report opens with, 0 for the rest;
    `whole_set` marks what says little of one kind of case alone, `optional`
    what is left out of a report in which no case is scored in it.
    """

    name: str
    label: str
    description: str
    source: str
    range: str
    score: ScoreCase
    reduce: Reduce = mean
    better: Literal["higher", "lower"] = "higher"
    unit: Unit = "share"
    headline: int = 0
    whole_set: bool = False
    optional: bool = False


METRICS: dict[str, Metric] = {}


def metric(
    name: str,
    label: str,
    *,
    description: str,
    source: str,
    range: str = "0 到 1，越大越好",  # noqa: A002 - the field's name
    reduce: Reduce = mean,
    better: Literal["higher", "lower"] = "higher",
    unit: Unit = "share",
    headline: int = 0,
    whole_set: bool = False,
    optional: bool = False,
) -> Callable[[ScoreCase], ScoreCase]:
    """Register the decorated function as a metric; raise ValueError for a name already taken."""

    def register(score: ScoreCase) -> ScoreCase:
        if name in METRICS:
            raise ValueError(f"metric {name!r} is registered twice")
        METRICS[name] = Metric(
            name, label, description, source, range, score, reduce, better, unit, headline, whole_set,
            optional,
        )  # fmt: skip
        return score

    return register


def score_outcome(outcome: Outcome, reader: Reader | None) -> dict[str, Score]:
    """Score one outcome in every metric; what was not run, or fails to score, is unscored."""
    if outcome.status == "skipped":
        return {name: Score(None, outcome.error or "未运行") for name in METRICS}
    return {name: _guarded(one, outcome, reader) for name, one in METRICS.items()}


def _guarded(one: Metric, outcome: Outcome, reader: Reader | None) -> Score:
    try:
        return one.score(outcome, reader)
    except Exception as err:
        logger.exception("metric %s failed on case %s", one.name, outcome.case.id)
        return Score(None, f"计分出错：{type(err).__name__}")
