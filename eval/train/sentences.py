"""Train the answer-sentence trees of `rag/ranker/answer_sentences.npz`, and measure them against the rules.

    python -m eval.train.sentences TRAIN.json.gz [DEV.json.gz …] [--measure-only]

Files hold lists of `{title, text, qas: [{q, ans: [[start, end], …]}]}` with
code-point spans (the form of CMRC 2018). Every question is put to the five
passages that BM25 finds; a sentence is right when it holds the start of an
answer in the question's own passage. Questions whose passage is not among
the five teach nothing and count as wrong when measured.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag import evidence, sentence_ranker, sentence_rules
from rag import sentences as split
from rag.concepts import concepts
from rag.lexical import LexicalIndex, token_set, top
from rag.question import analyse
from rag.sentence_ranker import Candidate

PASSAGES = 5
QUESTIONS = 6000  # of the training set, drawn with SEED; more gained nothing measurable
SEED = 0
TREES, LEAVES, RATE, LEAF_ROWS = 150, 15, 0.08, 60


@dataclass(frozen=True, slots=True)
class Example:
    """A question's candidate sentences: features (n, f), rule scores (n,), which are right (n,)."""

    rows: Any
    ruled: Any
    right: Any


def examples(path: Path, limit: int | None = None) -> Iterator[Example]:
    """Yield the examples of a file, all or `limit` drawn at random."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        passages = json.load(file)
    lexical = LexicalIndex.build(f"{p['title']}\n{p['text']}" for p in passages)
    asked = [(qa, i) for i, passage in enumerate(passages) for qa in passage["qas"] if qa["ans"]]
    if limit is not None and limit < len(asked):
        drawn = np.random.default_rng(SEED).permutation(len(asked))[:limit]
        asked = [asked[i] for i in drawn]
    for qa, own in asked:
        yield _example(qa, own, passages, lexical)


def _example(
    qa: dict[str, Any], own: int, passages: Sequence[dict[str, Any]], lexical: LexicalIndex
) -> Example:
    question = analyse(qa["q"])
    scores = lexical.scores(qa["q"])
    found = top(scores, PASSAGES)
    best = float(scores[found[0]]) if found else 1.0
    candidates, right = [], []
    for rank, place in enumerate(found):
        text, title = passages[place]["text"], passages[place]["title"]
        spans = [s for s in split.sentences(text) if len(token_set(text[slice(*s)])) > 2]
        for order, (start, end) in enumerate(spans):
            before = text[slice(*spans[order - 1])] if order else ""
            after = text[slice(*spans[order + 1])] if order + 1 < len(spans) else ""
            score = float(scores[place]) / best
            candidates.append(
                Candidate(text[start:end], before, after, title, score, rank, order, len(spans))
            )
            right.append(place == own and any(start <= answer[0] < end for answer in qa["ans"]))
    wanted = concepts(question, lexical)
    rows = sentence_ranker.features(question, wanted, candidates)
    ruled = [sentence_rules.ruled(question, wanted, candidate) for candidate in candidates]
    return Example(rows, np.array(ruled), np.array(right, dtype=bool))


def fit(data: Sequence[Example]) -> Any:
    """Fit gradient-boosted trees on the examples that hold a right sentence."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    useful = [example for example in data if example.right.any()]
    model = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=RATE, min_samples_leaf=LEAF_ROWS,
        l2_regularization=1.0, random_state=SEED,
    )  # fmt: skip
    return model.fit(
        np.vstack([example.rows for example in useful]), np.concatenate([e.right for e in useful])
    )


def export(model: Any, path: Path) -> None:
    """Write fitted trees in the form that `rag.sentence_ranker.Trees` reads."""
    nodes: list[tuple[int, float, int, int, float]] = []
    roots, depth = [], 0
    for (predictor,) in model._predictors:
        base = len(nodes)
        roots.append(base)
        depth = max(depth, int(predictor.nodes["depth"].max()))
        for i, node in enumerate(predictor.nodes):
            if node["is_leaf"]:
                nodes.append((0, 0.0, base + i, base + i, float(node["value"])))
            else:
                left, right = base + int(node["left"]), base + int(node["right"])
                nodes.append((int(node["feature_idx"]), float(node["num_threshold"]), left, right, 0.0))
    columns = list(zip(*nodes, strict=True))
    np.savez_compressed(
        path,
        feature=np.array(columns[0], np.uint8),
        threshold=np.array(columns[1], np.float32),
        left=np.array(columns[2], np.uint16),
        right=np.array(columns[3], np.uint16),
        value=np.array(columns[4], np.float32),
        roots=np.array(roots, np.uint16),
        depth=np.array(depth),
        base=np.array(float(model._baseline_prediction.ravel()[0])),
    )


def accuracy(data: Sequence[Example], weight: float, *, rules: bool = True) -> tuple[float, float]:
    """Return how often the first, and one of the first three sentences is right, rules + weight * trees."""
    trees = sentence_ranker.trees()
    first = third = 0
    for example in data:
        if not len(example.right):
            continue
        score = (example.ruled if rules else 0.0) + weight * trees.probability(example.rows)
        order = np.argsort(-score, kind="stable")
        first += bool(example.right[order[:1]].any())
        third += bool(example.right[order[:3]].any())
    return first / len(data), third / len(data)


def main() -> None:
    """Train on the first file unless told not to; measure on the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--measure-only", action="store_true")
    arguments = parser.parse_args()
    if not arguments.measure_only:
        export(fit(list(examples(arguments.files[0], QUESTIONS))), sentence_ranker.FILE)
        sentence_ranker.trees.cache_clear()
    for path in arguments.files[0 if arguments.measure_only else 1 :]:
        data = list(examples(path))
        ways = {
            "rules": accuracy(data, 0.0),
            "trees": accuracy(data, 1.0, rules=False),
            "both": accuracy(data, evidence.LEARNED_WEIGHT),
        }
        line = ", ".join(f"{name} {first:.3f}/{third:.3f}" for name, (first, third) in ways.items())
        sys.stdout.write(f"{path.name}: {line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
