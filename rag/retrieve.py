"""Question to hits: lexical and dense search, fused.

Lexical scores lead; the dense model adds what wording misses. Plain rank
fusion with a weak dense model loses where wording matches, so scores are
added, each scaled to the best of its own list. Knows the index; not answers.
"""

from __future__ import annotations

from rag.errors import NothingIndexed
from rag.index import Generation, Index
from rag.lexical import top
from rag.protocols import Encoder
from rag.synonyms import expand
from rag.types import Hit

CANDIDATES = 100
DENSE_WEIGHT = 0.3  # best of 0 to 1 on CMRC2018 training passages with the bundled encoder


class HybridRetriever:
    """Finds chunks in the current generation of an index."""

    def __init__(self, index: Index, encoder: Encoder) -> None:
        self._index = index
        self._encoder = encoder

    def retrieve(self, question: str, *, k: int = 8) -> list[Hit]:
        """Return the k best chunks for a question, best first, scores in 0 to 1.

        Raises: NothingIndexed: there is no index, or it is empty.
        """
        generation = self._index.current()
        if generation is None or not generation.chunks:
            raise NothingIndexed(path="knowledge")
        return search(generation, self._encoder, question, k=k)


def search(generation: Generation, encoder: Encoder, question: str, *, k: int) -> list[Hit]:
    """Search one generation; features of a hit: lexical, dense (raw) and their scaled parts."""
    scores = generation.lexical.scores(expand(question))
    lexical = {position: float(scores[position]) for position in top(scores, CANDIDATES)}
    query = encoder.encode_query(question)
    dense = (
        dict(generation.neighbours(query, CANDIDATES)) if query.any() else {}
    )  # no known token: no direction
    best_lexical = max(lexical.values(), default=0.0) or 1.0
    best_dense = max(dense.values(), default=0.0) or 1.0

    hits = []
    for position in lexical.keys() | dense.keys():
        parts = {
            "lexical": float(scores[position]),
            "dense": dense.get(position, 0.0),
        }
        fused = parts["lexical"] / best_lexical + DENSE_WEIGHT * max(0.0, parts["dense"]) / best_dense
        hits.append(Hit(generation.chunks[position], fused / (1 + DENSE_WEIGHT), parts))
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk.id))[:k]
