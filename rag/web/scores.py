"""The result of an evaluation as HTML tables with bars.

Bars are plain boxes: Gradio's plots (Vega) make functions out of text, which
the content security policy forbids, and a bar needs no library. Reads only
the `eval --json` form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
BY_KIND = ("pass_rate", "status_accuracy", "answer_point_coverage")  # what a kind's row shows


@dataclass(frozen=True, slots=True)
class Label:
    """What a metric is called on screen, and its explanation."""

    name: str
    hint: str = ""


def result_html(result: Mapping[str, Any], labels: Mapping[str, Label]) -> str:
    """Render the metrics and how each kind of question fared; a metric without a label shows its name."""
    metrics = result.get("metrics", {})
    named = {name: labels.get(name, Label(name)) for name in metrics}
    rows = (_metric(named[name], metric) for name, metric in metrics.items())
    head = f"<p><strong>共 {int(result.get('n', 0))} 题</strong></p>"
    return (
        f'<div class="lx-answer lx-scores">{head}'
        f"{table(('指标', '得分', '', '95% 区间', '计分题数'), rows)}"
        f"{_by_kind(result.get('by_kind', {}), named)}</div>"
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


def _metric(label: Label, metric: Mapping[str, Any]) -> str:
    value = metric.get("value")
    low, high = metric.get("ci95") or (None, None)
    between = f"{_figure(low)} – {_figure(high)}" if low is not None else "—"
    return (
        f'<tr><td title="{escape(label.hint)}">{escape(label.name)}</td>'
        f'<td class="lx-figure">{_figure(value)}</td><td>{_bar_of(value)}</td>'
        f'<td class="lx-figure">{between}</td><td class="lx-figure">{int(metric.get("scored", 0))}</td></tr>'
    )


def _figure(value: object) -> str:
    if not isinstance(value, int | float):
        return "—"
    return f"{value:.3f}" if abs(value) <= 1 else f"{value:.0f}"


def _bar_of(value: object) -> str:
    return bar(value) if isinstance(value, int | float) and 0 <= value <= 1 else ""


def _by_kind(by_kind: Mapping[str, Any], labels: Mapping[str, Label]) -> str:
    shown = [name for name in BY_KIND if name in labels]
    rows = []
    for kind, measured in by_kind.items():
        values = [measured.get("metrics", {}).get(name, {}).get("value") for name in shown]
        cells = "".join(f'<td class="lx-figure">{_figure(value)}</td>' for value in values)
        filled = _bar_of(values[0]) if values else ""
        count = f'<td class="lx-figure">{int(measured.get("n", 0))}</td>'
        rows.append(f"<tr><td>{escape(KINDS.get(kind, kind))}</td>{count}<td>{filled}</td>{cells}</tr>")
    header = ("题型", "题数", "", *(labels[name].name for name in shown))
    return f"<h4>各类题</h4>{table(header, rows)}" if rows else ""
