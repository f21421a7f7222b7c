"""The report: one HTML file that opens offline and fetches nothing.

Everything from cases and answers is escaped; style and script are inline and
named by hash in the content security policy, so nothing else can run or load
even if an escape were missed. Knows the `eval --json` form and outcomes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from eval import charts
from eval.files import legal
from eval.metrics import METRICS
from eval.outcome import Outcome
from eval.report_cases import case_html, table, toolbar

HERE = Path(__file__).resolve().parent


def render(
    results: Mapping[str, Any],
    outcomes: Sequence[Outcome],
    *,
    context: Mapping[str, Any],
    started: str,
    complete: bool = True,
) -> str:
    """Return the report as HTML.

    Args:
        results: the `eval --json` form of the outcomes.
        outcomes: the cases and what came of them, scored.
        context: what the run depended on, from `context.describe`.
        started: when the run began, as it is to be shown.
        complete: whether every case was run.
    """
    body = "".join(
        (
            _header(results, context, started, complete),
            _section("总览", charts.metric_rows(results["metrics"]), _HOW),
            _section("各类题通过情况", charts.kind_rows(outcomes)),
            _section("各类题各项得分（%）", charts.heat(results["by_kind"]), "颜色越绿越好，越红越差。"),
            _section("用时分布", charts.latency(outcomes)),
            _cases(outcomes),
            _section("各项指标怎么算", _definitions()),
            _section("本次评测的条件", _conditions(context)),
        )
    )
    return _page(f"<main>{legal(body)}</main>")


def policy() -> str:
    """Return the content security policy of a report: its own style and script, nothing else."""
    style, script = _inline()
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _inline() -> tuple[str, str]:
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return style, script


def _page(body: str) -> str:
    style, script = _inline()
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>领学评测报告</title><style>{style}</style></head><body>"
        f"{body}<script>{script}</script></body></html>\n"
    )


_HOW = (
    "细线是 95% 自助法区间：题目换一批，得分多半落在这个范围里。"
    "题数少、得分全同时区间会偏窄，不代表一定如此。"
)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _section(title: str, content: str, note: str = "") -> str:
    if not content:
        return ""
    told = f'<p class="quiet">{note}</p>' if note else ""
    return f"<section><h2>{title}</h2>{told}{content}</section>"


def _header(results: Mapping[str, Any], context: Mapping[str, Any], started: str, complete: bool) -> str:
    sets = "、".join(part["name"] for part in context.get("sets", ()))
    facts = [f"{results['n']} 题", sets, started]
    facts += [f"代码版本 {context['commit']}"] if context.get("commit") else []
    warning = "" if complete else '<p class="warning">评测没有做完，以下只含已完成的题。</p>'
    shown = [(metric, results["metrics"][name]) for name, metric in METRICS.items() if metric.headline]
    cards = "".join(
        f'<div class="card"><span class="quiet">{escape(metric.label)}</span>'
        f"<strong>{charts.figure(total['value'], metric)}</strong>"
        f'<span class="quiet">计分 {total["scored"]} 题</span></div>'
        for metric, total in shown
    )
    return (
        f'<header><h1>领学评测报告</h1><p class="quiet">{escape("　·　".join(filter(None, facts)))}</p>'
        f'{warning}<div class="cards">{cards}</div></header>'
    )


def _cases(outcomes: Sequence[Outcome]) -> str:
    listed = "".join(case_html(outcome) for outcome in outcomes)
    nothing = '<p id="nothing" class="quiet" hidden>没有符合条件的题。</p>'
    return f'<section id="cases"><h2>逐题查看</h2>{toolbar(outcomes)}{listed}{nothing}</section>'


def _definitions() -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(m.label)}<br><code>{escape(m.name)}</code></th>'
        f"<td>{escape(m.description)}</td><td>{escape(m.range)}</td><td>{escape(m.source)}</td></tr>"
        for m in METRICS.values()
    )
    head = "<tr><th>指标</th><th>算法</th><th>范围</th><th>来源</th></tr>"
    note = '<p class="quiet">无法计分的题不算 0 分，也不进入平均。</p>'
    return f"{note}{table(rows, head)}"


def _conditions(context: Mapping[str, Any]) -> str:
    facts = [("代码版本", context.get("commit") or "未知"), ("索引指纹", context.get("index") or "未给出")]
    facts += [(f"评测集 {part['name']}", f"SHA-256 {part['sha256']}") for part in context.get("sets", ())]
    facts += [(name, value or "（默认）") for name, value in context.get("settings", {}).items()]
    facts += [(f"资料 {part['name']}", part["hash"]) for part in context.get("documents", ())]
    rows = "".join(
        f'<tr><th scope="row">{escape(str(name))}</th><td><code>{escape(str(value))}</code></td></tr>'
        for name, value in facts
    )
    return f"<details><summary>展开</summary>{table(rows)}</details>"
