"""Question to hits: lexical and dense search find candidates, a learned ranker orders them.

Knows the index and the ranker's columns; not answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rag import sentences as split
from rag.asking import Asked, token_weights
from rag.errors import NothingIndexed
from rag.features import Groups, Scores, heads, relative, score, score_columns, text_columns
from rag.index import Index
from rag.lexical import LexicalIndex, token_set, top
from rag.protocols import Encoder, Reranker
from rag.rerank import Trees, ranker, sentence_model
from rag.sentence_features import Columns, Passages, sentence_columns
from rag.types import Chunk, Hit

if TYPE_CHECKING:
    from rag.matching import Numbers, Places
    from rag.types import Matrix

CANDIDATES = 32  # ranked; holds a gold passage for 99.9 % of training questions where wording matches
LEXICAL, GROUPED, DENSE = 40, 30, 30  # looked at by the first score, from each kind of search
GROUP_WEIGHT, DENSE_WEIGHT = 0.3, 0.4  # of the first score, beside 1 for BM25


class Searchable(Protocol):
    """What is searched: `rag.index.Generation`, or a training corpus in memory."""

    chunks: list[Chunk]

    @property
    def lexical(self) -> LexicalIndex:
        """BM25 over the chunks, by position."""
        ...

    @property
    def groups(self) -> Groups:
        """The source and section of each chunk."""
        ...

    def neighbours(self, query: Matrix, k: int) -> list[tuple[int, float]]:
        """Return the k chunks nearest to a (1, dim) vector."""
        ...

    def cosines(self, query: Matrix, positions: Places) -> Numbers:
        """Return the similarities of chunks with a (1, dim) vector."""
        ...


class HybridRetriever:
    """Finds chunks in the current generation of an index."""

    def __init__(
        self, index: Index, encoder: Encoder, reranker: Reranker | None = None, *, ranked: bool = True
    ) -> None:
        """Keep what is searched with; not `ranked`, hits stay in the order of the first score."""
        self._index = index
        self._encoder = encoder
        self._reranker = reranker
        self._ranked = ranked

    def retrieve(self, question: str, *, k: int = 8) -> list[Hit]:
        """Return the k best chunks for a question, best first, scores in 0 to 1.

        Raises: NothingIndexed: there is no index, or it is empty.
        """
        generation = self._index.current()
        if generation is None or not generation.chunks:
            raise NothingIndexed(path="knowledge")
        return self.find(generation, question, k=k)

    def find(self, searched: Searchable, question: str, *, k: int = 8) -> list[Hit]:
        """Return the k best chunks of what is searched, best first."""
        return search(searched, self._encoder, question, k=k, reranker=self._reranker, ranked=self._ranked)


def make_retriever(index: Index, encoder: Encoder, reranker: str) -> HybridRetriever:
    """Make the retriever as LINGXUE_RERANKER says: "", "off", or a CrossEncoder; raise RerankerNotFound."""
    if reranker in ("", "off"):
        return HybridRetriever(index, encoder, ranked=not reranker)
    from rag.crossencoder import CrossEncoderReranker

    return HybridRetriever(index, encoder, CrossEncoderReranker(reranker))


def search(
    generation: Searchable,
    encoder: Encoder,
    question: str,
    *,
    k: int,
    reranker: Reranker | None = None,
    ranked: bool = True,
) -> list[Hit]:
    """Search one generation; a hit's score is the probability that it answers, its features say why.

    A `reranker` (a cross-encoder) has the last word on the candidates' scores. Not `ranked`, the score
    is the first one, as a share of the best that can be had.
    """
    positions, columns = look(generation, encoder, question, sentence_model())
    if not len(positions):
        return []
    columns["ranked"] = values = ranker().probability(columns)
    if reranker:
        chunks = [generation.chunks[i] for i in positions]
        values = reranker.score(question, [f"{chunk.heading}\n{chunk.text}" for chunk in chunks])
    elif not ranked:
        values = columns["fused"] / (1 + GROUP_WEIGHT + DENSE_WEIGHT)
    return hits_of(generation, question, positions, columns, values, k)


def hits_of(
    generation: Searchable, question: str, positions: Places, columns: Columns, values: Numbers, k: int
) -> list[Hit]:
    """Return the k candidates of highest value as hits."""
    columns = {**columns, "ranked": columns.get("ranked", values)}
    order = np.lexsort((positions, -values))[:k]
    return [
        _hit(generation, int(positions[i]), float(values[i]), _row(columns, int(i)), question) for i in order
    ]


def look(generation: Searchable, encoder: Encoder, question: str, sentences: Trees) -> tuple[Places, Columns]:
    """Find the candidates for a question; return their positions and all their columns."""
    asked = Asked.of(question, generation.lexical)
    scores = score(token_weights(question), generation.lexical, generation.groups)
    positions, cosines, fused = candidates(generation, scores, encoder.encode_query(question))
    if not asked.text or not len(positions):
        return positions[:0], {}
    passages = passages_of(generation, positions)
    by_sentence = sentence_columns(asked, passages)
    columns = score_columns(positions, scores, cosines, generation.groups)
    columns |= text_columns(asked, passages, by_sentence, sentences.total(by_sentence))
    return positions, columns | {"lexical": scores.plain[positions], "dense": cosines, "fused": fused}


def passages_of(generation: Searchable, positions: Places) -> Passages:
    """Return the texts at positions with their headings and what their documents begin with."""
    headings = heads(generation.chunks, positions, generation.groups)
    return Passages.of([generation.chunks[i].text for i in positions], headings)


def candidates(generation: Searchable, scores: Scores, query: Matrix) -> tuple[Places, Numbers, Numbers]:
    """Return the positions to rank, rising, their cosines with a (1, dim) query, and the first scores."""
    weighed = relative(scores.weighed)
    section = relative(scores.section)
    pool = {*top(weighed, LEXICAL), *top(weighed + 0.5 * section, GROUPED)}
    if query.any():
        pool |= {position for position, _ in generation.neighbours(query, DENSE)}
    positions = np.array(sorted(pool), dtype=np.int64)
    cosines = generation.cosines(query, positions)
    first = weighed[positions] + GROUP_WEIGHT * section[positions]
    first += DENSE_WEIGHT * relative(np.maximum(cosines, 0))
    chosen = np.sort(np.argsort(-first, kind="stable")[:CANDIDATES])
    return positions[chosen], cosines[chosen], first[chosen]


def _row(columns: Mapping[str, Numbers], row: int) -> dict[str, float]:
    return {name: float(values[row]) for name, values in columns.items()}


def _hit(
    generation: Searchable, position: int, value: float, features: dict[str, float], question: str
) -> Hit:
    chunk = generation.chunks[position]
    sentence = best_sentence(chunk, question, generation.lexical)
    return Hit(chunk, value, features, sentence, section_span(generation, position))


def best_sentence(chunk: Chunk, question: str, lexical: LexicalIndex) -> tuple[int, int]:
    """Return the clean span of the chunk's sentence that covers most of the question."""
    spans = split.sentences(chunk.text)
    weights = {token: weight * lexical.idf(token) for token, weight in token_weights(question).items()}

    def covered(span: tuple[int, int]) -> float:
        tokens = token_set(chunk.text[slice(*span)])
        return sum(weight for token, weight in weights.items() if token in tokens)

    start, end = max(spans, key=covered, default=(0, len(chunk.text)))
    return chunk.start + start, chunk.start + end


def section_span(generation: Searchable, position: int) -> tuple[int, int]:
    """Return the clean span of the section around a chunk; without sections, of its neighbours too."""
    chunks = generation.chunks
    own = chunks[position]

    def belongs(other: int) -> bool:
        if not 0 <= other < len(chunks) or chunks[other].source_id != own.source_id:
            return False
        return chunks[other].section_path == own.section_path and bool(
            own.section_path or abs(other - position) <= 1
        )

    first = last = position
    while belongs(first - 1):
        first -= 1
    while belongs(last + 1):
        last += 1
    return chunks[first].start, chunks[last].end
