"""Plots as SVG files that stand alone: values with their intervals, and kinds of questions.

For pages that take images and no drawing code. Letters are the reader's own
fonts; light and dark follow the reader's screen. Knows the `eval --json`
form and the form of a comparison; computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from eval.cases import KIND_NAMES
from eval.metrics import METRICS, Metric

WIDTH, ROW, TOP, NAMES, FIGURES = 760, 30, 34, 250, 150  # units of the drawing, about pixels
_STYLE = """
text { font: 15px "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif;
  fill: #2a2925; }
.quiet { fill: #625e54; font-size: 13px; } .end { text-anchor: end; } .middle { text-anchor: middle; }
.grid { stroke: #e0dcd2; } .zero { stroke: #625e54; stroke-dasharray: 4 3; } .track { fill: #eeebe3; }
.good { fill: #3f8376; } .bad { fill: #c4675a; } .flat { fill: #9d988c; }
.whisker { stroke: #2a2925; stroke-width: 2; fill: none; }
@media (prefers-color-scheme: dark) {
  text { fill: #ece9e2; } .quiet { fill: #aaa598; } .grid { stroke: #3b3933; } .zero { stroke: #aaa598; }
  .track { fill: #2a2925; } .whisker { stroke: #ece9e2; }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a value with its interval on the plot's axis, the words at its ends, and a tone."""

    name: str
    value: float
    between: tuple[float, float] | None
    told: str
    tone: str = "good"


def metrics_svg(results: Mapping[str, Any]) -> str:
    """Draw every metric that is a share, 0 to 1, with its 95 % interval."""
    bars = [
        Bar(metric.label, total["value"], _pair(total["ci95"]), _told(total), _tone(metric))
        for metric, total in _shares(results["metrics"])
    ]
    return _plot("各项得分与 95% 区间", bars, (0.0, 1.0))


def _shares(metrics: Mapping[str, Mapping[str, Any]]) -> list[tuple[Metric, Mapping[str, Any]]]:
    known = [(METRICS[name], total) for name, total in metrics.items() if name in METRICS]
    return [(m, total) for m, total in known if m.unit == "share" and total["value"] is not None]


def _tone(metric: Metric) -> str:
    return "good" if metric.better == "higher" else "bad"


def _told(total: Mapping[str, Any]) -> str:
    return f"{100 * total['value']:.1f}%　{total['scored']} 题"


def kinds_svg(results: Mapping[str, Any]) -> str:
    """Draw the pass rate of each kind with its 95 % interval."""
    parts = [(kind, part["metrics"].get("pass_rate", {})) for kind, part in results["by_kind"].items()]
    bars = [
        Bar(KIND_NAMES.get(kind, kind), total["value"], _pair(total["ci95"]), _told(total))
        for kind, total in parts
        if total.get("value") is not None
    ]
    return _plot("各类题的通过率与 95% 区间", bars, (0.0, 1.0))


def comparison_svg(comparison: Mapping[str, Any]) -> str:
    """Draw the differences of the share metrics, after minus before, with their 95 % intervals."""
    bars = []
    for name, row in comparison["metrics"].items():
        metric = METRICS[name]
        if metric.unit != "share":
            continue
        better = (row["difference"] > 0) == (metric.better == "higher")
        tone = ("good" if better else "bad") if row["significant"] else "flat"
        told = f"{100 * row['difference']:+.1f} 点{'　显著' if row['significant'] else ''}"
        bars.append(Bar(metric.label, row["difference"], _pair(row["ci95"]), told, tone))
    ends = [abs(x) for bar in bars for x in (bar.value, *(bar.between or ()))]
    reach = next(step for step in (0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if step >= max([0.0, *ends]) or step == 1.0)
    return _plot("后一次减前一次，与 95% 区间（灰色：无显著差别）", bars, (-reach, reach))


def _pair(between: Sequence[float] | None) -> tuple[float, float] | None:
    return (float(between[0]), float(between[1])) if between else None


def _plot(title: str, bars: Sequence[Bar], domain: tuple[float, float]) -> str:
    height = TOP + ROW * len(bars) + 26
    left, right = NAMES, WIDTH - FIGURES

    def x(value: float) -> float:
        share = (min(max(value, domain[0]), domain[1]) - domain[0]) / (domain[1] - domain[0])
        return round(left + share * (right - left), 1)

    ticks = [domain[0] + i * (domain[1] - domain[0]) / 4 for i in range(5)]
    grid = "".join(
        f'<line class="grid" x1="{x(t)}" x2="{x(t)}" y1="{TOP - 4}" y2="{height - 22}"/>'
        f'<text class="quiet middle" x="{x(t)}" y="{height - 6}">{100 * t:.0f}%</text>'
        for t in ticks
    )
    zero = f'<line class="zero" x1="{x(0)}" x2="{x(0)}" y1="{TOP - 4}" y2="{height - 22}"/>'
    rows = "".join(_row(bar, TOP + ROW * i, x) for i, bar in enumerate(bars))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f'<text class="quiet" x="0" y="18">{escape(title)}</text>{grid}{rows}{zero}</svg>\n'
    )


def _row(bar: Bar, top: float, x: Any) -> str:
    start, end = sorted((x(0.0), x(bar.value)))
    middle = top + ROW / 2
    shape = (
        f'<rect class="{bar.tone}" x="{start}" y="{top + 7}" width="{end - start:.1f}" height="{ROW - 14}"/>'
    )
    if bar.between:
        low, high = (x(limit) for limit in bar.between)
        shape += (
            f'<path class="whisker" d="M{low} {middle}H{high}M{low} {middle - 5}V{middle + 5}'
            f'M{high} {middle - 5}V{middle + 5}"/>'
        )
    return (
        f'<text class="end" x="{NAMES - 12}" y="{middle + 5}">{escape(bar.name)}</text>{shape}'
        f'<text x="{WIDTH - FIGURES + 10}" y="{middle + 5}">{escape(bar.told)}</text>'
    )
