"""Reads the training and development texts and cuts them as the index does.

Knows the file layout of the data folder. Knows nothing of tokens or vectors.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.sentences import sentences

CHUNK_CHARS = 200  # the size at which findings.md compares systems


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the indices of the passages that answer it."""

    text: str
    gold: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """Passages, the document each belongs to, and questions about them."""

    name: str
    passages: tuple[str, ...]
    documents: tuple[int, ...]
    questions: tuple[Question, ...]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a gzipped file of one JSON object a line."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def read_passages(path: Path) -> list[dict[str, Any]]:
    """Read a gzipped passage set: a list of {title, text, qas}."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        documents: list[dict[str, Any]] = json.load(file)
    return documents


def chunk_spans(text: str, limit: int = CHUNK_CHARS) -> list[tuple[int, int]]:
    """Pack whole sentences into chunks of at most `limit` characters.

    A sentence longer than the limit is cut at it.
    """
    spans: list[tuple[int, int]] = []
    for start, end in _bounded_sentences(text, limit):
        if spans and end - spans[-1][0] <= limit:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _bounded_sentences(text: str, limit: int) -> Iterator[tuple[int, int]]:
    for start, end in sentences(text):
        for cut in range(start, end, limit):
            yield cut, min(cut + limit, end)


def collection(name: str, documents: list[dict[str, Any]], *, titles: bool = False) -> Collection:
    """Cut documents into chunks; a question's gold are the chunks its answers touch.

    With `titles`, the document's title (or its first sentence where it has
    none) stands before each chunk.
    """
    passages: list[str] = []
    owners: list[int] = []
    questions: list[Question] = []
    for number, document in enumerate(documents):
        text = document["text"]
        spans = chunk_spans(text)
        first = len(passages)
        title = document["title"] or _first_sentence(text)
        passages += [f"{title if titles else ''} {text[a:b]}".strip() for a, b in spans]
        owners += [number] * len(spans)
        for qa in document["qas"]:
            gold = [first + i for i, (a, b) in enumerate(spans) if any(s < b and e > a for s, e in qa["ans"])]
            if gold:
                questions.append(Question(qa["q"], tuple(gold)))
    return Collection(name, tuple(passages), tuple(owners), tuple(questions))


def _first_sentence(text: str) -> str:
    return next((text[a:b][:40] for a, b in sentences(text)), "")


def statute_collection(laws: list[dict[str, Any]], asked: list[dict[str, Any]]) -> Collection:
    """All articles of national law, with the lay questions given and their gold articles."""
    place = {int(row["id"]): i for i, row in enumerate(laws)}
    questions = tuple(
        Question(row["question"], tuple(place[int(g)] for g in row["gold_ids"] if int(g) in place))
        for row in asked
    )
    passages = tuple(f"{row['law']} {row['heading']} {row['text']}" for row in laws)
    return Collection("statutes", passages, tuple(range(len(passages))), questions)


def split_by_law(
    laws: list[dict[str, Any]], asked: list[dict[str, Any]], *, share: float = 0.25
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Split statute questions into train and held out, so that no gold article is on both sides.

    The side is drawn from the name of the law (for the Civil Code, from law
    and heading, because it is one in two golds); a question whose golds fall
    on both sides is left out of both.
    """
    groups = {int(row["id"]): _group(row) for row in laws}
    train, held = [], []
    for row in asked:
        sides = {_held(groups[int(g)], share) for g in row["gold_ids"] if int(g) in groups}
        if sides == {True}:
            held.append(row)
        elif sides == {False}:
            train.append(row)
    return train, held


def _group(row: dict[str, Any]) -> str:
    law: str = row["law"]
    return law + row["heading"] if law.endswith("民法典") else law


def _held(group: str, share: float) -> bool:
    # A checksum rather than hash(), which is salted per process.
    return zlib.crc32(group.encode()) % 1000 < share * 1000


def training_texts(data: Path) -> dict[str, list[str]]:
    """All texts the vocabulary and the first vectors are made from, by data set."""
    laws = read_lines(data / "laws.jsonl.gz")
    local = read_lines(data / "train" / "local-regulations.jsonl.gz")
    wiki = read_passages(data / "train" / "cmrc2018.json.gz")
    pairs = read_lines(data / "train" / "pairs.jsonl.gz")
    return {
        "laws": [f"{r['law']}\n{r['heading']}\n{r['text']}" for r in laws],
        "local": [f"{r['title']}\n{r['heading']}\n{r['text']}" for r in local],
        "cmrc": [f"{r['title']}\n{r['text']}\n" + "\n".join(q["q"] for q in r["qas"]) for r in wiki],
        "pairs": [f"{r['question']}\n{r['passage']}" for r in pairs if r["source"] != "CMRC2018"],
    }
