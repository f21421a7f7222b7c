"""How surely the best sentence answers: what the rules say of it, weighed by what they were wrong about.

Fifteen signs in a logistic whose weights were fitted to the development
questions (`python -m eval.train.assurance`, docs/design/0006): so few that
they hold for questions which had no part in it. Knows signs by name; not
documents, not where the signs come from.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).parent / "ranker" / "assurance.json"
SIGNS = (
    "doubt", "bare", "missing", "absent", "expected", "amount", "person", "compares", "checks", "length",
    "asked", "askable", "told", "nearest", "alike",
)  # fmt: skip
# Logistic of the coverage, chosen on the development halves of eval/sets; see docs/design/0006.
MIDPOINT, SLOPE = 0.30, 14.0
LACKING = 0.3  # of the chance is left to what does not hold the thing asked for
_LEAST = 1e-3  # so much is left where the rules see no answer at all


def by_rules(supported: float, missing: float, *, expected: bool) -> float:
    """Return what the rules alone make of a sentence, 0 to 1.

    `supported` is how much of the question it covers with its surroundings,
    `missing` how much of the question's known things it does not name.
    """
    chance = 1 / (1 + math.exp(-SLOPE * (supported - MIDPOINT))) * max(0.0, 1 - missing)
    return chance * (1.0 if expected else LACKING)


def doubt(chance: float) -> float:
    """Return the logarithm by which a chance of the rules is weighed."""
    return math.log(chance + _LEAST)


@lru_cache(maxsize=1)
def _weights() -> Mapping[str, float]:
    """The weight of each sign and the `bias`, read once."""
    read: dict[str, float] = json.loads(FILE.read_text(encoding="utf-8"))
    return read


def probability(signs: Mapping[str, float]) -> float:
    """Return the probability, 0 to 1, that a sentence with these signs answers."""
    weights = _weights()
    total = weights["bias"] + sum(weights[name] * signs[name] for name in SIGNS)
    return 1 / (1 + math.exp(-total))
