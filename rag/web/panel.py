"""The evidence page: a stretch of a document's original text with a quote highlighted.

The same page stands on its own in a browser tab and gives its <article> to
the panel beside the chat. Text shown is the original's, so the highlighted
text is the quote to the character; what the repairs removed or replaced is
shown faint. Knows sources, not questions.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise
from urllib.parse import quote, urlencode

from rag.cite import section_at
from rag.types import Metadata, Repair, Section, Source
from rag.web.markup import badges, book, escape, shown_locator

AROUND = 3000  # code points shown on each side of a quote
SNAP = 200  # a window's border moves so far to a line's
_HASHES = re.compile(r"^#{1,6} ", re.MULTILINE)  # Markdown's mark of a heading: there, and not shown
_HIDDEN = r'<span class="lx-unshown">\g<0></span>'


def evidence_page(source: Source, start: int, end: int, *, whole: bool = False) -> str:
    """Return the page that shows original[start:end] highlighted in its document."""
    title = escape(book(source.title))
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="../lingxue/lingxue.css"></head>'
        f'<body class="lx-page">{evidence_html(source, start, end, whole=whole)}</body></html>'
    )


def evidence_html(source: Source, start: int, end: int, *, whole: bool = False) -> str:
    """Return the <article> of the evidence; offsets are into the original and are clamped to it."""
    length = len(source.original)
    start = min(max(start, 0), length)
    end = min(max(end, start), length)
    first, last = (0, length) if whole else window(source.original, start, end)
    section = section_at(source, to_clean(source, start))
    return (
        f'<article id="evidence">{_head(source, section)}'
        f"{_note(source, first, last)}"
        f'<div class="lx-document">{_more(source, start, end, first > 0)}'
        f"{text_html(source, first, last, start, end)}"
        f"{_more(source, start, end, last < length)}</div></article>"
    )


def window(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a stretch around text[start:end], cut at line ends where one is near."""
    first, last = max(0, start - AROUND), min(len(text), end + AROUND)
    if first:
        at = text.find("\n", first, min(first + SNAP, start))
        first = at + 1 if at >= 0 else first
    if last < len(text):
        at = text.rfind("\n", max(last - SNAP, end), last)
        last = at if at >= 0 else last
    return first, last


def to_clean(source: Source, position: int) -> int:
    """Return the clean offset of an original one; a removed place leads to what follows it."""
    index = bisect_right(source.runs, position, key=lambda run: run.original) - 1
    if index < 0:
        return 0
    run = source.runs[index]
    return run.clean + min(position - run.original, run.length)


def text_html(source: Source, first: int, last: int, start: int, end: int) -> str:
    """Render original[first:last] with [start:end] highlighted and repaired pieces faint."""
    shown = _Shown(source)
    before, quoted, after = (shown.between(*span) for span in ((first, start), (start, end), (end, last)))
    return f'<div class="lx-words">{before}<mark id="quote" tabindex="-1">{quoted}</mark>{after}</div>'


class _Shown:
    """The original text of a source as HTML: headings strong, repaired pieces faint."""

    def __init__(self, source: Source) -> None:
        self._text = source.original
        self._repairs = source.repairs  # in order, none overlapping
        headings = (source.to_original(s.start, s.body) for s in source.sections if s.start < s.body)
        self._headings = sorted(set(headings))

    def between(self, left: int, right: int) -> str:
        """Render text[left:right]."""
        edges = {edge for span in self._headings for edge in span}
        edges.update(edge for repair in self._repairs for edge in (repair.start, repair.end))
        cuts = [left, *sorted(edge for edge in edges if left < edge < right), right]
        return "".join(self._piece(*span) for span in pairwise(cuts))

    def _piece(self, start: int, end: int) -> str:
        """Render a stretch that lies wholly in or out of every heading and repair."""
        piece = escape(self._text[start:end])
        at = bisect_right(self._repairs, start, key=lambda repair: repair.start) - 1
        if at >= 0 and start < self._repairs[at].end:
            piece = _repaired(self._repairs[at], piece)
        at = bisect_right(self._headings, start, key=lambda span: span[0]) - 1
        if at < 0 or start >= self._headings[at][1]:
            return piece
        return f"<b>{_HASHES.sub(_HIDDEN, piece)}</b>"


def _repaired(repair: Repair, piece: str) -> str:
    hint = f"整理时改作“{repair.after}”" if repair.after else "整理时去掉"
    return f'<span class="removed" title="{escape(hint)}">{piece}</span>'


def _head(source: Source, section: Section | None) -> str:
    meta = source.metadata
    where = " › ".join(section.path) if section and section.path else ""
    locator = shown_locator(section.locator) if section else ""
    parts = [
        f'<h2 id="evidence-title">{escape(book(source.title))}</h2>',
        f'<p class="lx-where">{badges(meta.authority, meta.status)} '
        f'<span class="lx-locator" title="{escape(where)}">{escape(locator)}</span></p>',
    ]
    if meta.status == "废止":
        parts.append('<p class="lx-flag">这份文件已经废止，请勿作为现行依据。</p>')
    return f"<header>{''.join(parts)}</header>{_facts(meta)}"


def _facts(meta: Metadata) -> str:
    facts = [fact for fact in (meta.issuer, meta.doc_number, meta.issued_on) if fact]
    lines = [" · ".join(facts)] if facts else []
    if meta.basis:
        lines.append(f"整理依据：{'、'.join(book(basis) for basis in meta.basis)}")
    return "".join(f'<p class="lx-facts">{escape(line)}</p>' for line in lines)


def _note(source: Source, first: int, last: int) -> str:
    if not any(repair.start < last and repair.end > first for repair in source.repairs):
        return ""
    return '<p class="lx-facts">浅色划线的字是原文里的多余或错误字符，整理时去掉或改正了。</p>'


def _more(source: Source, start: int, end: int, hidden: bool) -> str:
    if not hidden:
        return ""
    query = escape(urlencode({"start": start, "end": end, "whole": 1}))
    return f'<a class="lx-more" href="{quote(source.id, safe="")}?{query}">显示全文</a>'
