"""The passages and questions that retrieval is measured on.

Reads the development sets and the statute questions held out by law; nothing
here is trained on. Knows file layout and chunks; not retrieval.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from eval.train.corpus import chunk_spans, read_lines, read_passages, split_by_law
from rag.sentences import sentences
from rag.types import Chunk, Metadata, Source

TITLE_CHARS = 40
SEED = 0


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sources with their chunks in one order, and questions with the positions of their gold chunks."""

    name: str
    sources: tuple[Source, ...]
    chunks: tuple[Chunk, ...]
    questions: tuple[tuple[str, frozenset[int]], ...]

    @property
    def texts(self) -> list[str]:
        """What each system may search: heading and text."""
        return [f"{chunk.heading}\n{chunk.text}".strip() for chunk in self.chunks]

    def sampled(self, limit: int) -> Corpus:
        """Keep at most `limit` questions, always the same ones."""
        if not limit or len(self.questions) <= limit:
            return self
        drawn = random.Random(SEED).sample(self.questions, limit)
        return Corpus(self.name, self.sources, self.chunks, tuple(drawn))


def source_of(identity: str, title: str, text: str) -> Source:
    """Make a source whose text needs no repair."""
    return Source(identity, f"{identity}.txt", text, text, (), metadata=Metadata(title=title))


def passages(name: str, path: Path, *, titles: bool = False) -> Corpus:
    """Cut a passage set into chunks of about 200 characters; gold are those an answer touches.

    With `titles` the document's title stands before each chunk, or its first
    sentence where the set has none.
    """
    sources: list[Source] = []
    chunks: list[Chunk] = []
    questions: list[tuple[str, frozenset[int]]] = []
    for number, document in enumerate(read_passages(path)):
        text = document["text"]
        identity = f"d{number:06d}"
        heading = (document["title"] or _first_sentence(text)) if titles else ""
        first = len(chunks)
        spans = chunk_spans(text)
        sources.append(source_of(identity, heading, text))
        for i, (start, end) in enumerate(spans):
            chunks.append(Chunk(f"{identity}-{i:05d}", identity, i, start, end, text[start:end], heading))
        for qa in document["qas"]:
            gold = {first + i for i, (a, b) in enumerate(spans) if any(s < b and e > a for s, e in qa["ans"])}
            if gold and qa["q"].strip():
                questions.append((qa["q"], frozenset(gold)))
    return Corpus(name, tuple(sources), tuple(chunks), tuple(questions))


def _first_sentence(text: str) -> str:
    return next((text[a:b][:TITLE_CHARS] for a, b in sentences(text)), "")


def statutes(data: Path) -> Corpus:
    """Every article of national law, and the lay questions whose laws no training question touched."""
    laws = read_lines(data / "laws.jsonl.gz")
    _, held = split_by_law(laws, read_lines(data / "train" / "statute-questions.jsonl.gz"))
    sources: list[Source] = []
    chunks: list[Chunk] = []
    place: dict[int, int] = {}
    for number, (law, group) in enumerate(groupby(laws, key=lambda row: str(row["law"]))):
        identity = f"d{number:06d}"
        text = ""
        for i, row in enumerate(group):
            place[int(row["id"])] = len(chunks)
            chunks.append(_article(identity, i, len(text), row))
            text += row["text"]
        sources.append(source_of(identity, law, text))
    questions = [
        (row["question"], frozenset(place[int(g)] for g in row["gold_ids"] if int(g) in place))
        for row in held
    ]
    return Corpus("statutes", tuple(sources), tuple(chunks), tuple(q for q in questions if q[1]))


def _article(identity: str, ordinal: int, start: int, row: dict[str, Any]) -> Chunk:
    path = (row["heading"], row["article"]) if row["heading"] else (row["article"],)
    heading = " ".join([row["law"], *path])
    text = row["text"]
    return Chunk(
        f"{identity}-{ordinal:05d}",
        identity,
        ordinal,
        start,
        start + len(text),
        text,
        heading,
        row["article"],
        path,
    )


def every(data: Path) -> Iterator[tuple[str, Callable[[], Corpus]]]:
    """Yield the name of each corpus and what reads it."""
    dev = data / "dev"
    policy = dev / "covid-policy-first300.json.gz"
    yield "cmrc", lambda: passages("cmrc", dev / "cmrc_trial.json.gz")
    yield "drcd", lambda: passages("drcd", dev / "drcd_dev.json.gz")
    yield "news", lambda: passages("news", dev / "terror_dev.json.gz")
    yield "policy", lambda: passages("policy", policy)
    yield "policy+title", lambda: passages("policy+title", policy, titles=True)
    yield "statutes", lambda: statutes(data)
