"""How surely two questions ask the same: what they share, weighed in a logistic.

The weights were fitted to the bundled known questions, of which those of one
group ask the same (`python -m eval.train.likeness`, docs/design/0029). Knows
numbers by name; not questions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rag.types import Matrix

FILE = Path(__file__).parent / "ranker" / "likeness.json"


@dataclass(frozen=True, slots=True)
class Likeness:
    """How far each of two questions covers the other, their vectors' cosine, whether their kinds agree."""

    covers: float
    covered: float
    cosine: float
    kind: float


SIGNS = tuple(field.name for field in fields(Likeness))


def columns(pairs: Sequence[Likeness]) -> Matrix:
    """Return (pairs, signs + 1): the signs, and the lesser of the two coverages."""
    rows = np.array([astuple(pair) for pair in pairs], dtype=np.float32).reshape(len(pairs), len(SIGNS))
    return np.hstack([rows, rows[:, :2].min(axis=1, keepdims=True)])


@lru_cache(maxsize=1)
def _weights() -> tuple[Matrix, float]:
    read = json.loads(FILE.read_text(encoding="utf-8"))
    return np.array(read["weights"], dtype=np.float32), float(read["bias"])


def likeness(pairs: Sequence[Likeness]) -> list[float]:
    """Return the probability, 0 to 1, of each pair to ask the same."""
    weights, bias = _weights()
    return [float(value) for value in 1 / (1 + np.exp(-(columns(pairs) @ weights + bias)))]
