"""One case of the report: answer, evidence and gold beside each other, what agrees marked.

Returns escaped HTML. Knows outcomes; the page around it is `report`'s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from eval.cases import KIND_NAMES
from eval.charts import VERDICTS, figure, verdict
from eval.matching import find, quote_matches, shared, states
from eval.metrics import METRICS, Metric
from eval.outcome import STATUS_NAMES, Outcome, Score
from rag.types import Citation

_MARKER = re.compile(r"\[(\d{1,3})\]")
_SIGNS = re.compile(r"\*\*|^#{1,6} |^> ", re.MULTILINE)


def toolbar(outcomes: Sequence[Outcome]) -> str:
    """Return the filters: verdict, kind, status, text, and the button that saves remarks."""
    return (
        '<div class="toolbar" role="search">'
        + _select("verdict", "结果", {verdict(o): VERDICTS[verdict(o)] for o in outcomes})
        + _select("kind", "题型", {o.case.kind: KIND_NAMES[o.case.kind] for o in outcomes})
        + _select("status", "状态", {o.status: STATUS_NAMES[o.status] for o in outcomes})
        + '<label>搜索<input id="search" type="search" placeholder="编号、问题、回答里的字"></label>'
        '<span id="count" class="quiet" aria-live="polite"></span>'
        '<button id="export" type="button">导出批注</button></div>'
    )


def _select(name: str, label: str, choices: dict[str, str]) -> str:
    options = "".join(
        f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in choices.items()
    )
    return f'<label>{label}<select id="{name}"><option value="">全部</option>{options}</select></label>'


def table(rows: str, head: str = "") -> str:
    """Return rows as a table that scrolls sideways on a narrow screen."""
    top = f"<thead>{head}</thead>" if head else ""
    return f'<div class="scroll" tabindex="0"><table class="plain">{top}<tbody>{rows}</tbody></table></div>'


def case_html(outcome: Outcome) -> str:
    """Return one case, folded up."""
    case, result = outcome.case, verdict(outcome)
    note = outcome.scores["pass_rate"].note if "pass_rate" in outcome.scores else ""
    reason = f'<span class="why">{escape(note)}</span>' if note and result == "failed" else ""
    about = f"{escape(case.id)} · {KIND_NAMES[case.kind]} · {STATUS_NAMES[outcome.status]}"
    columns = f"{_answer(outcome)}{_evidence(outcome)}{_gold(outcome)}"
    return (
        f'<details class="case" data-kind="{case.kind}" data-status="{outcome.status}"'
        f' data-verdict="{result}" data-id="{escape(case.id)}"><summary>'
        f'<span class="chip {result}">{VERDICTS[result]}</span>'
        f'<span class="question">{escape(case.question)}</span>{reason}'
        f'<span class="quiet meta">{about}</span></summary>'
        f'{_history(outcome)}<div class="columns">{columns}</div>{_scores(outcome)}'
        '<label class="remark">批注<textarea rows="2"></textarea></label></details>'
    )


def _history(outcome: Outcome) -> str:
    names = {"user": "问", "assistant": "答"}
    turns = "".join(f"<p><b>{names[t.role]}</b>　{escape(t.content)}</p>" for t in outcome.case.history)
    return f'<div class="history"><h3>此前的对话</h3>{turns}</div>' if turns else ""


def _answer(outcome: Outcome) -> str:
    if outcome.error:
        return f'<div><h3>回答</h3><p class="warning">{escape(outcome.error)}</p></div>'
    text = _SIGNS.sub("", outcome.text)
    asked = outcome.answer.standalone_question if outcome.answer else ""
    told = f'<p class="quiet">理解为：{escape(asked)}</p>' if asked not in ("", outcome.case.question) else ""
    said = marked(text, find(text, outcome.case.answer_points))
    return f'<div><h3>回答</h3>{told}<div class="text">{said}</div></div>'


def _evidence(outcome: Outcome) -> str:
    listed = "".join(_citation(citation, outcome.case.gold_quotes) for citation in outcome.citations)
    return f"<div><h3>引用的出处</h3>{f'<ol>{listed}</ol>' if listed else _quiet('没有引用出处')}</div>"


def _citation(citation: Citation, golds: Sequence[str]) -> str:
    right = any(quote_matches(gold, citation.quote) for gold in golds)
    tone, told = ("passed", "相符") if right else ("other", "不在标准出处内")
    badge = f'<span class="chip {tone}">{told}</span>' if golds else ""
    place = f"《{escape(citation.title)}》{escape(citation.locator)}"
    return (
        f'<li value="{citation.marker}"><p class="quiet">{place} {badge}</p>'
        f'<div class="text quote">{marked(citation.quote, shared(citation.quote, golds))}</div></li>'
    )


def _gold(outcome: Outcome) -> str:
    case = outcome.case
    quotes = [citation.quote for citation in outcome.citations]
    points = [(states(outcome.text, point), escape(point)) for point in case.answer_points]
    golds = [
        (any(quote_matches(gold, quote) for quote in quotes), marked(gold, shared(gold, quotes)))
        for gold in case.gold_quotes
    ]
    expected = _quiet("应当作答" if case.answerable else "不应作答：资料里没有，或不该答")
    return f"<div><h3>标准</h3>{expected}{_checked('答案要点', points)}{_checked('标准出处', golds)}</div>"


def _checked(title: str, items: Sequence[tuple[bool, str]]) -> str:
    """A list with a tick or a cross at each item; the items are HTML."""
    listed = "".join(f'<li class="{"said" if good else "unsaid"}">{item}</li>' for good, item in items)
    return f"<h4>{title}</h4><ul>{listed}</ul>" if listed else ""


def _quiet(text: str) -> str:
    return f'<p class="quiet">{text}</p>'


def _scores(outcome: Outcome) -> str:
    rows = "".join(_score(METRICS[name], score) for name, score in outcome.scores.items() if name in METRICS)
    return f'<details class="scores"><summary>各项得分</summary>{table(rows)}</details>'


def _score(metric: Metric, score: Score) -> str:
    value = "不计分" if score.value is None else figure(score.value, metric)
    return (
        f'<tr><th scope="row">{escape(metric.label)}</th><td>{value}</td><td>{escape(score.note)}</td></tr>'
    )


def marked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return a text escaped, with spans in <mark> and [1] as superscript; spans ascend apart.

    >>> marked("书记<召集>[1]", [(0, 2)])
    '<mark>书记</mark>&lt;召集&gt;<sup>[1]</sup>'
    """
    pieces, position = [], 0
    for start, end in spans:
        pieces += [_raised(text[position:start]), f"<mark>{_raised(text[start:end])}</mark>"]
        position = end
    return "".join([*pieces, _raised(text[position:])])


def _raised(text: str) -> str:
    return _MARKER.sub(r"<sup>[\1]</sup>", escape(text))
