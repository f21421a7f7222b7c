"""Lexical search: characters and bigrams of a folded copy of the text, BM25.

Characters with bigrams beat segmented words on Chinese policy text and need
no dictionary. Folding happens on copies only; offsets are never taken here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag.postings import CHINESE, Postings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.matching import Places
    from rag.types import Matrix

K1, B = 0.6, 0.5  # chosen on training passages; the usual 1.5/.75 suits longer documents
REMEMBERED = 20_000  # tokens of questions whose places in the vocabulary are kept at hand
_WORD = re.compile(f"[a-z0-9]+|[{CHINESE}]+")


def fold(text: str) -> str:
    """Return the copy for search: half-width, lower case, compatibility forms resolved."""
    return unicodedata.normalize("NFKC", text).lower()


def tokenize(text: str) -> list[str]:
    """Split into Chinese characters, their bigrams, and Latin or digit words.

    >>> tokenize("党组织A4")
    ['党', '组', '织', '党组', '组织', 'a4']
    """
    tokens: list[str] = []
    for word in _WORD.findall(fold(text)):
        if word[0].isascii():
            tokens.append(word)
        else:
            tokens += word
            tokens += [word[i : i + 2] for i in range(len(word) - 1)]
    return tokens


class LexicalIndex:
    """BM25 over texts known by their position: those of the first part, then those of the next.

    Scores are made when they are asked for, from counts: so texts can be added as a part of their own, or
    hidden, and the scores are the same as if the index had been built over the texts that are left.
    """

    def __init__(self, parts: Sequence[Postings]) -> None:
        self._parts = list(parts)
        self._first = np.cumsum([0, *(len(part.lengths) for part in parts)])
        self._lengths = np.concatenate([np.zeros(0, dtype=np.int64), *(part.lengths for part in parts)])
        self.size = len(self._lengths)
        self.hide(())

    @classmethod
    def build(cls, texts: Iterable[str]) -> LexicalIndex:
        """Index texts in order."""
        return cls([Postings.of(map(fold, texts))])

    def hide(self, positions: Sequence[int] | NDArray[np.int64]) -> None:
        """Never find the texts at these positions again, and count without them: they are gone."""
        self._shown = np.ones(self.size, dtype=bool)
        self._shown[np.asarray(positions, dtype=np.int64)] = False
        self._texts = int(self._shown.sum())
        mean = self._lengths[self._shown].mean() if self._texts else 1.0
        # Of the formula in `postings`: what a text's length does to its score.
        self._norms: NDArray[np.float64] = K1 * ((1 - B) + B * self._lengths / max(mean, 1e-9))
        self._frequencies = [
            _frequencies(part, shown)
            for part, shown in zip(self._parts, np.split(self._shown, self._first[1:-1]), strict=True)
        ]
        self._numbers: dict[str, tuple[int, ...]] = {}
        self._idfs: dict[str, float] = {}

    def without(self, positions: Sequence[int] | NDArray[np.int64]) -> LexicalIndex:
        """Return an index over the same counts in which the texts at these positions are hidden, too."""
        other = LexicalIndex(self._parts)
        other.hide(np.union1d(np.flatnonzero(~self._shown), positions).astype(np.int64))
        return other

    def scores(self, question: str) -> Matrix:
        """Return BM25 scores (size,) of all texts for a question."""
        scores: Matrix = np.zeros(self.size, dtype=np.float32)
        for token in sorted(set(tokenize(question))):
            places, values = self.postings(token)
            scores[places] += values
        return scores

    def postings(self, token: str) -> tuple[Places, Matrix]:
        """Return the positions of the texts that hold a token, rising, and its BM25 score in each.

        idf * f / (f + k1 * (1 - b + b * length / mean length)), idf as below: Lucene's form (Kamphuis et
        al. 2020), as the package bm25s computes it, to the bit.
        """
        places, counts = self._places(token)
        if not len(places):
            return places, np.zeros(0, dtype=np.float32)
        n = self._count(token)
        idf = np.float32(math.log(1 + (self._texts - n + 0.5) / (n + 0.5)))
        values = self._norms[places]
        values += counts
        np.divide(counts, values, out=values)
        values *= idf
        return places, values.astype(np.float32)

    def _places(self, token: str) -> tuple[Places, NDArray[np.uint16]]:
        """Return the positions of the texts shown that hold a token, rising, and how often each does."""
        found = []
        for part, number, first in zip(self._parts, self._number(token), self._first, strict=False):
            if number >= 0:
                span = slice(part.starts[number], part.starts[number + 1])
                found.append((part.places[span] + first, part.counts[span]))
        if not found:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint16)
        places, counts = found[0] if len(found) == 1 else map(np.concatenate, zip(*found, strict=True))
        if self._texts < self.size:
            shown = self._shown[places]
            places, counts = places[shown], counts[shown]
        return places, counts

    def _number(self, token: str) -> tuple[int, ...]:
        numbers = self._numbers.get(token)
        if numbers is None:
            if len(self._numbers) > REMEMBERED:
                self._numbers, self._idfs = {}, {}
            numbers = self._numbers[token] = tuple(part.number(token) for part in self._parts)
        return numbers

    def _count(self, token: str) -> int:
        numbers = zip(self._frequencies, self._number(token), strict=True)
        return sum(int(frequencies[number]) for frequencies, number in numbers if number >= 0)

    def known(self, token: str) -> bool:
        """Tell whether any text holds a token."""
        return self._count(token) > 0

    def idf(self, token: str) -> float:
        """Return Robertson's idf, kept positive: ln(1 + (N - n + .5)/(n + .5)), n texts with it."""
        found = self._idfs.get(token)
        if found is None:
            n = self._count(token)
            found = float(np.log1p((self._texts - n + 0.5) / (n + 0.5)))
            self._idfs[token] = found
        return found


def _frequencies(part: Postings, shown: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return in how many of the texts shown each token of a part stands."""
    frequencies = np.diff(part.starts)
    if not shown.all():
        hidden = np.flatnonzero(~shown[part.places])
        tokens = np.searchsorted(part.starts, hidden, side="right") - 1
        frequencies = frequencies - np.bincount(tokens, minlength=len(frequencies))
    return frequencies


@lru_cache(maxsize=4096)
def token_set(text: str) -> frozenset[str]:
    """Return the distinct tokens of a text."""
    return frozenset(tokenize(text))


def top(scores: Matrix, k: int) -> Sequence[int]:
    """Return the positions of the k best positive scores, best first."""
    k = min(k, len(scores))
    if k == 0:
        return []
    best = np.argpartition(-scores, k - 1)[:k]
    ordered = best[np.argsort(-scores[best], kind="stable")]
    return [int(i) for i in ordered if scores[i] > 0]
