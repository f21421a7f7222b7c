"""Markdown tables in clean text: rows, fields, and the header that says what a field is of.

Works on offsets only. Knows nothing of documents or questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

Span = tuple[int, int]

_LINE = re.compile(r"^[ \t]*\|[^\n]*\|[ \t]*$", re.MULTILINE)
_FIELD = re.compile(r"\|\s{0,8}([^|\n]{0,400}?)\s{0,8}(?=\|)")
_RULE = re.compile(r"[|\s:-]+")


@dataclass(frozen=True, slots=True)
class Row:
    """A row, text[line], and its fields."""

    line: Span
    fields: tuple[Span, ...]


def tables(text: str) -> Iterator[list[Row]]:
    r"""Yield the tables of a text, each as its rows from the header on, without the rule.

    >>> [len(rows) for rows in tables("| a | b |\n|---|---|\n| 1 | 2 |\n")]
    [2]
    """
    table: list[Row] = []
    end = 0
    for match in _LINE.finditer(text):
        if table and text[end : match.start()] != "\n":
            yield table
            table = []
        end = match.end()
        if not _RULE.fullmatch(match[0]):
            fields = tuple(
                (match.start() + f.start(1), match.start() + f.end(1)) for f in _FIELD.finditer(match[0])
            )
            table.append(Row((match.start(), match.end()), fields))
    if table:
        yield table


def at(text: str, position: int) -> tuple[Row, Row] | None:
    """Return the header and the row at an offset, where that is a row below a header."""
    if not text.startswith("|", position):
        return None
    for rows in tables(text):
        for row in rows[1:]:
            if row.line[0] <= position < row.line[1]:
                return rows[0], row
    return None
