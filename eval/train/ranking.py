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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.train import answerable, package, trees, vocabulary, words
from eval.train import corpus as texts
from eval.train.__main__ import SEED, VOCABULARY, WIDTH, balanced
from eval.train.initialise import start
from eval.train.ranking_sets import Asking, Corpus, load
from eval.train.rows import COMMON, Rows, fit, joined, platt
from rag.asking import Asked, token_weights
from rag.embed import StaticEncoder
from rag.features import score
from rag.lexical import fold
from rag.rerank import Trees
from rag.retrieve import candidates, look, passages_of
from rag.sentence_features import Passages, sentence_columns

LOG = logging.getLogger("eval.train.ranking")
# Questions taken of each corpus, by model.
SENTENCE_QUESTIONS = {"wiki": 3600, "flat": 1000}
PASSAGE_QUESTIONS = {"wiki": 5500, "titled wiki": 1000, "flat": 2200, "headed": 1000, "statutes": 300}
HELD_QUESTIONS = {"held wiki": 800, "held flat": 400, "held headed": 300}  # for the scale; answerability: all
MADE = ("held flat", "held headed")  # from regulations, by rules
SENTENCE_CANDIDATES = 8  # passages whose sentences the sentence model learns from
SENTENCE = {**COMMON, "objective": "binary", "num_leaves": 24, "min_data_in_leaf": 100}
SENTENCE_ROUNDS = 50  # of each half's model; the shipped one is their mean
PASSAGE = {**COMMON, "objective": "lambdarank", "num_leaves": 24, "lambdarank_truncation_level": 5}
PASSAGE_ROUNDS = 220
SHOWN = ("fused",)  # a column for the reader of a trace; the ranker was chosen without it


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

    booster, fresh = passage_booster(corpora, opened, encoder, (mean, other), draw)
    held = {name: corpora[name]() for name in HELD_QUESTIONS}
    samples = {name: words.sampled(corpus.asked, HELD_QUESTIONS[name], draw) for name, corpus in held.items()}
    rows = joined([passage_rows(held[n], samples[n], encoder, lambda _: mean) for n in held])
    ranker = trees.save(
        [booster], out / "passages.npz", scale=platt(booster.predict(rows.values), rows.labels)
    )
    LOG.info("held out: first is gold %.3f", first_right(ranker, rows))

    found = answerable.searches(opened["wiki"], fresh, encoder, lambda a: other[a.half], ranker)
    answered = {"wiki": answerable.rows_of(found)}
    for name, corpus in held.items():
        found = answerable.searches(corpus, corpus.asked, encoder, lambda _: mean, ranker)
        answered[name] = answerable.rows_of(found)
    LOG.info("searches: %s", json.dumps({name: len(part.labels) for name, part in answered.items()}))
    weight = {name: answerable.MADE_WEIGHT if name in MADE else 1.0 for name in answered}
    weights = np.concatenate([np.full(len(part.labels), weight[name]) for name, part in answered.items()])
    answerable.calibrate(joined(list(answered.values())), weights, out / "answerability.npz")


def passage_booster(
    corpora: dict[str, Callable[[], Corpus]],
    opened: dict[str, Corpus],
    encoder: StaticEncoder,
    sentences: tuple[Trees, list[Trees]],
    draw: random.Random,
) -> tuple[Any, list[Asking]]:
    """Train the passage ranker; return it with the encyclopaedia's questions that it has not seen."""
    mean, other = sentences
    parts, fresh = [], []
    for name, limit in PASSAGE_QUESTIONS.items():
        corpus = opened.get(name) or corpora[name]()
        asked = words.sampled(corpus.asked, limit, draw)
        halved = name in SENTENCE_QUESTIONS
        parts.append(passage_rows(corpus, asked, encoder, lambda a: other[a.half] if halved else mean))  # noqa: B023
        LOG.info("%s: %d questions, %d rows", name, len(asked), len(parts[-1].labels))
        if name == "wiki":
            seen = {id(asking) for asking in asked}
            fresh = [asking for asking in corpus.asked if id(asking) not in seen]
    return fit(joined(parts), PASSAGE, PASSAGE_ROUNDS, grouped=True), fresh


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
    return Rows.of(made)


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
            made.append(({name: columns[name] for name in columns if name not in SHOWN}, labels))
    return Rows.of(made)


def first_right(ranker: Trees, rows: Rows) -> float:
    """Return how often the best candidate is gold, of questions that have one."""
    scores = ranker.total(rows.by_name())
    ends = np.cumsum(rows.groups)
    right = [
        rows.labels[a + int(np.argmax(scores[a:b]))] for a, b in zip(ends - rows.groups, ends, strict=True)
    ]
    return float(np.mean(right))


if __name__ == "__main__":
    main()
