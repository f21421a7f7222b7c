"""A section or a point of an outline composed once more, from evidence that the outline does not hold yet.

Same contract as the first time. Knows how outlines are composed; edits are `outline_edit`'s.
"""

from __future__ import annotations

from dataclasses import replace

from rag.errors import BadRequest
from rag.outline_choice import Draw
from rag.outline_edit import put_points
from rag.outline_evidence import Evidence
from rag.outline_points import Maker
from rag.outline_request import Frame, frame
from rag.outline_text import numeral
from rag.prompting import GenreSection
from rag.protocols import Retriever, SourceReader
from rag.types import DraftRequest, Outline, Point


def redo_section(
    request: DraftRequest,
    outline: Outline,
    section: int,
    *,
    turn: int,
    retriever: Retriever,
    reader: SourceReader,
) -> Outline:
    """Return the outline with one section's points composed anew; another `turn`, other points.

    Raises: BadRequest: the section is the writer's own.
    """
    made, part = _part(request, outline, section)
    old = outline.sections[section]
    evidence = Evidence(made, retriever, reader, avoid=[c.quote for c in outline.citations])
    others = [p.text for i, s in enumerate(outline.sections) if i != section for p in s.points]
    told = bool(made.event) and any(made.event in text for text in others)
    maker = Maker(made, evidence, Draw(made.request.seed + turn, made.key), event_told=told)
    points = maker.points(part, old.heading, old.length)
    if not any(point.kind == "policy" for point in points):
        kept = [point for point in old.points if point.kind == "policy"]
        if kept:  # nothing else says as much: the old evidence stays
            fresh = [p for p in points if p.kind != "policy" and "现有资料里没有找到" not in p.text]
            mixed = put_points(outline, section, kept, outline.citations)
            return put_points(mixed, section, [*mixed.sections[section].points, *fresh], mixed.citations)
    return put_points(outline, section, points, evidence.citations.listed())


def other_evidence(
    request: DraftRequest,
    outline: Outline,
    section: int,
    point: int,
    *,
    turn: int,
    retriever: Retriever,
    reader: SourceReader,
) -> Outline:
    """Return the outline with another passage in the place of one policy point's.

    Raises: BadRequest: the point cites nothing, or nothing else is found.
    """
    made, part = _part(request, outline, section)
    points = outline.sections[section].points
    if not 0 <= point < len(points) or points[point].kind != "policy":
        raise BadRequest(reason="这个要点不是依据，没有出处可换。请选一条“依据”。")
    evidence = Evidence(made, retriever, reader, avoid=[c.quote for c in outline.citations])
    draw = Draw(made.request.seed + turn, made.key)
    asks = [ask for ask in part.points if ask.kind == "policy"]
    mine = [ask for ask in asks if any(lead in points[point].text for lead in ask.leads)]
    for ask in mine or asks:
        maker = Maker(made, evidence, draw)
        for new in maker.policy(ask, 1):
            lead = points[point].text.split("（", 1)[0]
            text = f"{lead}（{new.text.split('（', 1)[1]}"
            return _put(outline, section, point, replace(new, text=text), evidence)
    raise BadRequest(reason="资料里没有找到别的合适依据。可以删去这一条，或先放入更多文件。")


def _put(outline: Outline, section: int, point: int, new: Point, evidence: Evidence) -> Outline:
    """Put one point in, with its citation behind those that the section holds already."""
    offset = max((c.marker for c in outline.citations), default=0)
    added = [replace(c, marker=c.marker + offset) for c in evidence.citations.listed()]
    moved = replace(new, citations=tuple(marker + offset for marker in new.citations))
    points = list(outline.sections[section].points)
    points[point] = moved
    return put_points(outline, section, points, [*outline.citations, *added])


def _part(request: DraftRequest, outline: Outline, section: int) -> tuple[Frame, GenreSection]:
    made = frame(request)
    if not 0 <= section < len(outline.sections):
        raise BadRequest(reason=f"没有第{section + 1}节，共{len(outline.sections)}节。请重新选一处。")
    number = outline.sections[section].part
    if not 1 <= number <= len(made.genre.sections):
        raise BadRequest(reason=f"第{numeral(section + 1)}节是您自己加的，没有可照着重列的写法。请直接改。")
    return made, made.genre.sections[number - 1]
