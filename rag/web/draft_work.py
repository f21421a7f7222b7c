"""What the 写作 screen works on, and the files it hands out.

Knows outlines and their edits; no Gradio.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from rag import outline_edit as edit
from rag.errors import BadRequest
from rag.outline_expand import Written
from rag.outline_text import KIND_NAMES, numeral, write_markdown, write_plain, write_text
from rag.records.drafts import KeptDraft
from rag.types import DraftRequest, Outline
from rag.web.files import file_name, new_folder
from rag.web.markup import escape
from rag.web.render import with_slots

SHOWN = 24  # characters of a point in the list of places


@dataclass(frozen=True, slots=True)
class Work:
    """An outline with its history, what was asked for, what was written out, and the turns taken so far."""

    request: DraftRequest
    history: edit.History
    written: tuple[Written, ...] = ()
    turn: int = 0
    id: str = ""

    @property
    def outline(self) -> Outline:
        """The outline as it stands."""
        return self.history.present

    def changed(self, outline: Outline) -> Work:
        """Return the work with one more step; what was written out belongs to the outline before."""
        history = self.history.do(outline)
        same = history is self.history
        return replace(self, history=history, written=self.written if same else (), turn=self.turn + 1)

    def stepped(self, history: edit.History) -> Work:
        """Return the work at another step of its history."""
        return self if history is self.history else replace(self, history=history, written=())

    @property
    def text(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What was written out: headings and paragraphs."""
        return tuple((section.heading, section.paragraphs) for section in self.written)


def reopened(kept: KeptDraft) -> Work:
    """Return a kept draft as work, with nothing to undo yet."""
    written = tuple(Written(heading, paragraphs) for heading, paragraphs in kept.text)
    return Work(kept.request, edit.History(kept.outline), written, id=kept.id)


def places(outline: Outline) -> list[tuple[str, str]]:
    """Return what can be changed, (shown, address): sections "0", points "0.1"."""
    found = []
    for s, section in enumerate(outline.sections):
        found.append((f"{numeral(s + 1)}、{section.heading}", str(s)))
        for p, point in enumerate(section.points):
            text = point.text if len(point.text) <= SHOWN else f"{point.text[:SHOWN]}…"
            found.append((f"　（{numeral(p + 1)}）{KIND_NAMES[point.kind]}｜{text}", f"{s}.{p}"))
    return found


def words_at(outline: Outline, address: str) -> str:
    """Return the heading or the point at an address, to be changed; "" where there is none."""
    section, point = _address(address)
    try:
        chosen = outline.sections[section]
        return chosen.heading if point is None else chosen.points[point].text
    except IndexError:
        return ""


def reword(work: Work, address: str, text: str) -> Work:
    """Give a heading or a point other words."""
    section, point = _address(address)
    if point is None:
        return work.changed(edit.rename(work.outline, section, text))
    return work.changed(edit.reword(work.outline, section, point, text))


def shift(work: Work, address: str, by: int) -> tuple[Work, str]:
    """Move a section or a point up (-1) or down (1); return where it stands then."""
    section, point = _address(address)
    outline = work.outline
    if point is None:
        to = max(0, min(section + by, len(outline.sections) - 1))
        return work.changed(edit.move(outline, section, to)), str(to)
    last = len(outline.sections[section].points) - 1 if section < len(outline.sections) else 0
    to = max(0, min(point + by, last))
    return work.changed(edit.move_point(outline, section, point, to)), f"{section}.{to}"


def drop(work: Work, address: str) -> Work:
    """Leave out a section or a point."""
    section, point = _address(address)
    if point is None:
        return work.changed(edit.drop(work.outline, section))
    return work.changed(edit.drop_point(work.outline, section, point))


def add(work: Work, address: str, text: str, *, plan: bool) -> Work:
    """Add a point of the writer's own to the section of an address."""
    section, _ = _address(address)
    return work.changed(edit.add_point(work.outline, section, text, "plan" if plan else "own"))


def section_of(address: str) -> int:
    """Return the section of an address."""
    return _address(address)[0]


def point_of(address: str) -> int:
    """Return the point of an address; raise BadRequest where it is a section's."""
    _, point = _address(address)
    if point is None:
        raise BadRequest(reason="换依据要先选一个要点，现在选的是整节。")
    return point


def text_html(work: Work, arriving: str = "") -> str:
    """Render what was written out so far and what is arriving."""
    parts = []
    for number, section in enumerate(work.written, 1):
        body = "".join(f"<p>{with_slots(paragraph)}</p>" for paragraph in section.paragraphs)
        notes = "".join(f'<p class="lx-flag">{escape(note)}</p>' for note in section.notes)
        parts.append(f"<h4>{numeral(number)}、{escape(section.heading)}</h4>{body}{notes}")
    if arriving:
        heading = work.outline.sections[len(work.written)].heading
        parts.append(f'<h4>{escape(heading)}（正在写）</h4><p class="lx-arriving">{escape(arriving)}</p>')
    return f'<div class="lx-answer lx-draft">{"".join(parts)}</div>' if parts else ""


def write_files(work: Work, data_dir: Path) -> list[Path]:
    """Write .docx with a list, .docx with footnotes, .txt and .md for download; return their paths."""
    from rag.docx import write_docx

    outline, text = work.outline, work.text
    folder = new_folder(data_dir, "draft")
    name = file_name(f"{outline.genre} {outline.topic}")
    listed, noted = folder / f"{name}.docx", folder / f"{name}（脚注）.docx"
    plain, markdown = folder / f"{name}.txt", folder / f"{name}.md"
    write_docx(outline, listed, text=text)
    write_docx(outline, noted, footnotes=True, text=text)
    plain.write_text(write_text(outline, text) if text else write_plain(outline), encoding="utf-8")
    markdown.write_text(write_markdown(outline), encoding="utf-8")
    return [listed, noted, plain, markdown]


def _address(address: str) -> tuple[int, int | None]:
    section, _, point = (address or "").partition(".")
    if not section.isdecimal() or (point and not point.isdecimal()):
        raise BadRequest(reason="请先选要改的一处。")
    return int(section), int(point) if point else None
