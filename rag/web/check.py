"""The 查稿 part of the 写作 screen: a file or pasted text in, findings with their places out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from rag.errors import LingxueError
from rag.review_files import SUFFIXES, pasted, read
from rag.review_finding import KINDS, Finding
from rag.review_text import quoted, summary
from rag.web.markup import escape
from rag.web.render import error_html

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.review import Report, Review

logger = logging.getLogger(__name__)

UNEXPECTED = "程序出错，没有查成。请再试一次；仍不行请把终端里的错误信息发给管理员。"
_HINT = (
    '<div class="lx-hint">粘贴一篇稿子，或选几个文件，点“查稿”。会查：和资料、和别的稿子有没有大段相同，'
    "空话，套话，文件名，身份口吻，领导关系，旧提法，没有出处的数字，标题层次。几篇一起选，还会查雷同。"
    "稿子只在这台电脑上查，查完不保存。</div>"
)


def build(assistant: Assistant) -> None:
    """Lay out the part inside the current Blocks context and wire it."""
    from rag.prompting import roles

    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            role = gr.Dropdown(
                [("不指定", ""), *roles()], value="", label="写稿人的身份", elem_id="check-role"
            )
            text = gr.Textbox(
                label="粘贴稿子", lines=10, max_lines=18, max_length=200_000, elem_id="check-text"
            )
            files = gr.File(
                label="或选文件（可选几个）", file_count="multiple", file_types=list(SUFFIXES), height=120,
                elem_id="check-files",
            )  # fmt: skip
            start = gr.Button("查稿", variant="primary", elem_id="check-start")
        with gr.Column(scale=3, min_width=320):
            shown = gr.Markdown(
                _HINT,
                elem_id="check-result",
                sanitize_html=True,
                latex_delimiters=[],
                container=True,
                min_height=320,
            )
    start.click(_handler(assistant), [text, files, role], [shown], api_visibility="private")


def _handler(assistant: Assistant) -> Callable[[str, list[str] | None, str], str]:
    def look(text: str, files: list[str] | None, role: str) -> str:
        """Check what was pasted and chosen."""
        try:
            drafts = [pasted(text)] if (text or "").strip() or not files else []
            # Uploads lie each in a folder of its own: what else is there is nobody's draft.
            found, _, trouble = read([Path(file) for file in files]) if files else ([], [], [])
            report = assistant.review([*drafts, *found], role=role or "")
        except LingxueError as err:
            return error_html(str(err), "没有查成")
        except Exception:
            logger.exception("checking failed")
            return error_html(UNEXPECTED, "没有查成")
        return report_html(report, trouble)

    return look


def report_html(report: Report, trouble: list[str]) -> str:
    """Render a report: what could not be read, each draft's findings, the pairs, the remarks."""
    parts = [f'<p class="lx-flag">{escape(line)}</p>' for line in trouble]
    parts += [_review(review) for review in report.reviews]
    if report.pairs:
        pairs = "".join(
            f"<li>{escape(pair.first)} 与 {escape(pair.second)}：最长连续 {pair.length} 字，"
            f"约占较短一篇的 {pair.share:.0%}<blockquote>{escape(pair.text)}</blockquote></li>"
            for pair in report.pairs
        )
        parts.append(f"<h4>雷同的稿件</h4><ul>{pairs}</ul>")
    parts += [f'<p class="lx-hint">{escape(remark)}</p>' for remark in report.remarks]
    return f'<div class="lx-answer lx-draft lx-check">{"".join(parts)}</div>'


def _review(review: Review) -> str:
    rows = "".join(_row(review, finding) for finding in review.findings)
    remarks = "".join(f'<p class="lx-flag">{escape(remark)}</p>' for remark in review.remarks)
    whose = f"（{escape(review.role)}）" if review.role else ""
    listed = f"<ul>{rows}</ul>" if rows else ""
    return f"<h4>{escape(review.name)}{whose}</h4><p>{escape(summary(review))}</p>{remarks}{listed}"


def _row(review: Review, finding: Finding) -> str:
    said = escape(quoted(review, finding))
    return (
        f'<li class="lx-point"><span class="lx-kind lx-own">{KINDS[finding.kind]}</span> '
        f"第 {finding.line(review.text)} 行：<mark>{said}</mark><br>{escape(finding.reason)}。"
        f"<br>建议：{escape(finding.suggestion)}。</li>"
    )
