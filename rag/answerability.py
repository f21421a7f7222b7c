"""How likely the hits hold the answer: calibrated, from how the best of them meet the question.

Trained on questions with their passage in the corpus and with it taken out
(`eval/train/ranking.py`, docs/design/0003). Knows a question and the features
of its hits; not documents, not sentences of answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag.lexical import fold
from rag.rerank import FOLDER, Trees
from rag.types import Hit

if TYPE_CHECKING:
    from rag.matching import Numbers

# Of the first hit: what is measured against the question, not against the other candidates.
FIRST = (
    "ranked", "answer", "second_answer", "weighed_share", "pairs_share", "source_share", "section_share",
    "covered", "head_covered", "both_covered", "characters", "missing", "missing_both", "s_pairs",
    "s_singles", "s_local", "s_headed", "s_with_before", "s_clause", "s_run", "s_grams3", "s_grams4",
    "s_language", "s_length", "kind", "question_length", "source_count",
)  # fmt: skip
KIND_HELD = ("when", "count", "who", "where", "why", "how", "list", "define", "whether", "unit")
ANY = ("ranked", "answer", "covered", "both_covered", "s_pairs", "s_grams4", "source_share")
_NAMED = re.compile(r"《([^《》]{2,60})》|([a-z][a-z0-9.+-]+|[0-9][0-9.,]*)")


@lru_cache(maxsize=1)
def model() -> Trees:
    """The bundled model, read once."""
    return Trees.load(FOLDER / "answerability.npz")


def probability(question: str, hits: Sequence[Hit]) -> float:
    """Return the probability, 0 to 1, that the hits (of `rag.retrieve`, best first) hold the answer.

    0 where there are no hits.
    """
    return float(model().probability(columns(question, hits))[0]) if hits else 0.0


def columns(question: str, hits: Sequence[Hit]) -> dict[str, Numbers]:
    """Return what the model looks at, one row."""
    first, others = hits[0].features, [hit.features for hit in hits[1:]]
    row = {name: first[name] for name in FIRST}
    for name in ANY:
        row[f"next_{name}"] = max((other[name] for other in others), default=0.0)
        row[f"margin_{name}"] = row[name] - row[f"next_{name}"]
    held = [first[f"holds_{name}"] for name in KIND_HELD if first[f"holds_{name}"] >= 0]
    around = [max(hit.features[f"holds_{name}_all"] for hit in hits[:3]) for name in KIND_HELD]
    row["held"] = min(held, default=-1.0)  # -1: no sort of thing is asked for
    row["unit"] = first["holds_unit"]
    row["held_around"] = min((value for value in around if value >= 0), default=-1.0)
    row |= _specifics(question, hits)
    return {name: np.array([value], dtype=np.float32) for name, value in row.items()}


def _specifics(question: str, hits: Sequence[Hit]) -> dict[str, float]:
    """Titles, numbers and Latin words that the question names, and the share that the hits lack."""
    named = [match[1] or match[2] for match in _NAMED.finditer(fold(question))]
    best, every = (
        fold("\n".join(f"{hit.chunk.heading}\n{hit.chunk.text}" for hit in some)) for some in (hits[:1], hits)
    )
    lack = [sum(name not in place for name in named) / max(len(named), 1) for place in (best, every)]
    return {"named": float(len(named)), "lacking": lack[0], "lacking_everywhere": lack[1]}
