"""A retriever that keeps to some of the documents."""

from __future__ import annotations

from collections.abc import Collection

from rag.protocols import Retriever
from rag.types import Hit

DEPTH = 400  # hits looked through for those that may be used


class Limited:
    """Finds chunks of the named sources only."""

    def __init__(self, retriever: Retriever, source_ids: Collection[str]) -> None:
        self._retriever = retriever
        self._source_ids = frozenset(source_ids)

    def retrieve(self, question: str, *, k: int = 8) -> list[Hit]:
        """Return the k best hits that may be used, best first."""
        hits = self._retriever.retrieve(question, k=DEPTH)
        return [hit for hit in hits if hit.chunk.source_id in self._source_ids][:k]
