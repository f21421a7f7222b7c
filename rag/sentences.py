"""Where sentences, clauses and enumerated items begin and end in Chinese text.

Works on offsets only: every function returns spans of the text it was given
that together cover it but for white space. Knows nothing of documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.headings import chinese_number

Span = tuple[int, int]

# A sentence ends at its mark together with the quotes and brackets that close after it,
# and with the source that is named in brackets right behind it.
_SOURCE_NOTE = r"(?:[（(](?:出处|来源|见)[^（）()\n]*(?:[（(][^（）()\n]*[）)][^（）()\n]*)*[）)])?"
_SENTENCE_END = re.compile(rf"[。！？!?…][。！？!?…]*[”’」』）)》\]】]*{_SOURCE_NOTE}|\n+")
_OPENING, _CLOSING = "（(《“「【[", "）)》”」】]"
_NUMERAL = "[一二三四五六七八九十]{1,2}"
# Ways to number the items of a list; a list keeps to one of them.
_ITEM_STARTS = (
    re.compile(rf"(?P<n>{_NUMERAL})(?:是|要)(?!否)"),
    re.compile(rf"第(?P<n>{_NUMERAL})[，,]"),
    re.compile(r"(?<![0-9.])(?P<n>[0-9]{1,2}) ?[.．、,，](?![0-9])"),
    re.compile(rf"[（(](?P<n>{_NUMERAL}|[0-9]{{1,2}})[）)]"),
    re.compile("(?P<n>[①-⑳])"),
)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """Split text[start:end] at sentence marks and line ends.

    >>> sentences("甲。乙！丙")
    [(0, 2), (2, 4), (4, 5)]
    """
    end = len(text) if end is None else end
    spans: list[Span] = []
    position = start
    for match in _SENTENCE_END.finditer(text, start, end):
        spans.append(trim(text, position, match.end()))
        position = match.end()
    spans.append(trim(text, position, end))
    return [span for span in spans if span[0] < span[1]]


def clauses(text: str, start: int, end: int, marks: str = "；;") -> list[Span]:
    """Split a sentence at its semicolons, or at other marks, but never within brackets or quotes.

    >>> clauses("一是甲；二是乙（丙；丁）。", 0, 13)
    [(0, 4), (4, 13)]
    """
    spans: list[Span] = []
    position, depth = start, 0
    for i in range(start, end):
        depth = max(0, depth + (text[i] in _OPENING) - (text[i] in _CLOSING))
        if text[i] in marks and not depth:
            spans.append(trim(text, position, i + 1))
            position = i + 1
    spans.append(trim(text, position, end))
    return [span for span in spans if span[0] < span[1]]


def items(text: str, start: int, end: int) -> list[Span]:
    """Return the enumerated items (一是…；二是…, 1.…2.…) that text[start:end] holds.

    Each item runs from its number to the next one or to `end`. The numbers
    must ascend from one, and fewer than two are no list: a reference to
    第三部分（五）（六） is none.
    """
    runs = (_ascending(pattern.finditer(text, start, end)) for pattern in _ITEM_STARTS)
    starts = max(runs, key=len)
    if len(starts) < 2:
        return []
    return [trim(text, a, b) for a, b in zip(starts, [*starts[1:], end], strict=True)]


def _ascending(matches: Iterable[re.Match[str]]) -> list[int]:
    starts: list[int] = []
    for match in matches:
        if _value(match["n"]) == len(starts) + 1:
            starts.append(match.start())
    return starts


def _value(number: str) -> int:
    return ord(number) - ord("①") + 1 if "①" <= number <= "⑳" else chinese_number(number)


def trim(text: str, start: int, end: int) -> Span:
    """Narrow a span to what is not white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
