"""What stands on the 问答 screen and where; what it does is in `ask`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

if TYPE_CHECKING:
    from rag.assistant import Assistant

SUGGESTED = 4
HEIGHT = "max(20rem, calc(100dvh - 23rem))"  # the box for questions stays in view; lower while empty (CSS)
MAX_QUESTION = 1000  # the assistant's limit; the box stops there
WELCOME = (
    "### 想问什么？\n学校里的职责、程序、会议、材料写法，都可以问。"
    "回答只依据资料，每句话后面的 **[1]** 点开就是原文。"
)
ALL = ("全部资料", "")  # the choice that limits nothing


@dataclass(frozen=True, slots=True)
class Screen:
    """The parts of the screen that events read or change."""

    chatbot: Any
    suggestions_row: Any
    suggestions: list[Any]
    question: Any
    send: Any
    stop: Any
    tools: Any
    held: Any
    extract: Any
    send_anyway: Any
    edit: Any
    again: Any
    links: Any
    without: Any
    collection: Any
    current: Any
    editing: Any
    new: Any
    search: Any
    listed: Any
    care: Any
    title: Any
    rename: Any
    remove: Any
    undo: Any
    removed: Any

    @property
    def outputs(self) -> list[Any]:
        """What showing a conversation changes, in the order of `ask.Shown`."""
        return [self.question, self.chatbot, self.current, self.editing, self.suggestions_row, self.send,
                self.stop, self.tools, self.edit, self.links, self.listed, self.care, self.title,
                self.held]  # fmt: skip


def lay_out(assistant: Assistant) -> Screen:
    """Lay out the screen inside the current Blocks context."""
    # Kept by the page, not by the server (gr.State), so that it outlives a restart or another replica's
    # taking over; the records check the owner with every call.
    parts: dict[str, Any] = {
        "current": gr.Textbox("", visible=False),
        "editing": gr.Checkbox(False, visible=False),
        "removed": gr.Textbox("", visible=False),
    }
    with gr.Row(elem_id="ask-row"):
        with gr.Column(scale=0, min_width=250, elem_id="history"):
            parts |= _history()
        with gr.Column(scale=1, min_width=320, elem_id="talk"):
            gr.Button("☰ 对话记录", size="sm", elem_id="history-toggle")
            parts |= _talk()
            parts |= _tools(model=assistant.settings.model_configured)
    return Screen(**parts)


def _history() -> dict[str, Any]:
    new = gr.Button("＋ 新对话", elem_id="new", variant="secondary")
    search = gr.Textbox(
        label="找对话", show_label=False, placeholder="在对话里查找", container=False, max_length=40,
        elem_id="history-search",
    )  # fmt: skip
    listed = gr.Radio([], label="对话记录", container=False, elem_id="history-list")
    undo = gr.Button("撤销删除", size="sm", visible=False, elem_id="history-undo")
    with gr.Column(visible=False, elem_id="history-care") as care:
        title = gr.Textbox(label="这个对话的名称", max_length=40, elem_id="history-title", lines=1)
        with gr.Row():
            rename = gr.Button("改名", size="sm", min_width=60, elem_id="history-rename")
            remove = gr.Button("删除", size="sm", min_width=60, elem_id="history-remove")
    return {"new": new, "search": search, "listed": listed, "undo": undo, "care": care, "title": title,
            "rename": rename, "remove": remove}  # fmt: skip


def _talk() -> dict[str, Any]:
    chatbot = gr.Chatbot(
        show_label=False, label="对话", elem_id="chat", height=HEIGHT, container=False,
        sanitize_html=True, allow_tags=False, latex_delimiters=[], buttons=[], layout="bubble",
        group_consecutive_messages=False, feedback_options=None, placeholder=WELCOME, line_breaks=False,
        allow_file_downloads=False,
    )  # fmt: skip
    with gr.Row(elem_id="suggestions") as row:
        chosen = [
            gr.Button("", size="sm", elem_classes="lx-suggestion", visible=False) for _ in range(SUGGESTED)
        ]
    with gr.Row(elem_id="asking", equal_height=False):
        question = gr.Textbox(
            show_label=False, label="问题", placeholder="输入问题，回车发送", lines=1, max_lines=6,
            max_length=MAX_QUESTION, scale=1, container=False, elem_id="question", autofocus=True,
        )  # fmt: skip
        send = gr.Button("提问", variant="primary", scale=0, min_width=96, elem_id="send")
        stop = gr.Button("停止", variant="stop", scale=0, min_width=96, visible=False, elem_id="stop")
    return {"chatbot": chatbot, "suggestions_row": row, "suggestions": chosen, "question": question,
            "send": send, "stop": stop}  # fmt: skip


def _tools(*, model: bool) -> dict[str, Any]:
    with gr.Row(elem_id="chat-options"):
        collection = gr.Dropdown(
            [ALL], value="", label="只在这一类资料里找", scale=1, visible=False, elem_id="collection"
        )
        without = gr.Checkbox(
            label="只用资料摘录（不用大模型）", value=False, container=False, scale=1, visible=model,
            elem_id="no-model",
        )  # fmt: skip
    with gr.Row(elem_id="chat-held", visible=False) as held:
        extract = gr.Button("用资料摘录回答（不发送）", variant="primary", size="sm", elem_id="held-extract")
        send_anyway = gr.Button("仍然发送", size="sm", elem_id="held-send")
    with gr.Row(elem_id="chat-tools", visible=False) as tools:
        edit = gr.Button("修改问题", size="sm", scale=0, min_width=100, elem_id="edit")
        again = gr.Button("重新回答", size="sm", scale=0, min_width=100, elem_id="again")
        links = gr.Markdown("", elem_id="chat-links", container=False, sanitize_html=True)
    return {"collection": collection, "without": without, "tools": tools, "held": held,
            "extract": extract, "send_anyway": send_anyway, "edit": edit, "again": again,
            "links": links}  # fmt: skip
