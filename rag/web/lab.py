"""The retrieval lab: type a question, see what each stage made of it, with scores and why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import gradio as gr

from rag.errors import LingxueError
from rag.web.markup import escape, shown_locator
from rag.web.render import error_html
from rag.web.scores import bar, table

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.evidence import Evidence
    from rag.trace import Candidate, Trace

logger = logging.getLogger(__name__)

SHOWN = 20  # candidates in the table
SENTENCES = 8
EXCERPT = 60  # characters of a passage
STAGES = {"lexical": "字词", "dense": "语义", "fused": "合并", "ranked": "学习排序", "final": "最后"}
# What the ranker looks at that a reader can follow, 0 to 1 but for the last; its other columns stay its own.
REASONS = {
    "covered": "正文盖住问题", "head_covered": "标题盖住问题", "both_covered": "正文连标题盖住问题",
    "section_share": "所在一节的字词分", "source_share": "所在文件的字词分", "answer": "最好一句像答案的程度",
}  # fmt: skip
KINDS = {
    "clause": "指明某条", "compare": "比较", "count": "多少", "when": "何时", "who": "谁", "why": "为什么",
    "list": "列举", "how": "怎么做", "define": "是什么", "may": "可不可以", "fact": "一般事实",
}  # fmt: skip
UNEXPECTED = "程序出错，没有查成。请再试一次；仍不行请把终端里的错误信息发给管理员。"
_HINT = (
    '<div class="lx-hint">输入一个问题，看每一步找到什么：字词、语义、合并排序、挑句子、判断能不能答，'
    "各打了多少分、为什么。</div>"
)


def build(assistant: Assistant) -> None:
    """Lay out this part inside the current Blocks context and wire it."""
    with gr.Row(equal_height=False):
        asked = gr.Textbox(
            show_label=False, label="问题", placeholder="输入问题，回车查看", max_length=1000, lines=1,
            container=False, scale=1, elem_id="lab-question",
        )  # fmt: skip
        start = gr.Button("查看", variant="primary", scale=0, min_width=96, elem_id="lab-start")
    shown = gr.Markdown(_HINT, elem_id="lab-result", sanitize_html=True, latex_delimiters=[],
                        container=True, min_height=200)  # fmt: skip
    gr.on([asked.submit, start.click], _handler(assistant), asked, shown, api_visibility="private",
          show_progress="hidden")  # fmt: skip


def _handler(assistant: Assistant) -> Callable[[str], str]:
    def look(question: str) -> str:
        try:
            return trace_html(assistant.trace(question or ""))
        except LingxueError as err:
            return error_html(str(err), "没有查成")
        except Exception:
            logger.exception("tracing failed")
            return error_html(UNEXPECTED, "没有查成")

    return look


def trace_html(trace: Trace) -> str:
    """Render a trace: how the question is understood, candidates, sentences, the decision."""
    return (
        f'<div class="lx-answer lx-scores">{_understood(trace)}{_decision(trace)}'
        f"<h4>挑出的句子</h4>{_sentences(trace.sentences[:SENTENCES])}"
        f"<h4>找到的段落（共 {len(trace.candidates)} 段，列前 {min(SHOWN, len(trace.candidates))}）</h4>"
        f"<p>每一步的名次和分数。字词是 BM25 分，语义是向量余弦；没有名次就是那一步没有找到它。</p>"
        f"{_candidates(trace)}</div>"
    )


def _understood(trace: Trace) -> str:
    question = trace.question
    parts = "、".join(f"{escape(name)}（{100 * weight:.0f}%）" for name, weight in trace.parts[:12])
    named = "、".join(map(escape, (*question.names, *question.specifics)))
    told = [f"问的是：<strong>{KINDS.get(question.kind, question.kind)}</strong>"]
    told += [f"指明了：{named}（资料里必须有）"] if named else []
    told += [f"问题里说到的，及其分量：{parts}"] if parts else []
    return f"<h4>怎么理解这个问题</h4>{''.join(f'<p>{line}</p>' for line in told)}"


def _decision(trace: Trace) -> str:
    best = trace.sentences[0] if trace.sentences else None
    if best is None:
        why = "没有找到任何句子"
    elif trace.absent:
        why = "最好的句子只是说“没有规定”"
    elif trace.answers:
        why = f"最好的句子连同上下文盖住了问题的 {100 * best.supported:.0f}%"
    elif not best.expected:
        why = "最好的句子里没有问的那种内容（如人数、时间、人）"
    else:
        why = f"最好的句子连同上下文只盖住了问题的 {100 * best.supported:.0f}%，或资料里没有指明的名称"
    verdict = "会回答" if trace.answers else "不回答，说“资料里没有依据”"
    return (
        f"<h4>能不能答</h4><p><strong>{verdict}</strong>：能答的把握 {100 * trace.probability:.0f}%，"
        f"要 {100 * trace.threshold:.0f}% 才答。{why}。</p>{bar(trace.probability)}"
        f"<p>只看找到的段落，里面有答案的把握 {100 * trace.held:.0f}%（供参考）。</p>"
    )


def _sentences(found: Sequence[Evidence]) -> str:
    rows = (
        f'<tr><td class="lx-figure">{i}</td><td>{escape(one.text)}</td>'
        f'<td class="lx-figure">{one.score:.2f}</td><td class="lx-figure">{100 * one.coverage:.0f}%</td>'
        f'<td class="lx-figure">{100 * one.supported:.0f}%</td>'
        f"<td>{'有' if one.expected else '没有'}</td></tr>"
        for i, one in enumerate(found, 1)
    )
    return table(("", "句子", "得分", "本句盖住", "连上下文", "问的内容"), rows)


def _candidates(trace: Trace) -> str:
    shown = trace.candidates[:SHOWN]
    header = ("段落", *(STAGES.get(stage, stage) for stage in trace.stages))
    return table(header, (_candidate(one, trace.stages) for one in shown))


def _candidate(one: Candidate, stages: Sequence[str]) -> str:
    chunk = one.hit.chunk
    text = " ".join(chunk.text.replace("#", " ").split())
    excerpt = escape(text[:EXCERPT]) + ("…" if len(text) > EXCERPT else "")
    place = escape(" ".join(chunk.heading.split()) or shown_locator(chunk.locator))
    cells = "".join(_ranked(one, stage) for stage in stages)
    features = one.hit.features
    told = "，".join(f"{label} {features[name]:.2f}" for name, label in REASONS.items() if name in features)
    why = f"<details><summary>为什么排在这里</summary>{told}</details>" if told else ""
    return f"<tr><td><strong>{place}</strong><br>{excerpt}{why}</td>{cells}</tr>"


def _ranked(one: Candidate, stage: str) -> str:
    place = one.ranks.get(stage)
    told = "—" if place is None else f"第 {place}<br>{one.scores[stage]:.3g}"
    return f'<td class="lx-figure">{told}</td>'
