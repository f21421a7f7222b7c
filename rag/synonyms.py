"""Words that people use and documents do not, from synonyms.toml.

Only finds and lists them; what they are worth is for retrieval to decide.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rag.lexical import fold

_PATH = Path(__file__).with_name("synonyms.toml")


@dataclass(frozen=True, slots=True)
class Found:
    """A listed word in a text, text[start:end] of its folded copy, and what it may be called."""

    start: int
    end: int
    names: tuple[str, ...]


@lru_cache(maxsize=1)
def _groups() -> dict[str, tuple[str, ...]]:
    """Map each word to the words of all its groups, the document's own first."""
    names: dict[str, list[str]] = {}
    for group in tomllib.loads(_PATH.read_text(encoding="utf-8"))["groups"]:
        for word in group:
            names.setdefault(fold(word), []).extend(fold(other) for other in group)
    return {word: tuple(dict.fromkeys(others)) for word, others in names.items()}


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_groups(), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def find(folded: str) -> list[Found]:
    """Find listed words in a folded text, the longest at each place, without overlap.

    >>> find("支委会谁开")[0].names[0]
    '支部委员会'
    """
    return [Found(m.start(), m.end(), _groups()[m[0]]) for m in _pattern().finditer(folded)]


def expand(text: str) -> str:
    """Return a text with the documents' own words for what it names added at its end."""
    folded = fold(text)
    added = [found.names[0] for found in find(folded) if found.names[0] not in folded]
    return " ".join([text, *dict.fromkeys(added)])
