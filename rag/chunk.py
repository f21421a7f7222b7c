"""Sections to chunks within a token budget.

The chunks of a source follow each other without a gap: joined in order they
are its clean text exactly. A chunk never crosses a section's border, breaks
only between sentences (or, past the limit, between clauses), and keeps a
list together with the sentence that introduces it where it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from rag import sentences as split
from rag.structure import locate
from rag.types import Chunk, Section, Source

TARGET_TOKENS = 160  # about 240 characters: 120–300 find the answer equally often (measured)
MAX_TOKENS = 320  # a list may grow to this before it is cut


def chunk(source: Source, *, count: Callable[[list[str]], list[int]]) -> list[Chunk]:
    """Cut a source into chunks; `count` gives the tokens of each of a list of texts.

    Chunks of a table of contents have the section path ("目录",): they are
    kept so that the text can be rebuilt, and are not evidence.
    """
    borders = sorted({0, len(source.clean), *_section_borders(source.sections)})
    chunks: list[Chunk] = []
    for start, end in pairwise(borders):
        section = _innermost(source.sections, start)
        for a, b in _pack(source.clean, start, end, count):
            chunks.append(_make(source, section, a, b, len(chunks)))
    return chunks


def is_evidence(chunk: Chunk) -> bool:
    """Tell whether a chunk may be searched and cited: not a contents list, not blank."""
    return bool(chunk.text.strip()) and chunk.section_path != ("目录",)


def _section_borders(sections: Sequence[Section]) -> list[int]:
    return [border for section in sections for border in (section.start, section.end)]


def _innermost(sections: Sequence[Section], position: int) -> Section | None:
    """The deepest section at a position; sections are in order, outer before inner."""
    holding = [section for section in sections if section.start <= position < section.end]
    return holding[-1] if holding else None


def _pack(text: str, start: int, end: int, count: Callable[[list[str]], list[int]]) -> list[tuple[int, int]]:
    """Pack the pieces of text[start:end] greedily into spans that cover it whole."""
    cuts = [a for a, _ in _pieces(text, start, end, count)]
    cuts = [start, *cuts[1:], end] if cuts else [start, end]
    sizes = count([text[a:b] for a, b in pairwise(cuts)])
    spans: list[list[int]] = []
    filled = 0
    for (a, b), size in zip(pairwise(cuts), sizes, strict=True):
        limit = MAX_TOKENS if spans and _continues_list(text, spans[-1][1], a) else TARGET_TOKENS
        if spans and filled + size <= limit:
            spans[-1][1] = b
            filled += size
        else:
            spans.append([a, b])
            filled = size
    return [(a, b) for a, b in spans]


def _pieces(
    text: str, start: int, end: int, count: Callable[[list[str]], list[int]]
) -> list[tuple[int, int]]:
    """Sentences, and clauses of those sentences that are too long for a chunk."""
    pieces: list[tuple[int, int]] = []
    spans = split.sentences(text, start, end)
    for (a, b), size in zip(spans, count([text[a:b] for a, b in spans]), strict=True):
        pieces += split.clauses(text, a, b) if size > MAX_TOKENS else [(a, b)]
    return pieces


def _continues_list(text: str, end: int, start: int) -> bool:
    """Tell whether the piece at `start` belongs to a list that is open at `end`."""
    before = text[max(0, end - 2) : end].strip()
    return before[-1:] in (":", "：", "；", ";") or text[start : start + 1] in "|-*"


def _make(source: Source, section: Section | None, start: int, end: int, ordinal: int) -> Chunk:
    path = section.path if section else ()
    return Chunk(
        id=f"{source.id}-{ordinal:05d}",
        source_id=source.id,
        ordinal=ordinal,
        start=start,
        end=end,
        text=source.clean[start:end],
        heading=" ".join([source.title, *path]),
        locator=locate(source.clean, section, start) if section else "",
        section_path=path,
    )
