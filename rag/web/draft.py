"""The 写作 screen: five questions, the outline with its evidence, changes to it, the full text, the files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import gradio as gr

from rag.web import check
from rag.web.draft_events import Events

if TYPE_CHECKING:
    from rag.assistant import Assistant

GENRE = "心得体会"
_HINT = (
    '<div class="lx-hint">填好左边几项，点“列提纲”。提纲里的政策内容都有出处，点 [1] 看原文；'
    "您自己的事例、数据只留空位，不会替您编。没有写自己的一件事，就只出提纲，不扩写成文。</div>"
)
_PRIVATE = "只写事情，不写学生和同事的姓名、证件号，也不写涉密内容"
_EVENT = "如：上学期我牵头开了一次教研组会……（不填只出提纲，提纲里会留空位）"
_QUIET: dict[str, Any] = {"api_visibility": "private"}
_NOW: dict[str, Any] = {**_QUIET, "show_progress": "hidden"}
_MARKDOWN: dict[str, Any] = {"sanitize_html": True, "latex_delimiters": []}
_FILES: tuple[tuple[str, str, Literal["primary", "secondary"]], ...] = (
    ("下载 Word（.docx）", "draft-docx", "primary"),
    ("Word，依据作脚注", "draft-notes", "secondary"),
    ("纯文本（.txt）", "draft-txt", "secondary"),
    ("Markdown（.md）", "draft-md", "secondary"),
)


@dataclass(frozen=True, slots=True)
class _Tools:
    """The parts of the editor, in the order of its handlers' outputs."""

    group: Any
    place: Any
    words: Any
    plan: Any
    buttons: dict[str, Any]


def build(assistant: Assistant, page: gr.Blocks) -> None:
    """Lay out the screen inside the current Blocks context and wire it."""
    with gr.Tabs(elem_id="writing"):
        with gr.Tab("列提纲", id="outline", elem_id="writing-outline"):
            _outline(assistant, page)
        with gr.Tab("查稿", id="check", elem_id="writing-check"):
            check.build(assistant)


def _outline(assistant: Assistant, page: gr.Blocks) -> None:
    model = assistant.settings.model_configured
    with gr.Row():
        with gr.Column(scale=2, min_width=300, elem_id="draft-form"):
            asked = _form(model=model)
            with gr.Row():
                start = gr.Button("列提纲", variant="primary", elem_id="draft-start", min_width=120)
                again = gr.Button("换一种写法", visible=False, elem_id="draft-again", min_width=120)
            kept = gr.Dropdown(
                [], label="以前的提纲", info="选一份接着改", elem_id="draft-kept", visible=False
            )
            remove = gr.Button("删除选中的提纲", visible=False, elem_id="draft-remove", size="sm")
        with gr.Column(scale=3, min_width=320):
            shown = gr.Markdown(_HINT, elem_id="outline", container=True, min_height=320, **_MARKDOWN)
            note = gr.Markdown("", elem_id="draft-note", **_MARKDOWN)
            with gr.Row():
                files = [
                    gr.DownloadButton(label, visible=False, elem_id=key, variant=variant, min_width=120)
                    for label, key, variant in _FILES
                ]
            tools = _editor()
            expander = _expander(model=model)
    work = gr.State(None)
    outputs = [
        shown,
        note,
        *files,
        again,
        tools.group,
        tools.place,
        tools.words,
        expander["group"],
        expander["text"],
        kept,
        remove,
        work,
    ]
    _wire(assistant, page, asked, tools, expander, outputs, start=start)


def _wire(
    assistant: Assistant,
    page: gr.Blocks,
    asked: list[Any],
    tools: _Tools,
    expander: dict[str, Any],
    outputs: list[Any],
    *,
    start: Any,
) -> None:
    events = Events(assistant)
    again, kept, remove, work = outputs[6], outputs[-3], outputs[-2], outputs[-1]
    start.click(events.compose, asked, outputs, **_QUIET)
    again.click(events.again, [*asked, work], outputs, **_QUIET)
    place = [work, tools.place]
    tools.place.input(events.words, place, [tools.words], **_NOW)
    given = [*place, tools.words, tools.plan]
    for name, button in tools.buttons.items():
        button.click(getattr(events, name), given, outputs, **_NOW)
    expander["start"].click(events.expand, [work], outputs, **_NOW)
    expander["stop"].click(events.stop, [work], [outputs[1]], queue=False, **_NOW)
    kept.input(events.open, [kept], outputs, **_NOW)
    remove.click(events.remove, [work], outputs, **_NOW)
    page.load(events.load, None, [kept, remove], **_NOW)


def _form(*, model: bool) -> list[Any]:
    """Lay out what is asked, in the order of DraftRequest; last, whether to do without the model."""
    from rag.prompting import genres, roles

    names = list(genres())

    def line(label: str, example: str, key: str) -> Any:
        return gr.Textbox(label=label, placeholder=f"如：{example}", max_length=200, elem_id=key)

    return [
        gr.Dropdown(names, value=GENRE if GENRE in names else None, label="文种", elem_id="genre"),
        line("主题", "学习党组织领导的校长负责制", "topic"),
        gr.Dropdown([("不指定", ""), *roles()], value="", label="一问：您是什么身份", elem_id="role"),
        line("二问：在什么场合用", "支部学习会上发言（可不填）", "occasion"),
        line("三问：写给谁、讲给谁", "全体党员教师（可不填）", "recipient"),
        line("四问：多少字，或讲几分钟", "1200字、5分钟（不填按文种常用字数）", "length"),
        gr.Textbox(
            label="五问：您自己的一件事", info=_PRIVATE, placeholder=_EVENT, lines=3, max_lines=8,
            max_length=1000, elem_id="event",
        ),
        gr.Checkbox(label="只用资料摘录（不用大模型）", visible=model),
    ]  # fmt: skip


def _editor() -> _Tools:
    """Lay out the outline's editor: which place, its words, what to do with it."""
    with gr.Accordion("改提纲", open=True, visible=False, elem_id="draft-tools") as group:
        place = gr.Dropdown([], label="改哪一处", elem_id="draft-place")
        words = gr.Textbox(label="这一处的文字", lines=2, max_lines=6, max_length=600, elem_id="draft-words")
        plan = gr.Checkbox(label="加的是打算（不勾选就是实情）", elem_id="draft-plan")
        buttons = {}
        rows = (
            (("reword", "改好"), ("add", "加到这一节"), ("up", "上移"), ("down", "下移"),
             ("drop", "删去")),
            (("evidence", "换一条依据"), ("section", "重列这一节"), ("undo", "撤销"), ("redo", "重做")),
        )  # fmt: skip
        for row in rows:
            with gr.Row():
                for name, label in row:
                    buttons[name] = gr.Button(label, size="sm", min_width=90, elem_id=f"draft-{name}")
    return _Tools(group, place, words, plan, buttons)


def _expander(*, model: bool) -> dict[str, Any]:
    """Lay out the writing-out; without a model it is not offered."""
    with gr.Accordion(
        "扩写成文（逐节写、逐句核对）", open=False, visible=False, elem_id="draft-full"
    ) as group:
        with gr.Row(visible=model):
            start = gr.Button("扩写，或接着写", elem_id="draft-expand", size="sm", min_width=120)
            stop = gr.Button("停", elem_id="draft-stop", size="sm", min_width=80)
        text = gr.Markdown("", elem_id="draft-text", **_MARKDOWN)
    return {"group": group, "start": start, "stop": stop, "text": text}
