"""From the characters of a PDF page to its lines in reading order.

A segment is a run of characters on one baseline without a wide gap. Files
draw segments in any order, quotation marks in another font often last, so
lines are made by place alone. Pages of two columns are read column by column.
Lengths are points, y grows upwards.
Knows pdfium's raw text interface; nothing of paragraphs.
"""

from __future__ import annotations

import ctypes
import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.parsers.build import usable
from rag.parsers.glyphs import repaired

# Ems between Chinese characters up to which a gap is a justified line's or a narrow quotation mark's,
# not the author's blank; a wider one ends a segment.
_SPACE_GAP = 0.6
_LATIN_SPACE_GAP = 0.2
_SAME_LINE = 0.4  # ems that the baselines of one line may differ by: notes' marks are raised
_SLANT = 0.1  # quarter turns that a character may be off; watermarks stand aslant
_MIN_COLUMN_LINES = 4
_MIN_COLUMN_CHARACTERS = 9  # the median line of a text column; cells of tables are shorter
_FILLED = 0.6  # share of its column's width that the median line of a text column fills


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, its box, and the height of its characters; `column` 0 is the page's full width."""

    text: str
    left: float
    right: float
    bottom: float
    size: float
    column: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """A page's lines in reading order, and its size."""

    lines: tuple[Line, ...]
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class _Character:
    text: str
    left: float
    right: float
    baseline: float
    size: float
    spaced: bool  # a space stands before it in the file


def read_page(document: Any, number: int) -> Page:
    """Read a page of a pypdfium2 document; `number` from 0.

    A page whose text is turned as a whole, as wide tables are, is read upright;
    what is turned against the most of the page is a watermark or stamp and left out.
    """
    page = document[number]
    left, bottom, right, top = page.get_cropbox()  # as if the page were not turned, like all boxes here
    width, height = right - left, top - bottom
    text_page = page.get_textpage()
    turned: dict[int, list[_Character]] = {}
    for quarter, character in _characters(text_page, left, bottom, right, top):
        turned.setdefault(quarter, []).append(character)
    text_page.close()
    page.close()
    if not turned:
        return Page((), width, height)
    quarter, characters = max(turned.items(), key=lambda entry: len(entry[1]))
    if quarter % 2:
        width, height = height, width
    return Page(tuple(in_order(list(_segments(characters)))), width, height)


def _characters(
    text_page: Any, x0: float, y0: float, x1: float, y1: float
) -> Iterator[tuple[int, _Character]]:
    """Yield characters in the file's order, each with the quarter turns it stands at.

    Their boxes are made upright and counted from the page's corner; x0 to y1 is the page's own box.
    """
    import pypdfium2.raw as raw

    handle = text_page.raw
    box = raw.FS_RECTF()
    x, y = ctypes.c_double(), ctypes.c_double()
    spaced = False
    for index in range(raw.FPDFText_CountChars(handle)):
        code = raw.FPDFText_GetUnicode(handle, index)
        text = "" if 0xD800 <= code < 0xE000 else usable(repaired(chr(code)))
        if not text.strip():
            spaced = True
            continue
        turns = max(0.0, raw.FPDFText_GetCharAngle(handle, index)) / (math.pi / 2)  # -1: not known
        if abs(turns - round(turns)) > _SLANT:
            continue
        raw.FPDFText_GetLooseCharBox(handle, index, box)
        raw.FPDFText_GetCharOrigin(handle, index, x, y)
        quarter = round(turns) % 4
        left, right, baseline, size = (
            (box.left - x0, box.right - x0, y.value - y0, box.top - box.bottom),
            (y1 - box.top, y1 - box.bottom, x.value - x0, box.right - box.left),
            (x1 - box.right, x1 - box.left, y1 - y.value, box.top - box.bottom),
            (box.bottom - y0, box.top - y0, x1 - x.value, box.right - box.left),
        )[quarter]
        if size:
            yield quarter, _Character(text, left, right, baseline, abs(size), spaced)
            spaced = False


def _segments(characters: Iterable[_Character]) -> Iterator[Line]:
    """Put characters on lines by their baselines, in order from left to right, and part them at gaps."""
    row: list[_Character] = []
    for character in sorted(characters, key=lambda c: (-c.baseline, c.left)):
        if row and row[0].baseline - character.baseline > _SAME_LINE * min(row[0].size, character.size):
            yield from _parted(row)
            row = []
        row.append(character)
    yield from _parted(row)


def _parted(row: Sequence[_Character]) -> Iterator[Line]:
    run: list[_Character] = []
    for character in sorted(row, key=lambda c: c.left):
        if run and character.left - run[-1].right > _SPACE_GAP * max(run[-1].size, character.size):
            yield _segment(run)
            run = []
        run.append(character)
    if run:
        yield _segment(run)


def _segment(run: Sequence[_Character]) -> Line:
    text = run[0].text
    for last, character in zip(run, run[1:], strict=False):
        latin = not is_wide(last.text) and not is_wide(character.text)
        apart = character.left - last.right > _LATIN_SPACE_GAP * character.size
        text += " " + character.text if latin and (character.spaced or apart) else character.text
    size = statistics.median_high(character.size for character in run)
    bottom = statistics.median(character.baseline for character in run)
    return Line(text, run[0].left, run[-1].right, bottom, size)


def is_wide(text: str) -> bool:
    """Tell whether a character is of the Chinese script or its punctuation."""
    return text >= "\u2e80" or text in "“”‘’—…·"


def in_order(segments: Sequence[Line]) -> list[Line]:
    """Put segments into reading order and join those that stand on one line."""
    gutter = _gutter(segments)
    if gutter is None:
        return _rows(segments)
    ordered: list[Line] = []
    sides: tuple[list[Line], list[Line]] = ([], [])
    for segment in sorted(segments, key=lambda s: -s.bottom):
        if segment.left < gutter < segment.right:  # a line across both columns ends the band above it
            ordered += _band(sides)
            ordered.append(segment)
            sides = ([], [])
        else:
            sides[segment.left >= gutter].append(segment)
    return [*ordered, *_band(sides)]


def _band(sides: tuple[list[Line], list[Line]]) -> list[Line]:
    return [replace(line, column=number) for number, side in enumerate(sides, 1) for line in _rows(side)]


def _gutter(segments: Sequence[Line]) -> float | None:
    """Return the x that parts a page into two columns of running text, if one does."""
    if len(segments) < 2 * _MIN_COLUMN_LINES:
        return None
    left, right = min(s.left for s in segments), max(s.right for s in segments)
    middle = [left + (right - left) * step / 100 for step in range(35, 66)]
    crossings = [sum(s.left < x < s.right for s in segments) for x in middle]
    fewest = min(crossings)
    if fewest > 0.2 * len(segments):
        return None
    best = [x for x, count in zip(middle, crossings, strict=True) if count == fewest]
    x = best[len(best) // 2]
    sides = [s for s in segments if s.right <= x], [s for s in segments if s.left >= x]
    return x if all(_is_text_column(side) for side in sides) else None


def _is_text_column(segments: Sequence[Line]) -> bool:
    lines = _rows(segments)
    if len(lines) < _MIN_COLUMN_LINES:
        return False
    width = max(line.right for line in lines) - min(line.left for line in lines)
    filled = statistics.median(line.right - line.left for line in lines) / max(1.0, width)
    return filled >= _FILLED and statistics.median(len(line.text) for line in lines) >= _MIN_COLUMN_CHARACTERS


def _rows(segments: Sequence[Line]) -> list[Line]:
    """Join segments on one baseline, from left to right; lines from top to bottom."""
    rows: list[list[Line]] = []
    for segment in sorted(segments, key=lambda s: (-s.bottom, s.left)):
        if rows and abs(rows[-1][0].bottom - segment.bottom) < _SAME_LINE * min(
            rows[-1][0].size, segment.size
        ):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [_joined(sorted(row, key=lambda s: s.left)) for row in rows]


def _joined(row: Sequence[Line]) -> Line:
    if len(row) == 1:
        return row[0]
    text = row[0].text
    for before, segment in zip(row, row[1:], strict=False):
        chinese = is_wide(before.text[-1]) or is_wide(segment.text[0])
        limit = (_SPACE_GAP if chinese else _LATIN_SPACE_GAP) * segment.size
        text += segment.text if segment.left - before.right < limit else " " + segment.text
    widest = max(row, key=lambda segment: segment.right - segment.left)
    return Line(text, row[0].left, max(s.right for s in row), row[0].bottom, widest.size)
