"""The 写作 screen: five questions, then an outline with its evidence, to take away as a document."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import LingxueError
from rag.types import DraftRequest, Outline
from rag.web.files import file_name, new_folder
from rag.web.render import error_html, outline_html

if TYPE_CHECKING:
    from rag.assistant import Assistant

logger = logging.getLogger(__name__)

GENRE = "心得体会"
MAX_LENGTH = 20000  # characters
UNEXPECTED = "程序出错，没有列成。请再试一次；仍不行请把终端里的错误信息发给管理员。"
_KEY = "d"  # the outline's chips: #c-d-1
_HINT = (
    '<div class="lx-hint">填好左边几项，点“列提纲”。提纲里的政策内容都有出处，点 [1] 看原文；'
    "您自己的事例、数据只留空位，不会替您编。</div>"
)
_PRIVATE = "只写事情，不写学生和同事的姓名、证件号，也不写涉密内容"
_EVENT = "如：上学期我牵头开了一次教研组会……（可不填，提纲里会留空位）"
_QUIET: dict[str, Any] = {"api_visibility": "private"}


def build(assistant: Assistant, _page: gr.Blocks) -> None:
    """Lay out the screen inside the current Blocks context and wire it."""
    with gr.Row():
        with gr.Column(scale=2, min_width=300, elem_id="draft-form"):
            asked = _form(model=assistant.settings.model_configured)
            with gr.Row():
                start = gr.Button("列提纲", variant="primary", elem_id="draft-start", min_width=120)
                again = gr.Button("换一种写法", visible=False, elem_id="draft-again", min_width=120)
        with gr.Column(scale=3, min_width=320):
            shown = gr.Markdown(
                _HINT,
                elem_id="outline",
                sanitize_html=True,
                latex_delimiters=[],
                container=True,
                min_height=320,
            )
            with gr.Row():
                docx = gr.DownloadButton(
                    "下载 Word（.docx）", visible=False, elem_id="draft-docx", variant="primary"
                )
                text = gr.DownloadButton("下载文本（.md）", visible=False, elem_id="draft-md")
    seed = gr.State(0)
    outputs: list[Any] = [shown, docx, text, again, seed]
    handler = _handler(assistant)
    start.click(handler, asked, outputs, **_QUIET)
    again.click(handler, [*asked, seed], outputs, **_QUIET)


def _form(*, model: bool) -> list[Any]:
    """Lay out what is asked, in the order of DraftRequest; last, whether to do without the model."""
    from rag.prompting import genres, roles

    names = list(genres())

    def line(label: str, example: str, key: str) -> Any:
        return gr.Textbox(label=label, placeholder=f"如：{example}", max_length=200, elem_id=key)

    return [
        gr.Dropdown(names, value=GENRE if GENRE in names else None, label="文种", elem_id="genre"),
        line("主题", "学习党组织领导的校长负责制", "topic"),
        gr.Dropdown([("不指定", ""), *roles()], value="", label="您的身份", elem_id="role"),
        line("场合", "支部学习会上发言（可不填）", "occasion"),
        line("对象（写给谁、讲给谁）", "全体党员教师（可不填）", "recipient"),
        gr.Number(0, label="字数（0 表示按文种常用字数）", precision=0, minimum=0, maximum=MAX_LENGTH),
        gr.Textbox(
            label="一件自己的事", info=_PRIVATE, placeholder=_EVENT, lines=3, max_lines=8, max_length=1000,
            elem_id="event",
        ),
        gr.Checkbox(label="只用资料摘录（不用大模型）", visible=model),
    ]  # fmt: skip


def _handler(assistant: Assistant) -> Callable[..., tuple[Any, ...]]:
    def compose(*given: Any) -> tuple[Any, ...]:
        """Draft an outline and write its files, from the form's values in order; the last may be a seed."""
        genre, topic, role, occasion, recipient = (str(text or "").strip() for text in given[:5])
        length, event, without = int(given[5] or 0), str(given[6] or "").strip(), bool(given[7])
        seed = int(given[8]) if len(given) > 8 else 0
        request = DraftRequest(genre, topic, role, occasion, recipient, length, event, seed)
        try:
            outline = assistant.draft(request, use_model=not without)
            files = write_files(outline, assistant.settings.data_dir)
        except LingxueError as err:
            return _screen(error_html(str(err), "没有列成"))
        except Exception:
            logger.exception("drafting failed")
            return _screen(error_html(UNEXPECTED, "没有列成"))
        return _screen(outline_html(outline, _KEY), files, seed + 1)

    return compose


def _screen(html: str, files: tuple[Path, Path] | None = None, seed: int = 0) -> tuple[Any, ...]:
    """Return the values of the screen's outputs, in their order."""
    ready = files is not None
    docx, text = (str(file) for file in files) if files else (None, None)
    return (
        html,
        gr.update(value=docx, visible=ready),
        gr.update(value=text, visible=ready),
        gr.update(visible=ready),
        seed,
    )


def write_files(outline: Outline, data_dir: Path) -> tuple[Path, Path]:
    """Write an outline as .docx and .md into a new folder of downloads; return both paths."""
    from rag.docx import write_docx
    from rag.outline_text import write_markdown

    folder = new_folder(data_dir, "draft")
    name = file_name(f"{outline.genre} {outline.topic}")
    docx, text = folder / f"{name}.docx", folder / f"{name}.md"
    write_docx(outline, docx)
    text.write_text(write_markdown(outline), encoding="utf-8")
    return docx, text
