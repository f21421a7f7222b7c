"""Our retriever as a LangChain `BaseRetriever`, for developers who build with LangChain.

Kept apart from `retrieve`, which must not cost LangChain's import.
"""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from rag.retrieve import to_document


class LingxueRetriever(BaseRetriever):
    """Hits as `Document`s whose metadata hold source_id, start, end, locator, score."""

    hybrid: Any
    k: int = 8

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        return [to_document(hit) for hit in self.hybrid.retrieve(query, k=self.k)]
