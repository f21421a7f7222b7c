"""Two runs of the same cases compared: paired differences, what was fixed, what broke.

Knows the `eval --json` form and the register of metrics; asks nothing again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.charts import figure
from eval.metrics import METRICS, Metric
from eval.stats import Array, exchanged, paired_interval, two_sided_p, westfall_young
from rag.errors import BadRequest, FolderNotFound

ALPHA = 0.05  # of the p value adjusted for the number of metrics
MAX_LISTED = 20


def load_results(path: Path) -> dict[str, Any]:
    """Read the results of a run from its folder or its results.json.

    Raises: FolderNotFound. BadRequest: the file is something else.
    """
    path = Path(path)
    file = path / "results.json" if path.is_dir() else path
    if not file.is_file():
        raise FolderNotFound(path=file)
    try:
        results = json.loads(file.read_text(encoding="utf-8-sig"))
        if all({"id", "status", "scores"} <= set(case) for case in results["cases"]):
            return dict(results)
    except (ValueError, TypeError, KeyError):
        pass
    raise BadRequest(reason=f"{file.name} 不是评测结果。请给出评测时 --out 的目录，或其中的 results.json。")


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Compare two results, both in the `eval --json` form, over the cases they share.

    Returns: n; only_before and only_after (ids); fixed and broken (ids whose
    pass_rate went from 0 to 1 or back); status_changed and changed (id,
    before, after: statuses, and the answers of what was fixed or broke);
    metrics: name to before, after, difference, ci95 (paired bootstrap), p
    (paired permutation), p_adjusted (for the number of metrics, latencies
    apart; Westfall and Young) and significant. Latencies are never significant: the computer was busier or
    idler for all cases of a run at once, so cases are no independent pairs.
    Raises: BadRequest: they share no case.
    """
    first, second = _by_id(before), _by_id(after)
    shared = [name for name in first if name in second]
    if not shared:
        raise BadRequest(reason="两次评测没有相同的题，无法比较。请用同一个评测集各评一次。")
    pairs = [(first[name], second[name]) for name in shared]
    changed = [(a["id"], a["status"], b["status"]) for a, b in pairs if a["status"] != b["status"]]
    fixed = [a["id"] for a, b in pairs if _passed(a) is False and _passed(b)]
    broken = [a["id"] for a, b in pairs if _passed(a) and _passed(b) is False]
    answers = [(i, first[i].get("answer", ""), second[i].get("answer", "")) for i in (*fixed, *broken)]
    return {
        "n": len(shared),
        "only_before": [name for name in first if name not in second],
        "only_after": [name for name in second if name not in first],
        "fixed": fixed,
        "broken": broken,
        "changed": [{"id": i, "before": a, "after": b} for i, a, b in answers],
        "status_changed": [{"id": i, "before": a, "after": b} for i, a, b in changed],
        "metrics": _metrics(pairs),
    }


def _by_id(results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {case["id"]: case for case in results["cases"]}


def _passed(case: Mapping[str, Any]) -> bool | None:
    """Whether a case passed; None where it had nothing to check by, or was not run."""
    value = case["scores"].get("pass_rate")
    return None if value is None else bool(value == 1)


def _metrics(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    nulls: dict[str, Array] = {}
    for name, metric in METRICS.items():
        a, b = (_values([pair[side] for pair in pairs], name) for side in (0, 1))
        if not (np.isnan(a).all() or np.isnan(b).all()):
            nulls[name] = exchanged(a, b, metric.reduce)
            rows[name] = _row(metric, a, b, nulls[name])
    family = [name for name in rows if METRICS[name].unit == "share"]
    adjusted = westfall_young([rows[name]["difference"] for name in family], [nulls[name] for name in family])
    for name, p_value in zip(family, adjusted, strict=True):
        rows[name] |= {"p_adjusted": p_value, "significant": p_value < ALPHA}
    return rows


def _values(cases: Sequence[Mapping[str, Any]], name: str) -> Array:
    given = (case["scores"].get(name) for case in cases)
    return np.array([np.nan if value is None else value for value in given], dtype=float)


def _row(metric: Metric, a: Array, b: Array, under_null: Array) -> dict[str, Any]:
    before, after = float(metric.reduce(a)), float(metric.reduce(b))
    between = paired_interval(a, b, metric.reduce)
    return {
        "before": before,
        "after": after,
        "difference": after - before,
        "ci95": list(between) if between else None,
        "p": two_sided_p(after - before, under_null),
        "p_adjusted": None,
        "significant": False,
    }


def describe(comparison: Mapping[str, Any]) -> str:
    """Return a comparison as lines for a terminal."""
    lines = [f"共同的题 {comparison['n']} 道"]
    for key, told in (("only_before", "只有前一次有"), ("only_after", "只有后一次有")):
        if comparison[key]:
            lines.append(f"{told}的题 {len(comparison[key])} 道，没有参加比较")
    lines += [_line(METRICS[name], row) for name, row in comparison["metrics"].items()]
    for key, told in (("fixed", "变好"), ("broken", "变坏")):
        ids = comparison[key]
        more = " 等" if len(ids) > MAX_LISTED else ""
        lines.append(f"{told}的题 {len(ids)} 道{'：' if ids else ''}{'、'.join(ids[:MAX_LISTED])}{more}")
    return "\n".join(lines)


def judgement(metric: Metric, row: Mapping[str, Any]) -> str:
    """Say in Chinese whether a metric's difference is significant, and which way."""
    if metric.unit == "ms":
        return "随电脑忙闲变化，只供参考"
    better = (row["difference"] > 0) == (metric.better == "higher")
    return ("显著变好" if better else "显著变坏") if row["significant"] else "无显著差别"


def _line(metric: Metric, row: Mapping[str, Any]) -> str:
    values = f"{figure(row['before'], metric)} → {figure(row['after'], metric)}"
    adjusted = row["p_adjusted"]
    p_values = "" if adjusted is None else f"（p = {row['p']:.4f}，校正后 {adjusted:.4f}）"
    return f"{metric.label}　{values}　{judgement(metric, row)}{p_values}"


def regressions(comparison: Mapping[str, Any]) -> list[str]:
    """Return the names of the metrics of quality, not of speed, that got significantly worse."""
    return [name for name, row in comparison["metrics"].items() if _regressed(METRICS[name], row)]


def _regressed(metric: Metric, row: Mapping[str, Any]) -> bool:
    """Whether a metric of quality, not of speed, got significantly worse."""
    worse = (row["difference"] < 0) == (metric.better == "higher")
    return bool(row["significant"] and row["difference"] and worse)
