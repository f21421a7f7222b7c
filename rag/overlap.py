"""The runs of letters that two texts have in common, whatever their punctuation and spacing.

Set terms, which everybody writes the same way, do not count towards a run's
length. Knows texts only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.lexical import fold

# A run of 2k-1 letters holds a whole k-gram that begins at a multiple of k: every k-th place is enough.
GRAM = 10
_LETTER = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Letters:
    """A text's letters and digits, folded, and the place of each in the text."""

    text: str
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """text[start:end] stands in the other text too; `length` letters of it are no set terms."""

    start: int
    end: int
    length: int


@lru_cache(maxsize=256)
def letters(text: str) -> Letters:
    """Return a text without white space and punctuation, width and case folded.

    >>> letters("甲，乙").text
    '甲乙'
    """
    kept = [(fold(char), place) for place, char in enumerate(text) if _LETTER.match(char)]
    kept = [(char, place) for char, place in kept if len(char) == 1]
    return Letters("".join(char for char, _ in kept), tuple(place for _, place in kept))


def runs(text: str, other: str, *, least: int, set_terms: Sequence[str] = ()) -> list[Run]:
    """Return the longest common runs of at least `least` (>= 2 * GRAM - 1) letters; none overlap."""
    ours, theirs = letters(text), letters(other)
    known: dict[str, list[int]] = {}
    for i in range(len(ours.text) - GRAM + 1):
        known.setdefault(ours.text[i : i + GRAM], []).append(i)
    found: set[tuple[int, int]] = set()
    for j in range(0, len(theirs.text) - GRAM + 1, GRAM):
        for i in known.get(theirs.text[j : j + GRAM], ()):
            found.add(_extend(ours.text, theirs.text, i, j))
    terms = _spans(ours.text, set_terms)
    kept: list[Run] = []
    for first, last in sorted(found, key=lambda span: (span[0], -span[1])):
        length = (last - first) - sum(max(0, min(b, last) - max(a, first)) for a, b in terms)
        run = Run(ours.places[first], ours.places[last - 1] + 1, length)
        if length >= least and not (kept and run.start < kept[-1].end):
            kept.append(run)
    return kept


def _extend(ours: str, theirs: str, i: int, j: int) -> tuple[int, int]:
    """The widest equal stretch around ours[i] and theirs[j], as a span of ours."""
    first, last = i, i + GRAM
    while first > 0 and j - (i - first) > 0 and ours[first - 1] == theirs[j - (i - first) - 1]:
        first -= 1
    while last < len(ours) and j + (last - i) < len(theirs) and ours[last] == theirs[j + (last - i)]:
        last += 1
    return first, last


def _spans(text: str, terms: Sequence[str]) -> list[tuple[int, int]]:
    """Where set terms stand; longer ones first, none overlapping."""
    taken: list[tuple[int, int]] = []
    for term in sorted({letters(term).text for term in terms}, key=len, reverse=True):
        at = text.find(term)
        while at >= 0:
            if not any(a < at + len(term) and at < b for a, b in taken):
                taken.append((at, at + len(term)))
            at = text.find(term, at + 1)
    return taken
