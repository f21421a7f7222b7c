"""Word files (.docx): the text a reader sees, numbering included.

Walks the document's XML itself: python-docx does not resolve automatic
numbers, and misses text boxes, notes and content controls. Left out: headers,
footers, comments, tracked deletions, hidden text, macros. Knows
WordprocessingML; numbers come from `docx_numbering`, styles from `docx_styles`.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BrokenFile
from rag.parsers.build import Builder, one_line
from rag.parsers.docx_numbering import LEVELS, Numbering
from rag.parsers.docx_styles import Styles
from rag.parsers.docx_text import Inline, read_inline
from rag.parsers.guards import ZIP_MAGIC
from rag.parsers.ooxml import Package, W, child, children, content, value
from rag.types import BlockKind, Parsed

if TYPE_CHECKING:
    from lxml.etree import _Element

SUFFIXES: tuple[str, ...] = (".docx", ".docm", ".dotx")
NAME = "Word 文件（.docx）"

_TOC_STYLE = re.compile(r"(?:toc|目录) ?[1-9]$", re.IGNORECASE)
_TOC_PARTS = ("Table of Contents",)
_TITLE_REACH = 8  # a centred title stands among the first paragraphs
_MAX_TITLE = 60
_MAX_REPEATED = 40  # code points; a longer text of a merged cell stands once
_MAX_COLUMNS = 63  # Word's own limit
_DOC_NUMBER = re.compile(r"[〔\[［]\d{4}[〕\]］]\d{0,4}号?$|号$|^〔|文件$")


def accepts(head: bytes, suffix: str) -> bool:
    """Take ZIP archives with a Word document inside."""
    if not head.startswith(ZIP_MAGIC) or suffix in (".txt", ".md"):
        return False
    return b"word/" in head or (suffix in SUFFIXES and b"xl/" not in head and b"ppt/" not in head)


def parse(path: Path) -> Parsed:
    """Extract a Word document's text.

    Raises: BrokenFile where the package has no document in it, or damaged XML.
    """
    from lxml import etree

    try:
        with zipfile.ZipFile(path) as archive:
            return _Document(Package(archive), path.name).parsed()
    except (zipfile.BadZipFile, KeyError, EOFError) as err:
        raise BrokenFile(name=path.name, reason="压缩包不完整") from err
    except etree.XMLSyntaxError as err:
        if "emory" in str(err):
            raise MemoryError from err
        raise BrokenFile(name=path.name, reason="文档的 XML 不完整或嵌套过深") from err


@dataclass(slots=True)
class _Notes:
    """The notes of one kind, and those referred to so far, in order."""

    label: str
    elements: dict[str, _Element] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)

    def mark(self, note_id: str) -> str:
        """Return the mark that stands in the text for a note."""
        if note_id not in self.elements:
            return ""
        if note_id not in self.used:
            self.used.append(note_id)
        return f"（{self.label}{self.used.index(note_id) + 1}）"


class _Document:
    """One document being read: its parts and the counters that run through it."""

    def __init__(self, package: Package, name: str) -> None:
        main = package.related("").get("officeDocument", "word/document.xml")
        related = package.related(main)
        body = child(package.xml(main), "body")
        if body is None:
            raise BrokenFile(name=name, reason="里面没有 Word 文档")
        self._body = body
        self._styles = Styles(package.xml(related.get("styles", "")))
        self._numbering = Numbering(package.xml(related.get("numbering", "")), self._styles.list_links)
        self._notes = {
            "footnote": _Notes("注", _note_elements(package.xml(related.get("footnotes", "")), "footnote")),
            "endnote": _Notes("尾注", _note_elements(package.xml(related.get("endnotes", "")), "endnote")),
        }
        self._builder = Builder()
        self._carried = ""  # text of a paragraph whose mark is deleted: it runs on into the next one
        self._titles: list[str] = []
        self._centred = ""
        self._paragraphs = 0
        if "vbaProject" in related:
            self._builder.remark("文件带有宏，宏已忽略")
        if "aFChunk" in related:
            self._builder.remark("文件里嵌有其他文件的内容，未读取")

    def parsed(self) -> Parsed:
        """Read the whole document."""
        self._blocks(self._body)
        self._builder.add(self._carried)
        for notes in self._notes.values():
            for number, note_id in enumerate(notes.used, 1):
                text = one_line(" ".join(self._lines(notes.elements[note_id])))
                self._builder.add(f"{notes.label}{number}：{text}", "footnote")
        return self._builder.parsed("".join(self._titles) or self._centred)

    def _blocks(self, parent: _Element) -> None:
        for element in content(parent):
            if element.tag == W + "p":
                self._paragraph(element)
            elif element.tag == W + "tbl":
                self._table(element)
            elif element.tag == W + "sdt" and value(element, "sdtPr/docPartObj/docPartGallery") in _TOC_PARTS:
                self._builder.remark("目录已略过")
            elif isinstance(element.tag, str):
                self._blocks(element)

    def _paragraph(self, element: _Element) -> None:
        if _TOC_STYLE.match(self._styles.name(element)):
            self._builder.remark("目录已略过")
            return
        inline = self._inline(element)
        text = self._carried + inline.text
        self._carried = ""
        if child(element, "pPr/rPr/del") is not None:
            self._carried = text
        else:
            number, in_list = self._number(element)
            level = self._styles.outline_level(element)
            kind: BlockKind = "heading" if level else "list" if in_list else "paragraph"
            if text.strip():
                self._find_title(element, number + one_line(text))
                self._builder.add(number + text.strip(), kind, level)
        for box in inline.boxes:
            self._blocks(box)

    def _inline(self, element: _Element) -> Inline:
        inline = read_inline(element, self._styles, {kind: note.mark for kind, note in self._notes.items()})
        if inline.hidden:
            self._builder.remark("隐藏文字已略过")
        return inline

    def _number(self, element: _Element) -> tuple[str, bool]:
        """Count a paragraph: its printed number, and whether it is an item of a list."""
        reference = self._styles.number(element)
        if reference is None:
            return "", False
        index = reference.level
        if index is None:
            index = self._numbering.level_of_style(reference.list_id, reference.style)
        number = self._numbering.count(reference.list_id, min(index, LEVELS - 1))
        return number, not number.startswith("第")

    def _find_title(self, element: _Element, text: str) -> None:
        """Note paragraphs in the title style, and the first centred line that is no document number."""
        self._paragraphs += 1
        if self._styles.is_title(element):
            self._titles.append(text)
        elif not self._centred and self._paragraphs <= _TITLE_REACH and self._styles.is_centred(element):
            fits = 4 <= len(text) <= _MAX_TITLE and not _DOC_NUMBER.search(text)
            self._centred = text if fits else ""

    def _table(self, table: _Element) -> None:
        rows = [list(_cells(row)) for row in _rows(table)]
        if all(len(row) <= 1 for row in rows):  # a frame around text, not a table
            for cell in (cell for row in rows for cell in row):
                self._blocks(cell)
            return
        above: dict[int, str] = {}
        self._builder.add_table([self._row(row, above) for row in rows])

    def _row(self, cells: Sequence[_Element], above: dict[int, str]) -> list[str]:
        """Return a row's texts by grid column; `above` holds the row before it.

        A short text that is merged down its column stands in every row, as a
        reader takes it; what a cell spans to its right is blank.
        """
        texts: list[str] = []
        for cell in cells:
            merge = child(cell, "tcPr/vMerge")
            if merge is None or merge.get(W + "val") == "restart":
                text = " ".join(self._lines(cell))
            else:
                text = above.get(len(texts), "")
                text = text if len(text) <= _MAX_REPEATED else ""
            above[len(texts)] = text
            span = value(cell, "tcPr/gridSpan") or "1"
            texts += [text, *[""] * (min(int(span), _MAX_COLUMNS) - 1 if span.isdigit() else 0)]
        return texts

    def _lines(self, parent: _Element) -> Iterator[str]:
        """Yield the paragraphs of a cell or note, those of tables and boxes inside it included."""
        for element in content(parent):
            if element.tag == W + "p":
                inline = self._inline(element)
                number = self._number(element)[0] if inline.text.strip() else ""
                yield number + inline.text.strip()
                for box in inline.boxes:
                    yield from self._lines(box)
            elif isinstance(element.tag, str):
                yield from self._lines(element)


def _note_elements(root: _Element | None, kind: str) -> dict[str, _Element]:
    """Return a part's notes by id; the separators, which have a type, are none."""
    return {note.get(W + "id", ""): note for note in children(root, kind) if note.get(W + "type") is None}


def _rows(table: _Element) -> Iterator[_Element]:
    for element in content(table):
        if element.tag == W + "tr":
            if child(element, "trPr/del") is None:
                yield element
        elif isinstance(element.tag, str):
            yield from _rows(element)


def _cells(row: _Element) -> Iterator[_Element]:
    for element in content(row):
        if element.tag == W + "tc":
            yield element
        elif isinstance(element.tag, str):
            yield from _cells(element)
