"""What the 写作 screen does. A browser tab remembers its work; every step of it is kept in the records."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import LingxueError
from rag.outline_edit import History
from rag.outline_expand import Written
from rag.outline_request import length_of
from rag.types import Delta, DraftRequest
from rag.web import draft_work as desk
from rag.web.draft_work import Work
from rag.web.gate import owner_of
from rag.web.render import error_html, note_html, outline_html

if TYPE_CHECKING:
    from rag.assistant import Assistant

logger = logging.getLogger(__name__)

UNEXPECTED = "程序出错，没有做成。请再试一次；仍不行请把终端里的错误信息发给管理员。"
UPDATE_S = 0.15  # arriving text is shown so often
NO_EVENT = "还没有您自己的一件事，这里只出提纲；写上第五问，或把“实情”填实，才能扩写成文。"
_KEY = "d"  # the outline's chips: #c-d-1
Shown = tuple[Any, ...]


class Events:
    """The handlers; each returns the screen's outputs in their order."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._stopping: set[str] = set()  # drafts whose writing-out is to stop

    def compose(
        self, genre: str, topic: str, role: str, occasion: str, recipient: str, length: str, event: str,
        without: bool, request: gr.Request,
    ) -> Shown:  # fmt: skip
        """Draft an outline from the form's values."""
        asked = (genre, topic, role, occasion, recipient, length, event)
        return self._compose(asked, 0, not without, request)

    def again(
        self, genre: str, topic: str, role: str, occasion: str, recipient: str, length: str, event: str,
        without: bool, work: Work | None, request: gr.Request,
    ) -> Shown:  # fmt: skip
        """Draft another outline for the same answers."""
        asked = (genre, topic, role, occasion, recipient, length, event)
        return self._compose(asked, work.request.seed + 1 if work else 0, not without, request)

    def words(self, work: Work | None, place: str) -> str:
        """Return what stands at a place, for changing."""
        return self._words(work, place)

    def reword(self, work: Work | None, place: str, words: str, _plan: bool, request: gr.Request) -> Shown:
        """Change a heading or a point."""
        return self._change(work, place, lambda w: desk.reword(w, place, words), request)

    def add(self, work: Work | None, place: str, words: str, plan: bool, request: gr.Request) -> Shown:
        """Add a point to the section of the place."""
        return self._change(work, place, lambda w: desk.add(w, place, words, plan=plan), request)

    def drop(self, work: Work | None, place: str, _words: str, _plan: bool, request: gr.Request) -> Shown:
        """Leave a section or a point out."""
        return self._change(work, place, lambda w: desk.drop(w, place), request)

    def up(self, work: Work | None, place: str, _words: str, _plan: bool, request: gr.Request) -> Shown:
        """Move a section or a point up."""
        return self._shift(work, place, -1, request)

    def down(self, work: Work | None, place: str, _words: str, _plan: bool, request: gr.Request) -> Shown:
        """Move a section or a point down."""
        return self._shift(work, place, 1, request)

    def evidence(self, work: Work | None, place: str, _words: str, _plan: bool, request: gr.Request) -> Shown:
        """Put other evidence in the place of a point's."""

        def change(w: Work) -> Work:
            section, point = desk.section_of(place), desk.point_of(place)
            return w.changed(
                self._assistant.desk.other_evidence(w.request, w.outline, section, point, turn=w.turn + 1)
            )

        return self._change(work, place, change, request)

    def section(self, work: Work | None, place: str, _words: str, _plan: bool, request: gr.Request) -> Shown:
        """Compose a section anew."""

        def change(w: Work) -> Work:
            section = desk.section_of(place)
            return w.changed(
                self._assistant.desk.redo_section(w.request, w.outline, section, turn=w.turn + 1)
            )

        return self._change(work, place, change, request)

    def undo(self, work: Work | None, place: str, _words: str, _plan: bool, request: gr.Request) -> Shown:
        """Go one step back."""
        return self._change(work, place, lambda w: w.stepped(w.history.undo()), request)

    def redo(self, work: Work | None, place: str, _words: str, _plan: bool, request: gr.Request) -> Shown:
        """Go one step forward."""
        return self._change(work, place, lambda w: w.stepped(w.history.redo()), request)

    def expand(self, work: Work | None, request: gr.Request) -> Iterator[Shown]:
        """Write the outline out behind what is written; stopping keeps the sections that are done."""
        if work is None:
            return
        self._stopping.discard(work.id)
        note = ""
        try:
            for done, arriving in self._written(work, request):
                work = done
                yield self._arriving(work, arriving) if arriving else self._screen(work, request)
            if work.id in self._stopping:
                left = len(work.outline.sections) - len(work.written)
                note = note_html(
                    f"已停，写好的{len(work.written)}节都在，还有{left}节；再点“扩写，或接着写”。"
                )
        except LingxueError as err:
            note = error_html(str(err), "没有写完")
        except Exception:
            logger.exception("writing out failed")
            note = error_html(UNEXPECTED, "没有写完")
        yield self._screen(work, request, note=note)

    def stop(self, work: Work | None) -> str:
        """Ask the writing-out to stop at the next piece of text."""
        if work is None:
            return ""
        self._stopping.add(work.id)
        return note_html("正在停……")

    def _written(self, work: Work, request: gr.Request) -> Iterator[tuple[Work, str]]:
        """Yield the work and what is arriving, "" when a section is done; ends early where asked to stop."""
        arriving, shown_at = "", 0.0
        for event in self._assistant.desk.expand(work.request, work.outline, work.written):
            if isinstance(event, Written):
                work, arriving = self._kept(replace(work, written=(*work.written, event)), request), ""
                yield work, ""
            elif isinstance(event, Delta):
                arriving += event.text
                if time.monotonic() - shown_at > UPDATE_S:
                    shown_at = time.monotonic()
                    yield work, arriving
            if work.id in self._stopping:
                return

    def open(self, draft_id: str, request: gr.Request) -> Shown:
        """Go on with a kept outline."""
        try:
            work = desk.reopened(self._assistant.records.drafts.open(owner_of(request), draft_id))
        except LingxueError as err:
            return self._nothing(error_html(str(err), "打不开"), request)
        return self._screen(work, request)

    def remove(self, work: Work | None, request: gr.Request) -> Shown:
        """Delete the outline that is open."""
        if work and work.id:
            self._assistant.records.drafts.remove(owner_of(request), work.id)
        return self._nothing(note_html("已删除这份提纲。"), request)

    def load(self, request: gr.Request) -> Shown:
        """List the kept outlines."""
        return self._listed(request, "")

    def _compose(self, given: Sequence[str], seed: int, use_model: bool, request: gr.Request) -> Shown:
        genre, topic, role, occasion, recipient, length, event = (str(text or "").strip() for text in given)
        try:
            chars = length_of(length)
            asked = DraftRequest(genre, topic, role, occasion, recipient, chars, event, seed)
            outline = self._assistant.draft(asked, use_model=use_model)
            work = self._kept(Work(asked, History(outline)), request)
            return self._screen(work, request)
        except LingxueError as err:
            return self._nothing(error_html(str(err), "没有列成"), request)
        except Exception:
            logger.exception("drafting failed")
            return self._nothing(error_html(UNEXPECTED, "没有列成"), request)

    def _shift(self, work: Work | None, place: str, by: int, request: gr.Request) -> Shown:
        moved = [place]

        def change(w: Work) -> Work:
            w, moved[0] = desk.shift(w, place, by)
            return w

        return self._change(work, place, change, request, lambda: moved[0])

    def _change(
        self,
        work: Work | None,
        place: str,
        change: Callable[[Work], Work],
        request: gr.Request,
        to: Callable[[], str] | None = None,
    ) -> Shown:
        """Do one step and keep it; what cannot be done is told, and nothing is lost."""
        if work is None:
            return self._nothing(note_html("请先列一份提纲。"), request)
        note = ""
        try:
            work = self._kept(change(work), request)
        except LingxueError as err:
            note = error_html(str(err), "没有改成")
        except Exception:
            logger.exception("editing failed")
            note = error_html(UNEXPECTED, "没有改成")
        place = to() if to and not note else place
        return self._screen(work, request, note=note, place=place)

    def _words(self, work: Work | None, place: str) -> str:
        try:
            return desk.words_at(work.outline, place) if work else ""
        except LingxueError:
            return ""

    def _kept(self, work: Work, request: gr.Request) -> Work:
        drafts = self._assistant.records.drafts
        kept = drafts.keep(owner_of(request), work.id, work.request, work.outline, work.text)
        return replace(work, id=kept)

    def _screen(self, work: Work, request: gr.Request, *, note: str = "", place: str = "") -> Shown:
        """The screen's outputs for a work."""
        files = desk.write_files(work, self._assistant.settings.data_dir)
        listed = desk.places(work.outline)
        known = [address for _, address in listed]
        place = place if place in known else known[0]
        text = desk.text_html(work)
        if not text and not work.request.event:
            text = note_html(NO_EVENT)
        return (
            outline_html(work.outline, _KEY),
            note,
            *(gr.update(value=str(path), visible=True) for path in files),
            gr.update(visible=True),
            gr.update(visible=True),
            gr.update(choices=listed, value=place),
            desk.words_at(work.outline, place),
            gr.update(visible=self._assistant.settings.model_configured, open=bool(work.written)),
            text,
            *self._listed(request, work.id),
            work,
        )

    def _arriving(self, work: Work, arriving: str) -> Shown:
        """The outputs while text arrives: only the text changes."""
        same = [gr.update()] * 10
        return (*same, gr.update(open=True), desk.text_html(work, arriving), gr.update(), gr.update(), work)

    def _nothing(self, html: str, request: gr.Request) -> Shown:
        """The outputs where there is no work."""
        hidden = gr.update(visible=False)
        files = [gr.update(value=None, visible=False)] * 4
        listed = self._listed(request, "")
        return (
            html,
            "",
            *files,
            hidden,
            hidden,
            gr.update(choices=[], value=None),
            "",
            hidden,
            "",
            *listed,
            None,
        )

    def _listed(self, request: gr.Request, current: str) -> Shown:
        """The list of kept outlines, and whether one is open that can be deleted."""
        kept = [
            (title, draft_id) for draft_id, title in self._assistant.records.drafts.listed(owner_of(request))
        ]
        return gr.update(choices=kept, value=current or None, visible=bool(kept)), gr.update(
            visible=bool(current)
        )
