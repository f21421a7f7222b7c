"""An outline as a Word file laid out by GB/T 9704-2012, without red head, number or seal.

Sizes and distances: rule sources stand at the constants. Fonts are named as
the standard names them and never embedded; where one is missing the font
table names its stand-ins. Knows outlines and Word; decides no words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from rag.docx_notes import SIZE as NOTE_SIZE
from rag.docx_notes import Footnotes
from rag.docx_page import lay_out
from rag.errors import BadRequest
from rag.outline_text import KIND_NAMES, SLOT, numeral, reference
from rag.reasons import why
from rag.types import Outline

Section = tuple[str, Sequence[str]]  # a heading and its paragraphs

TITLE, BODY, NOTE = 44, 32, 28  # half-points: 2号 22 pt, 3号 16 pt, 4号 14 pt (GB/T 9704-2012, 5.2.3, 7.3)
SONG_TITLE, FANG, HEI, KAI = "方正小标宋简体", "仿宋", "黑体", "楷体"
_LATIN = "Times New Roman"
# Quotes, dashes and dots share code points with Latin; Word sets them in the Latin font unless told.
_SHARED = re.compile(r"([“”‘’…—·]+)")
_MARKER = re.compile(r"(\[\d{1,3}\])")
TITLE_WIDTH = 20  # characters of 22 pt in a line of 156 mm
_WORD_END = re.compile(r"[的，：、》）]|.(?=[《（])")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def write_docx(
    outline: Outline, path: Path, *, footnotes: bool = False, text: Sequence[Section] = ()
) -> None:
    """Write an outline, or the text written out from it, to a .docx file; the file is whole or not there.

    `text` holds (heading, paragraphs) with [1] markers. What is cited is
    listed at the end, or with `footnotes` stands at the foot of the page.
    Raises: BadRequest: the folder is missing or cannot be written.
    """
    from docx import Document

    document = Document()
    lay_out(document, title=_legal(outline.title), size=BODY)
    _Paper(document, outline, footnotes=footnotes).write(text)
    try:
        _save(document, path)
    except OSError as err:
        raise BadRequest(
            reason=f"写不了文件 {path}（{why(err)}）。请检查文件夹是否在、能否写入，文件是否正被 Word 打开。"
        ) from err


def title_lines(title: str) -> list[str]:
    """Break a title into lines of nearly one length, where words end (GB/T 9704-2012, 7.3.1).

    >>> title_lines("关于党组织领导的校长负责制的研讨交流发言提纲")
    ['关于党组织领导的校长负责制的', '研讨交流发言提纲']
    """
    count = -(-len(title) // TITLE_WIDTH)
    if count < 2:
        return [title]
    ideal = len(title) / count
    ends = [m.end() for m in _WORD_END.finditer(title) if abs(m.end() - ideal) <= ideal / 2]
    fitting = [end for end in ends if end <= TITLE_WIDTH and len(title) - end <= TITLE_WIDTH * (count - 1)]
    # A longer first line keeps more of a phrase together than a longer second one.
    cut = min(fitting, key=lambda end: abs(end - ideal) - (end > ideal), default=round(ideal))
    return [title[:cut], *title_lines(title[cut:])]


def _save(document: Any, path: Path) -> None:
    """Write beside the target and replace it in one step."""
    temporary = path.with_name(f".{uuid4().hex}.tmp")  # made like any file: others may read it
    try:
        with temporary.open("xb") as file:
            document.save(file)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class _Paper:
    """Writes one outline into one document."""

    def __init__(self, document: Any, outline: Outline, *, footnotes: bool) -> None:
        self._document = document
        self._outline = outline
        self._cited = {citation.marker: citation for citation in outline.citations}
        self._notes = Footnotes(document, _note) if footnotes else None

    def write(self, text: Sequence[Section]) -> None:
        """Write title, outline or text, what is cited, and the hints."""
        outline, document = self._outline, self._document
        title = "\n".join(title_lines(_legal(outline.title)))
        _add(document, "title", [(title, SONG_TITLE)], size=TITLE)
        _add(document, "blank", [])
        if text:
            self._text(text)
        else:
            self._points()
        if self._notes:
            self._notes.close()
        elif outline.citations:
            _add(document, "heading", [("依据", HEI)])
            for citation in outline.citations:
                _add(document, "body", [(f"[{citation.marker}] {reference(citation)}", FANG)], size=NOTE)
        if outline.warnings:
            _add(document, "heading", [("写作提示（定稿前删去）", HEI)])
            for warning in outline.warnings:
                _add(document, "body", [(warning, FANG)], size=NOTE)

    def _points(self) -> None:
        _add(self._document, "body", [("立论：", HEI), (self._outline.thesis, FANG)])
        for number, section in enumerate(self._outline.sections, 1):
            _add(self._document, "heading", [(f"{numeral(number)}、{section.heading}", HEI)])
            for place, point in enumerate(section.points, 1):
                # A second-level heading in 楷体 that runs into the text, then the markers.
                parts = [(f"（{numeral(place)}）{KIND_NAMES[point.kind]}。", KAI), (point.text, FANG)]
                self._cite(_add(self._document, "body", parts), point.citations)

    def _text(self, text: Sequence[Section]) -> None:
        for number, (heading, paragraphs) in enumerate(text, 1):
            _add(self._document, "heading", [(f"{numeral(number)}、{heading}", HEI)])
            for words in paragraphs:
                paragraph = _add(self._document, "body", [])
                for piece in _MARKER.split(_legal(words)):
                    marker = int(piece[1:-1]) if _MARKER.fullmatch(piece) else 0
                    if marker in self._cited:
                        self._cite(paragraph, [marker])
                    else:
                        _fill(paragraph, piece, FANG, BODY)

    def _cite(self, paragraph: Any, markers: Iterable[int]) -> None:
        for marker in markers:
            if self._notes:
                self._notes.add(paragraph, reference(self._cited[marker]))
            else:
                _run(paragraph, f"[{marker}]", FANG, BODY).font.superscript = True


def _note(body: Any, text: str) -> None:
    """Fill a footnote's paragraph element."""
    from docx.text.paragraph import Paragraph

    _fill(Paragraph(body, None), _legal(text), FANG, NOTE_SIZE)  # type: ignore[arg-type]


def _add(document: Any, kind: str, parts: list[tuple[str, str]], *, size: int = BODY) -> Any:
    """Add a paragraph of (text, East Asian font) parts; all but title and blank are indented."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph = document.add_paragraph()
    if kind == "title":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.keep_with_next = True
        _off_grid(paragraph)
    elif kind != "blank":
        _indent(paragraph)
        paragraph.paragraph_format.keep_with_next = True if kind == "heading" else None
    for text, font in parts:
        _fill(paragraph, _legal(text), font, size)
    return paragraph


def _fill(paragraph: Any, text: str, font: str, size: int) -> None:
    """Add a text to a paragraph; its slots are highlighted."""
    for piece, marked in _slots(text):
        for run in _pieces(paragraph, piece, font, size):
            _highlight(run, marked)


def _slots(text: str) -> Iterator[tuple[str, bool]]:
    """Split a text at its slots: (piece, whether it is one)."""
    position = 0
    for match in SLOT.finditer(text):
        yield text[position : match.start()], False
        yield match[0], True
        position = match.end()
    yield text[position:], False


def _pieces(paragraph: Any, text: str, font: str, size: int) -> Iterator[Any]:
    for piece in _SHARED.split(text):
        if piece:
            latin = font if _SHARED.match(piece) else _LATIN
            yield _run(paragraph, piece, font, size, latin=latin)


def _run(paragraph: Any, text: str, font: str, size: int, *, latin: str = _LATIN) -> Any:
    from docx.oxml.ns import qn

    run = paragraph.add_run(text)
    properties = run._r.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for name, value in (("ascii", latin), ("hAnsi", latin), ("eastAsia", font), ("hint", "eastAsia")):
        fonts.set(qn(f"w:{name}"), value)
    run.font.size = size * 6350  # half-points in EMU
    complex_size = properties.makeelement(qn("w:szCs"), {qn("w:val"): str(size)})
    properties.find(qn("w:sz")).addnext(complex_size)
    return run


def _highlight(run: Any, marked: bool) -> None:
    from docx.enum.text import WD_COLOR_INDEX

    if marked:
        run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _indent(paragraph: Any) -> None:
    """Indent the first line by two characters, whatever their size (GB/T 9704-2012, 7.3.3)."""
    from docx.oxml.ns import qn

    indent = paragraph._p.get_or_add_pPr().get_or_add_ind()
    indent.set(qn("w:firstLineChars"), "200")
    indent.set(qn("w:firstLine"), "640")  # for programs that do not know firstLineChars: 2 x 16 pt


def _off_grid(paragraph: Any) -> None:
    """Keep the larger type of the title from taking two lines of the grid."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    grid = OxmlElement("w:snapToGrid")
    grid.set(qn("w:val"), "0")
    paragraph._p.get_or_add_pPr().insert_element_before(grid, "w:spacing", "w:ind", "w:jc")


def _legal(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _ILLEGAL.sub("", text)
