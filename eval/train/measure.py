"""Measures an encoder, and BM25 beside it, on the development sets.

Knows collections and score matrices. Knows nothing of how vectors are trained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.train.corpus import (
    Collection,
    collection,
    read_lines,
    read_passages,
    split_by_law,
    statute_collection,
)
from rag.sentences import sentences

DEPTH = 10
Scorer = Callable[[Sequence[str], Sequence[str]], NDArray[np.float32]]


def dev_collections(data: Path) -> list[Collection]:
    """The development sets, chunked; none of them is trained on."""
    dev = data / "dev"
    policy = read_passages(dev / "covid-policy-first300.json.gz")
    return [
        collection("cmrc", read_passages(dev / "cmrc_trial.json.gz")),
        collection("drcd", read_passages(dev / "drcd_dev.json.gz")),
        collection("news", read_passages(dev / "terror_dev.json.gz")),
        collection("policy", policy),
        collection("policy+title", policy, titles=True),
    ]


def held_statutes(data: Path) -> Collection:
    """The statute questions held out from training, over every article."""
    laws = read_lines(data / "laws.jsonl.gz")
    asked = read_lines(data / "train" / "statute-questions.jsonl.gz")
    return statute_collection(laws, split_by_law(laws, asked)[1])


def evaluate(
    sets: Sequence[Collection], top: Callable[[Collection], NDArray[np.int64]]
) -> dict[str, list[float]]:
    """Return {set: [R@1, R@5, MRR@10]} where `top` gives each question's ten best passages."""
    return {c.name: metrics(c, top(c)) for c in sets}


def metrics(data: Collection, ranked: NDArray[np.int64]) -> list[float]:
    """R@1, R@5 and MRR@10 (success at the first gold passage) of ranked (questions, 10)."""
    ranks = []
    for question, row in zip(data.questions, ranked, strict=True):
        found = [i for i, passage in enumerate(row) if int(passage) in question.gold]
        ranks.append(found[0] + 1 if found else 0)
    place = np.array(ranks)
    hit = place > 0
    return [
        float((hit & (place <= 1)).mean()),
        float((hit & (place <= 5)).mean()),
        float((hit / np.maximum(place, 1)).mean()),
    ]


def dense_top(
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
) -> Callable[[Collection], NDArray[np.int64]]:
    """Rank by the cosine of unit vectors."""

    def top(data: Collection) -> NDArray[np.int64]:
        passages = encode(data.passages)
        return _best(encode([q.text for q in data.questions]) @ passages.T)

    return top


def sentence_top(
    encode: Callable[[Sequence[str]], NDArray[np.float32]],
) -> Callable[[Collection], NDArray[np.int64]]:
    """Rank by the cosine with the passage and, added to it, the highest with one of its sentences."""

    def top(data: Collection) -> NDArray[np.int64]:
        cut = [[text[a:b] for a, b in sentences(text)] or [text] for text in data.passages]
        first = np.cumsum([0, *map(len, cut)])[:-1]
        questions = encode([q.text for q in data.questions])
        scores = questions @ encode(data.passages).T
        near = encode([sentence for own in cut for sentence in own])
        scores += [np.maximum.reduceat(near @ question, first) for question in questions]
        return _best(scores)

    return top


def _best(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return (questions, DEPTH) passages of (questions, passages) scores, best first."""
    best = np.argpartition(-scores, DEPTH, axis=1)[:, :DEPTH]
    order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
    ranked: NDArray[np.int64] = np.take_along_axis(best, order, 1)
    return ranked


def grams(text: str) -> list[str]:
    """Characters and pairs of neighbours, lower-cased, without white space."""
    folded = "".join(text.lower().split())
    return [*folded, *(folded[i : i + 2] for i in range(len(folded) - 1))]


def bm25_top(data: Collection, depth: int = DEPTH) -> NDArray[np.int64]:
    """Rank by BM25 over characters and bigrams (k1 .6, b .5: findings.md)."""
    import bm25s

    index = bm25s.BM25(k1=0.6, b=0.5)
    index.index([grams(p) for p in data.passages], show_progress=False)
    found, _ = index.retrieve(
        [grams(q.text) for q in data.questions], k=depth, show_progress=False, n_threads=2
    )
    return np.asarray(found, dtype=np.int64)


def table(results: dict[str, dict[str, list[float]]]) -> str:
    """Render {system: {set: [R@1, R@5, MRR@10]}} as a Markdown table."""
    sets = list(next(iter(results.values())))
    lines = ["| | " + " | ".join(sets) + " |", "|---" * (len(sets) + 1) + "|"]
    for system, by_set in results.items():
        cells = ["/".join(f"{v:.3f}"[1:] if v < 1 else "1" for v in by_set[s]) for s in sets]
        lines.append(f"| {system} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
