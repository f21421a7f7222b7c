"""Charts of the report, as HTML rows with inline SVG bars.

Text stands in HTML and only the shapes in SVG, so that letters keep their
size on a narrow screen. No scripts, no styles of their own, no addresses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from eval.cases import KIND_NAMES, KINDS
from eval.metrics import METRICS, Metric
from eval.outcome import Outcome

VERDICTS = {"passed": "通过", "failed": "未通过", "error": "出错", "unscored": "缺标准", "skipped": "未运行"}
BINS = 24
_TRACK = '<rect class="track" width="100" height="18"/>'


def verdict(outcome: Outcome) -> str:
    """Return passed, failed, error, skipped, or unscored where the case has nothing to check by."""
    if outcome.status in ("error", "skipped"):
        return outcome.status
    score = outcome.scores.get("pass_rate")
    if score is None or score.value is None:
        return "unscored"
    return "passed" if score.value == 1 else "failed"


def figure(value: float | None, metric: Metric) -> str:
    """Return a value as people read it: per cent, or milliseconds."""
    if value is None:
        return "—"
    return f"{100 * value:.1f}%" if metric.unit == "share" else f"{value:,.0f} 毫秒"


def metric_rows(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Draw a bar with its 95 % interval for every metric that is a share."""
    shown = [(METRICS[name], total) for name, total in metrics.items()]
    rows = [_metric_row(metric, total) for metric, total in shown if total["scored"] or not metric.optional]
    return f'<div class="rows">{"".join(rows)}</div>'


def _metric_row(metric: Metric, total: Mapping[str, Any]) -> str:
    value, between = total["value"], total["ci95"]
    shape = ""
    if value is not None and metric.unit == "share":
        tone = "bar" if metric.better == "higher" else "bar bad"
        shape = f'{_TRACK}<rect class="{tone}" width="{100 * value:.2f}" height="14"/>'
        if between:
            low, high = (100 * end for end in between)
            shape += (
                f'<line class="halo" x1="{low:.2f}" x2="{high:.2f}" y1="7" y2="7"/>'
                f'<line class="whisker" x1="{low:.2f}" x2="{high:.2f}" y1="7" y2="7"/>'
                f'<line class="whisker" x1="{low:.2f}" x2="{low:.2f}" y1="3" y2="11"/>'
                f'<line class="whisker" x1="{high:.2f}" x2="{high:.2f}" y1="3" y2="11"/>'
            )
    ends = f"{figure(between[0], metric)} – {figure(between[1], metric)}" if between else "—"
    arrow = "" if metric.better == "higher" else '<span class="quiet">（越小越好）</span>'
    return (
        f'<div class="row" title="{escape(metric.description)}">'
        f'<span class="name">{escape(metric.label)}{arrow}</span>'
        f'{_svg(shape, 14) if shape else "<span></span>"}<span class="value">{figure(value, metric)}</span>'
        f'<span class="ends">{ends}</span><span class="n">{total["scored"]} 题</span></div>'
    )


def kind_rows(outcomes: Sequence[Outcome]) -> str:
    """Draw, for each kind, how many cases passed, failed, raised or were not run."""
    groups = {kind: [verdict(o) for o in outcomes if o.case.kind == kind] for kind in KINDS}
    rows = [_kind_row(kind, Counter(found)) for kind, found in groups.items() if found]
    met = {found for group in groups.values() for found in group}
    shown = [(name, label) for name, label in VERDICTS.items() if name in met]
    legend = "".join(f'<span class="key {name}">{label}</span>' for name, label in shown)
    return f'<p class="legend">{legend}</p><div class="rows kinds">{"".join(rows)}</div>'


def _kind_row(kind: str, counts: Counter[str]) -> str:
    total = counts.total()
    shape, at = _TRACK, 0.0
    for name in VERDICTS:
        width = 100 * counts[name] / total
        if width:
            shape += f'<rect class="{name}" x="{at:.2f}" width="{width:.2f}" height="18"/>'
        at += width
    told = "，".join(f"{label} {counts[name]}" for name, label in VERDICTS.items() if counts[name])
    return (
        f'<div class="row" title="{told}"><span class="name">{KIND_NAMES[kind]}</span>{_svg(shape, 18)}'
        f'<span class="value">{counts["passed"]} / {total}</span></div>'
    )


def latency(outcomes: Sequence[Outcome]) -> str:
    """Draw the distribution of latencies, with the slowest 1 % in the last bar."""
    values = [o.latency_ms for o in outcomes if o.status not in ("error", "skipped")]
    if len(values) < 2:
        return ""
    top = max(float(np.quantile(values, 0.99)), 1.0)
    counts, _ = np.histogram(np.minimum(values, top), bins=BINS, range=(0.0, top))
    width, highest = 100 / BINS, max(int(counts.max()), 1)
    shape = "".join(
        f'<rect class="bar" x="{i * width + 0.3:.2f}" y="{60 - 58 * count / highest:.2f}" '
        f'width="{width - 0.6:.2f}" height="{58 * count / highest:.2f}"/>'
        for i, count in enumerate(counts)
        if count
    )
    shape += '<line class="axis" x1="0" x2="100" y1="60" y2="60"/>'
    ends = f"<span>0</span><span>{top / 2:,.0f}</span><span>{top:,.0f} 毫秒及以上</span>"
    return f'<div class="histogram">{_svg(shape, 62)}<p class="scale">{ends}</p></div>'


def heat(by_kind: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a table of kinds and share metrics, each cell tinted by how good it is."""
    parts = [part["metrics"] for part in by_kind.values()]
    shown = [
        metric
        for name, metric in METRICS.items()
        if metric.unit == "share" and not metric.whole_set
        if not metric.optional or any(part[name]["scored"] for part in parts)
    ]
    head = "".join(f'<th scope="col" title="{escape(m.description)}">{escape(m.label)}</th>' for m in shown)
    rows = "".join(
        f'<tr><th scope="row">{KIND_NAMES[kind]}<span class="quiet"> {part["n"]} 题</span></th>'
        f"{''.join(_heat_cell(metric, part['metrics'][metric.name]) for metric in shown)}</tr>"
        for kind, part in by_kind.items()
    )
    return (
        f'<div class="scroll" tabindex="0"><table class="heat"><thead><tr><th>题型</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _heat_cell(metric: Metric, total: Mapping[str, Any]) -> str:
    value = total["value"]
    if value is None:
        return '<td class="none">—</td>'
    good = value if metric.better == "higher" else 1 - value
    told = f"计分 {total['scored']} 题"
    if between := total["ci95"]:
        told += f"，95% 区间 {figure(between[0], metric)} – {figure(between[1], metric)}"
    return f'<td class="h{round(5 * good)}" title="{told}">{100 * value:.0f}</td>'


def _svg(shape: str, height: int) -> str:
    return f'<svg viewBox="0 0 100 {height}" preserveAspectRatio="none" aria-hidden="true">{shape}</svg>'
