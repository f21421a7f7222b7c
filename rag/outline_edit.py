"""Changes to an outline by hand: pure functions from one outline to the next, and their history.

An outline stays one frozen object: markers count from one in the order of
use, slots are listed, a policy point keeps its citation only while the
citation supports it. Knows no evidence beyond what the outline cites.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.errors import BadRequest
from rag.outline_request import clean
from rag.outline_text import SLOT
from rag.types import Citation, Outline, OutlineSection, Point, PointKind
from rag.verify import support

MAX_HEADING, MAX_POINT, MAX_POINTS, MAX_SECTIONS = 60, 600, 30, 20  # characters, characters, points, sections
KEPT = 100  # steps that can be undone


@dataclass(frozen=True, slots=True)
class History:
    """An outline and the steps that led to it."""

    present: Outline
    past: tuple[Outline, ...] = ()
    future: tuple[Outline, ...] = ()

    def do(self, outline: Outline) -> History:
        """Return the history with one more step; what was undone is forgotten."""
        if outline == self.present:
            return self
        return History(outline, (*self.past, self.present)[-KEPT:])

    def undo(self) -> History:
        """Go one step back, or stay at the first."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.present, *self.future))

    def redo(self) -> History:
        """Go one step forward, or stay at the last."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.present), self.future[1:])


def rename(outline: Outline, section: int, heading: str) -> Outline:
    """Give a section another heading."""
    text = _text(heading, MAX_HEADING, "标题")
    return _with(outline, section, lambda old: replace(old, heading=text))


def move(outline: Outline, section: int, to: int) -> Outline:
    """Move a section to another place, clamped to the outline."""
    sections = list(outline.sections)
    moved = sections.pop(_index(section, sections, "节"))
    sections.insert(max(0, min(to, len(sections))), moved)
    return tidy(replace(outline, sections=tuple(sections)))


def drop(outline: Outline, section: int) -> Outline:
    """Leave a section out; the last one stays."""
    sections = list(outline.sections)
    if len(sections) == 1:
        raise BadRequest(reason="提纲里只剩这一节，不能再删。")
    sections.pop(_index(section, sections, "节"))
    return tidy(replace(outline, sections=tuple(sections)))


def add_section(outline: Outline, heading: str, text: str) -> Outline:
    """Add a section of the writer's own at the end, with its first point."""
    if len(outline.sections) >= MAX_SECTIONS:
        raise BadRequest(reason=f"最多{MAX_SECTIONS}节。请先合并或删去一节。")
    point = Point(_text(text, MAX_POINT, "要点"), "own")
    made = OutlineSection(_text(heading, MAX_HEADING, "标题"), (point,))
    return tidy(replace(outline, sections=(*outline.sections, made)))


def add_point(outline: Outline, section: int, text: str, kind: PointKind = "own") -> Outline:
    """Add a point of the writer's own, experience or plan, at the end of a section."""
    if kind == "policy":
        raise BadRequest(reason="依据要从资料里选，不能自己写。请用“换依据”，或加成“本人”的要点。")
    point = Point(_text(text, MAX_POINT, "要点"), kind)

    def longer(old: OutlineSection) -> OutlineSection:
        if len(old.points) >= MAX_POINTS:
            raise BadRequest(reason=f"一节最多{MAX_POINTS}个要点。请先删去一个，或另开一节。")
        return replace(old, points=(*old.points, point))

    return _with(outline, section, longer)


def reword(outline: Outline, section: int, point: int, text: str) -> Outline:
    """Give a point other words; one whose citation no longer supports it becomes the writer's own."""
    said = _text(text, MAX_POINT, "要点")
    old = _at(outline, section, point)
    new = replace(old, text=said)
    warnings = outline.warnings
    if old.kind == "policy" and not _supported(new, outline.citations):
        new = Point(said, "own")
        warnings = (*warnings, f"“{said[:20]}”改过以后和原来标的依据对不上，已改列为您自己的话，不再标出处。")
    changed = _points(outline, section, lambda points: [*points[:point], new, *points[point + 1 :]])
    return replace(changed, warnings=tuple(dict.fromkeys(warnings)))


def move_point(outline: Outline, section: int, point: int, to: int) -> Outline:
    """Move a point within its section, clamped to it."""
    moved = _at(outline, section, point)

    def moving(points: list[Point]) -> list[Point]:
        rest = [*points[:point], *points[point + 1 :]]
        place = max(0, min(to, len(rest)))
        return [*rest[:place], moved, *rest[place:]]

    return _points(outline, section, moving)


def drop_point(outline: Outline, section: int, point: int) -> Outline:
    """Leave a point out; the last one of a section stays."""
    _at(outline, section, point)
    if len(outline.sections[section].points) == 1:
        raise BadRequest(reason="这一节只剩一个要点，不能再删。可以删去整节。")
    return _points(outline, section, lambda points: [*points[:point], *points[point + 1 :]])


def put_points(
    outline: Outline, section: int, points: Sequence[Point], citations: Sequence[Citation]
) -> Outline:
    """Replace a section's points by others, whose markers count in `citations`."""
    known = {(c.source_id, c.start, c.end): c.marker for c in outline.citations}
    added: list[Citation] = []
    markers: dict[int, int] = {}
    for citation in citations:
        place = (citation.source_id, citation.start, citation.end)
        if place not in known:
            known[place] = len(outline.citations) + len(added) + 1
            added.append(replace(citation, marker=known[place]))
        markers[citation.marker] = known[place]
    moved = tuple(replace(p, citations=tuple(markers[m] for m in p.citations)) for p in points)
    more = replace(outline, citations=(*outline.citations, *added))
    return _with(more, section, lambda old: replace(old, points=moved))


def tidy(outline: Outline) -> Outline:
    """Number citations from one in the order of use, drop those unused, and list the slots."""
    points = [point for section in outline.sections for point in section.points]
    used = list(dict.fromkeys(marker for point in points for marker in point.citations))
    new = {marker: number for number, marker in enumerate(used, 1)}
    by_marker = {citation.marker: citation for citation in outline.citations}
    sections = tuple(
        replace(
            section,
            points=tuple(replace(p, citations=tuple(new[m] for m in p.citations)) for p in section.points),
        )
        for section in outline.sections
    )
    slots = [slot for point in points for slot in SLOT.findall(point.text)]
    return replace(
        outline,
        sections=sections,
        citations=tuple(replace(by_marker[marker], marker=new[marker]) for marker in used),
        placeholders=tuple(dict.fromkeys(slots)),
    )


def _supported(point: Point, citations: Sequence[Citation]) -> bool:
    quotes = "\n".join(c.quote for c in citations if c.marker in point.citations)
    said = point.text.split("）：", 1)[-1]
    return support(said, quotes) != "unsupported"


def _with(outline: Outline, section: int, change: Callable[[OutlineSection], OutlineSection]) -> Outline:
    sections = list(outline.sections)
    index = _index(section, sections, "节")
    sections[index] = change(sections[index])
    return tidy(replace(outline, sections=tuple(sections)))


def _points(outline: Outline, section: int, change: Callable[[list[Point]], list[Point]]) -> Outline:
    return _with(outline, section, lambda old: replace(old, points=tuple(change(list(old.points)))))


def _at(outline: Outline, section: int, point: int) -> Point:
    points = outline.sections[_index(section, outline.sections, "节")].points
    return points[_index(point, points, "个要点")]


def _index(index: int, items: Sequence[object], name: str) -> int:
    if not 0 <= index < len(items):
        raise BadRequest(reason=f"没有第{index + 1}{name}，共{len(items)}{name}。请重新选一处。")
    return index


def _text(given: str, limit: int, name: str) -> str:
    text = clean(given)
    if not text:
        raise BadRequest(reason=f"没有写{name}。请写上再点。")
    if len(text) > limit:
        raise BadRequest(reason=f"{name}太长：{len(text)}字，最多{limit}字。请缩短。")
    return text
