"""PowerPoint presentations (.pptx): slide titles as headings, text, tables, notes.

Knows presentations; pictures, charts and hidden slides are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import BrokenFile, NoTextFound
from rag.parsers.build import Builder, one_line
from rag.parsers.guards import ZIP_MAGIC
from rag.types import Parsed

if TYPE_CHECKING:
    from pptx.slide import Slide

SUFFIXES: tuple[str, ...] = (".pptx", ".pptm", ".ppsx")
NAME = "PowerPoint 演示文稿（.pptx）"

_MAX_DEPTH = 20  # groups within groups


def accepts(head: bytes, suffix: str) -> bool:
    """Take ZIP archives with a presentation inside."""
    return head.startswith(ZIP_MAGIC) and b"ppt/presentation" in head and suffix not in (".txt", ".md")


def parse(path: Path) -> Parsed:
    """Extract a presentation slide by slide; speaker's notes become footnotes.

    Raises: NoTextFound where the slides are pictures only; BrokenFile.
    """
    from pptx import Presentation
    from pptx.exc import PackageNotFoundError

    try:
        slides = list(Presentation(str(path)).slides)
    except (PackageNotFoundError, KeyError, ValueError) as err:
        raise BrokenFile(name=path.name, reason="演示文稿不完整") from err
    builder = Builder()
    titles = []
    for slide in slides:
        if slide.element.get("show") in ("0", "false"):
            builder.remark("隐藏的幻灯片已略过")
        else:
            titles.append(_add_slide(builder, slide))
    parsed = builder.parsed(next(filter(None, titles), ""))
    if not parsed.text:
        raise NoTextFound(name=path.name)
    return parsed


def _add_slide(builder: Builder, slide: Slide) -> str:
    heading = slide.shapes.title
    title = one_line(heading.text_frame.text) if heading is not None else ""
    builder.add(title, "heading", 1)
    for shape in _in_order(slide.shapes):
        if heading is not None and shape.shape_id == heading.shape_id:
            continue
        if getattr(shape, "has_table", False):
            builder.add_table([_cell(cell) for cell in row.cells] for row in shape.table.rows)
        elif shape.has_text_frame and not _is_furniture(shape):
            for paragraph in shape.text_frame.paragraphs:
                builder.add(paragraph.text.replace("\v", "\n"), "list" if paragraph.level else "paragraph")
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = one_line(slide.notes_slide.notes_text_frame.text)
        builder.add(f"备注：{notes}" if notes else "", "footnote")
    return title


def _cell(cell: Any) -> str:
    return "" if cell.is_spanned else cell.text


def _in_order(shapes: Any, depth: int = 0) -> Iterator[Any]:
    """Yield shapes from top to bottom, those of groups where the group stands."""
    for shape in sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0)):
        if hasattr(shape, "shapes") and depth < _MAX_DEPTH:
            yield from _in_order(shape.shapes, depth + 1)
        else:
            yield shape


def _is_furniture(shape: Any) -> bool:
    """Tell whether a shape is a slide's number, date or footer."""
    from pptx.enum.shapes import PP_PLACEHOLDER

    return shape.is_placeholder and shape.placeholder_format.type in (
        PP_PLACEHOLDER.SLIDE_NUMBER,
        PP_PLACEHOLDER.DATE,
        PP_PLACEHOLDER.FOOTER,
    )
