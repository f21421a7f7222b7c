"""Lexical search: characters and bigrams of a folded copy of the text, BM25.

Characters with bigrams beat segmented words on Chinese policy text and need
no dictionary. Folding happens on copies only; offsets are never taken here.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Matrix

K1, B = 0.6, 0.5  # chosen on training passages; the usual 1.5/.75 suits longer documents
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")


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
    """BM25 over texts known by their position in the list they were built from."""

    def __init__(self, bm25: Any, frequencies: Matrix, size: int) -> None:
        self._bm25 = bm25
        self._vocabulary: dict[str, int] = bm25.vocab_dict if len(frequencies) else {}
        self._frequencies = frequencies
        self._hidden: list[int] = []
        self.size = size

    def hide(self, positions: Sequence[int]) -> None:
        """Never find the texts at these positions again: they are gone or have changed."""
        self._hidden = list(positions)

    @classmethod
    def build(cls, texts: Iterable[str]) -> LexicalIndex:
        """Index texts in order."""
        import bm25s

        vocabulary: dict[str, int] = {}
        rows = [[vocabulary.setdefault(t, len(vocabulary)) for t in tokenize(text)] for text in texts]
        frequencies = np.zeros(len(vocabulary), dtype=np.float32)
        for row in rows:
            frequencies[np.unique(np.array(row, dtype=np.int64))] += 1
        bm25 = bm25s.BM25(k1=K1, b=B)
        if vocabulary:
            bm25.index((rows, vocabulary), create_empty_token=False, show_progress=False)
        return cls(bm25, frequencies, len(rows))

    def save(self, folder: Path) -> None:
        """Write the index into a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "frequencies.npy", self._frequencies)
        (folder / "size.json").write_text(json.dumps(self.size), encoding="utf-8")
        if len(self._frequencies):
            self._bm25.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Read an index that `save` wrote; raise OSError or ValueError where it is damaged."""
        import bm25s

        size = json.loads((folder / "size.json").read_text(encoding="utf-8"))
        frequencies = np.load(folder / "frequencies.npy")
        bm25 = bm25s.BM25.load(str(folder)) if len(frequencies) else None
        return cls(bm25, frequencies, size)

    def scores(self, question: str) -> Matrix:
        """Return BM25 scores (size,) of all texts for a question."""
        tokens = {self._vocabulary[t] for t in tokenize(question) if t in self._vocabulary}
        if not tokens or not self.size:
            return np.zeros(self.size, dtype=np.float32)
        scores: Matrix = self._bm25.get_scores_from_ids(sorted(tokens))
        scores[self._hidden] = 0
        return scores

    def postings(self, token: str) -> tuple[NDArray[np.int32], Matrix]:
        """Return the positions of the texts that hold a token, rising, and its BM25 score in each."""
        number = self._vocabulary.get(token)
        if number is None:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        start, end = self._bm25.scores["indptr"][number : number + 2]
        places, scores = self._bm25.scores["indices"][start:end], self._bm25.scores["data"][start:end]
        if self._hidden:
            seen = ~np.isin(places, self._hidden)
            places, scores = places[seen], scores[seen]
        return places, scores

    def known(self, token: str) -> bool:
        """Tell whether any text holds a token."""
        return token in self._vocabulary

    def idf(self, token: str) -> float:
        """Return Robertson's idf, kept positive: ln(1 + (N - n + .5)/(n + .5)), n texts with it."""
        position = self._vocabulary.get(token)
        n = float(self._frequencies[position]) if position is not None else 0.0
        return float(np.log1p((self.size - n + 0.5) / (n + 0.5)))


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
