"""Puts extracted pieces together into one text with blocks.

The shared end of the formats that have structure of their own: each piece is
one block, pieces stand on lines of their own. Knows no format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rag.types import Block, BlockKind, Parsed

# Not for any text: lone surrogates cannot be written as UTF-8, NUL and its like are never meant.
_UNUSABLE = re.compile("[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ufffe\uffff]")


class Builder:
    """Collects blocks in reading order; `parsed()` gives the whole."""

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self._pieces: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0

    def add(self, text: str, kind: BlockKind = "paragraph", level: int = 0) -> None:
        """Add a block; blank ones are passed over, white space at the ends is dropped."""
        text = usable(text).strip()
        if not text:
            return
        self._blocks.append(Block(self._length, self._length + len(text), kind, level))
        self._pieces.append(text)
        self._length += len(text) + 1

    def add_table(self, rows: Iterable[Sequence[str]]) -> None:
        """Add a table as one block, a line a row, cells joined by bars."""
        self.add("\n".join(line for row in rows if (line := table_line(row))), "table")

    def remark(self, text: str) -> None:
        """Note something for the user, once."""
        if text not in self.remarks:
            self.remarks.append(text)

    def parsed(self, title: str = "") -> Parsed:
        """Return what was collected."""
        text = "\n".join(self._pieces)
        return Parsed(text, tuple(self._blocks), one_line(usable(title)), tuple(self.remarks))


def usable(text: str) -> str:
    """Drop characters that no text may hold: lone surrogates, NUL and control characters."""
    return _UNUSABLE.sub("", text)


def one_line(text: str) -> str:
    """Fold all white space runs to one blank."""
    return " ".join(text.split())


def table_line(cells: Sequence[str]) -> str:
    """Join a row's cells with bars; a row of blanks gives an empty string."""
    folded = [one_line(cell) for cell in cells]
    return " | ".join(folded).strip() if any(folded) else ""
