"""Files that say nearly the same: a MinHash of each text, compared with every other.

128 numbers a text, so thousands of texts are compared in milliseconds; an LSH index would save nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rag.lexical import fold
from rag.matching import code_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 128
SHINGLE = 5  # code points; shorter ones make all policy texts look alike
THRESHOLD = 0.8  # estimated Jaccard similarity of shingles
SIZE = 4 * BINS  # bytes of a signature; one of another length is of another kind
_EMPTY = np.uint32(0xFFFFFFFF)


def signature(text: str) -> bytes:
    """Return the MinHash of a text's shingles, white space and width folded away.

    One permutation hashing (Li, Owen, Zhang 2012): each shingle is hashed once, the lowest hash of each
    of the bins is kept; an empty bin takes the next one's, moved by how far that is (Shrivastava, Li 2014).
    """
    hashes = _hashes(code_points("".join(fold(text).split())))
    bins = np.full(BINS, _EMPTY, dtype=np.uint32)
    np.minimum.at(bins, (hashes >> np.uint64(57)).astype(np.int64), (hashes & _EMPTY).astype(np.uint32))
    filled = np.flatnonzero(bins != _EMPTY)
    if len(filled):
        at = np.searchsorted(filled, np.arange(BINS))
        source = np.append(filled, filled[0])[at]
        distance = (np.append(filled, filled[0] + BINS)[at] - np.arange(BINS)).astype(np.uint32)
        bins = bins[source] + distance * np.uint32(0x9E3779B1)
    return bins.tobytes()


def _hashes(points: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return a hash of each shingle; of the whole text where it is shorter than one."""
    count = max(1, len(points) - SHINGLE + 1) if len(points) else 0
    padded = np.concatenate([points, np.zeros(SHINGLE, dtype=np.uint32)]).astype(np.uint64)
    hashes = np.zeros(count, dtype=np.uint64)
    for place in range(SHINGLE):
        hashes = hashes * np.uint64(0x100000001B3) + padded[place : place + count]
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # SplitMix64's mixing
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(31))


class Marks:
    """Signatures by key, to be compared with one at once."""

    def __init__(self, signatures: Mapping[str, bytes]) -> None:
        """Take over signatures that `signature` made."""
        self._keys = list(signatures)
        self._rows = np.frombuffer(b"".join(signatures.values()), dtype=np.uint32).reshape(-1, BINS)

    def add(self, key: str, mark: bytes) -> None:
        """Add a signature, or replace that of its key."""
        self.discard(key)
        size = len(self._keys)
        if size == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros((size + 64, BINS), dtype=np.uint32)])
        self._rows[size] = np.frombuffer(mark, dtype=np.uint32)
        self._keys.append(key)

    def discard(self, key: str) -> None:
        """Forget a key, where it is there."""
        if key in self._keys:
            self._keys[self._keys.index(key)] = ""

    def nearest(self, mark: bytes, *, but: str = "") -> tuple[str, float] | None:
        """Return the key of the most similar text and the similarity; None below THRESHOLD.

        `but` is a key that does not count.
        """
        alike = (self._rows[: len(self._keys)] == np.frombuffer(mark, dtype=np.uint32)).mean(axis=1)
        for place in np.argsort(-alike, kind="stable"):
            if alike[place] < THRESHOLD:
                break
            if self._keys[place] not in ("", but):
                return self._keys[place], float(alike[place])
        return None
