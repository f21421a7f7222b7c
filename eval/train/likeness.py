"""Fit `rag/ranker/likeness.json`: how surely two questions ask the same, on development questions.

    python -m eval.train.likeness FOLDER SET.jsonl [SET.jsonl …]

Every question of the sets is set beside those known to be asked of the
folder's documents: where the known one leads to a gold quote, they ask the
same. Told is how often the likeliest known question leads there, by weights
fitted to the other sets.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.cases import Case, load_cases
from eval.train.library import indexed
from rag import likeness
from rag.assistant import Assistant
from rag.conversation import standalone
from rag.likeness import Likeness
from rag.phrasings import Phrasing

STRENGTH = 1.0  # inverse of the penalty


@dataclass(frozen=True, slots=True)
class Asked:
    """A question beside the known ones nearest to it: what they share, which ask the same, its set."""

    pairs: Sequence[Likeness]
    same: Sequence[bool]
    name: str


def gather(folder: Path, sets: Sequence[Path]) -> Iterator[Asked]:
    """Set the questions of some sets beside those known of a folder's documents."""
    with indexed(folder) as assistant:
        phrasings = assistant.library().phrasings
        for path in sets:
            for case in load_cases([path]):
                found = phrasings.beside(standalone(case.question, case.history))
                same = [leads(phrasings.known[i], case, assistant) for i, _ in found]
                if found and any(same) or not case.answerable:
                    yield Asked([pair for _, pair in found], same, path.stem)


def leads(phrasing: Phrasing, case: Case, assistant: Assistant) -> bool:
    """Tell whether a known question leads to a gold quote of a case."""
    texts = [assistant.source(p.source_id).clean[p.start : p.end] for p in phrasing.places]
    return any(gold in text or text in gold for gold in case.gold_quotes for text in texts)


def fit(rows: Sequence[Asked]) -> tuple[list[float], float]:
    """Return the weights of `likeness.columns` and the bias."""
    from sklearn.linear_model import LogisticRegression

    columns = np.concatenate([likeness.columns(row.pairs) for row in rows])
    same = np.concatenate([row.same for row in rows])
    model: Any = LogisticRegression(C=STRENGTH, max_iter=1000).fit(columns, same)
    return [round(float(w), 4) for w in model.coef_[0]], round(float(model.intercept_[0]), 4)


def main() -> None:
    """Fit to the sets of the command line, write the weights, tell how they do on sets left out."""
    rows = list(gather(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
    weights, bias = fit(rows)
    told = {"weights": weights, "bias": bias}
    likeness.FILE.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{told}\n")
    for name in dict.fromkeys(row.name for row in rows):
        w, b = fit([row for row in rows if row.name != name])
        held = [row for row in rows if row.name == name and any(row.same)]
        right = [row.same[int(np.argmax(likeness.columns(row.pairs) @ np.array(w) + b))] for row in held]
        sys.stdout.write(
            f"{name}: {len(held)} questions, the likeliest leads to a gold quote {np.mean(right):.3f}\n"
        )


if __name__ == "__main__":
    main()
