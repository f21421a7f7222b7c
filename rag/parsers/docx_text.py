"""The inline content of a Word paragraph: runs, breaks, symbols, note marks, text boxes.

Knows runs; nothing of numbering or tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.parsers.docx_styles import Styles
from rag.parsers.ooxml import M, W, child, content

if TYPE_CHECKING:
    from lxml.etree import _Element

_PLAIN = {
    W + "tab": "\t",
    W + "ptab": "\t",
    W + "cr": "\n",
    W + "noBreakHyphen": "-",
    W + "softHyphen": "",
}
# Boxes to tick, the symbols that forms are made of: code in the Wingdings fonts → character.
_SYMBOLS = {
    ("Wingdings", 0xA8): "□",
    ("Wingdings", 0x6F): "□",
    ("Wingdings", 0x71): "□",
    ("Wingdings", 0xFE): "☑",
    ("Wingdings", 0xFD): "☒",
    ("Wingdings", 0xFC): "✓",
    ("Wingdings", 0xFB): "✗",
    ("Wingdings 2", 0xA3): "□",
    ("Wingdings 2", 0x52): "☑",
    ("Wingdings 2", 0x50): "✓",
    ("Wingdings 2", 0x53): "☒",
    ("Wingdings 2", 0x4F): "✗",
}
NoteMark = Callable[[str], str]


@dataclass(slots=True)
class Inline:
    """A paragraph's text, the text boxes anchored in it, and whether anything in it was hidden."""

    text: str = ""
    boxes: list[_Element] = field(default_factory=list)
    hidden: bool = False


def read_inline(paragraph: _Element, styles: Styles, notes: Mapping[str, NoteMark]) -> Inline:
    """Read a paragraph's inline content; `notes` gives the mark for a footnote's or endnote's id."""
    inline = Inline()
    pieces: list[str] = []
    stack = list(content(paragraph))[::-1]
    while stack:
        element = stack.pop()
        if element.tag == W + "r" and styles.is_hidden(element, paragraph):
            inline.hidden = inline.hidden or child(element, "t") is not None
        elif element.tag == W + "txbxContent":
            inline.boxes.append(element)
        elif element.tag == W + "ruby":  # the base, not the pinyin above it
            stack.extend(list(element.iterchildren(W + "rubyBase"))[::-1])
        elif (piece := _piece(element, notes)) is not None:
            pieces.append(piece)
        elif isinstance(element.tag, str):
            stack.extend(list(content(element))[::-1])
    inline.text = "".join(pieces)
    return inline


def _piece(element: _Element, notes: Mapping[str, NoteMark]) -> str | None:
    """Return what an element puts into the text by itself; None for one that only holds others."""
    tag = element.tag
    if tag in (W + "t", M + "t"):
        return element.text or ""
    if tag in _PLAIN:
        return _PLAIN[tag]
    if tag == W + "br":
        return "\n" if element.get(W + "type", "textWrapping") == "textWrapping" else ""
    if tag == W + "sym":
        return _symbol(element)
    if tag in (W + "footnoteReference", W + "endnoteReference"):
        mark = notes.get(tag[len(W) : -len("Reference")])
        return mark(element.get(W + "id", "")) if mark else ""
    return None


def _symbol(element: _Element) -> str:
    try:
        code = int(element.get(W + "char", ""), 16)
    except ValueError:
        return ""
    symbol = _SYMBOLS.get((element.get(W + "font", ""), code & 0xFF))
    return symbol or ("" if 0xE000 <= code <= 0xF8FF else chr(code))
