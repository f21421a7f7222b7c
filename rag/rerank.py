"""The learned ranker: gradient-boosted trees from a plain file, evaluated in NumPy.

Trained by `python -m eval.train.ranking` with LightGBM, which is not needed
here. Knows columns of numbers by name; not questions, chunks or indexes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.matching import Numbers

FOLDER = Path(__file__).parent / "ranker"


class Trees:
    """A sum of decision trees, all descended at once, a level at a time.

    `feature`, `threshold`, `left`, `right`, `value` hold a node each, of all
    trees in a row; a leaf leads to itself. `scale` turns the sum into a
    probability: 1 / (1 + exp(-(scale[0] * sum + scale[1]))).
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self.names = [str(name) for name in arrays["names"]]
        self._feature = arrays["feature"].astype(np.int64)
        self._threshold = arrays["threshold"].astype(np.float32)
        self._children = np.stack([arrays["right"], arrays["left"]], axis=1).astype(np.int64)
        self._value = arrays["value"].astype(np.float32)
        self._roots = arrays["roots"].astype(np.int64)
        self._depth = int(arrays["depth"])
        self._scale = arrays["scale"].astype(np.float64)

    @classmethod
    def load(cls, path: Path) -> Trees:
        """Read trees that `eval.train.ranking` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(dict(arrays))

    def total(self, columns: Mapping[str, Numbers]) -> Numbers:
        """Return the sum of all trees for each row of named columns."""
        rows = np.stack([columns[name] for name in self.names], axis=1).astype(np.float32)
        flat, width = rows.ravel(), len(self.names)
        base = np.arange(len(rows))[:, None] * width
        nodes = np.broadcast_to(self._roots, (len(rows), len(self._roots)))
        for _ in range(self._depth):
            smaller = flat[base + self._feature[nodes]] <= self._threshold[nodes]
            nodes = self._children[nodes, smaller.astype(np.int64)]
        total: Numbers = self._value[nodes].sum(axis=1)
        return total

    def probability(self, columns: Mapping[str, Numbers]) -> Numbers:
        """Return the calibrated probability of each row, 0 to 1."""
        logits = self._scale[0] * self.total(columns) + self._scale[1]
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


@lru_cache(maxsize=1)
def sentence_model() -> Trees:
    """The model of whether a sentence answers, read once."""
    return Trees.load(FOLDER / "sentences.npz")


@lru_cache(maxsize=1)
def ranker() -> Trees:
    """The bundled ranker, read once."""
    return Trees.load(FOLDER / "passages.npz")
