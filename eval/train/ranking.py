"""Train the bundled ranker: `python -m eval.train.ranking --data ../shared/data --out rag/ranker`.

In order: word tables, the sentence model, the passage ranker, answerability.
Dense features come from the encoder's vectors as they are *before* training on
questions: the trained ones have seen the answers of these very questions, and
a ranker that learns from them trusts them far too much (docs/design/0004).
Seeds are fixed.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.train import corpus as texts
from eval.train import package, trees, vocabulary, words
from eval.train.__main__ import SEED, VOCABULARY, WIDTH, balanced
from eval.train.initialise import start
from eval.train.ranking_sets import Asking, Corpus, Without, load
from rag import answerability
from rag.asking import Asked, token_weights
from rag.embed import StaticEncoder
from rag.features import score
from rag.lexical import fold
from rag.rerank import Trees
from rag.retrieve import candidates, hits_of, look, passages_of
from rag.sentence_features import Passages, sentence_columns

LOG = logging.getLogger("eval.train.ranking")
# Questions taken of each corpus, by model.
SENTENCE_QUESTIONS = {"wiki": 3600, "flat": 1000}
PASSAGE_QUESTIONS = {"wiki": 5500, "titled wiki": 1000, "flat": 2200, "headed": 1000, "statutes": 300}
HELD_QUESTIONS = {"held wiki": 800, "held flat": 400, "held headed": 300}
SENTENCE_CANDIDATES = 8  # passages whose sentences the sentence model learns from
COMMON = {"learning_rate": 0.07, "max_depth": 8, "min_data_in_leaf": 50, "feature_fraction": 0.6,
          "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0, "max_bin": 63, "verbose": -1,
          "deterministic": True, "force_row_wise": True}  # fmt: skip
SENTENCE = {**COMMON, "objective": "binary", "num_leaves": 24, "min_data_in_leaf": 100}
SENTENCE_ROUNDS = 50  # of each half's model; the shipped one is their mean
PASSAGE = {**COMMON, "objective": "lambdarank", "num_leaves": 24, "lambdarank_truncation_level": 5}
PASSAGE_ROUNDS = 220
ANSWERABLE = {**COMMON, "objective": "binary", "num_leaves": 10, "learning_rate": 0.05}
ANSWERABLE_ROUNDS = 160
HITS = 8
LARGE = 100  # a source of more chunks is a law or a collection: what is removed is never all of it


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of columns with labels; `groups` are the sizes of the questions' runs of rows."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    labels: NDArray[np.bool_]
    groups: NDArray[np.int64]

    def by_name(self) -> dict[str, NDArray[np.float32]]:
        """The columns by name."""
        return {name: self.values[:, i] for i, name in enumerate(self.names)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Train everything and write the folder."""
    parser = argparse.ArgumentParser(prog="python -m eval.train.ranking", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with laws.jsonl.gz, train/")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("bm25s").setLevel(logging.ERROR)
    began = time.perf_counter()
    write_tables(options.data, options.out)
    with tempfile.TemporaryDirectory() as folder:
        encoder = untrained_encoder(options.data, Path(folder))
    train(options.data, options.out, encoder)
    LOG.info("trained in %.0f s", time.perf_counter() - began)


def write_tables(data: Path, out: Path) -> None:
    """Write words.json and answers.json."""
    out.mkdir(parents=True, exist_ok=True)
    for name, table in (("words", words.token_weights(data)), ("answers", words.answer_language(data))):
        text = json.dumps(table, ensure_ascii=False, indent=0, sort_keys=True)
        (out / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def untrained_encoder(data: Path, folder: Path) -> StaticEncoder:
    """Make the vectors that the encoder's training starts from."""
    material = texts.training_texts(data)
    tokenizer = vocabulary.train(material, size=VOCABULARY, seed=SEED)
    ids = [e.ids for e in tokenizer.encode_batch(balanced(material), add_special_tokens=False)]
    unknown = tokenizer.get_vocab()[vocabulary.UNKNOWN]
    first = start(ids, tokenizer.get_vocab(), dim=WIDTH, unknown=unknown, seed=SEED)
    vectors = np.asarray(first.compose @ first.parts, dtype=np.float32)
    vectors[unknown] = 0
    package.save(vectors, tokenizer, folder)
    return StaticEncoder(folder)


def train(data: Path, out: Path, encoder: StaticEncoder) -> None:
    """Train sentence model, ranker and answerability, each from what the one before gives."""
    corpora = load(data, encoder, seed=SEED)
    draw = random.Random(SEED)
    opened = {name: corpora[name]() for name in SENTENCE_QUESTIONS}
    halves = [sentence_half(opened, number, draw) for number in (0, 1)]
    mean = trees.save(halves, out / "sentences.npz")
    other = [trees.save([booster], out / "half.npz") for booster in reversed(halves)]
    (out / "half.npz").unlink()

    parts = []
    for name, limit in PASSAGE_QUESTIONS.items():
        corpus = opened.get(name) or corpora[name]()
        asked = words.sampled(corpus.asked, limit, draw)
        unseen = name in SENTENCE_QUESTIONS
        parts.append(passage_rows(corpus, asked, encoder, lambda a: other[a.half] if unseen else mean))  # noqa: B023
        LOG.info("%s: %d questions, %d rows", name, len(asked), len(parts[-1].labels))
    booster = fit(joined(parts), PASSAGE, PASSAGE_ROUNDS, grouped=True)

    held = {name: corpora[name]() for name in HELD_QUESTIONS}
    samples = {name: words.sampled(corpus.asked, HELD_QUESTIONS[name], draw) for name, corpus in held.items()}
    rows = joined([passage_rows(held[n], samples[n], encoder, lambda _: mean) for n in held])
    ranker = trees.save(
        [booster], out / "passages.npz", scale=platt(booster.predict(rows.values), rows.labels)
    )
    LOG.info("held out: first is gold %.3f", first_right(ranker, rows))
    answered = joined([answer_rows(held[n], samples[n], encoder, mean, ranker) for n in held])
    calibrate(answered, out / "answerability.npz")


def sentence_half(opened: dict[str, Corpus], number: int, draw: random.Random) -> Any:
    """Learn whether a sentence answers, from one half of the questions."""
    parts = []
    for name, limit in SENTENCE_QUESTIONS.items():
        asked = [a for a in opened[name].asked if a.half == number]
        parts.append(sentence_rows(opened[name], words.sampled(asked, limit // 2, draw)))
    return fit(joined(parts), SENTENCE, SENTENCE_ROUNDS)


def sentence_rows(corpus: Corpus, asked: Sequence[Asking]) -> Rows:
    """Rows of the sentences of the lexically best passages; the label is where the answer begins."""
    made = []
    nowhere = np.zeros((1, corpus.vectors.shape[1]), dtype=np.float32)
    for asking in asked:
        question = Asked.of(asking.text, corpus.lexical)
        scores = score(token_weights(asking.text), corpus.lexical, corpus.groups)
        positions, *_ = candidates(corpus, scores, nowhere)
        best = np.sort(positions[np.argsort(-scores.weighed[positions], kind="stable")[:SENTENCE_CANDIDATES]])
        passages = passages_of(corpus, best)
        labels = _answering(asking, corpus, best, passages)
        if labels.any():
            made.append((sentence_columns(question, passages), labels))
    return _rows(made)


def _answering(
    asking: Asking, corpus: Corpus, positions: NDArray[np.int64], passages: Passages
) -> NDArray[np.bool_]:
    labels = np.zeros(len(passages.sentences.starts), dtype=bool)
    for row, position in enumerate(positions):
        if span := asking.gold.get(int(position)):
            begin = len(fold(corpus.chunks[position].text[: span[0]]))
            place = min(int(passages.body.starts[row]) + begin, len(passages.sentences.place) - 1)
            labels[passages.sentences.place[place]] = True
    return labels


def passage_rows(
    corpus: Corpus, asked: Sequence[Asking], encoder: StaticEncoder, model: Callable[[Asking], Trees]
) -> Rows:
    """Rows of the candidates of each question that has a gold passage among them."""
    made = []
    for asking in asked:
        positions, columns = look(corpus, encoder, asking.text, model(asking))
        labels = np.isin(positions, list(asking.gold))
        if labels.any():
            made.append((columns, labels))
    return _rows(made)


def answer_rows(
    corpus: Corpus, asked: Sequence[Asking], encoder: StaticEncoder, sentences: Trees, ranker: Trees
) -> Rows:
    """One row a search: with everything there, without the gold passages, without their documents."""
    made = []
    for asking in asked:
        for removed in _removals(corpus, list(asking.gold)):
            searched = Without(corpus, removed) if removed else corpus
            positions, columns = look(searched, encoder, asking.text, sentences)
            if len(positions):
                hits = hits_of(searched, asking.text, positions, columns, ranker.probability(columns), HITS)
                made.append((answerability.columns(asking.text, hits), np.array([not removed])))
    return _rows(made)


def _removals(corpus: Corpus, gold: list[int]) -> Iterator[list[int]]:
    yield []
    yield gold
    source = corpus.groups.source
    document = np.flatnonzero(np.isin(source, source[gold]))
    if len(gold) < len(document) < LARGE:
        yield [int(i) for i in document]


def calibrate(rows: Rows, path: Path) -> Trees:
    """Fit the model of answerability; its scale comes from folds it was not fitted on."""
    fold_of = np.arange(len(rows.labels)) // 30 % 5  # neighbours are the same question
    outside = np.zeros(len(rows.labels))
    for number in range(5):
        inside = fold_of != number
        part = Rows(rows.names, rows.values[inside], rows.labels[inside], rows.groups[inside])
        outside[~inside] = fit(part, ANSWERABLE, ANSWERABLE_ROUNDS).predict(
            rows.values[~inside], raw_score=True
        )
    from sklearn.metrics import roc_auc_score

    LOG.info("answerability, cross-validated AUROC %.3f", roc_auc_score(rows.labels, outside))
    return trees.save([fit(rows, ANSWERABLE, ANSWERABLE_ROUNDS)], path, scale=platt(outside, rows.labels))


def fit(rows: Rows, parameters: dict[str, Any], rounds: int, *, grouped: bool = False) -> Any:
    """Train trees on rows; `grouped` for ranking objectives."""
    import lightgbm

    data = lightgbm.Dataset(
        rows.values,
        rows.labels.astype(int),
        group=rows.groups if grouped else None,
        feature_name=list(rows.names),
    )
    return lightgbm.train({**parameters, "seed": SEED, "num_threads": 2}, data, rounds)


def platt(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and offset that make scores probabilities (Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(scores[:, None], labels)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def first_right(ranker: Trees, rows: Rows) -> float:
    """Return how often the best candidate is gold, of questions that have one."""
    scores = ranker.total(rows.by_name())
    ends = np.cumsum(rows.groups)
    right = [
        rows.labels[a + int(np.argmax(scores[a:b]))] for a, b in zip(ends - rows.groups, ends, strict=True)
    ]
    return float(np.mean(right))


def _rows(made: Sequence[tuple[Any, NDArray[np.bool_]]]) -> Rows:
    names = tuple(made[0][0])
    values = [np.stack([columns[name] for name in names], axis=1) for columns, _ in made]
    labels = [label for _, label in made]
    sizes = np.array([len(label) for label in labels], dtype=np.int64)
    return Rows(names, np.concatenate(values).astype(np.float32), np.concatenate(labels), sizes)


def joined(parts: Sequence[Rows]) -> Rows:
    """Put rows of the same columns one after the other."""
    return Rows(
        parts[0].names,
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.groups for part in parts]),
    )


if __name__ == "__main__":
    main()
