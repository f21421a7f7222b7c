"""Repairs of scraped and scanned text, each with its way back to the original.

`repair(text)` finds faults of known kinds and returns the clean text, the
runs that map it to the original, and the list of repairs. A repair only
deletes or replaces; it never adds a sentence. To add a kind, write a finder
and list it in `FINDERS`. Knows plain text only, no formats and no structure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rag.types import Repair, Run

MIN_BLOCKS = 3  # fewer numbered lines may be an ordinary list
_MARKER = re.compile(r"^(\d{1,4})、", re.MULTILINE)
_SHELL = re.compile(
    r"《[^《》\n]{1,120}》由会员分享[，,]?可在线阅读[，,]?"
    r"(?:更多相关《[^《》\n]{1,120}》请在[^。\n]{1,20}上搜索。?)?"
)
_SPACED_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,2}( {1,3})(?=[.．][^0-9])")
# A closing quote and full stop read as 二: the quote opened before it never closes.
_QUOTE_REACH = 60


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A repaired text, the runs that lead to the original, and what was repaired."""

    text: str
    runs: tuple[Run, ...]
    repairs: tuple[Repair, ...]


def repair(text: str) -> Cleaned:
    """Repair every known fault of a text.

    Overlapping findings keep the one that starts first.
    """
    found = sorted((repair for finder in FINDERS for repair in finder(text)), key=lambda r: (r.start, -r.end))
    pieces: list[str] = []
    runs: list[Run] = []
    repairs: list[Repair] = []
    position = clean = 0
    for fault in found:
        if fault.start < position:
            continue
        kept = text[position : fault.start]
        if kept:
            runs.append(Run(clean, position, len(kept)))
        pieces += [kept, fault.after]
        clean += len(kept) + len(fault.after)
        position = fault.end
        repairs.append(fault)
    if position < len(text) or not runs:
        runs.append(Run(clean, position, len(text) - position))
    return Cleaned("".join([*pieces, text[position:]]), tuple(runs), tuple(repairs))


def block_markers(text: str) -> Iterator[Repair]:
    r"""Find the numbers that a preview site puts before blocks of equal length.

    A line-initial `N、` is such a marker when the numbers run 1, 2, 3… and
    all blocks but the last have one length: real lists never do. The line
    end before it goes too, so that the cut sentence is whole again.
    """
    lines = list(_MARKER.finditer(text))
    markers = [m for i, m in enumerate(lines) if int(m[1]) == i + 1]
    if len(markers) < MIN_BLOCKS or len(markers) != len(lines):
        return
    gaps = {b.start() - 1 - a.end() for a, b in zip(markers, markers[1:], strict=False)}
    if len(gaps) == 1:
        for marker in markers:
            start = marker.start()
            yield Repair("切块序号", start - 1 if start and text[start - 1] == "\n" else start, marker.end())


def site_shell(text: str) -> Iterator[Repair]:
    """Find the sharing site's own sentence around the document."""
    for match in _SHELL.finditer(text):
        yield Repair("网站外壳句", match.start(), match.end())


def spaced_numbers(text: str) -> Iterator[Repair]:
    """Find blanks between a number and its dot (`1 .`)."""
    for match in _SPACED_NUMBER.finditer(text):
        yield Repair("序号空格", match.start(1), match.end(1))


def misread_quotes(text: str) -> Iterator[Repair]:
    """Find 二 that stands for a closing quote and a full stop.

    Rule: after a “ that is followed by another “ before any ”, the first 二
    within reach that no counting word explains is the lost ”。
    """
    marks = [(m.start(), m[0]) for m in re.finditer("[“”]", text)]
    for (start, mark), (end, following) in zip(marks, marks[1:], strict=False):
        if mark != "“" or following != "“":
            continue
        reach = min(end, start + _QUOTE_REACH)
        for match in re.finditer(r"(?<![第十、一])二(?![、是要十次届条章])", text[start:reach]):
            yield Repair("引号误识", start + match.start(), start + match.end(), "”。")
            break


FINDERS: tuple[Callable[[str], Iterator[Repair]], ...] = (
    site_shell,
    block_markers,
    spaced_numbers,
    misread_quotes,
)
