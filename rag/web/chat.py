"""A conversation as the 问答 screen keeps it: values in, values out, no screen.

Each browser session has one; its messages are kept as rendered, its turns as
text for the next question.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.errors import LingxueError
from rag.types import Answer, Delta, Progress, Turn
from rag.web.render import answer_html, error_html, note_html, question_html, stage_html

if TYPE_CHECKING:
    from rag.assistant import Assistant

THROTTLE_S = 0.1  # each update of a streaming answer sends and renders the whole message
TURNS_KEPT = 20  # what follow-up questions can refer to
STOPPED = "已停止。"


@dataclass(frozen=True, slots=True)
class Message:
    """One message: who says it, and its HTML."""

    role: str
    html: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages as shown and turns as asked; `pending` is a question without its answer yet."""

    messages: tuple[Message, ...] = ()
    turns: tuple[Turn, ...] = ()
    pending: str = ""

    def asked(self, question: str) -> Conversation:
        """Add a question that now waits for its answer."""
        message = Message("user", question_html(question))
        return replace(self, messages=(*self.messages, message), pending=question)

    def answered(self, answer: Answer) -> Conversation:
        """Add the answer to the pending question."""
        key = str(len(self.messages))
        turns = (*self.turns, Turn("user", answer.question), Turn("assistant", answer.answer))
        return replace(self._closed(answer_html(answer, key)), turns=turns[-TURNS_KEPT:])

    def failed(self, message: str) -> Conversation:
        """Say why the pending question has no answer."""
        return self._closed(error_html(message))

    def stopped(self) -> Conversation:
        """Say that the pending question was given up; do nothing where none is pending."""
        return self._closed(note_html(STOPPED)) if self.pending else self

    def _closed(self, html: str) -> Conversation:
        return replace(self, messages=(*self.messages, Message("assistant", html)), pending="")

    def shown(self, working: str = "") -> list[dict[str, str]]:
        """Return the messages for Gradio's Chatbot, with an unfinished one behind them."""
        shown = [{"role": message.role, "content": message.html} for message in self.messages]
        return [*shown, {"role": "assistant", "content": working}] if working else shown


def reply(
    assistant: Assistant, conversation: Conversation, *, use_model: bool
) -> Iterator[tuple[Conversation, str]]:
    """Answer the pending question.

    Yields: the conversation and the HTML of the unfinished answer, "" when it is finished.
    """
    stage, text, shown_at = "检索", "", 0.0
    yield conversation, stage_html(stage)
    try:
        for event in assistant.ask(conversation.pending, conversation.turns, use_model=use_model):
            if isinstance(event, Answer):
                yield conversation.answered(event), ""
                return
            if isinstance(event, Progress):
                stage = event.stage
            elif isinstance(event, Delta):
                text += event.text
                if time.monotonic() - shown_at < THROTTLE_S:
                    continue
                shown_at = time.monotonic()
            yield conversation, stage_html(stage, text)
    except LingxueError as err:
        yield conversation.failed(str(err)), ""
