"""Two runs of the same cases compared: paired differences, what was fixed, what broke.

    python -m eval.compare BEFORE AFTER [--json]

BEFORE and AFTER are the folders of two evaluations, or their results.json.
Knows the `eval --json` form and the register of metrics; asks nothing again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from eval.charts import figure
from eval.metrics import METRICS, Metric
from eval.stats import Array, holm, paired_interval, paired_p
from rag.errors import BadRequest, FolderNotFound, LingxueError

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
    pass_rate went from 0 to 1 or back); status_changed (id, before, after);
    metrics: name to before, after, difference, ci95 (paired bootstrap), p
    (paired permutation), p_adjusted (Holm, over all but the latencies, which
    are adjusted among themselves) and significant.
    Raises: BadRequest: they share no case.
    """
    first, second = _by_id(before), _by_id(after)
    shared = [name for name in first if name in second]
    if not shared:
        raise BadRequest(reason="两次评测没有相同的题，无法比较。请用同一个评测集各评一次。")
    pairs = [(first[name], second[name]) for name in shared]
    changed = [(a["id"], a["status"], b["status"]) for a, b in pairs if a["status"] != b["status"]]
    return {
        "n": len(shared),
        "only_before": [name for name in first if name not in second],
        "only_after": [name for name in second if name not in first],
        "fixed": [a["id"] for a, b in pairs if _passed(b) and not _passed(a)],
        "broken": [a["id"] for a, b in pairs if _passed(a) and not _passed(b)],
        "status_changed": [{"id": i, "before": a, "after": b} for i, a, b in changed],
        "metrics": _metrics(pairs),
    }


def _by_id(results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {case["id"]: case for case in results["cases"]}


def _passed(case: Mapping[str, Any]) -> bool:
    return bool(case["scores"].get("pass_rate") == 1)


def _metrics(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for name, metric in METRICS.items():
        a, b = (_values([pair[side] for pair in pairs], name) for side in (0, 1))
        if not (np.isnan(a).all() or np.isnan(b).all()):
            rows[name] = _row(metric, a, b)
    for unit in ("share", "ms"):
        family = [row for name, row in rows.items() if METRICS[name].unit == unit]
        for row, adjusted in zip(family, holm([row["p"] for row in family]), strict=True):
            row["p_adjusted"], row["significant"] = adjusted, adjusted < ALPHA
    return rows


def _values(cases: Sequence[Mapping[str, Any]], name: str) -> Array:
    given = (case["scores"].get(name) for case in cases)
    return np.array([np.nan if value is None else value for value in given], dtype=float)


def _row(metric: Metric, a: Array, b: Array) -> dict[str, Any]:
    before, after = float(metric.reduce(a)), float(metric.reduce(b))
    between = paired_interval(a, b, metric.reduce)
    return {
        "before": before,
        "after": after,
        "difference": after - before,
        "ci95": list(between) if between else None,
        "p": paired_p(a, b, metric.reduce),
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


def _line(metric: Metric, row: Mapping[str, Any]) -> str:
    better = (row["difference"] > 0) == (metric.better == "higher")
    verdict = ("显著变好" if better else "显著变坏") if row["significant"] else "无显著差别"
    values = f"{figure(row['before'], metric)} → {figure(row['after'], metric)}"
    return f"{metric.label}　{values}　{verdict}（p = {row['p']:.4f}，校正后 {row['p_adjusted']:.4f}）"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison of two runs; return the exit code: 1 when a metric is significantly worse."""
    parser = argparse.ArgumentParser(prog="python -m eval.compare", description="比较两次评测")
    parser.add_argument("before", type=Path, metavar="前一次", help="评测的 --out 目录，或 results.json")
    parser.add_argument("after", type=Path, metavar="后一次")
    parser.add_argument("--json", action="store_true", help="输出 JSON")
    options = parser.parse_args(arguments)
    try:
        comparison = compare(load_results(options.before), load_results(options.after))
    except LingxueError as err:
        sys.stderr.write(f"{err}\n")
        return 1
    text = json.dumps(comparison, ensure_ascii=False, indent=2) if options.json else describe(comparison)
    sys.stdout.write(text + "\n")
    return int(any(_regressed(METRICS[n], row) for n, row in comparison["metrics"].items()))


def _regressed(metric: Metric, row: Mapping[str, Any]) -> bool:
    """Whether a metric of quality, not of speed, got significantly worse."""
    worse = (row["difference"] < 0) == (metric.better == "higher")
    return bool(row["significant"] and row["difference"] and worse and metric.unit == "share")


if __name__ == "__main__":
    raise SystemExit(main())
