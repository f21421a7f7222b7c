"""Scores of a ranked list, from which gold quotes each place in it was found to hold.

`found` holds, per place from the best on, the indexes of the gold quotes
there; `golds` is how many there are, at least 1. A gold quote found again is
worth nothing. Held against ir_measures in the tests. Knows numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

Found = Sequence[AbstractSet[int]]


def recalled(found: Found, cutoff: int) -> int:
    """Return how many gold quotes the first `cutoff` places hold."""
    return len(frozenset[int]().union(*found[:cutoff]))


def first_place(found: Found) -> int | None:
    """Return the first place, from 1, that holds a gold quote; None where none does."""
    return next((place for place, held in enumerate(found, 1) if held), None)


def ndcg(found: Found, golds: int, cutoff: int) -> float:
    """Discounted gain of the gold quotes that each place is first to hold, over the best order's.

    Source: Järvelin and Kekäläinen 2002, gains of 0 and 1. The best order
    gives one gold quote a place; a place that holds two at once can do
    better than it, and the whole counts as 1.
    """
    covered: set[int] = set()
    gain = 0.0
    for place, held in enumerate(found[:cutoff], 1):
        gain += len(held - covered) / math.log2(place + 1)
        covered |= held
    best = sum(1 / math.log2(place + 1) for place in range(1, min(golds, cutoff) + 1))
    return min(1.0, gain / best)
