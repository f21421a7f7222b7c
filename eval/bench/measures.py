"""Retrieval measures over ranked passages, as ir_measures names them.

Success@k: a gold passage among the first k. RR@10: 1 over the rank of the
first. nDCG@10: Järvelin and Kekäläinen 2002, binary gain, log2 discount.
A test holds them equal to ir_measures.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

DEPTH = 10
NAMES = ("Success@1", "Success@5", "Success@10", "RR@10", "nDCG@10")


def measure(ranked: Sequence[int], gold: Collection[int]) -> dict[str, float]:
    """Return every measure of one question, `ranked` best first."""
    found = [rank for rank, passage in enumerate(ranked[:DEPTH], 1) if passage in gold]
    first = found[0] if found else 0
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(gold), DEPTH) + 1))
    gain = sum(1 / math.log2(rank + 1) for rank in found)
    values = [float(0 < first <= k) for k in (1, 5, 10)]
    return dict(
        zip(NAMES, [*values, 1 / first if first else 0.0, gain / ideal if ideal else 0.0], strict=True)
    )


def mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Average the measures over questions."""
    return {name: sum(row[name] for row in rows) / max(len(rows), 1) for name in NAMES}
