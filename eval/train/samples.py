"""Makes (query, passage, negatives…) rows: real questions, and queries cut from passages.

Knows texts and chunks. Knows nothing of tokens or vectors.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.train.corpus import Collection, chunk_spans, collection, read_lines, read_passages, split_by_law
from eval.train.measure import bm25_top
from rag.ingest import QUESTIONS
from rag.phrasings import groups
from rag.sentences import clauses, sentences

Row = tuple[str, ...]
HARD_NEGATIVES = 3
MINED_DEPTH = 12
ARTICLE_CHARS = 300  # an article longer than this is cut
NEIGHBOURS = 8  # passages taken in a row from one document, to stand in one batch


@dataclass(frozen=True, slots=True)
class Material:
    """What samples are drawn from.

    `asked` are fixed rows of questions; `groups` are passages, (title, text),
    that stand in one document: neighbours are the hard negatives of a cut query;
    `known` are sentences of the bundled documents, each with the questions known to ask it.
    """

    asked: dict[str, list[Row]]
    groups: dict[str, list[list[tuple[str, str]]]]
    known: dict[str, list[str]]


def load(data: Path, knowledge: Path) -> Material:
    """Read everything training may use; held-out statute questions and their pairs are left out."""
    laws = read_lines(data / "laws.jsonl.gz")
    kept, held = split_by_law(laws, read_lines(data / "train" / "statute-questions.jsonl.gz"))
    wiki_documents = read_passages(data / "train" / "cmrc2018.json.gz")
    pairs = [r for r in read_lines(data / "train" / "pairs.jsonl.gz") if r["source"] != "CMRC2018"]
    asked = {
        "cmrc": mined(collection("cmrc", wiki_documents)),
        "pairs": without_held(pairs, laws, held),
        "statutes": statute_rows(laws, kept),
    }
    local = read_lines(data / "train" / "local-regulations.jsonl.gz")
    groups = {
        "wiki": [[(d["title"], d["text"][a:b]) for a, b in chunk_spans(d["text"])] for d in wiki_documents],
        "laws": grouped(laws, "law"),
        "local": grouped(local, "title"),
    }
    return Material(asked, groups, known(knowledge))


def known(folder: Path) -> dict[str, list[str]]:
    """Return the sentences that the folder's known questions ask, each with its questions."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob(f"*{QUESTIONS}")):
        for answers, asked in groups(path):
            for sentence in answers:
                found.setdefault(sentence, []).extend(asked)
    return found


def known_rows(asked: dict[str, list[str]], draw: random.Random) -> list[Row]:
    """Draw one question for each sentence: two of one sentence would be each other's negatives."""
    rows: list[Row] = [(draw.choice(questions), sentence) for sentence, questions in asked.items()]
    draw.shuffle(rows)
    return rows


def mined(data: Collection) -> list[Row]:
    """Question, a passage that answers it, and the passages BM25 puts highest that do not."""
    rows: list[Row] = []
    for question, found in zip(data.questions, bm25_top(data, MINED_DEPTH), strict=True):
        wrong = [int(i) for i in found if int(i) not in question.gold][:HARD_NEGATIVES]
        rows.append((question.text, data.passages[question.gold[0]], *(data.passages[i] for i in wrong)))
    return rows


def statute_rows(laws: list[dict[str, Any]], asked: list[dict[str, Any]]) -> list[Row]:
    """A row for each question and gold article."""
    by_id = {int(row["id"]): row for row in laws}
    return [(q["question"], _article(by_id[int(g)])) for q in asked for g in q["gold_ids"]]


def without_held(
    pairs: list[dict[str, Any]], laws: list[dict[str, Any]], held: list[dict[str, Any]]
) -> list[Row]:
    """Drop pairs that hold a held-out question or the text of one of its gold articles."""
    questions = {row["question"] for row in held}
    ids = {int(g) for row in held for g in row["gold_ids"]}
    starts = {row["text"][:40] for row in laws if int(row["id"]) in ids}
    return [
        (pair["question"], pair["passage"])
        for pair in pairs
        if pair["question"] not in questions and not any(start in pair["passage"] for start in starts)
    ]


def _article(row: dict[str, Any]) -> str:
    return f"{row['law']} {row['heading']} {row['text']}"


def grouped(rows: list[dict[str, Any]], key: str) -> list[list[tuple[str, str]]]:
    """Group articles by law, long ones cut into chunks; each with its law and heading as title."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        title = f"{row[key]} {row['heading']}".strip()
        chunks = [(title, row["text"][a:b]) for a, b in chunk_spans(row["text"], ARTICLE_CHARS)]
        groups.setdefault(row[key], []).extend(chunks)
    return list(groups.values())


def cut_rows(groups: Sequence[list[tuple[str, str]]], count: int, draw: random.Random) -> Iterator[Row]:
    """Yield `count` rows cut from neighbouring passages of randomly ordered documents."""
    order = list(range(len(groups)))
    made = 0
    while made < count:
        draw.shuffle(order)
        for index in order:
            group = groups[index]
            first = draw.randrange(len(group))
            for title, text in group[first : first + NEIGHBOURS]:
                row = cut(title, text, draw)
                if row:
                    made += 1
                    yield row


def cut(title: str, text: str, draw: random.Random) -> Row | None:
    """Cut a query out of a passage: part of a sentence, sometimes with the title.

    Half of the time the sentence stays in the passage, as the wording of a
    question often does; otherwise the rest has to do (inverse cloze).
    """
    spans = sentences(text)
    if not spans:
        return None
    start, end = draw.choice(spans)
    parts = clauses(text, start, end)
    a, b = draw.choice(parts)
    rest = f"{text[:start]}{text[end:]}"
    keep = len(spans) == 1 or len(rest) < 20 or draw.random() < 0.6
    query = _thin(text[a:b], draw) if keep else text[a:b]
    with_title = draw.random()
    if with_title < 0.3:
        query = f"{title} {query}"
    passage = text if keep else rest
    if with_title > 0.15 and draw.random() < 0.6:
        passage = f"{title} {passage}"
    return (query, passage) if len(query) >= 4 else None


def _thin(text: str, draw: random.Random) -> str:
    """Keep a few random pieces of a text, as a question keeps a few words of its answer."""
    share = draw.uniform(0.3, 0.8)
    kept = []
    position = 0
    while position < len(text):
        length = draw.randint(2, 6)
        if draw.random() < share:
            kept.append(text[position : position + length])
        position += length
    return " ".join(kept)
