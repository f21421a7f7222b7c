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


THINGS, SAYINGS = "groups", "sayings"  # the tables of synonyms.toml


@dataclass(frozen=True, slots=True)
class Found:
    """A listed word in a text, text[start:end] of its folded copy, and what it may be called.

    `thing` tells whether it is a known thing (支委会): a sentence that does not name it is of something
    else. A saying (点头) is only another way to put what the sentence may put in a third.
    """

    start: int
    end: int
    names: tuple[str, ...]
    thing: bool = True


@lru_cache(maxsize=2)
def _groups(table: str) -> dict[str, tuple[str, ...]]:
    """Map each word of a table to the words of all its groups, the document's own first."""
    names: dict[str, list[str]] = {}
    for group in tomllib.loads(_PATH.read_text(encoding="utf-8"))[table]:
        for word in group:
            names.setdefault(fold(word), []).extend(fold(other) for other in group)
    return {word: tuple(dict.fromkeys(others)) for word, others in names.items()}


@lru_cache(maxsize=2)
def _pattern(*tables: str) -> re.Pattern[str]:
    longest_first = sorted({word for table in tables for word in _groups(table)}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def find(folded: str) -> list[Found]:
    """Find known things in a folded text, the longest at each place, without overlap.

    >>> find("支委会谁开")[0].names[0]
    '支部委员会'
    """
    return [Found(m.start(), m.end(), _groups(THINGS)[m[0]]) for m in _pattern(THINGS).finditer(folded)]


def spoken(folded: str) -> list[Found]:
    """Find known things and sayings in a folded text; what is both is a thing.

    >>> [(found.names[0], found.thing) for found in spoken("支委会谁点头")]
    [('支部委员会', True), ('批准', False)]
    """
    things, sayings = _groups(THINGS), _groups(SAYINGS)
    return [
        Found(m.start(), m.end(), things.get(m[0]) or sayings[m[0]], m[0] in things)
        for m in _pattern(THINGS, SAYINGS).finditer(folded)
    ]


def expand(text: str) -> str:
    """Return a text with the documents' own words for what it names added at its end."""
    folded = fold(text)
    added = [found.names[0] for found in find(folded) if found.names[0] not in folded]
    return " ".join([text, *dict.fromkeys(added)])
