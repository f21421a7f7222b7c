"""Citations: from a span of a source's clean text to a verified quote of its original.

The one place that makes `Citation`s, so the promise `quote ==
original[start:end]` has one keeper. Knows sources and chunks, not questions.
"""

from __future__ import annotations

from dataclasses import replace

from rag.authority import of_sentence
from rag.structure import Locator
from rag.types import Citation, Section, Source


def cite(source: Source, start: int, end: int, *, marker: int = 0, score: float = 0.0) -> Citation:
    """Cite clean[start:end] of a source.

    The quote is the slice of the original text that the span was read from;
    it holds whatever faults the original has there.
    """
    original_start, original_end = source.to_original(start, end)
    section = section_at(source, start)
    return Citation(
        marker=marker,
        source_id=source.id,
        title=source.title,
        locator=_locator(source, section, start, end) if section else "",
        section_path=section.path if section else (),
        quote=source.original[original_start:original_end],
        start=original_start,
        end=original_end,
        authority=of_sentence(source.metadata.authority, source.clean[start:end]),
        score=round(score, 4),
        status=source.metadata.status,
    )


def _locator(source: Source, section: Section, start: int, end: int) -> str:
    """The place of a span: 第二条第一款, or 第二条 where it runs over more than one 款."""
    locator = Locator(source.clean, section)
    first, last = (locator.at(place) for place in (start, max(start, end - 1)))
    return first if first == last else section.locator


def section_at(source: Source, position: int) -> Section | None:
    """The innermost section that holds a clean offset, if any does."""
    holding = [s for s in source.sections if s.start <= position < s.end]
    return min(holding, key=lambda s: s.end - s.start, default=None)


class Citations:
    """Numbers citations in order of first use; the same quote keeps one number."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, int, int], Citation] = {}

    def add(self, source: Source, start: int, end: int, *, score: float = 0.0) -> int:
        """Return the marker, from 1, of the citation of clean[start:end]."""
        citation = cite(source, start, end, score=score)
        place = (citation.source_id, citation.start, citation.end)
        if place not in self._by_place:
            self._by_place[place] = replace(citation, marker=len(self._by_place) + 1)
        return self._by_place[place].marker

    def listed(self) -> tuple[Citation, ...]:
        """All citations so far, by marker."""
        return tuple(self._by_place.values())
