"""The result of an evaluation as HTML tables with bars.

Bars are plain boxes: Gradio's plots (Vega) make functions out of text, which
the content security policy forbids, and a bar needs no library. Reads only
the `eval --json` form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rag.web.markup import escape

KINDS = {
    "factoid": "事实",
    "list": "列举",
    "procedure": "程序",
    "responsibility": "职责",
    "why": "为什么",
    "comparison": "比较",
    "multi-turn": "追问",
    "unanswerable": "资料没有",
    "out-of-scope": "题外",
    "adversarial": "诱导",
    "draft": "写作",
}
METRICS: dict[str, str] = {}


def result_html(result: Mapping[str, Any]) -> str:
    """Render the metrics and how each kind of question fared."""
    head = f"<p><strong>共 {int(result.get('n', 0))} 题</strong></p>"
    return (
        f'<div class="lx-answer lx-scores">{head}{_metrics(result.get("metrics", {}))}'
        f"{_by_kind(result.get('by_kind', {}))}</div>"
    )


def progress_html(stage: str, done: int, total: int) -> str:
    """Render how far the evaluation is."""
    share = done / total if total else 0.0
    return f'<div class="lx-answer lx-progress"><p>{escape(stage)}：{done} / {total}</p>{bar(share)}</div>'


def bar(share: float) -> str:
    """Return a bar filled to `share`, 0 to 1, in steps of 5 %: the sanitiser takes no style."""
    step = 5 * round(20 * min(max(share, 0.0), 1.0))
    return f'<span class="lx-track"><span class="lx-fill lx-w{step}"></span></span>'


def table(header: Sequence[str], rows: Iterable[str]) -> str:
    """Return a table; header cells are text, rows are HTML."""
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = f'<table class="lx-table"><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    return f'<div class="lx-scroll">{body}</div>'


def _metrics(metrics: Mapping[str, Any]) -> str:
    header = ("指标", "得分", "", "95% 区间", "计分题数")
    return table(header, (_metric(name, metric) for name, metric in metrics.items()))


def _metric(name: str, metric: Mapping[str, Any]) -> str:
    value = metric.get("value")
    low, high = metric.get("ci95") or (None, None)
    between = f"{_figure(low)} – {_figure(high)}" if low is not None else "—"
    filled = bar(value) if isinstance(value, int | float) and 0 <= value <= 1 else ""
    return (
        f'<tr><td title="{escape(name)}">{escape(METRICS.get(name, name))}</td>'
        f'<td class="lx-figure">{_figure(value)}</td><td>{filled}</td>'
        f'<td class="lx-figure">{between}</td><td class="lx-figure">{int(metric.get("scored", 0))}</td></tr>'
    )


def _figure(value: object) -> str:
    if not isinstance(value, int | float):
        return "—"
    return f"{value:.3f}" if abs(value) <= 1 else f"{value:.0f}"


def _by_kind(by_kind: Mapping[str, Any]) -> str:
    rows = []
    for kind, measured in by_kind.items():
        metrics = measured.get("metrics", measured)
        scored = {n: m for n, m in metrics.items() if isinstance(m, Mapping) and m.get("scored")}
        first = next(iter(scored.items()), None)
        label, value = (METRICS.get(first[0], first[0]), first[1].get("value")) if first else ("", None)
        rows.append(
            f"<tr><td>{escape(KINDS.get(kind, kind))}</td><td>{escape(label)}</td>"
            f'<td class="lx-figure">{_figure(value)}</td></tr>'
        )
    return f"<h4>各类题</h4>{table(('题型', '指标', '得分'), rows)}"
