"""How often each token stands in each text, as arrays: counted in NumPy, saved, read back.

A token is a number: a Chinese character, a pair of them, or a Latin or digit
word by its place in a list. All texts are counted at once by sorting numbers
made of token and text, which is many times faster than a dictionary a text.
Knows folded texts and tokens; not weights, scores or questions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.matching import code_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANGES = ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))  # Chinese characters, both ends included
CHINESE = "".join(f"{chr(first)}-{chr(last)}" for first, last in RANGES)
_LATIN = re.compile(r"[a-z0-9]+")
_POINT, _TEXT = np.uint64(21), np.uint64(22)  # bits of a code point, and of the number of a text
_WORD = 0x1FFFFF  # stands as the first of a pair before the number of a Latin word; no code point is as high
_BLOCK = 1 << 22  # code points counted at once, which bounds the memory of the steps between
_ARRAYS = ("keys", "starts", "places", "counts", "lengths")


@dataclass(frozen=True, slots=True)
class Postings:
    """The tokens of some texts, which are known by their place.

    Token i (of `keys`, rising) stands in the texts places[starts[i]:starts[i + 1]], rising, as often as
    `counts` says there (65,535 at most). `lengths` (texts,) are their numbers of tokens; `words` the
    Latin words by number.
    """

    keys: NDArray[np.uint64]
    starts: NDArray[np.int64]
    places: NDArray[np.int32]
    counts: NDArray[np.uint16]
    lengths: NDArray[np.int64]
    words: Sequence[str]
    _numbers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, folded: Iterable[str]) -> Postings:
        """Count the tokens of folded texts, in order.

        Raises: ValueError for more than four million texts.
        """
        words: dict[str, int] = {}
        blocks, lengths, size = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)], 0
        for texts in _blocks(folded):
            found, owner = _tokens(texts, words)
            lengths.append(np.bincount(owner, minlength=len(texts)))
            blocks.append((found << _TEXT) | (owner + size).astype(np.uint64))
            size += len(texts)
        if size > 1 << int(_TEXT):
            raise ValueError(f"{size} texts are too many for one index")
        pairs = np.concatenate(blocks)
        del blocks
        pairs.sort()
        first = np.flatnonzero(_new(pairs))  # of each run of one token in one text
        counts = np.minimum(np.diff(first, append=len(pairs)), 0xFFFF).astype(np.uint16)
        pairs = pairs[first]
        tokens = pairs >> _TEXT
        starts = np.flatnonzero(_new(tokens))
        places = (pairs & np.uint64((1 << int(_TEXT)) - 1)).astype(np.int32)
        ends = np.append(starts, len(tokens)).astype(np.int64)
        return cls(tokens[starts], ends, places, counts, np.concatenate(lengths), list(words))

    def number(self, token: str) -> int:
        """Return the place of a token in `keys`, -1 where no text holds it."""
        key = self._key(token)
        if key is None or not len(self.keys):
            return -1
        place = int(np.searchsorted(self.keys, np.uint64(key)))
        return place if place < len(self.keys) and int(self.keys[place]) == key else -1

    def _key(self, token: str) -> int | None:
        if len(token) == 1 and not token.isascii():
            return ord(token)
        if len(token) == 2 and not token.isascii():
            return (ord(token[0]) << int(_POINT)) | ord(token[1])
        if len(self._numbers) != len(self.words):
            self._numbers.update({word: number for number, word in enumerate(self.words)})
        number = self._numbers.get(token)
        return None if number is None else (_WORD << int(_POINT)) | number

    def save(self, folder: Path) -> None:
        """Write the arrays into a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))
        (folder / "words.json").write_text(json.dumps(self.words), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Postings:
        """Read what `save` wrote; raise OSError or ValueError where it is damaged."""
        arrays = {name: np.load(folder / f"{name}.npy") for name in _ARRAYS}
        return cls(**arrays, words=json.loads((folder / "words.json").read_text(encoding="utf-8")))


def _blocks(texts: Iterable[str]) -> Iterable[list[str]]:
    """Yield the texts in lists of about _BLOCK code points."""
    block: list[str] = []
    size = 0
    for text in texts:
        block.append(text)
        size += len(text) + 1
        if size >= _BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _tokens(texts: Sequence[str], words: dict[str, int]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return all tokens of the texts as numbers, and the text each is of; `words` grows by new ones."""
    joined = "\n".join(texts) + "\n"
    points = code_points(joined)
    owner = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
    chinese = np.zeros(len(points), dtype=bool)
    for first, last in RANGES:
        chinese |= (points >= first) & (points <= last)
    single = np.flatnonzero(chinese)
    pair = np.flatnonzero(chinese[:-1] & chinese[1:])
    wide = points.astype(np.uint64)
    found = [(match.start(), words.setdefault(match[0], len(words))) for match in _LATIN.finditer(joined)]
    at, numbers = np.array(found, dtype=np.int64).reshape(-1, 2).T
    tokens = [
        wide[single],
        (wide[pair] << _POINT) | wide[pair + 1],
        (np.uint64(_WORD) << _POINT) | numbers.astype(np.uint64),
    ]
    return np.concatenate(tokens), np.concatenate([owner[single], owner[pair], owner[at]])


def _new(values: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Tell where a sorted array begins a new value."""
    return np.concatenate([np.ones(min(len(values), 1), dtype=bool), values[1:] != values[:-1]])
