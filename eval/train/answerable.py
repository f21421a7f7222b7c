"""Trains and measures `rag.answerability`: `python -m eval.train.answerable --data ../shared/data` measures.

Every question is searched with everything there, without its gold chunks, and
without their documents; the first search has an answer, the others have none.
Knows corpora, questions and the ranker; not how trees are stored.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.train import trees
from eval.train.__main__ import SEED
from eval.train.corpus import read_passages
from eval.train.ranking_sets import Asking, Corpus, Without, wiki
from eval.train.rows import COMMON, Rows, fit, platt
from rag import answerability
from rag.embed import load_encoder
from rag.protocols import Encoder
from rag.rerank import Trees, ranker, sentence_model
from rag.retrieve import hits_of, look

LOG = logging.getLogger("eval.train.answerable")
ANSWERABLE = {**COMMON, "objective": "binary", "num_leaves": 10, "learning_rate": 0.05}
ROUNDS = 160
MADE_WEIGHT = 0.3  # of questions made from regulations beside those that people wrote
FOLDS = 5
HITS = 8
LARGE = 100  # a source of more chunks is a law or a collection: what is removed is never all of it
KEPT = 0.9  # share of the answerable that are kept where the leak is told
MEASURED = 1000  # questions of a development set, at most
GONE = ("AUROC", "leak", "passed at .5")
HEADINGS = ("set", *(f"{what} gone: {told}" for what in ("chunk", "document") for told in GONE), "kept at .5")
DEVELOPMENT = {"cmrc": "cmrc_trial", "drcd": "drcd_dev", "policy": "covid-policy-first300"}


def removals(corpus: Corpus, gold: list[int]) -> Iterator[tuple[str, list[int]]]:
    """Yield what is taken out: nothing, the gold chunks, their whole documents."""
    yield "", []
    yield "chunk", gold
    source = corpus.groups.source
    document = np.flatnonzero(np.isin(source, source[gold]))
    if len(gold) < len(document) < LARGE:
        yield "document", [int(i) for i in document]


def searches(
    corpus: Corpus,
    asked: Sequence[Asking],
    encoder: Encoder,
    sentences: Callable[[Asking], Trees],
    ranking: Trees,
) -> Iterator[tuple[str, Any]]:
    """Yield what was taken out and the columns of what was found, for every search of every question."""
    for asking in asked:
        for name, removed in removals(corpus, list(asking.gold)):
            searched = Without(corpus, removed) if removed else corpus
            positions, columns = look(searched, encoder, asking.text, sentences(asking))
            if len(positions):
                values = ranking.probability(columns)
                hits = hits_of(searched, asking.text, positions, columns, values, HITS)
                yield name, answerability.columns(asking.text, hits)


def rows_of(found: Iterator[tuple[str, Any]]) -> Rows:
    """One row a search; the label is whether nothing was taken out."""
    return Rows.of([(columns, np.array([not removed])) for removed, columns in found])


def calibrate(rows: Rows, weights: NDArray[np.floating], path: Path) -> Trees:
    """Fit the model of answerability; its scale comes from folds it was not fitted on."""
    fold_of = np.arange(len(rows.labels)) // 30 % FOLDS  # neighbours are the same question
    outside = np.zeros(len(rows.labels))
    for number in range(FOLDS):
        inside = fold_of != number
        part = Rows(rows.names, rows.values[inside], rows.labels[inside], rows.groups[inside])
        fitted = fit(part, ANSWERABLE, ROUNDS, weights=weights[inside])
        outside[~inside] = fitted.predict(rows.values[~inside], raw_score=True)
    from sklearn.metrics import roc_auc_score

    LOG.info("answerability, cross-validated AUROC %.3f", roc_auc_score(rows.labels, outside))
    scale = platt(outside, rows.labels, weights)
    return trees.save([fit(rows, ANSWERABLE, ROUNDS, weights=weights)], path, scale=scale)


def leak(held: NDArray[np.floating], absent: NDArray[np.floating]) -> float:
    """Share of the unanswerable that pass where KEPT of the answerable do."""
    return float(np.mean(absent >= np.quantile(held, 1 - KEPT)))


def measure(data: Path, encoder: Encoder) -> Iterator[str]:
    """Yield a line of the table for each development set; nothing here is trained on."""
    from sklearn.metrics import roc_auc_score

    for name, stem in DEVELOPMENT.items():
        corpus = wiki(name, read_passages(data / "dev" / f"{stem}.json.gz"), encoder, titled=0)
        asked = list(corpus.asked)
        random.Random(SEED).shuffle(asked)
        asked = asked[:MEASURED]
        scored: dict[str, list[float]] = {"": [], "chunk": [], "document": []}
        for removed, columns in searches(corpus, asked, encoder, lambda _: sentence_model(), ranker()):
            scored[removed].append(float(answerability.model().probability(columns)[0]))
        held = np.array(scored[""])
        cells = [f"{name} ({len(asked)})"]
        for absent in (np.array(scored["chunk"]), np.array(scored["document"])):
            labels = np.r_[np.ones(len(held)), np.zeros(len(absent))]
            area = roc_auc_score(labels, np.r_[held, absent])
            cells += [f"{area:.3f}", f"{leak(held, absent):.2f}", f"{np.mean(absent >= 0.5):.2f}"]
        yield "| " + " | ".join([*cells, f"{np.mean(held >= 0.5):.2f}"]) + " |"


def main() -> None:
    """Print the table of the model that is there."""
    parser = argparse.ArgumentParser(prog="python -m eval.train.answerable", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with dev/")
    sys.stdout.write(f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|\n")
    for line in measure(parser.parse_args().data, load_encoder()):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
