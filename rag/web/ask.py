"""The 问答 screen: kept conversations, streamed answers, chips that open the evidence.

Messages go through gr.Chatbot rather than gr.HTML: it sanitises what it
shows (a second net under our own escaping), announces new messages to
screen readers, scrolls, and needs no 'unsafe-eval', which gr.HTML does.
Its own copy button would copy our HTML, so ours replaces it (lingxue.js).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import BadRequest, LingxueError
from rag.privacy import OnPrivate
from rag.records.conversations import Conversation
from rag.web.ask_view import ALL, SUGGESTED, lay_out
from rag.web.chat import STOPPED, reply, shown
from rag.web.gate import owner_of
from rag.web.markup import escape
from rag.web.suggest import suggestions

if TYPE_CHECKING:
    from rag.assistant import Assistant

logger = logging.getLogger(__name__)

UNEXPECTED = "程序出错，没有答成。请再试一次；仍不行请把终端里的错误信息发给管理员。"
# "private": the page's own wiring is no API. Stages show progress, so Gradio's own is off.
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_NOW: dict[str, Any] = {**_QUIET, "queue": False}
Shown = tuple[Any, ...]
LISTED = 10  # the place of the list of conversations in `Screen.outputs`


def build(assistant: Assistant, page: gr.Blocks) -> None:
    """Lay out the screen inside the current Blocks context and wire it."""
    screen = lay_out(assistant)
    events = Events(assistant)
    outputs = screen.outputs
    options = [screen.current, screen.editing, screen.search, screen.collection, screen.without]
    sent = [screen.question.submit, screen.send.click]
    asking = [gr.on(sent, events.ask, [screen.question, *options], outputs, **_QUIET)]
    for button in screen.suggestions:
        asking.append(button.click(events.ask, [button, *options], outputs, **_QUIET))
    asking.append(screen.extract.click(events.extract, options, outputs, **_QUIET))
    asking.append(screen.send_anyway.click(events.send_anyway, options, outputs, **_QUIET))
    asking.append(screen.again.click(events.again, options, outputs, **_QUIET))
    here = [screen.current, screen.search]
    screen.stop.click(events.stop, here, outputs, cancels=asking, **_NOW)
    screen.edit.click(events.edit, [*here, screen.editing], outputs, **_NOW)
    screen.new.click(events.new, [screen.search], outputs, cancels=asking, **_NOW)
    screen.listed.input(events.open, [screen.listed, screen.search], outputs, cancels=asking, **_NOW)
    screen.search.change(events.find, here, [screen.listed], trigger_mode="always_last", **_NOW)
    gr.on([screen.rename.click, screen.title.submit], events.rename, [*here, screen.title], outputs, **_NOW)
    gone = [*outputs, screen.removed, screen.undo]
    screen.remove.click(events.remove, here, gone, cancels=asking, **_NOW)
    screen.undo.click(events.restore, [screen.removed, screen.search], gone, **_NOW)
    page.load(events.load, None, [*outputs, *screen.suggestions, screen.collection, screen.without], **_NOW)


class Events:
    """What the screen does; the conversation's id is all a browser tab remembers."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def ask(
        self, question: str, current: str, editing: bool, search: str, collection: str, without: bool,
        request: gr.Request,
    ) -> Iterator[Shown]:  # fmt: skip
        """Answer one question; what was asked stays, whatever happens."""
        owner, question = owner_of(request), (question or "").strip()
        kept = self._assistant.records.conversations
        if not question:
            yield self._screen(owner, kept.get(owner, current), search)
            return
        if editing:
            kept.take_back(owner, current)
        yield from self._answer(owner, current, question, search, collection, not without)

    def again(
        self, current: str, editing: bool, search: str, collection: str, without: bool, request: gr.Request
    ) -> Iterator[Shown]:
        """Answer the last question once more, with or without the model as is set now."""
        owner = owner_of(request)
        question = self._assistant.records.conversations.take_back(owner, current)
        if question:
            yield from self._answer(owner, current, question, search, collection, not without)

    def extract(
        self, current: str, editing: bool, search: str, collection: str, without: bool, request: gr.Request
    ) -> Iterator[Shown]:
        """Answer a question that was held back without the model."""
        yield from self.again(current, editing, search, collection, True, request)

    def send_anyway(
        self, current: str, editing: bool, search: str, collection: str, without: bool, request: gr.Request
    ) -> Iterator[Shown]:
        """Send a question that was held back, personal numbers and all: its writer says so."""
        owner = owner_of(request)
        question = self._assistant.records.conversations.take_back(owner, current)
        if question:
            yield from self._answer(owner, current, question, search, collection, True, "send")

    def _answer(
        self, owner: str, current: str, question: str, search: str, collection: str, use_model: bool,
        private: OnPrivate = "hold",
    ) -> Iterator[Shown]:  # fmt: skip
        kept = self._assistant.records.conversations
        if kept.get(owner, current):
            kept.reply(owner, current, "note", STOPPED)
        conversation = kept.ask(owner, current, question)
        try:
            events = reply(
                self._assistant, owner, conversation, use_model=use_model, collection=collection,
                private=private,
            )  # fmt: skip
            asked: str | None = ""  # the box is emptied once: the next question may be typed meanwhile
            for state, working in events:
                yield self._screen(owner, state, search, working, question=asked)
                asked = None
        except Exception:
            logger.exception("answering failed")
            failed = kept.reply(owner, conversation.id, "error", UNEXPECTED)
            yield self._screen(owner, failed, search, question=None)

    def stop(self, current: str, search: str, request: gr.Request) -> Shown:
        """Give up the pending question; it goes back into the box."""
        owner, kept = owner_of(request), self._assistant.records.conversations
        before = kept.get(owner, current) or _latest_pending(kept, owner)
        if before is None:
            return self._screen(owner, None, search)
        question = before.pending
        state = kept.reply(owner, before.id, "note", STOPPED)
        return self._screen(owner, state, search, question=question, editing=bool(question))

    def edit(self, current: str, search: str, editing: bool, request: gr.Request) -> Shown:
        """Put the last question into the box, to be asked in its place; or leave it as it was."""
        owner = owner_of(request)
        conversation = self._assistant.records.conversations.get(owner, current)
        question = conversation.last_question if conversation and not editing else ""
        return self._screen(owner, conversation, search, question=question, editing=bool(question))

    def new(self, search: str, request: gr.Request) -> Shown:
        """Begin a new conversation; it is kept once something is asked."""
        return self._screen(owner_of(request), None, search)

    def open(self, chosen: str, search: str, request: gr.Request) -> Shown:
        """Show a kept conversation."""
        owner = owner_of(request)
        return self._screen(owner, self._assistant.records.conversations.get(owner, chosen), search)

    def find(self, current: str, search: str, request: gr.Request) -> Any:
        """List the conversations in which something stands."""
        return self._list(owner_of(request), current, search)

    def rename(self, current: str, search: str, title: str, request: gr.Request) -> Shown:
        """Give the conversation another name."""
        owner, kept = owner_of(request), self._assistant.records.conversations
        try:
            kept.rename(owner, current, title)
        except BadRequest as err:
            gr.Warning(str(err))
        return self._screen(owner, kept.get(owner, current), search)

    def remove(self, current: str, search: str, request: gr.Request) -> Shown:
        """Take the conversation out of the list; it can be brought back."""
        owner = owner_of(request)
        self._assistant.records.conversations.remove(owner, current)
        return *self._screen(owner, None, search), current, gr.update(visible=True)

    def restore(self, removed: str, search: str, request: gr.Request) -> Shown:
        """Bring back what was removed last."""
        owner, kept = owner_of(request), self._assistant.records.conversations
        kept.restore(owner, removed)
        return *self._screen(owner, kept.get(owner, removed), search), "", gr.update(visible=False)

    def load(self, request: gr.Request) -> Shown:
        """Show the conversation that the page's address names, and what can be asked."""
        owner, settings = owner_of(request), self._assistant.settings
        current = str(dict(request.query_params).get("c", ""))
        questions = suggestions(self._assistant, SUGGESTED)
        buttons = [gr.update(value=text, visible=bool(text)) for text in questions]
        names = self._assistant.documents.collections()
        conversation = self._assistant.records.conversations.get(owner, current)
        if conversation:
            screen = self._screen(owner, conversation, "", question=None)
        else:
            screen = self._untouched(owner)
        return (
            *screen,
            *buttons,
            gr.update(choices=[ALL, *names], value="", visible=bool(names)),
            gr.update(visible=settings.model_configured),
        )

    def _screen(
        self, owner: str, conversation: Conversation | None, search: str, working: str = "", *,
        question: str | None = "", editing: bool = False,
    ) -> Shown:  # fmt: skip
        """Return the values of the screen's outputs, in their order; `question` None leaves what is typed."""
        started = conversation is not None
        current = conversation.id if conversation else ""
        return (
            gr.skip() if question is None else question,
            shown(conversation, working),  # no gr.update: that has Gradio build the chat's JSON schema anew
            current,
            editing,
            gr.update(visible=not started),
            gr.update(visible=not working, value="改好了，提问" if editing else "提问"),
            gr.update(visible=bool(working)),
            gr.update(visible=started and not working),
            gr.update(value="放弃修改" if editing else "修改问题"),
            _links(current),
            self._list(owner, current, search),
            gr.update(visible=started),
            conversation.title if conversation else "",
            gr.update(visible=bool(conversation and not working and conversation.held)),
        )

    def _untouched(self, owner: str) -> Shown:
        """Leave an empty screen as it is, but for the list: who is quick has asked before it was loaded."""
        screen = self._screen(owner, None, "")
        return tuple(output if number == LISTED else gr.skip() for number, output in enumerate(screen))

    def _list(self, owner: str, current: str, search: str) -> Any:
        try:
            headings = self._assistant.records.conversations.listed(owner, search)
        except LingxueError as err:
            logger.warning("conversations cannot be listed: %s", err)
            headings = []
        choices = [(heading.title, heading.id) for heading in headings]
        return gr.update(choices=choices, value=current if current in {c[1] for c in choices} else None)


def _links(current: str) -> str:
    """The open conversation's mark for the page's script, and its export."""
    if not current:
        return '<p class="lx-links" id="open-"></p>'
    name = escape(current)
    link = f'<a class="lx-button" href="conversation/{name}.docx">导出 Word</a>'
    return f'<p class="lx-links" id="open-{name}">{link}</p>'


def _latest_pending(kept: Any, owner: str) -> Conversation | None:
    """The conversation that was just begun: its id may not have reached the page before it was stopped."""
    latest = kept.listed(owner)[:1]
    found: Conversation | None = kept.get(owner, latest[0].id) if latest else None
    return found if found and found.pending else None
