"""Sections to chunks within a token budget.

The chunks of a source follow each other without a gap: joined in order they
are its clean text exactly. A chunk never crosses a section's border, breaks
only between sentences (past the limit between clauses, then anywhere), and
keeps a list with the sentence that introduces it, and a table, where it fits.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag import sentences as split
from rag.structure import Locator
from rag.types import Chunk, Section, Source

TARGET_TOKENS = 160  # about 240 characters: 120–300 find the answer equally often (measured)
MAX_TOKENS = 320  # a list may grow to this before it is cut, and no chunk is larger
_SURELY_LONG = 64 * MAX_TOKENS  # code points; past the limit whatever it says, and slow to count
_MAX_CAPTION = 60  # code points; a longer line before a table is text of its own
_MAX_ROW = 2000  # code points; a longer line is no row of a table, and is not looked through again and again
_ROW = re.compile(r"[^\n]*(?:\S \| |^\|)", re.MULTILINE)
_RUN = re.compile(r"(?:^(?:\|[^\n]*|[^\n]*\S \| [^\n]*)(?:\n|\Z))+", re.MULTILINE)
_ITEM = re.compile(
    r"[ \t\u3000]*(?:[-*•·] |[（(](?:[一二三四五六七八九十]{1,3}|[0-9]{1,2})[）)]|[0-9]{1,2}[.．、](?![0-9])"
    r"|[①-⑳]|[一二三四五六七八九十]{1,2}[是要](?!否))"
)
Span = tuple[int, int]
Count = Callable[[list[str]], list[int]]


@dataclass(frozen=True, slots=True)
class _Table:
    start: int
    end: int
    caption: str
    header: str


def chunk(source: Source, *, count: Count) -> list[Chunk]:
    """Cut a source into chunks; `count` gives the tokens of each of a list of texts.

    Chunks of a table of contents have the section path ("目录",): they are
    kept so that the text can be rebuilt, and are not evidence.
    """
    borders = sorted({0, len(source.clean), *_section_borders(source.sections)})
    tables = _tables(source.clean)
    chunks: list[Chunk] = []
    for start, end in pairwise(borders):
        section = _innermost(source.sections, start)
        locator = Locator(source.clean, section) if section else None
        for a, b in _pack(source.clean, start, end, count):
            place = locator.at(a) if locator else ""
            chunks.append(_make(source, section, (a, b), len(chunks), place, _table_head(tables, a)))
    return chunks


def is_evidence(chunk: Chunk) -> bool:
    """Tell whether a chunk may be searched and cited: not a contents list, not blank."""
    return bool(chunk.text.strip()) and chunk.section_path != ("目录",)


def _section_borders(sections: Sequence[Section]) -> list[int]:
    return [border for section in sections for border in (section.start, section.end)]


def _innermost(sections: Sequence[Section], position: int) -> Section | None:
    """The deepest section at a position; sections are in order, outer before inner."""
    begun = bisect_right(sections, position, key=lambda section: section.start)
    return next((section for section in reversed(sections[:begun]) if position < section.end), None)


def _pack(text: str, start: int, end: int, count: Count) -> list[Span]:
    """Pack the pieces of text[start:end] into spans that cover it whole.

    A list with its opening sentence, or a table, is one unit: it goes into
    the next span whole rather than being cut where a span is full.
    """
    cuts = [a for a, _ in _pieces(text, start, end, count)]
    cuts = [start, *cuts[1:], end] if cuts else [start, end]
    pieces = list(pairwise(cuts))
    spans: list[Span] = []
    filled = 0
    for a, b, size in _units(text, pieces, count([text[a:b] for a, b in pieces])):
        if spans and filled + size <= TARGET_TOKENS:
            spans[-1] = (spans[-1][0], b)
            filled += size
        else:
            spans.append((a, b))
            filled = size
    return spans


def _units(text: str, pieces: Sequence[Span], sizes: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Join pieces of one list or table up to MAX_TOKENS; yield start, end, tokens."""
    start, end, filled = *pieces[0], sizes[0]
    for (a, b), size in zip(pieces[1:], sizes[1:], strict=True):
        if filled + size <= MAX_TOKENS and _continues_list(text, end, a):
            end, filled = b, filled + size
        else:
            yield start, end, filled
            start, end, filled = a, b, size
    yield start, end, filled


def _pieces(text: str, start: int, end: int, count: Count) -> list[Span]:
    """Sentences; of those too long for a chunk their clauses, and of those still too long halves."""
    pieces = split.sentences(text, start, end)
    pieces = _cut_long(text, pieces, count, lambda a, b: split.clauses(text, a, b))
    pieces = _cut_long(text, pieces, count, lambda a, b: split.clauses(text, a, b, "，,；;、"))
    before = 0
    while len(pieces) > before:
        before = len(pieces)
        pieces = _cut_long(text, pieces, count, lambda a, b: [(a, (a + b) // 2), ((a + b) // 2, b)])
    return pieces


def _cut_long(
    text: str, pieces: list[Span], count: Count, cut: Callable[[int, int], list[Span]]
) -> list[Span]:
    """Cut the pieces that are past MAX_TOKENS; those that cannot be, at a byte a token, are not counted."""
    parts: list[Span] = []
    for a, b in pieces:
        size = b - a
        long = 4 * size > MAX_TOKENS and len(text[a:b].encode("utf-8", "surrogatepass")) > MAX_TOKENS
        cuts = long and (size > _SURELY_LONG or count([text[a:b]])[0] > MAX_TOKENS)
        parts += cut(a, b) if cuts else [(a, b)]
    return parts


def _continues_list(text: str, end: int, start: int) -> bool:
    """Tell whether the piece at `start` belongs to a list or table that is open at `end`."""
    before = text[max(0, end - 2) : end].strip()
    return before[-1:] in (":", "：", "；", ";") or bool(_ITEM.match(text, start)) or _is_row(text, start)


def _is_row(text: str, start: int) -> bool:
    line = text.rfind("\n", max(0, start - _MAX_ROW), start) + 1
    return bool(line or start < _MAX_ROW) and bool(_ROW.match(text, line, line + _MAX_ROW))


def _tables(text: str) -> list[_Table]:
    """Find the tables of a text: runs of lines with cells, the first of them the header row."""
    tables = []
    for run in _RUN.finditer(text):
        above = (
            text[max(0, run.start() - 3 * _MAX_CAPTION) : run.start()].rstrip("\n").rpartition("\n")[2]
            if run.start()
            else ""
        )
        caption = above.strip() if len(above) <= _MAX_CAPTION else ""
        header = run[0].partition("\n")[0]
        header = header if len(header) <= _MAX_ROW else ""  # it is indexed with every chunk of the table
        tables.append(_Table(run.start(), run.end(), caption, header))
    return tables


def _table_head(tables: Sequence[_Table], start: int) -> str:
    """Return the title and header row of the table that a chunk at `start` continues, "" where it is none.

    Both are indexed with the chunk, so that its cells can be found by what their columns are called.
    """
    index = bisect_right(tables, start, key=lambda table: table.start) - 1
    if index < 0 or start >= tables[index].end:
        return ""
    table = tables[index]
    head = table.caption if start == table.start else f"{table.caption} {table.header}"
    return " ".join(head.replace("|", " ").split())


def _make(source: Source, section: Section | None, span: Span, ordinal: int, place: str, head: str) -> Chunk:
    path = section.path if section else ()
    return Chunk(
        id=f"{source.id}-{ordinal:05d}",
        source_id=source.id,
        ordinal=ordinal,
        start=span[0],
        end=span[1],
        text=source.clean[slice(*span)],
        heading=" ".join(filter(None, [source.title, *path, head])),
        locator=place,
        section_path=path,
    )
