"""The result of an evaluation, and of a comparison, as HTML: plots, tables, links.

Plots are SVG images from this server and bars plain boxes: Gradio's plots
(Vega) make functions out of text, which the content security policy forbids.
Reads only the `eval --json` form and that of a comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rag.web.markup import escape
from rag.web.reports import BASE, address

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
EXCERPT = 120  # characters of an answer beside another
BY_KIND = ("pass_rate", "status_accuracy", "answer_point_coverage")  # what a kind's row shows


@dataclass(frozen=True, slots=True)
class Label:
    """What a metric is called on screen, and its explanation."""

    name: str
    hint: str = ""
    unit: str = "share"
    optional: bool = False


def result_html(result: Mapping[str, Any], labels: Mapping[str, Label], run: str = "") -> str:
    """Render the metrics and how each kind of question fared, with the links and plots of a filed run.

    A metric without a label shows its name; one that is optional and scored nowhere is left out.
    """
    metrics = result.get("metrics", {})
    named = {name: labels.get(name, Label(name)) for name in metrics}
    rows = [
        _metric(named[name], metric)
        for name, metric in metrics.items()
        if metric.get("scored") or not named[name].optional
    ]
    head = f"<p><strong>共 {int(result.get('n', 0))} 题</strong></p>"
    plots = "".join(_plot(address(run, f"{name}.svg"), alt) for name, alt in PLOTS.items()) if run else ""
    return (
        f'<div class="lx-answer lx-scores">{head}{_links(run) if run else ""}{plots}'
        f"<details><summary>各项得分的数字</summary>"
        f"{table(('指标', '得分', '', '95% 区间', '计分题数'), rows)}"
        f"{_by_kind(result.get('by_kind', {}), named)}</details></div>"
    )


PLOTS = {"metrics": "各项得分与 95% 区间的图", "kinds": "各类题通过率与 95% 区间的图"}
FILES = {
    "report.html": "打开报告",
    "cases.xlsx": "逐题表格（.xlsx）",
    "cases.csv": "逐题表格（.csv）",
    "results.json": "结果（.json）",
    "junit.xml": "JUnit（.xml）",
}


def _links(run: str) -> str:
    made = "　".join(
        f'<a id="eval-{name.rpartition(".")[2]}" href="{address(run, name)}" target="_blank">{told}</a>'
        for name, told in FILES.items()
    )
    return f'<p class="lx-links">{made}</p>'


def _plot(source: str, told: str) -> str:
    return f'<p><img class="lx-plot" src="{escape(source)}" alt="{escape(told)}"></p>'


def progress_html(stage: str, done: int, total: int, left_s: float | None = None) -> str:
    """Render how far the evaluation is, and the time left where there is a pace to tell it by."""
    share = done / total if total else 0.0
    time_left = "" if left_s is None or done >= total else f"　还要约 {duration(left_s)}"
    return (
        f'<div class="lx-answer lx-progress"><p>{escape(stage)}：{done} / {total}{time_left}</p>'
        f"{bar(share)}</div>"
    )


def duration(seconds: float) -> str:
    """Return a time left as people say it.

    >>> duration(75)
    '1 分 15 秒'
    """
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    if minutes >= 60:
        return f"{minutes // 60} 小时 {minutes % 60} 分"
    return f"{minutes} 分 {rest} 秒" if minutes else f"{rest} 秒"


def comparison_html(comparison: Mapping[str, Any], before: str, after: str) -> str:
    """Render a comparison of two filed runs: its plot, its metrics, the cases that changed."""
    from eval.compare import judgement
    from eval.metrics import METRICS

    rows = []
    for name, row in comparison["metrics"].items():
        metric = METRICS[name]
        told = judgement(metric, row)
        tone = {"显著变好": "lx-better", "显著变坏": "lx-worse"}.get(told, "lx-same")
        figures = (row["before"], row["after"])
        cells = "".join(f'<td class="lx-figure">{_figure(value, metric.unit)}</td>' for value in figures)
        rows.append(
            f'<tr><td title="{escape(metric.description)}">{escape(metric.label)}</td>{cells}'
            f'<td class="{tone}">{told}</td><td class="lx-figure">{_p_value(row["p_adjusted"])}</td></tr>'
        )
    source = f"{BASE}/compare.svg?{urlencode({'before': before, 'after': after})}"
    return (
        f'<div class="lx-answer lx-scores"><p><strong>共同的题 {comparison["n"]} 道</strong></p>'
        f"{_plot(source, '各指标差值与 95% 区间的图')}"
        f"{table(('指标', '前一次', '后一次', '结论', '校正后的 p'), rows)}"
        f"{_changed('变坏的题', 'broken', comparison)}{_changed('变好的题', 'fixed', comparison)}</div>"
    )


def _p_value(value: float | None) -> str:
    return "—" if value is None else f"{value:.4f}"


def _changed(title: str, key: str, comparison: Mapping[str, Any]) -> str:
    """List the cases that were fixed or broken with both answers beside each other."""
    ids = set(comparison[key])
    rows = [
        f'<tr><td class="lx-figure">{escape(case["id"])}</td>'
        f"<td>{escape(_excerpt(case['before']))}</td><td>{escape(_excerpt(case['after']))}</td></tr>"
        for case in comparison["changed"]
        if case["id"] in ids
    ]
    listed = table(("编号", "前一次的回答", "后一次的回答"), rows) if rows else ""
    return f"<h4>{title}：{len(ids)} 道</h4>{listed}"


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return f"{line[:EXCERPT]}…" if len(line) > EXCERPT else line


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
    between = f"{_figure(low, label.unit)} – {_figure(high, label.unit)}" if low is not None else "—"
    return (
        f'<tr><td title="{escape(label.hint)}">{escape(label.name)}</td>'
        f'<td class="lx-figure">{_figure(value, label.unit)}</td><td>{_bar_of(value, label.unit)}</td>'
        f'<td class="lx-figure">{between}</td><td class="lx-figure">{int(metric.get("scored", 0))}</td></tr>'
    )


def _figure(value: object, unit: str = "share") -> str:
    if not isinstance(value, int | float):
        return "—"
    return f"{100 * value:.1f}%" if unit == "share" else f"{value:.0f} 毫秒"


def _bar_of(value: object, unit: str = "share") -> str:
    return bar(value) if isinstance(value, int | float) and unit == "share" else ""


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
