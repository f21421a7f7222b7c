"""What the ranker looks at in a sentence: how it meets the question, what sort of thing it holds.

All sentences of all candidates at once, a column of numbers per feature.
Knows texts and a weighed question; not chunks, indexes or ranks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag.asking import KINDS, Asked
from rag.lexical import fold
from rag.matching import CLAUSE_ENDS, SENTENCE_ENDS, Pieces, Terms, Texts, longest_runs, weigh
from rag.rerank import FOLDER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.matching import Numbers, Places

Columns = dict[str, "Numbers"]


@dataclass(frozen=True, slots=True)
class Passages:
    """Candidates' texts and headings, folded and joined, cut into sentences and clauses."""

    body: Texts
    heads: Texts
    sentences: Pieces
    clauses: Pieces

    @classmethod
    def of(cls, texts: Sequence[str], headings: Sequence[str]) -> Passages:
        """Fold, join and cut."""
        body = Texts([fold(text) for text in texts])
        heads = Texts([fold(heading) for heading in headings])
        return cls(body, heads, body.cut(SENTENCE_ENDS), body.cut(CLAUSE_ENDS))

    def sentence(self, number: int) -> str:
        """Return the folded text of a sentence."""
        return self.body.joined[self.sentences.starts[number] : self.sentences.ends[number]]


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Where the question's pairs and characters stand."""

    at: Places
    term: Places
    head_owner: Places
    head_term: Places
    single_at: Places
    single: Places


@lru_cache(maxsize=1)
def _answer_language() -> NDArray[np.float32]:
    """Log-odds (kinds + 1, 65536) of a character in an answering sentence, by kind of question."""
    table = np.zeros((len(KINDS) + 1, 1 << 16), dtype=np.float32)
    learned = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))
    for row, weights in enumerate(learned):
        for character, weight in weights.items():
            table[row, ord(character)] = weight
    return table


def sentence_columns(asked: Asked, passages: Passages) -> Columns:
    """Return the columns (sentences,) of all sentences of the passages."""
    body, sentences = passages.body, passages.sentences
    found = find(asked, passages)
    columns = _coverage(asked, passages, found)
    runs = longest_runs(asked.points, body.points, sentences.starts)
    columns["run"] = runs.max(axis=0).astype(np.float32)
    for n in (3, 4):
        columns[f"grams{n}"] = asked.character_weights @ (runs >= n)
    columns |= _shape(asked, passages, found)
    return columns | _kinds(asked, passages)


def find(asked: Asked, passages: Passages) -> Occurrences:
    """Find the question's pairs and characters in the passages."""
    at, term = asked.pairs.find(passages.body.keys)
    head_at, head_term = asked.pairs.find(passages.heads.keys)
    single_at, single = asked.singles.find(passages.body.points)
    return Occurrences(at, term, passages.heads.owner[head_at], head_term, single_at, single)


def _local(terms: Terms, place: Places, term: Places, count: int) -> Terms:
    """Weigh terms by how few of the sentences hold them."""
    present = terms.present(place, term, count)
    frequency = present.sum(axis=0)
    weights = np.log1p((count - frequency + 0.5) / (frequency + 0.5)) * (terms.weights > 0) * (frequency > 0)
    return Terms(terms.keys, (weights / max(float(weights.sum()), 1e-6)).astype(np.float32))


def _coverage(asked: Asked, passages: Passages, found: Occurrences) -> Columns:
    pairs, singles, sentences = asked.pairs, asked.singles, passages.sentences
    count = len(sentences.starts)
    place = sentences.place[found.at]
    present = pairs.present(place, found.term, count)
    single = singles.present(sentences.place[found.single_at], found.single, count)
    local = _local(pairs, place, found.term, count)
    local_single = _local(singles, sentences.place[found.single_at], found.single, count)
    headed = present | pairs.present(found.head_owner, found.head_term, passages.body.size)[sentences.owner]
    same_before = np.concatenate([[False], sentences.owner[1:] == sentences.owner[:-1]])
    before = np.zeros_like(headed)
    before[1:] = headed[:-1]
    before &= same_before[:, None]
    after = np.zeros_like(present)
    after[:-1] = present[1:] & same_before[1:, None]
    clauses = passages.clauses
    by_clause = weigh(pairs.present(clauses.place[found.at], found.term, len(clauses.starts)), pairs.weights)
    first_clause = np.searchsorted(clauses.starts, sentences.starts)
    return {
        "pairs": weigh(present, pairs.weights),
        "singles": weigh(single, singles.weights),
        "local": weigh(present, local.weights),
        "local_singles": weigh(single, local_single.weights),
        "headed": weigh(headed, pairs.weights),
        "with_before": weigh(headed | before, pairs.weights),
        "with_after": weigh(headed | after, pairs.weights),
        "clause": np.maximum.reduceat(by_clause, first_clause),
    }


def _shape(asked: Asked, passages: Passages, found: Occurrences) -> Columns:
    sentences = passages.sentences
    count = len(sentences.starts)
    lengths = (sentences.ends - sentences.starts).astype(np.float32)
    matched = np.bincount(sentences.place[found.single_at], minlength=count)
    order = (
        np.arange(count) - sentences.first[np.searchsorted(sentences.first, np.arange(count), "right") - 1]
    )
    codes = np.minimum(passages.body.points, 0xFFFF)
    weights = _answer_language()[asked.kind][codes]
    weights[found.single_at] = 0  # what the question says itself is no answer
    language = np.add.reduceat(weights, sentences.starts)
    return {
        "length": lengths,
        "new": lengths - matched,
        "order": order.astype(np.float32),
        "language": language.astype(np.float32),
        "language_mean": language / np.sqrt(lengths),
        "language_best": np.maximum.reduceat(weights, sentences.starts),
    }


def _kinds(asked: Asked, passages: Passages) -> Columns:
    count = len(passages.sentences.starts)
    texts = [passages.sentence(i) for i in range(count)]
    ones = np.ones(count, dtype=np.float32)
    columns: Columns = {"kind": asked.kind * ones}
    for name, holds in asked.expected.items():
        columns[f"holds_{name}"] = _counts(holds, texts) if holds else -ones
    return columns


def _counts(pattern: re.Pattern[str], texts: Sequence[str]) -> Numbers:
    return np.array([len(pattern.findall(text)) for text in texts], dtype=np.float32)
