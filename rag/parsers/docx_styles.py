"""What Word's styles say of a paragraph or run: heading level, list, hidden, centred.

A property is looked for in the paragraph, then in its style, then in the
styles that one is based on. Knows styles.xml only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.parsers.ooxml import W, child, children, is_on, value

if TYPE_CHECKING:
    from lxml.etree import _Element

_HEADING = re.compile(r"(?:heading|标题) ?([1-9])$", re.IGNORECASE)
_TITLE = re.compile(r"(?:title|标题)$", re.IGNORECASE)
_BODY_LEVEL = 9  # w:outlineLvl 0 to 8 are headings, 9 is body text
_MAX_CHAIN = 20  # damaged files base styles on each other in a circle


@dataclass(frozen=True, slots=True)
class NumberReference:
    """Which list a paragraph is in; `level` None where only its style says."""

    list_id: str
    level: int | None
    style: str = ""


class Styles:
    """The styles of one document."""

    def __init__(self, root: _Element | None) -> None:
        self._by_id = {style.get(W + "styleId", ""): style for style in children(root, "style")}
        self._default = next(
            (
                style_id
                for style_id, style in self._by_id.items()
                if style.get(W + "type") == "paragraph" and style.get(W + "default") in ("1", "true", "on")
            ),
            "",
        )
        self.list_links = {
            style_id: list_id
            for style_id, style in self._by_id.items()
            if style.get(W + "type") == "numbering" and (list_id := value(style, "pPr/numPr/numId"))
        }

    def name(self, paragraph: _Element) -> str:
        """Return the name of a paragraph's style."""
        return value(self._by_id.get(self._style_id(paragraph)), "name") or ""

    def is_title(self, paragraph: _Element) -> bool:
        """Tell whether a paragraph is in the style for the document's title."""
        return _TITLE.match(self.name(paragraph)) is not None

    def outline_level(self, paragraph: _Element) -> int:
        """Return the heading level, 1 to 9; the title counts as 1, body text as 0."""
        if (direct := value(paragraph, "pPr/outlineLvl")) is not None:
            return _level(direct)
        for style in self._chain(self._style_id(paragraph)):
            if (level := value(style, "pPr/outlineLvl")) is not None:
                return _level(level)
            if match := _HEADING.match(value(style, "name") or ""):
                return int(match[1])
        return 1 if self.is_title(paragraph) else 0

    def number(self, paragraph: _Element) -> NumberReference | None:
        """Return the list that a paragraph is in, by itself or by its style."""
        direct_list = value(paragraph, "pPr/numPr/numId")
        direct_level = value(paragraph, "pPr/numPr/ilvl")
        level = int(direct_level) if direct_level and direct_level.isdigit() else None
        if direct_list is not None:
            return None if direct_list == "0" else NumberReference(direct_list, level or 0)
        for style in self._chain(self._style_id(paragraph)):
            list_id = value(style, "pPr/numPr/numId")
            if list_id is not None:
                return (
                    None if list_id == "0" else NumberReference(list_id, level, style.get(W + "styleId", ""))
                )
        return None

    def is_centred(self, paragraph: _Element) -> bool:
        """Tell whether a paragraph is centred."""
        direct = value(paragraph, "pPr/jc")
        chain = (value(style, "pPr/jc") for style in self._chain(self._style_id(paragraph)))
        return next((jc for jc in (direct, *chain) if jc), "") == "center"

    def is_hidden(self, run: _Element, paragraph: _Element) -> bool:
        """Tell whether a run is hidden text, by itself or by a style."""
        direct = child(run, "rPr/vanish")
        if direct is not None:
            return is_on(direct)
        for style_id in (value(run, "rPr/rStyle") or "", self._style_id(paragraph)):
            for style in self._chain(style_id):
                found = child(style, "rPr/vanish")
                if found is not None:
                    return is_on(found)
        return False

    def _style_id(self, paragraph: _Element) -> str:
        return value(paragraph, "pPr/pStyle") or self._default

    def _chain(self, style_id: str) -> Iterator[_Element]:
        for _ in range(_MAX_CHAIN):
            style = self._by_id.get(style_id)
            if style is None:
                return
            yield style
            style_id = value(style, "basedOn") or ""


def _level(outline: str) -> int:
    return int(outline) + 1 if outline.isdigit() and int(outline) < _BODY_LEVEL else 0
