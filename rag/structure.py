"""The tree of sections of a document, and the locator of every place in it.

A locator is how a reader would say where a sentence stands: 篇一·三、 or
第五条第二款（三）. Knows headings and text; not files, not questions.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.headings import MAX_TITLE, Heading, chinese_number, find_headings
from rag.types import Block, Section

_CONTENTS_WORD = re.compile(r"目\s{0,4}录")
# Only lines that end in a number are looked into, and leaders are bounded: lines of spaces took 2 minutes.
_CONTENTS_LINE = re.compile(r"^(?=[^\n]*\d$)[^\n]{2,80}?(?:\t| {2,120}|[.…·]{2,120}) ?\d{1,4}$", re.MULTILINE)
MAX_NAME = 200  # code points of a title as every chunk under it carries it; a whole text may be declared one
_ENTRY_MAX = 120  # a table-of-contents entry is shorter than this
_OUTER = ("篇", "编", "章", "节", "")
_PART_RANK = 14  # of 节, next above 条
_ITEM_KINDS = ("一、", "（一）", "1.", "（1）")
# A line of a list within an article, 项 or 目; every other line is a 款.
ITEM_LINE = re.compile(
    r"\s*(?:[（(](?:[一二三四五六七八九十]{1,3}|[0-9]{1,2})[）)]|[0-9]{1,2}[.．、](?![0-9])|[①-⑳])"
)
# 项 and 目, at a line's start or after a mark: （二） of 依照第五条（二） is a reference.
_ITEM = re.compile(
    r"(?:^|(?<=[：:；;。，,]))[ \t\u3000]*[（(](?P<n>[一二三四五六七八九十]{1,3})[）)]", re.MULTILINE
)
_POINT = re.compile(r"^[ \t\u3000]*(?P<n>[0-9]{1,2})[.．、](?![0-9])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Structure:
    """A document's sections, outermost first in text order, and its own title."""

    title: str
    sections: tuple[Section, ...]


def structure(text: str, blocks: Sequence[Block] = ()) -> Structure:
    """Find the sections of a clean text.

    A table of contents becomes one section of kind "toc"; its entries are
    not sections. Every section but the tables of contents lies within its parent.
    """
    headings = find_headings(text, blocks)
    contents, headings = _contents(text, headings)
    sections = [*contents, *_nest(text, headings, blocks)]
    ordered = tuple(sorted(sections, key=lambda section: (section.start, -section.end)))
    return Structure(_title(text, headings, contents), ordered)


def _contents(text: str, headings: list[Heading]) -> tuple[list[Section], list[Heading]]:
    """Take the tables of contents out of the headings."""
    spans = [*_contents_lines(text), *_contents_run(text, headings)]
    sections = [Section(a, b, a, 1, "", "目录", ("目录",), "目录", "toc") for a, b in spans]
    kept = [h for h in headings if not any(a <= h.start < b for a, b in spans)]
    return sections, kept


def _contents_run(text: str, headings: Sequence[Heading]) -> list[tuple[int, int]]:
    """Find a glued table of contents: a run of short 篇 entries before 篇一 comes again."""
    articles = [heading for heading in headings if heading.kind == "篇"]
    restarts = [h for h in articles[1:] if h.number == 1]
    if not restarts:
        return []
    entries = [h for h in articles if h.start < restarts[0].start]
    ends = [h.start for h in entries[1:]] + [restarts[0].start]
    if any(end - h.start > _ENTRY_MAX for h, end in zip(entries, ends, strict=True)):
        return []
    word = list(_CONTENTS_WORD.finditer(text, 0, entries[0].start))
    return [(word[-1].start() if word else entries[0].start, restarts[0].start)]


def _contents_lines(text: str) -> list[tuple[int, int]]:
    """Find runs of three or more lines that end in leaders and a page number."""
    spans: list[list[int]] = []
    for match in _CONTENTS_LINE.finditer(text):
        if spans and match.start() <= spans[-1][1] + 2:
            spans[-1][1] = match.end()
            spans[-1][2] += 1
        else:
            spans.append([match.start(), match.end(), 1])
    return [(a, b) for a, b, count in spans if count >= 3]


def contents_entries(text: str, section: Section) -> dict[str, str]:
    """Read a glued table of contents as {篇一: title}.

    The page number glued to the end of each title is dropped.
    """
    entry = re.compile(r"(篇[一二三四五六七八九十]{1,3})、([^\n]{1,110}?)[.．]?\d{1,3}(?=篇|$)")
    listing = text[section.start : section.end]
    return {match[1]: match[2] for match in entry.finditer(listing)}


def _nest(text: str, headings: Sequence[Heading], blocks: Sequence[Block]) -> list[Section]:
    """Give each heading its end, its path and its locator."""
    sections: list[Section] = []
    trail: list[Heading] = []
    headings = _without_items(headings)
    for index, heading in enumerate(headings):
        trail = [outer for outer in trail if outer.rank < heading.rank]
        trail.append(heading)
        end = next((h.start for h in headings[index + 1 :] if h.rank <= heading.rank), len(text))
        path = tuple(_name(outer) for outer in trail if not _is_document_title(outer, headings, blocks))
        sections.append(
            Section(
                start=heading.start,
                end=end,
                body=min(heading.body, end),
                level=len(trail),
                label=heading.label,
                title=heading.title[:MAX_TITLE],
                path=path,
                locator=_locator([h for h in trail if not _is_document_title(h, headings, blocks)]),
            )
        )
    return sections


def _without_items(headings: Sequence[Heading]) -> list[Heading]:
    """Drop the numbered items of articles: they are 项, told by a `Locator`, and end where a 款 begins.

    一、 with a title of its own is a part above the articles, as judicial interpretations have it.
    """
    if not any(heading.kind == "条" for heading in headings):
        return list(headings)
    kept: list[Heading] = []
    in_article = False
    for heading in headings:
        if heading.kind == "一、" and heading.title and heading.rank > _PART_RANK:
            heading = replace(heading, rank=_PART_RANK)
        elif in_article and heading.kind in _ITEM_KINDS and heading.rank > _PART_RANK:
            continue
        kept.append(heading)
        in_article = heading.kind == "条"
    return kept


def _is_document_title(heading: Heading, headings: Sequence[Heading], blocks: Sequence[Block]) -> bool:
    """Tell the one outermost declared heading, which names the whole document."""
    if heading is not headings[0] or heading.label or heading.kind:
        return False
    return all(other.rank > heading.rank for other in headings[1:])


def _name(heading: Heading) -> str:
    return f"{heading.label}{heading.title}"[:MAX_NAME]


def _locator(trail: Sequence[Heading]) -> str:
    """Join labels; an article (第五条) stands alone, for its number runs through the document."""
    article = [heading for heading in trail if heading.kind == "条"]
    parts = trail[trail.index(article[-1]) :] if article else trail
    text = ""
    for heading in parts:
        label = heading.label.rstrip("、") if heading.kind == "篇" else heading.label
        text += (label or heading.title[:MAX_NAME]) + ("·" if heading.kind in _OUTER else "")
    return text.rstrip("·").replace("(", "（").replace(")", "）")


class Locator:
    """Names the places of one section: its locator, with 款, 项 and 目 within an article.

    A 款 is a paragraph of an article; its number is given only where the article has more than one, a 项's
    （一） and a 目's 1. only where the place lies in it. The section is read once, whatever is asked of it.
    """

    def __init__(self, text: str, section: Section) -> None:
        self._text, self._section = text, section
        self._article = bool(re.search("条(?:之.{1,3})?$", section.label))
        self._numbered: dict[tuple[re.Pattern[str], int], list[re.Match[str]]] = {}
        self._clauses: list[int] = []
        if self._article:
            lines = re.finditer(r"[^\n]*\S[^\n]*", text[section.body : section.end])
            self._clauses = [m.start() + section.body for m in lines if not ITEM_LINE.match(m[0])]

    def at(self, position: int) -> str:
        """Return the locator of a place in the section."""
        name = self._section.locator
        if not self._article:
            item = self._last(_ITEM, self._section.body, position) if name else None
            return name + (f"（{item['n']}）" if item else "")
        before = bisect_right(self._clauses, position)
        paragraph = f"第{_ordinal(before)}款" if len(self._clauses) > 1 and before else ""
        start = self._clauses[before - 1] if before else self._section.body
        item = self._last(_ITEM, start, position)
        point = self._last(_POINT, item.end(), position) if item else None
        return name + paragraph + (f"（{item['n']}）" if item else "") + (f"{point['n']}." if point else "")

    def _last(self, pattern: re.Pattern[str], start: int, position: int) -> re.Match[str] | None:
        """The last number at or before a position, of numbers that ascend from one after `start`."""
        key = pattern, start
        if key not in self._numbered:
            self._numbered[key] = _ascending(pattern.finditer(self._text, start, self._section.end))
        found = self._numbered[key]
        count = bisect_right(found, position, key=lambda match: match.start())
        return found[count - 1] if count else None


def _ascending(matches: Iterable[re.Match[str]]) -> list[re.Match[str]]:
    """Keep the numbers that ascend from one: 一, 二, 三."""
    kept: list[re.Match[str]] = []
    for match in matches:
        if chinese_number(match["n"]) == len(kept) + 1:
            kept.append(match)
    return kept


def _ordinal(number: int) -> str:
    digits = "零一二三四五六七八九"
    if number < 10:
        return digits[number]
    tens = "" if number < 20 else digits[number // 10]
    return f"{tens}十{digits[number % 10] if number % 10 else ''}"


def _title(text: str, headings: Sequence[Heading], contents: Sequence[Section]) -> str:
    """The outermost unnumbered heading, or the short text before everything else."""
    if headings and not headings[0].label and headings[0].title:
        return headings[0].title[:MAX_NAME]
    first = min([s.start for s in contents] + [h.start for h in headings] + [len(text)])
    opening = text[:first].strip().split("\n")[0].strip()
    return opening if 2 <= len(opening) <= MAX_TITLE and opening[-1] not in "。；，,;" else ""
