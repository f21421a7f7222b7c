"""First token vectors from the corpus itself: an SVD of its TF-IDF matrix, told apart by noise.

A token's vector is the sum of its own part and a share of the parts of the
characters and pairs inside it, so that 教师 and 老师 or 校长 and 学校 begin as
neighbours and a word the corpus names once borrows from the ones it holds.
Knows token ids and counts. Knows nothing of questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ids = list[int]
Floats = NDArray[np.float32]

PART_SHARE = 0.5  # what a part adds to the whole: .3 to .5 alike, .8 loses 2 points on the encyclopaedia
IDF_POWER = 0.5  # cosine counts a token's weight on both sides
NOISE = 1.8  # random to SVD direction; SVD alone draws names of one topic together
SVD_POWER = 0.5
SVD_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Start:
    """Where training starts: the tokens' vectors are `compose @ parts`."""

    parts: Floats
    compose: sparse.csr_matrix


def count_matrix(texts: Sequence[Ids], size: int) -> sparse.csr_matrix:
    """Count tokens: (texts, size), float32."""
    lengths = np.fromiter((len(ids) for ids in texts), dtype=np.int64, count=len(texts))
    columns = np.fromiter((i for ids in texts for i in ids), dtype=np.int32, count=int(lengths.sum()))
    rows = np.repeat(np.arange(len(texts)), lengths)
    data = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix((data, (rows, columns)), shape=(len(texts), size))


def composition(vocabulary: dict[str, int]) -> sparse.csr_matrix:
    """Return (tokens, tokens): 1 for the token itself, PART_SHARE for each part of a Chinese token."""
    rows, columns, values = [], [], []
    for token, row in vocabulary.items():
        parts = [vocabulary[part] for part in _parts(token) if part in vocabulary]
        rows += [row] * (len(parts) + 1)
        columns += [row, *parts]
        values += [1.0] + [PART_SHARE] * len(parts)
    size = len(vocabulary)
    return sparse.csr_matrix((np.array(values, np.float32), (rows, columns)), shape=(size, size))


def _parts(token: str) -> list[str]:
    if len(token) < 2 or not "一" <= token[0] <= "鿿":
        return []
    pairs = [token[i : i + 2] for i in range(len(token) - 1)] if len(token) > 2 else []
    return [*token, *pairs]


def inverse_frequency(counts: sparse.csr_matrix) -> Floats:
    """Weigh each token by BM25's idf over texts."""
    frequency = np.asarray((counts > 0).sum(axis=0)).ravel()
    idf = np.log1p((counts.shape[0] - frequency + 0.5) / (frequency + 0.5))
    weights: Floats = idf.astype(np.float32)
    return weights


def start(texts: Sequence[Ids], vocabulary: dict[str, int], *, dim: int, unknown: int, seed: int) -> Start:
    """Return the first parts: idf × unit(SVD direction + NOISE × random direction).

    `texts` should be balanced between domains: idf is taken from them.
    """
    from sklearn.utils.extmath import randomized_svd

    compose = composition(vocabulary)
    counts = (count_matrix(texts, len(vocabulary)) @ compose).tocsr()
    idf = inverse_frequency(counts) ** IDF_POWER
    counts.data = counts.data / (counts.data + 1)
    weighted = (counts @ sparse.diags(idf)).tocsr()
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted = sparse.diags(1 / np.maximum(lengths, 1e-6)) @ weighted
    _, values, right = randomized_svd(weighted, n_components=dim, n_iter=SVD_ROUNDS, random_state=seed)
    random = np.random.default_rng(seed).standard_normal((len(vocabulary), dim))
    directions = _unit(_unit(right.T * values**SVD_POWER) + NOISE * _unit(random))
    parts = (directions * idf[:, None]).astype(np.float32)
    parts[unknown] = 0
    return Start(parts, compose)


def _unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    unit: NDArray[np.floating] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return unit
