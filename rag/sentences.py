"""Where sentences, clauses and enumerated items begin and end in Chinese text.

Works on offsets only: every function returns spans of the text it was given
that together cover it but for white space. Knows nothing of documents.
"""

from __future__ import annotations

import re

Span = tuple[int, int]

# A sentence ends at its mark together with the quotes and brackets that close after it,
# and with the source that is named in brackets right behind it.
_SOURCE_NOTE = r"(?:[（(](?:出处|来源|见)[^（）()\n]*(?:[（(][^（）()\n]*[）)][^（）()\n]*)*[）)])?"
_SENTENCE_END = re.compile(rf"[。！？!?…][。！？!?…]*[”’」』）)》\]】]*{_SOURCE_NOTE}|\n+")
_CLAUSE_END = re.compile(r"[；;][”’」』）)》\]】]*")
_ITEM_START = re.compile(
    r"[一二三四五六七八九十]{1,2}(?:是|要)(?!否)"
    r"|第[一二三四五六七八九十]{1,2}[，,]"
    r"|(?<![0-9.])[0-9]{1,2} ?[.．、,，](?![0-9])"
    r"|[（(][一二三四五六七八九十0-9]{1,2}[）)]"
    r"|[①-⑳]"
)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Split text[start:end] at sentence marks and line ends.

    >>> sentences("甲。乙！丙")
    [(0, 2), (2, 4), (4, 5)]
    """
    return _split(text, start, len(text) if end is None else end, _SENTENCE_END)


def clauses(text: str, start: int, end: int) -> list[Span]:
    """Split a sentence at its semicolons.

    >>> clauses("一是甲；二是乙。", 0, 8)
    [(0, 4), (4, 8)]
    """
    return _split(text, start, end, _CLAUSE_END)


def items(text: str, start: int, end: int) -> list[Span]:
    """Return the enumerated items (一是…；二是…, 1.…2.…) that text[start:end] holds.

    Each item runs from its number to the next one or to `end`; fewer than two
    numbers are no enumeration and give an empty list.
    """
    starts = [match.start() for match in _ITEM_START.finditer(text, start, end)]
    if len(starts) < 2:
        return []
    return [trim(text, a, b) for a, b in zip(starts, [*starts[1:], end], strict=True)]


def trim(text: str, start: int, end: int) -> Span:
    """Narrow a span to what is not white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _split(text: str, start: int, end: int, mark: re.Pattern[str]) -> list[Span]:
    spans = []
    position = start
    for match in mark.finditer(text, start, end):
        spans.append(trim(text, position, match.end()))
        position = match.end()
    spans.append(trim(text, position, end))
    return [span for span in spans if span[0] < span[1]]
