"""Where the characters of a question stand in candidate texts, for all candidates at once.

The texts are joined into one array of code points, so that a feature of fifty
passages costs a few NumPy calls. Knows texts and weights; not indexes or ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]
    Places = NDArray[np.int64]

SENTENCE_ENDS = np.array(sorted(map(ord, "。!?;！？；\n")), dtype=np.uint32)
CLAUSE_ENDS = np.array(sorted(map(ord, "，,。!?;：:！？；\n")), dtype=np.uint32)
_SHIFT = np.uint64(21)  # a code point has 21 bits


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def bigram_keys(points: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return a number for each pair of neighbours, (len(points) - 1,)."""
    wide = points.astype(np.uint64)
    keys: NDArray[np.uint64] = (wide[:-1] << _SHIFT) | wide[1:]
    return keys


class Texts:
    """Several texts as one array, each ended by a line break."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.joined = "".join(text.replace("\n", " ") + "\n" for text in texts)
        self.points = code_points(self.joined)
        self.size = len(texts)
        lengths = np.array([len(text) + 1 for text in texts], dtype=np.int64)
        self.starts: Places = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        self.owner: Places = np.repeat(np.arange(self.size), lengths)

    @cached_property
    def keys(self) -> NDArray[np.uint64]:
        """The bigrams."""
        return bigram_keys(self.points)

    def cut(self, ends: NDArray[np.uint32]) -> Pieces:
        """Cut the texts after any of the given characters."""
        last = np.isin(self.points, ends)
        place: Places = np.cumsum(last) - last
        starts = np.flatnonzero(np.concatenate([[True], last[:-1]]))
        return Pieces(place, starts, self.owner[starts])


class Pieces:
    """Pieces of joined texts: the piece of each character, where pieces start, the text each is of."""

    def __init__(self, place: Places, starts: Places, owner: Places) -> None:
        self.place = place
        self.starts = starts
        self.ends: Places = np.append(starts[1:], len(place))
        self.owner = owner
        self.first: Places = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))

    def best(self, scores: Numbers) -> tuple[Numbers, Places]:
        """Return each text's highest score and the first piece that has it."""
        highest: Numbers = np.maximum.reduceat(scores, self.first)
        reached = np.flatnonzero(scores >= highest[self.owner])
        _, first = np.unique(self.owner[reached], return_index=True)
        return highest, reached[first]


class Terms:
    """Distinct keys (bigrams or characters) of a question with weights that sum to 1."""

    def __init__(self, keys: NDArray[Any], weights: Numbers) -> None:
        order = np.argsort(keys)
        self.keys, self.weights = keys[order], weights[order]

    def find(self, keys: NDArray[Any]) -> tuple[Places, Places]:
        """Return the positions in `keys` that hold a term, and which term."""
        if not len(self.keys):
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        nearest = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        positions = np.flatnonzero(self.keys[nearest] == keys)
        return positions, nearest[positions]

    def present(self, places: Places, terms: Places, size: int) -> NDArray[np.bool_]:
        """Tell which term stands in which of `size` places, (size, terms)."""
        width = len(self.keys)
        table = np.zeros(size * width, dtype=bool)
        table[places * width + terms] = True
        return table.reshape(size, width)


def weigh(present: NDArray[np.bool_], weights: Numbers) -> Numbers:
    """Return the weight (places,) of the terms present in each place, a table (places, terms)."""
    with np.errstate(invalid="ignore"):  # some BLAS kernels raise the flag on lanes they do not use
        covered: Numbers = present.astype(np.float32) @ weights
    return covered


def longest_runs(
    question: NDArray[np.uint32], points: NDArray[np.uint32], starts: Places
) -> NDArray[np.int32]:
    """Return (len(question), pieces): the longest common run that ends at a character of the question.

    Pieces are points[starts[i]:starts[i + 1]].
    """
    runs = np.zeros((len(question), len(starts)), dtype=np.int32)
    before = np.zeros(len(points) + 1, dtype=np.int32)
    places = {int(c): np.flatnonzero(points == c) + 1 for c in np.unique(question)}
    for i, character in enumerate(question):
        at = places[int(character)]
        now = np.zeros_like(before)
        now[at] = before[at - 1] + 1
        runs[i] = np.maximum.reduceat(now[1:], starts)
        before = now
    return runs
