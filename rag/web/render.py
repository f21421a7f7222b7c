"""Messages of the chat and drafted outlines as HTML, with chips that lead to the evidence.

A chip's address is #c-<message>-<number>: the entry of that citation in the
list under the message, which holds the link to the evidence. Chat messages
pass Gradio's sanitiser, which keeps id, class, href and title and strips
data-* and aria-*; what is needed is therefore kept in those four.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from rag.outline_text import numeral
from rag.types import Answer, Citation, Outline, Point, PointKind, Sentence
from rag.web.markup import badges, escape, place, to_html

COPY = '<button type="button" class="lx-copy">复制</button>'
STAGES = ("检索", "整理", "核对")
_SUPPORT = {"quoted": "原文", "paraphrased": "概括", "unsupported": "无依据"}
_SUPPORT_HINTS = {
    "quoted": "这句话摘自资料原文",
    "paraphrased": "这句话概括自所附出处",
    "unsupported": "资料里没有找到依据，请勿直接采用",
}
_FLAGS = {"no_evidence": "资料里没有依据，未作回答", "refused": "这个要求不能照办"}
_POINTS: dict[PointKind, str] = {"policy": "依据", "own": "本人", "plan": "打算"}
_SLOT = re.compile(r"〔[^〔〕]{1,200}〕")


def evidence_href(citation: Citation) -> str:
    """Return the address of a citation's evidence page, relative to the app's root."""
    span = urlencode({"start": citation.start, "end": citation.end})
    return f"evidence/{quote(citation.source_id, safe='')}?{span}"


def question_html(text: str) -> str:
    """Render a user's message."""
    return f'<div class="lx-question">{escape(text)}</div>'


def error_html(message: str, flag: str = "没有答成") -> str:
    """Render what went wrong, one line, under what did not come about."""
    line = escape(" ".join(message.split()))
    return f'<div class="lx-answer lx-error"><p class="lx-flag">{escape(flag)}</p><p>{line}</p></div>'


def note_html(message: str) -> str:
    """Render a remark of the program, such as that it was stopped."""
    return f'<div class="lx-answer lx-note"><p>{escape(message)}</p></div>'


def stage_html(stage: str, text: str = "") -> str:
    """Render the stages with the current one marked, and the text that has arrived so far."""
    reached = STAGES.index(stage) if stage in STAGES else 0
    steps = "".join(
        f'<span class="lx-step{_step_class(number, reached)}">{name}</span>'
        for number, name in enumerate(STAGES)
    )
    draft = f'<div class="lx-text lx-arriving">{_plain_lines(text)}</div>' if text else ""
    return f'<div class="lx-answer lx-working"><p class="lx-stages">{steps}</p>{draft}</div>'


def _step_class(number: int, reached: int) -> str:
    return " lx-now" if number == reached else " lx-done" if number < reached else ""


def _plain_lines(text: str) -> str:
    return to_html(text, lambda number: "", lambda line: "")


def answer_html(answer: Answer, message: str, opinion: str = "") -> str:
    """Render a verified answer; `message` is its key, `opinion` what its reader thought: up, down or ""."""
    parts = []
    if answer.status in _FLAGS:
        parts.append(f'<p class="lx-flag">{_FLAGS[answer.status]}</p>')
    if answer.standalone_question.strip() != answer.question.strip():
        parts.append(f'<p class="lx-asked">理解为：{escape(answer.standalone_question)}</p>')
    chips = _Chips(answer.citations, message)
    text = to_html(answer.answer, chips.chip, _Labels(answer.sentences).label)
    parts.append(f'<div class="lx-text">{text}</div>')
    parts.append(sources_html(answer.citations, message))
    parts.append(f'<p class="lx-foot">{_how(answer)}{COPY}{_judge(message, opinion)}</p>')
    return f'<div class="lx-answer lx-{answer.status}">{"".join(parts)}</div>'


def _judge(message: str, opinion: str) -> str:
    """Two buttons; the chosen one is marked, also for those who do not see colours."""
    return "".join(
        f'<button type="button" class="lx-judge lx-{value}{" lx-given" if value == opinion else ""}" '
        f'id="j-{value}-{message}" title="{hint}">{"✓ " if value == opinion else ""}{word}</button>'
        for value, word, hint in (("up", "赞", "这个回答有用"), ("down", "踩", "这个回答没用，说说原因"))
    )


def _how(answer: Answer) -> str:
    if not answer.citations:
        return ""
    how = f"由 {answer.model} 整理，已逐句核对" if answer.model else "直接摘自资料，未用大模型"
    if answer.status == "no_evidence":
        how = "以上为最接近的内容，不是回答"
    return f"<span>{escape(how)}</span>"


def sources_html(citations: Sequence[Citation], message: str) -> str:
    """Render the list of citations that a message's chips lead to, or "" where there are none."""
    if not citations:
        return ""
    entries = "".join(
        f'<li id="c-{message}-{c.marker}"><span class="lx-number">[{c.marker}]</span> '
        f'<a class="lx-open" href="{escape(evidence_href(c))}" title="{escape(c.quote)}">'
        f"{escape(place(c.title, c.locator))}</a> {badges(c.authority, c.status)}</li>"
        for c in citations
    )
    return f'<div class="lx-sources"><p>出处</p><ul>{entries}</ul></div>'


class _Chips:
    """Makes the chips of one message; a marker without a citation stays plain text."""

    def __init__(self, citations: Sequence[Citation], message: str) -> None:
        self._by_marker = {citation.marker: citation for citation in citations}
        self._message = message

    def chip(self, marker: int) -> str:
        """Return the chip of a marker, or ""."""
        citation = self._by_marker.get(marker)
        if citation is None:
            return ""
        address = f"#c-{self._message}-{marker}"
        return f'<a class="lx-chip" href="{address}" title="{escape(citation.quote)}">[{marker}]</a>'


class _Labels:
    """Tells how the sentence on a line is supported."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._support = {_bare(sentence.text): sentence.support for sentence in sentences}

    def label(self, line: str) -> str:
        """Return the label to put behind a line, or ""."""
        support = self._support.get(_bare(line), "notice")
        if support not in _SUPPORT:
            return ""
        hint = _SUPPORT_HINTS[support]
        return f'<span class="lx-support lx-{support}" title="{hint}">{_SUPPORT[support]}</span>'


def _bare(text: str) -> str:
    """A sentence without white space, markers and emphasis, to find it again in the Markdown."""
    return re.sub(r"\s|\*|\[\d+\]|^(?:\d{1,3}[.)]|[-+])", "", text)


def outline_html(outline: Outline, message: str) -> str:
    """Render a drafted outline; slots to fill in are marked."""
    chips = _Chips(outline.citations, message)
    beside = {c.marker: _beside(c) for c in outline.citations}
    parts = [f"<h3>{with_slots(outline.title)}</h3>"]
    if outline.thesis:
        parts.append(f'<p class="lx-thesis">{with_slots(outline.thesis)}</p>')
    for number, section in enumerate(outline.sections, 1):
        length = f' <span class="lx-length">约 {section.length} 字</span>' if section.length else ""
        points = "".join(_point(point, chips, beside) for point in section.points)
        parts.append(f"<h4>{numeral(number)}、{with_slots(section.heading)}{length}</h4><ul>{points}</ul>")
    parts.append(sources_html(outline.citations, message))
    parts.append(f'<p class="lx-foot">{COPY}</p>')
    return f'{_warnings(outline.warnings)}<div class="lx-answer lx-draft">{"".join(parts)}</div>'


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f'<div class="lx-warnings"><p class="lx-flag">请留意</p><ul>{items}</ul></div>'


def _beside(citation: Citation) -> str:
    """The evidence beside a point, folded: where it stands, and the exact words."""
    where = escape(place(citation.title, citation.locator))
    quote = escape(citation.quote)
    return f'<details class="lx-beside"><summary>{where}</summary><blockquote>{quote}</blockquote></details>'


def _point(point: Point, chips: _Chips, beside: Mapping[int, str]) -> str:
    text = re.sub(r"\[\d{1,3}\]", "", point.text)
    marks = "".join(chips.chip(marker) for marker in point.citations)
    kind = f'<span class="lx-kind lx-{point.kind}">{_POINTS.get(point.kind, "")}</span>'
    evidence = "".join(beside.get(marker, "") for marker in point.citations)
    return f'<li class="lx-point">{kind} {with_slots(text)}{marks}{evidence}</li>'


def with_slots(text: str) -> str:
    """Escape text, and mark the slots 〔请填：…〕 in it."""
    return _SLOT.sub(lambda slot: f'<mark class="lx-slot">{slot[0]}</mark>', escape(text))
