"""Our retriever as a LangChain `BaseRetriever`, for developers who build with LangChain.

Kept apart from `retrieve`, which must not cost LangChain's import.
"""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from rag.types import Hit


class LingxueRetriever(BaseRetriever):
    """Hits as `Document`s; start, end, sentence and section of the metadata are clean offsets."""

    hybrid: Any  # a rag.types.Retriever; pydantic cannot check a protocol
    k: int = 8

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [to_document(hit) for hit in self.hybrid.retrieve(query, k=self.k)]


def to_document(hit: Hit) -> Document:
    """Return a hit as a LangChain `Document`, its place in the metadata."""
    chunk = hit.chunk
    metadata = {
        "source_id": chunk.source_id,
        "start": chunk.start,
        "end": chunk.end,
        "locator": chunk.locator,
        "heading": chunk.heading,
        "score": hit.score,
        "sentence": list(hit.sentence),
        "section": list(hit.section),
    }
    return Document(page_content=chunk.text, id=chunk.id, metadata=metadata)
