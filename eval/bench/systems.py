"""Ours and its peers behind one call: build over texts, then rank positions for a question.

Each is what a developer would assemble from that library. Knows corpora;
not measures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from eval.bench.corpora import Corpus
from eval.bench.measures import DEPTH
from rag.embed import load_encoder
from rag.index import Generation, Index
from rag.protocols import Encoder
from rag.retrieve import search
from rag.store import Store

Search = Callable[[str], list[int]]
ADDED_AT_ONCE = 5000  # more is refused by Chroma
RRF_CONSTANT = 60  # Cormack et al. 2009, LangChain's default


def generation(corpus: Corpus, folder: Path) -> Generation:
    """Build the product's own store and index over a corpus."""
    store = Store(folder / "lingxue.db")
    by_source: dict[str, list[Any]] = {}
    for chunk in corpus.chunks:
        by_source.setdefault(chunk.source_id, []).append(chunk)
    for source in corpus.sources:
        store.put(source, by_source.get(source.id, []), origin="bench", stamp=source.id)
    built = Index(folder / "index", store, load_encoder()).refresh()
    store.close()
    return built


def ours(corpus: Corpus, folder: Path) -> Search:
    """Lingxue's retriever: BM25, the bundled encoder in Chroma, the learned ranker."""
    built, encoder, place = generation(corpus, folder), load_encoder(), _places(corpus)
    return lambda question: [place[hit.chunk.id] for hit in search(built, encoder, question, k=DEPTH)]


def embeddings(encoder: Encoder) -> Any:
    """Return an encoder as LangChain's `Embeddings`."""
    from langchain_core.embeddings import Embeddings

    class Wrapped(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            rows: list[list[float]] = encoder.encode_documents(texts).tolist()
            return rows

        def embed_query(self, text: str) -> list[float]:
            row: list[float] = encoder.encode_query(text)[0].tolist()
            return row

    return Wrapped()


def _vector_store(corpus: Corpus, folder: Path) -> Any:
    from langchain_chroma import Chroma

    store = Chroma("bench", embeddings(load_encoder()), persist_directory=str(folder / "chroma"))
    texts = corpus.texts
    for first in range(0, len(texts), ADDED_AT_ONCE):
        part = range(first, min(first + ADDED_AT_ONCE, len(texts)))
        store.add_texts([texts[place] for place in part], metadatas=[{"place": place} for place in part])
    return store.as_retriever(search_kwargs={"k": DEPTH})


def chroma(corpus: Corpus, folder: Path) -> Search:
    """LangChain's Chroma with the same encoder, alone, as its guide assembles it."""
    return _from_documents(_vector_store(corpus, folder))


def bm25_default(corpus: Corpus, folder: Path) -> Search:
    """LangChain's BM25Retriever as it comes: words split at spaces."""
    return _from_documents(_bm25_retriever(corpus, lambda text: text.split()))


def bm25_jieba(corpus: Corpus, folder: Path) -> Search:
    """LangChain's BM25Retriever with jieba's words."""
    return _from_documents(_bm25_retriever(corpus, _jieba()))


def bm25s_words(corpus: Corpus, folder: Path) -> Search:
    """The package bm25s over jieba's words, with its own defaults."""
    import bm25s

    cut = _jieba()
    index = bm25s.BM25()
    index.index([cut(text) for text in corpus.texts], show_progress=False)
    depth = min(DEPTH, len(corpus.chunks))

    def find(question: str) -> list[int]:
        places, _ = index.retrieve([cut(question)], k=depth, show_progress=False)
        return [int(place) for place in places[0]]

    return find


def rank_fusion(corpus: Corpus, folder: Path) -> Search:
    """LangChain's EnsembleRetriever over BM25Retriever with jieba and Chroma with the same encoder."""
    from langchain_classic.retrievers import EnsembleRetriever

    parts = [_bm25_retriever(corpus, _jieba()), _vector_store(corpus, folder)]
    both = EnsembleRetriever(retrievers=parts, weights=[0.5, 0.5], c=RRF_CONSTANT, id_key="place")
    return _from_documents(both)


SYSTEMS: dict[str, Callable[[Corpus, Path], Search]] = {
    "ours": ours,
    "BM25Retriever": bm25_default,
    "BM25Retriever, jieba": bm25_jieba,
    "bm25s, jieba words": bm25s_words,
    "Chroma, same encoder": chroma,
    "EnsembleRetriever (RRF)": rank_fusion,
}


def _places(corpus: Corpus) -> dict[str, int]:
    return {chunk.id: place for place, chunk in enumerate(corpus.chunks)}


def _jieba() -> Callable[[str], list[str]]:
    import logging

    import jieba

    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    return lambda text: list(jieba.cut(text))


def _bm25_retriever(corpus: Corpus, words: Callable[[str], list[str]]) -> Any:
    from langchain_community.retrievers import BM25Retriever

    metadatas = [{"place": place} for place in range(len(corpus.chunks))]
    return BM25Retriever.from_texts(corpus.texts, metadatas=metadatas, preprocess_func=words, k=DEPTH)


def _from_documents(retriever: Any) -> Search:
    def find(question: str) -> list[int]:
        return [int(document.metadata["place"]) for document in retriever.invoke(question)][:DEPTH]

    return find
