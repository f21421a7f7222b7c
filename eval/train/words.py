"""Learns two tables: which words of a question stand in its answer, and how answers to a kind are worded.

Knows questions and answer spans; not indexes or trees.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.train.corpus import read_lines, read_passages, split_by_law
from eval.train.samples import without_held
from rag.asking import KINDS
from rag.lexical import fold, tokenize
from rag.sentences import sentences

NEAR = 100  # characters around an answer that count as its passage
FEWEST_TOKENS, PRIOR_TOKENS = 20, 10
FEWEST_CHARACTERS, PRIOR_CHARACTERS = 80, 60
WORTH = 0.1  # a weight nearer to the mean is left out
TELLING = 0.3  # log-odds below it are left out


def token_weights(data: Path) -> dict[str, float]:
    """Return how often a token of a question stands in its passage, smoothed; "" is the mean."""
    asked, kept = Counter[str](), Counter[str]()

    def count(question: str, passage: str) -> None:
        present = set(tokenize(passage))
        tokens = set(tokenize(question))
        asked.update(tokens)
        kept.update(tokens & present)

    for document in read_passages(data / "train" / "cmrc2018.json.gz"):
        for qa in document["qas"]:
            start, end = qa["ans"][0]
            passage = document["text"][max(0, start - NEAR) : end + NEAR]
            count(qa["q"], f"{document['title']}\n{passage}")
    for question, passage, *_ in _pairs(data):
        count(question, passage)
    mean = kept.total() / asked.total()
    weights = {"": round(mean, 3)}
    for token, times in sorted(asked.items()):
        weight = (kept[token] + PRIOR_TOKENS * mean) / (times + PRIOR_TOKENS)
        if times >= FEWEST_TOKENS and abs(weight - mean) > WORTH:
            weights[token] = round(weight, 2)
    return weights


def _pairs(data: Path) -> list[tuple[str, ...]]:
    """Pairs of question and passage but the encyclopaedia's, without what is held out."""
    laws = read_lines(data / "laws.jsonl.gz")
    _, held = split_by_law(laws, read_lines(data / "train" / "statute-questions.jsonl.gz"))
    pairs = [row for row in read_lines(data / "train" / "pairs.jsonl.gz") if row["source"] != "CMRC2018"]
    return without_held(pairs, laws, held)


def answer_language(data: Path) -> list[dict[str, float]]:
    """Return, for each of KINDS and for questions of none, log-odds of characters in answering sentences.

    What stands in the question itself does not count.
    """
    kinds = len(KINDS) + 1
    answering, others = [Counter[str]() for _ in range(kinds)], [Counter[str]() for _ in range(kinds)]
    for document in read_passages(data / "train" / "cmrc2018.json.gz"):
        spans = sentences(document["text"])
        held = [set(fold(document["text"][a:b])) for a, b in spans]
        for qa in document["qas"]:
            question, start = fold(qa["q"]), qa["ans"][0][0]
            kind = next((i for i, (asks, _) in enumerate(KINDS.values()) if asks.search(question)), kinds - 1)
            for (a, b), characters in zip(spans, held, strict=True):
                side = answering if a <= start < b else others
                side[kind].update(["", *sorted(characters - set(question))])
    return [_log_odds(*pair) for pair in zip(answering, others, strict=True)]


def _log_odds(answering: Counter[str], others: Counter[str]) -> dict[str, float]:
    """Return the telling characters; the count of "" is the number of sentences."""
    weights = {}
    for character in sorted({*answering, *others} - {""}):
        if answering[character] + others[character] < FEWEST_CHARACTERS or ord(character) > 0xFFFF:
            continue
        usual = (others[character] + 1) / (others[""] + 2)
        here = (answering[character] + PRIOR_CHARACTERS * usual) / (answering[""] + PRIOR_CHARACTERS)
        if abs(math.log(here / usual)) > TELLING:
            weights[character] = round(math.log(here / usual), 2)
    return weights


def sampled(rows: Sequence[Any], limit: int, draw: Any) -> list[Any]:
    """Return at most `limit` rows, drawn."""
    return list(rows) if len(rows) <= limit else list(draw.sample(list(rows), limit))
