"""The 问答 screen: questions, streamed answers, chips that open the evidence.

Messages go through gr.Chatbot rather than gr.HTML: it sanitises what it
shows (a second net under our own escaping), announces new messages to
screen readers, scrolls, and needs no 'unsafe-eval', which gr.HTML does.
Its own copy button would copy our HTML, so ours replaces it (lingxue.js).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.web.chat import Conversation, reply

if TYPE_CHECKING:
    from rag.assistant import Assistant

logger = logging.getLogger(__name__)

SUGGESTIONS = (
    "党组织会议要多少人到会才能开？",
    "六项领导职责是哪六个？",
    "书记和校长意见谈不拢，还上不上会？",
    "三重一大包括哪些？",
)
EMPTY_HEIGHT, HEIGHT = "11rem", "max(20rem, calc(100dvh - 21rem))"  # the box for questions stays in view
MAX_QUESTION = 1000  # the assistant's limit; the box stops there
UNEXPECTED = "程序出错，没有答成。请再试一次；仍不行请把终端里的错误信息发给管理员。"
_WELCOME = (
    "### 想问什么？\n学校里的职责、程序、会议、材料写法，都可以问。"
    "回答只依据资料，每句话后面的 **[1]** 点开就是原文。"
)


def build(assistant: Assistant) -> None:
    """Lay out the screen inside the current Blocks context and wire it."""
    conversation = gr.State(Conversation())
    chatbot = gr.Chatbot(
        show_label=False, label="对话", elem_id="chat", height=EMPTY_HEIGHT, container=False,
        sanitize_html=True, allow_tags=False, latex_delimiters=[], buttons=[], layout="bubble",
        group_consecutive_messages=False, feedback_options=None, placeholder=_WELCOME, line_breaks=False,
        allow_file_downloads=False,
    )  # fmt: skip
    with gr.Row(elem_id="suggestions") as suggestions:
        chosen = [gr.Button(text, size="sm", elem_classes="lx-suggestion") for text in SUGGESTIONS]
    with gr.Row(elem_id="asking", equal_height=False):
        question = gr.Textbox(
            show_label=False, label="问题", placeholder="输入问题，回车发送", lines=1, max_lines=6,
            max_length=MAX_QUESTION, scale=1, container=False, elem_id="question", autofocus=True,
        )  # fmt: skip
        send = gr.Button("提问", variant="primary", scale=0, min_width=96, elem_id="send")
        stop = gr.Button("停止", variant="stop", scale=0, min_width=96, visible=False, elem_id="stop")
    with gr.Row(elem_id="chat-tools"):
        without = gr.Checkbox(
            label="只用资料摘录（不用大模型）", value=False, container=False, scale=1,
            visible=assistant.settings.model_configured, elem_id="no-model",
        )  # fmt: skip
        clear = gr.Button("清空对话", size="sm", scale=0, min_width=112, elem_id="clear", visible=False)

    outputs: list[Any] = [question, chatbot, conversation, suggestions, send, stop, clear]
    handler = _handler(assistant)
    events = [
        gr.on([question.submit, send.click], handler, [question, conversation, without], outputs, **_QUIET)
    ]
    for button in chosen:
        events.append(button.click(handler, [button, conversation, without], outputs, **_QUIET))
    stop.click(_stop, [conversation], outputs, cancels=events, queue=False, **_QUIET)
    clear.click(_clear, None, outputs, cancels=events, queue=False, **_QUIET)


# "private": the page's own wiring is no API. Stages show progress, so Gradio's own is off.
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def _handler(assistant: Assistant) -> Callable[[str, Conversation, bool], Iterator[tuple[Any, ...]]]:
    def ask(question: str, conversation: Conversation, without: bool) -> Iterator[tuple[Any, ...]]:
        """Answer one question; what was asked stays, whatever happens."""
        question = (question or "").strip()
        if not question:
            yield _screen("", conversation)
            return
        conversation = conversation.stopped().asked(question)
        try:
            for state, working in reply(assistant, conversation, use_model=not without):
                failed = not working and len(state.turns) == len(conversation.turns)
                yield _screen(question if failed else "", state, working)
        except Exception:
            logger.exception("answering failed")
            yield _screen(question, conversation.failed(UNEXPECTED))

    return ask


def _stop(conversation: Conversation) -> tuple[Any, ...]:
    return _screen(conversation.pending, conversation.stopped())


def _clear() -> tuple[Any, ...]:
    return _screen("", Conversation())


def _screen(question: str, conversation: Conversation, working: str = "") -> tuple[Any, ...]:
    """Return the values of the screen's outputs, in their order."""
    started = bool(conversation.messages)
    return (
        question,
        gr.update(value=conversation.shown(working), height=HEIGHT if started else EMPTY_HEIGHT),
        conversation,
        gr.update(visible=not started),
        gr.update(visible=not working),
        gr.update(visible=bool(working)),
        gr.update(visible=started),
    )
