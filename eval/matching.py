"""When a citation's quote is a gold quote, and where a text says a given thing.

All comparisons are of folded texts, so that width of punctuation, line
breaks and case never decide. Knows strings only.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import lru_cache

MIN_SHARE = 0.5  # more than half of a gold quote: two different parts of it cannot both be the whole
SHIFTED_SHARE = 0.8  # ends cut elsewhere by a word or two; sentences made on one pattern share less
MIN_QUOTE = 6  # folded characters; a shorter fragment stands in too many sentences to show anything
# NFKC leaves these apart from their half-width forms or from the other quotation marks.
_SAME = str.maketrans({"。": ".", "、": ",", "“": '"', "”": '"', "「": '"', "」": '"', "『": '"', "』": '"',
    "‘": "'", "’": "'", "—": "-", "–": "-", "―": "-", "−": "-", "〜": "~", "〔": "[", "〕": "]",
    "【": "[", "】": "]", "〈": "<", "〉": ">", "《": "<", "》": ">"})  # fmt: skip
_MARKERS = re.compile(r"\[\d{1,3}\]")
_MARKDOWN = re.compile(r"[*`#>\\]|__")


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Fold width and form of punctuation and letters, drop white space and invisible characters.

    >>> fold("党组织 会议，（试行）。") == fold("党组织会议,(试行).")
    True
    """
    folded, _ = fold_with_map(text)
    return folded


def fold_with_map(text: str) -> tuple[str, list[int]]:
    """Fold a text; also return, for each folded character, the index it came from."""
    pieces: list[str] = []
    origins: list[int] = []
    for index, char in enumerate(text):
        piece = unicodedata.normalize("NFKC", char).translate(_SAME).casefold()
        kept = "".join(c for c in piece if not c.isspace() and unicodedata.category(c) != "Cf")
        pieces.append(kept)
        origins.extend([index] * len(kept))
    return "".join(pieces), origins


def plain(markdown: str) -> str:
    """Return an answer without its [1] markers and Markdown signs."""
    return _MARKDOWN.sub("", _MARKERS.sub("", markdown))


def quote_matches(gold: str, quote: str) -> bool:
    """Tell whether a citation's quote supports what a gold quote supports.

    The rule, on folded texts: the gold quote stands in the quote; or the
    quote stands in the gold quote, has at least MIN_QUOTE characters and is
    more than MIN_SHARE of it; or their ends differ, and one unbroken run of
    at least MIN_QUOTE characters and SHIFTED_SHARE of the gold quote stands
    in both. So 书记 inside a long gold sentence is no support, and of two
    disjoint parts of one gold quote at most one counts.
    """
    wanted, given = fold(gold), fold(quote)
    if not wanted or not given:
        return False
    if wanted in given:
        return True
    if given in wanted:
        return len(given) >= MIN_QUOTE and len(given) > MIN_SHARE * len(wanted)
    run = max(MIN_QUOTE, math.ceil(SHIFTED_SHARE * len(wanted)))
    return any(wanted[i : i + run] in given for i in range(len(wanted) - run + 1))


def states(text: str, point: str) -> bool:
    """Tell whether an answer says an answer point: it stands there, folded, markers left out."""
    wanted = fold(point)
    return bool(wanted) and wanted in fold(plain(text))


def find(text: str, needles: Iterable[str]) -> list[tuple[int, int]]:
    """Return where needles stand in a text after folding: merged spans, in order, for highlighting."""
    folded, origins = fold_with_map(text)
    spans = []
    for needle in map(fold, needles):
        at = folded.find(needle) if needle else -1
        while at >= 0:
            spans.append((origins[at], origins[at + len(needle) - 1] + 1))
            at = folded.find(needle, at + len(needle))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def shared(text: str, others: Iterable[str]) -> list[tuple[int, int]]:
    """Return where a text and each other text hold their longest common run, for highlighting.

    Runs below MIN_QUOTE folded characters show nothing and are left out.
    """
    folded = fold(text)
    runs = []
    for other in map(fold, others):
        run = SequenceMatcher(None, folded, other, autojunk=False).find_longest_match()
        if run.size >= min(MIN_QUOTE, len(other)):
            runs.append(folded[run.a : run.a + run.size])
    return find(text, runs)


def overlap(text: str, known: str) -> float:
    """Return the share, 0 to 1, of a text's folded character pairs that `known` holds.

    >>> overlap("书记召集会议", "会议由书记召集")
    0.8
    """
    said, there = _pairs(text), set(_pairs(known))
    return sum(pair in there for pair in said) / len(said) if said else 0.0


def _pairs(text: str) -> list[str]:
    letters = "".join(char for char in fold(text) if char.isalnum())
    return [letters[i : i + 2] for i in range(len(letters) - 1)] or [letters] * bool(letters)
