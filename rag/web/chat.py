"""A kept conversation on the 问答 screen: its messages as HTML, and the answering of its last question.

The database is the truth; what is shown is rendered from it each time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.errors import HeldBack, LingxueError
from rag.privacy import OnPrivate
from rag.records.conversations import Conversation, Message
from rag.types import Answer, Delta, Progress
from rag.web.render import answer_html, error_html, note_html, question_html, stage_html

if TYPE_CHECKING:
    from rag.assistant import Assistant

THROTTLE_S = 0.1  # each update of a streaming answer sends and renders the whole message
STOPPED = "已停止。可以点“重新回答”，或改一改问题再问。"
HELD = "还没有发送，请先选一种办法"
UNFINISHED = "这个问题还没有答完（页面关闭或程序重启）。可以点“重新回答”。"


def message_html(conversation: Conversation, message: Message) -> str:
    """Render one message; its key tells the page's script which answer a click is about."""
    if message.kind == "question":
        return question_html(message.text)
    if message.kind == "held":
        return error_html(message.text, HELD)
    if message.answer:
        return answer_html(message.answer, f"{conversation.id}-{message.number}", message.opinion)
    return error_html(message.text) if message.kind == "error" else note_html(message.text)


def shown(conversation: Conversation | None, working: str = "") -> list[dict[str, str]]:
    """Return the messages for Gradio's Chatbot, with the unfinished one behind them."""
    if conversation is None:
        return []
    messages = [
        {
            "role": "user" if message.kind == "question" else "assistant",
            "content": message_html(conversation, message),
        }
        for message in conversation.messages
    ]
    if not working and conversation.pending:
        working = note_html(UNFINISHED)
    return [*messages, {"role": "assistant", "content": working}] if working else messages


def reply(
    assistant: Assistant, owner: str, conversation: Conversation, *, use_model: bool, collection: str = "",
    private: OnPrivate = "hold",
) -> Iterator[tuple[Conversation, str]]:  # fmt: skip
    """Answer the pending question and keep the answer, or keep that it was held back.

    Yields: the conversation and the HTML of the unfinished answer, "" when it is finished.
    """
    kept = assistant.records.conversations
    stage, text, shown_at = "检索", "", 0.0
    yield conversation, stage_html(stage)
    try:
        events = assistant.ask(
            conversation.pending,
            conversation.turns,
            use_model=use_model,
            collection=collection,
            private=private,
        )
        for event in events:
            if isinstance(event, Answer):
                yield kept.reply(owner, conversation.id, "answer", answer=event), ""
                return
            if isinstance(event, Progress):
                if event.stage == stage:
                    continue
                stage = event.stage
            elif isinstance(event, Delta):
                text += event.text
                if time.monotonic() - shown_at < THROTTLE_S:
                    continue
                shown_at = time.monotonic()
            yield conversation, stage_html(stage, text)
    except HeldBack as err:
        yield kept.reply(owner, conversation.id, "held", str(err)), ""
    except LingxueError as err:
        yield kept.reply(owner, conversation.id, "error", str(err)), ""
