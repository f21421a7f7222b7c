"""Thresholds of a run: what `--fail-under` asks for, and what the results miss of it.

Knows the register of metrics and the `eval --json` form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.metrics import METRICS
from rag.errors import BadSettings


def thresholds(texts: Sequence[str]) -> dict[str, float]:
    """Read `name=value` pairs.

    Raises: BadSettings: an unknown metric, or a value that is no number.
    """
    found = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.rpartition("="))
        if name not in METRICS:
            raise _bad(text, f"没有指标“{name or text}”，可用：{'、'.join(METRICS)}")
        try:
            found[name] = float(value)
        except ValueError as err:
            raise _bad(text, "等号后面应是数字，如 refusal_f1=0.85") from err
        if not abs(found[name]) < float("inf"):
            raise _bad(text, "等号后面应是有限的数字")
    return found


def _bad(text: str, reason: str) -> BadSettings:
    return BadSettings(name="--fail-under", value=text, reason=reason)


def failures(results: Mapping[str, Any], texts: Sequence[str]) -> list[str]:
    """Return a line for each threshold (`name=value`) that the results miss.

    For a metric where less is better the value is the most allowed; a metric
    that no case could be scored in misses any threshold.
    Raises: BadSettings: a threshold that cannot be read.
    """
    lines = []
    for name, limit in thresholds(texts).items():
        metric, value = METRICS[name], results["metrics"][name]["value"]
        bound = f"{'要求不低于' if metric.better == 'higher' else '要求不高于'} {limit:g}"
        if value is None:
            lines.append(f"{metric.label}（{name}）没有可计分的题，{bound}。")
        elif (value < limit) if metric.better == "higher" else (value > limit):
            lines.append(f"{metric.label}（{name}）为 {value:.4g}，{bound}。")
    return lines
