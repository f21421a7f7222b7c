"""Fit `rag/ranker/assurance.json`: how surely the best sentence answers, on development questions.

    python -m eval.train.assurance FOLDER SET.jsonl [SET.jsonl …] [-- FOLDER SET.jsonl …]

Each group names a folder of documents, then the sets asked of it. Cases that
the notices decline and those that name a clause take no part: no evidence
decides them. Told is the F1 of declining and the area under the curve, for
each set by weights fitted to the questions of the others, so that no question
is measured by what it helped to choose; `best` is the threshold of highest F1.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from eval.cases import load_cases
from eval.train.library import indexed
from rag import assurance, clause, compare
from rag.answer import THRESHOLD
from rag.conversation import standalone
from rag.evidence import signs
from rag.lookup import look_up
from rag.question import analyse

NEAR_MISS = 0.3  # weight of a question of a set that has none with an answer: people ask such ones less often
STRENGTH = 0.1  # inverse of the penalty, for standardised signs; .03 to 1 are alike


@dataclass(frozen=True, slots=True)
class Example:
    """A question's signs, whether it has an answer, the set it is of, whether none of that set has one."""

    signs: Sequence[float]
    answerable: bool
    name: str
    near_miss: bool


def examples(folder: Path, sets: Sequence[Path]) -> Iterator[Example]:
    """Yield the cases of some sets, asked of a folder's documents."""
    with indexed(folder) as assistant:
        library = assistant.library()
        for path in sets:
            cases = load_cases([path])
            near_miss = not any(case.answerable for case in cases)
            for case in cases:
                question = analyse(standalone(case.question, case.history))
                named = question.kind == "clause" and clause.find(
                    question.text, assistant.stamps(), assistant
                )
                if named or assistant.notices.refuses(case.question):
                    continue
                looked = look_up(question, library, compare.queries(question))
                if looked.evidence:
                    told = signs(question, looked.evidence, looked.nearest)
                    yield Example(
                        [told[name] for name in assurance.SIGNS], case.answerable, path.stem, near_miss
                    )


def fit(data: Sequence[Example]) -> dict[str, float]:
    """Return the weights of the signs as they are, and the bias."""
    from sklearn.linear_model import LogisticRegression

    rows = np.array([example.signs for example in data])
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    right = [example.answerable for example in data]
    counts = [NEAR_MISS if example.near_miss else 1.0 for example in data]
    model: Any = LogisticRegression(C=STRENGTH).fit((rows - mean) / spread, right, counts)
    weights = model.coef_[0] / spread
    found = dict(zip(assurance.SIGNS, weights.tolist(), strict=True))
    return {"bias": float(model.intercept_[0] - weights @ mean)} | found


def chances(data: Sequence[Example], weights: dict[str, float]) -> Any:
    """Return (questions,) the probability that each is answered by its best sentence."""
    total = np.array([example.signs for example in data]) @ [weights[name] for name in assurance.SIGNS]
    return 1 / (1 + np.exp(-(total + weights["bias"])))


def declining_f1(right: Any, chance: Any, threshold: float) -> float:
    """F1 of declining below a threshold; `right` tells which questions have an answer."""
    declined = chance < threshold
    return float(2 * (declined & ~right).sum() / max(1, declined.sum() + (~right).sum()))


def main() -> None:
    """Fit to the groups of the command line, write the weights, tell how they do on sets left out."""
    from sklearn.metrics import roc_auc_score

    groups = [list(group) for apart, group in groupby(sys.argv[1:], lambda word: word == "--") if not apart]
    data = [e for folder, *sets in groups for e in examples(Path(folder), [Path(name) for name in sets])]
    weights = {name: round(weight, 4) for name, weight in fit(data).items()}
    assurance.FILE.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")
    every, all_right = [], []
    for name in dict.fromkeys(e.name.partition("-")[2] for e in data):
        held = [e for e in data if e.name.partition("-")[2] == name]
        chance = chances(held, fit([e for e in data if e.name.partition("-")[2] != name]))
        right = np.array([e.answerable for e in held])
        every.append(chance)
        all_right.append(right)
        area = f"{roc_auc_score(right, chance):.3f}" if right.any() else "none"
        sys.stdout.write(f"{name or 'first'}: {len(held)} questions, area {area}")
        sys.stdout.write(f", F1 {declining_f1(right, chance, THRESHOLD):.3f}\n")
    chance, right = np.concatenate(every), np.concatenate(all_right)
    best = max((declining_f1(right, chance, t), t) for t in np.arange(0.3, 0.8, 0.02))
    sys.stdout.write(
        f"together {declining_f1(right, chance, THRESHOLD):.3f}, best {best[0]:.3f} at {best[1]:.2f}\n"
    )


if __name__ == "__main__":
    main()
