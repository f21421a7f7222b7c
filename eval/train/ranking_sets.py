"""The corpora and questions that the ranker learns from, ready to be searched in memory.

Encyclopaedia (CMRC 2018 train), lay questions on statutes without the laws
held out, and questions made from local regulations: article by article with
headings, and run together without any, as notices and news are. Knows the
data folder; not models.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.train.corpus import chunk_spans, read_lines, read_passages, split_by_law
from eval.train.questions import questions
from rag.features import Groups
from rag.lexical import LexicalIndex, top
from rag.protocols import Encoder
from rag.types import Chunk

HELD_DOCUMENTS = 400  # of the encyclopaedia: calibration and choices
HELD_REGULATIONS, FLAT_REGULATIONS, HEADED_REGULATIONS = 100, 200, 160
FEWEST_ARTICLES = 15
PER_DOCUMENT = 8  # made questions
FLAT_CHARS = (700, 2200)  # of a text run together from articles
Gold = dict[int, tuple[int, int] | None]  # position of a chunk: span in it that answers, where known


@dataclass(frozen=True, slots=True)
class Asking:
    """A question, its gold chunks, and which half it is in, for models that learn from models."""

    text: str
    gold: Gold
    half: int


class Corpus:
    """Chunks searched in memory, as `rag.retrieve.Searchable`, and questions about them."""

    def __init__(self, name: str, chunks: list[Chunk], asked: list[Asking], encoder: Encoder) -> None:
        self.name = name
        self.chunks = chunks
        self.asked = asked
        texts = [f"{chunk.heading}\n{chunk.text}" for chunk in chunks]
        self.lexical = LexicalIndex.build(texts)
        self.groups = Groups.of(chunks)
        self.vectors = encoder.encode_documents(texts)

    def neighbours(self, query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """Exact search."""
        similar = self.vectors @ query[0]
        return [(i, float(similar[i])) for i in top(similar, k)]

    def cosines(self, query: NDArray[np.float32], positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Similarities of the chunks at positions."""
        similar: NDArray[np.float32] = self.vectors[positions] @ query[0]
        return similar


class Without:
    """A corpus as if some of its chunks had never been indexed; positions are those of what is left.

    Hiding postings is not enough: a chunk whose section is found would still come back through the
    section's score, and the chunks beside it would see a hole where it was.
    """

    def __init__(self, corpus: Corpus, removed: Sequence[int]) -> None:
        kept = np.ones(len(corpus.chunks), dtype=bool)
        kept[list(removed)] = False
        self._corpus, self._removed = corpus, len(removed)
        self._kept, self._place = np.flatnonzero(kept), np.where(kept, np.cumsum(kept) - 1, -1)
        self.chunks = [chunk for chunk, stays in zip(corpus.chunks, kept, strict=True) if stays]
        groups = corpus.groups
        self.groups = Groups(*(_renumbered(own[kept]) for own in (groups.source, groups.section)))
        self.lexical: Any = _KeptPostings(corpus.lexical, self._place)

    def neighbours(self, query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
        """Exact search over what is left."""
        near = self._corpus.neighbours(query, k + self._removed)
        return [(int(self._place[i]), value) for i, value in near if self._place[i] >= 0][:k]

    def cosines(self, query: NDArray[np.float32], positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """Similarities of the chunks at positions."""
        return self._corpus.cosines(query, self._kept[positions])


class _KeptPostings:
    """A lexical index that leaves some chunks out; `place` has a chunk's new position, or -1."""

    def __init__(self, index: LexicalIndex, place: NDArray[np.int64]) -> None:
        self._index, self._place = index, place
        self.size, self.idf = int((place >= 0).sum()), index.idf

    def postings(self, token: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        places, values = self._index.postings(token)
        places = self._place[places]
        return places[places >= 0], values[places >= 0]


def _renumbered(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number rising groups from 0 without gaps."""
    return np.cumsum(np.diff(groups, prepend=groups[:1]) > 0)


def half(key: str) -> int:
    """Return 0 or 1, always the same for a key."""
    return zlib.crc32(key.encode()) % 2


def load(data: Path, encoder: Encoder, *, seed: int) -> dict[str, Callable[[], Corpus]]:
    """Return what reads each corpus; names that begin with "held" are not trained on by the ranker."""
    documents = read_passages(data / "train" / "cmrc2018.json.gz")
    random.Random(seed).shuffle(documents)
    regulations: dict[str, list[dict[str, Any]]] = {}
    for row in read_lines(data / "train" / "local-regulations.jsonl.gz"):
        regulations.setdefault(row["title"], []).append(row)
    titles = sorted(title for title, rows in regulations.items() if len(rows) >= FEWEST_ARTICLES)
    random.Random(seed).shuffle(titles)
    shares = [HELD_REGULATIONS // 2, HELD_REGULATIONS // 2, FLAT_REGULATIONS, HEADED_REGULATIONS]
    bounds = np.cumsum([0, *shares])
    parts = [[regulations[t] for t in titles[a:b]] for a, b in zip(bounds, bounds[1:], strict=False)]
    held, rest = documents[:HELD_DOCUMENTS], documents[HELD_DOCUMENTS:]
    return {
        "held wiki": lambda: wiki("held wiki", held, encoder, titled=0),
        "held flat": lambda: flat("held flat", parts[0], encoder, seed),
        "held headed": lambda: headed("held headed", parts[1], encoder, seed),
        "wiki": lambda: wiki("wiki", rest, encoder, titled=4),
        "titled wiki": lambda: wiki("titled wiki", rest[:HELD_DOCUMENTS], encoder, titled=1),
        "flat": lambda: flat("flat", parts[2], encoder, seed + 1),
        "headed": lambda: headed("headed", parts[3], encoder, seed + 1),
        "statutes": lambda: statutes(data, encoder),
    }


def wiki(name: str, documents: Sequence[dict[str, Any]], encoder: Encoder, *, titled: int) -> Corpus:
    """Make a corpus of passages; every `titled`-th document has its title before its chunks (0: none)."""
    chunks: list[Chunk] = []
    asked: list[Asking] = []
    for number, document in enumerate(documents):
        title = document["title"] if titled and number % titled == 0 else ""
        _add(chunks, asked, document["text"], title, [(qa["q"], qa["ans"]) for qa in document["qas"]])
    return Corpus(name, chunks, asked, encoder)


def flat(name: str, regulations: Sequence[list[dict[str, Any]]], encoder: Encoder, seed: int) -> Corpus:
    """Run articles together to texts of a notice's length, half of them with the title before the chunks."""
    draw = random.Random(seed)
    chunks: list[Chunk] = []
    asked: list[Asking] = []
    for rows in regulations:
        title, queue = rows[0]["title"], list(rows)
        while queue:
            text = f"{title}\n" if draw.random() < 0.5 else ""
            limit, made = draw.randint(*FLAT_CHARS), []
            while queue and len(text) < limit:
                article = queue.pop(0)["text"]
                made += [(q, [[len(text) + a, len(text) + b]]) for q, a, b in questions(title, article, draw)]
                text += article + draw.choice(["", " ", "\n"])
            heading = title if draw.random() < 0.5 else ""
            _add(chunks, asked, text, heading, draw.sample(made, min(PER_DOCUMENT, len(made))))
    return Corpus(name, chunks, asked, encoder)


def _add(chunks: list[Chunk], asked: list[Asking], text: str, heading: str, pairs: Sequence[Any]) -> None:
    """Add a document and (question, answer spans) about it."""
    spans, first = chunk_spans(text), len(chunks)
    source = f"d{first:06d}"
    for i, (a, b) in enumerate(spans):
        chunks.append(Chunk(f"{source}-{i}", source, i, a, b, text[a:b], heading))
    for question, answers in pairs:
        gold: Gold = {}
        for i, (a, b) in enumerate(spans):
            within = [(max(s - a, 0), min(e, b) - a) for s, e in answers if s < b and e > a]
            if within:
                gold[first + i] = within[0]
        if gold and question.strip():
            asked.append(Asking(question, gold, half(source)))


def headed(name: str, regulations: Sequence[list[dict[str, Any]]], encoder: Encoder, seed: int) -> Corpus:
    """Make a corpus of regulations article by article, with title and heading."""
    draw = random.Random(seed)
    chunks: list[Chunk] = []
    asked: list[Asking] = []
    for number, rows in enumerate(regulations):
        made: list[Asking] = []
        for article, row in enumerate(rows):
            first = len(chunks)
            spans = chunk_spans(row["text"])
            heading, path = f"{row['title']} {row['heading']}".strip(), (row["heading"], str(article))
            source = f"d{number:06d}"
            for a, b in spans:
                identity = f"{source}-{len(chunks)}"
                chunks.append(Chunk(identity, source, len(chunks), a, b, row["text"][a:b], heading, "", path))
            for question, start, end in questions(row["title"], row["text"], draw):
                gold: Gold = {
                    first + i: (max(start - a, 0), min(end, b) - a)
                    for i, (a, b) in enumerate(spans)
                    if start < b and end > a
                }
                made.append(Asking(question, gold, number % 2))
        asked += draw.sample(made, min(PER_DOCUMENT, len(made)))
    return Corpus(name, chunks, asked, encoder)


def statutes(data: Path, encoder: Encoder) -> Corpus:
    """Make the corpus of every article, with the lay questions that training may see."""
    laws = read_lines(data / "laws.jsonl.gz")
    kept, _ = split_by_law(laws, read_lines(data / "train" / "statute-questions.jsonl.gz"))
    chunks: list[Chunk] = []
    place: dict[int, int] = {}
    for number, (law, rows) in enumerate(groupby(laws, key=lambda row: str(row["law"]))):
        for ordinal, row in enumerate(rows):
            place[int(row["id"])] = len(chunks)
            path = (row["heading"], row["article"])
            heading = f"{law} {row['heading']} {row['article']}"
            source, text = f"d{number:06d}", row["text"]
            chunks.append(
                Chunk(f"{source}-{ordinal}", source, ordinal, 0, len(text), text, heading, "", path)
            )
    asked = [
        Asking(row["question"], {place[int(g)]: None for g in row["gold_ids"] if int(g) in place}, 0)
        for row in kept
    ]
    return Corpus("statutes", chunks, [a for a in asked if a.gold], encoder)
