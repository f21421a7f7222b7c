"""What the ranker looks at: for a question and its candidates, a row of numbers each.

Lexical and dense scores, document and section, neighbours, heading, common
runs, and the sentences as a first model sees them. Everything is scaled to
the question or to its best candidate, so that collections of any size look
alike. Knows chunks and scores; not how trees weigh them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.asking import Asked
from rag.lexical import LexicalIndex
from rag.matching import longest_runs, weigh
from rag.sentence_features import Columns, Occurrences, Passages, find
from rag.types import Chunk

if TYPE_CHECKING:
    from rag.matching import Numbers, Places
    from rag.types import Matrix

FAR = 20  # chunks from the start of a document, beyond which it no longer matters


@dataclass(frozen=True, slots=True)
class Groups:
    """The source and the section of each chunk, as numbers that rise with position."""

    source: Places
    section: Places

    @classmethod
    def of(cls, chunks: Sequence[Chunk]) -> Groups:
        """Number the sources, and the sections one above each chunk's own."""
        source = _numbered([chunk.source_id for chunk in chunks])
        section = _numbered([(chunk.source_id, chunk.section_path[:-1]) for chunk in chunks])
        return cls(source, section)


LEAD = 40  # characters at the start of a document, which name what it is about


def heads(chunks: Sequence[Chunk], positions: Places, groups: Groups) -> list[str]:
    """Return the heading of each chunk with the first words of its document."""
    firsts = np.searchsorted(groups.source, groups.source[positions], side="left")
    return [
        f"{chunks[i].heading} {chunks[first].text[:LEAD]}" for i, first in zip(positions, firsts, strict=True)
    ]


def _numbered(keys: Sequence[object]) -> Places:
    """Number runs of equal neighbours from 0."""
    new = [i > 0 and key != keys[i - 1] for i, key in enumerate(keys)]
    return np.cumsum(np.array(new, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of every chunk, (chunks,): BM25 plain, weighed, of pairs alone, and of its groups.

    `ideal` is what a chunk with every token of the question would about have.
    """

    plain: Matrix
    weighed: Matrix
    pairs: Matrix
    source: Matrix
    section: Matrix
    ideal: float


def score(weights: Mapping[str, float], lexical: LexicalIndex, groups: Groups) -> Scores:
    """Score all chunks; a group's score takes each token where the group has it best."""
    size = lexical.size
    plain, weighed, pairs = (np.zeros(size, dtype=np.float32) for _ in range(3))
    by_source = np.zeros(int(groups.source[-1]) + 1 if size else 0, dtype=np.float32)
    by_section = np.zeros(int(groups.section[-1]) + 1 if size else 0, dtype=np.float32)
    ideal = 1e-6
    for token, weight in weights.items():
        places, values = lexical.postings(token)
        ideal += weight * lexical.idf(token)
        if not len(places):
            continue
        plain[places] += values
        values = np.float32(weight) * values
        weighed[places] += values
        if len(token) > 1:
            pairs[places] += values
        first, values = _add_best(by_section, groups.section[places], values)
        _add_best(by_source, groups.source[places[first]], values)  # a section is in one source
    return Scores(plain, weighed, pairs, by_source[groups.source], by_section[groups.section], ideal)


def _add_best(totals: Matrix, group: Places, values: Matrix) -> tuple[Places, Matrix]:
    """Add each group's highest value to its total; `group` rises. Return their beginnings and values."""
    first = _first(group)
    values = np.maximum.reduceat(values, first)
    totals[group[first]] += values
    return first, values


def _first(group: Places) -> Places:
    """Return where each run of equal numbers begins."""
    new = np.empty(len(group), dtype=bool)
    new[:1] = True
    np.not_equal(group[1:], group[:-1], out=new[1:])
    return np.flatnonzero(new)


def relative(values: Numbers) -> Numbers:
    """Scale to the highest."""
    return np.asarray(values / max(float(values.max(initial=0.0)), 1e-6), dtype=np.float32)


def _gap(values: Numbers) -> Numbers:
    below: Numbers = values - values.max()
    return below


def _rank(values: Numbers) -> Numbers:
    order = np.argsort(-values, kind="stable")
    ranks = np.empty(len(values), dtype=np.float32)
    ranks[order] = np.arange(len(values))
    return ranks


def score_columns(positions: Places, scores: Scores, cosines: Numbers, groups: Groups) -> Columns:
    """Columns from the scores of the candidates at `positions`; cosines are theirs."""
    columns: Columns = {}
    for name in ("plain", "weighed", "pairs", "source", "section"):
        values: Numbers = getattr(scores, name)[positions]
        columns[name] = relative(values)
        if name != "plain":
            columns[f"{name}_share"] = values / np.float32(scores.ideal)
    columns["weighed_rank"] = _rank(columns["weighed"])
    spread = max(float(cosines.std()), 1e-6)
    columns["cosine"] = (cosines - cosines.mean()) / np.float32(spread)  # any encoder's
    columns["cosine_gap"] = _gap(columns["cosine"])
    columns["cosine_rank"] = _rank(cosines)
    last, source = len(groups.source) - 1, groups.source
    top = np.float32(max(float(scores.weighed[positions].max()), 1e-6))
    for name, step in (("before", -1), ("after", 1)):
        beside = np.clip(positions + step, 0, last)
        same = (source[beside] == source[positions]) & (beside != positions)
        columns[name] = (np.where(same, scores.weighed[beside], 0) / top).astype(np.float32)
    return columns | _source_columns(positions, columns, groups)


def _source_columns(positions: Places, columns: Columns, groups: Groups) -> Columns:
    source = groups.source
    _, own = np.unique(source[positions], return_inverse=True)
    made: Columns = {}
    for name in ("weighed", "cosine"):
        best = np.full(int(own.max()) + 1, -1e3, dtype=np.float32)
        np.maximum.at(best, own, columns[name])
        made[f"source_{name}_gap"] = columns[name] - best[own]
    made["source_count"] = np.bincount(own)[own].astype(np.float32)
    begins = np.searchsorted(source, source[positions], side="left")
    ends = np.searchsorted(source, source[positions], side="right")
    made["ordinal"] = np.minimum(positions - begins, FAR).astype(np.float32)
    made["place"] = ((positions - begins) / np.maximum(ends - begins, 1)).astype(np.float32)
    return made


def text_columns(asked: Asked, passages: Passages, by_sentence: Columns, sentence_scores: Numbers) -> Columns:
    """Columns from the texts of the candidates and from their sentences' columns and scores."""
    sentences, size = passages.sentences, passages.body.size
    best_score, best = sentences.best(sentence_scores)
    rest = sentence_scores.copy()
    rest[best] = sentence_scores.min()
    columns: Columns = {
        "answer": best_score,
        "answer_gap": _gap(best_score),
        "answer_rank": _rank(best_score),
        "second_answer": sentences.best(rest)[0],
    }
    for name in ("pairs", "singles", "local", "headed", "with_before", "clause", "run", "grams3", "grams4"):
        columns[f"s_{name}"] = np.maximum.reduceat(by_sentence[name], sentences.first)
        columns[f"s_{name}_gap"] = _gap(columns[f"s_{name}"])
    for name in ("length", "language", "order"):
        columns[f"s_{name}"] = by_sentence[name][best]
    for name in asked.expected:
        columns[f"holds_{name}"] = by_sentence[f"holds_{name}"][best]
        columns[f"holds_{name}_all"] = np.add.reduceat(by_sentence[f"holds_{name}"], sentences.first)
    columns |= _whole_columns(asked, passages, find(asked, passages))
    ones = np.ones(size, dtype=np.float32)
    columns["kind"], columns["question_length"] = asked.kind * ones, len(asked.text) * ones
    return columns


def _whole_columns(asked: Asked, passages: Passages, found: Occurrences) -> Columns:
    body, heads, size = passages.body, passages.heads, passages.body.size
    present = asked.pairs.present(body.owner[found.at], found.term, size)
    headed = asked.pairs.present(found.head_owner, found.head_term, size)
    single = asked.singles.present(body.owner[found.single_at], found.single, size)
    runs = longest_runs(asked.points, heads.points, heads.starts).max(axis=0).astype(np.float32)
    columns = {
        "covered": weigh(present, asked.pairs.weights),
        "head_covered": weigh(headed, asked.pairs.weights),
        "both_covered": weigh(present | headed, asked.pairs.weights),
        "characters": weigh(single, asked.singles.weights),
        "length": np.bincount(body.owner, minlength=size).astype(np.float32),
        "head_run": runs,
        "head_share": runs / np.bincount(heads.owner, minlength=size).astype(np.float32),
    }
    weights = asked.pairs.weights
    columns["missing"] = np.max(weights * ~present, axis=1, initial=0)
    columns["missing_both"] = np.max(weights * ~(present | headed), axis=1, initial=0)
    for name in ("covered", "both_covered", "head_covered"):
        columns[f"{name}_gap"] = _gap(columns[name])
    return columns
