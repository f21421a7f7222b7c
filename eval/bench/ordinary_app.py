"""The peer: a question page put together the ordinary way, as the libraries' own guides show it.

LangChain's text loader and RecursiveCharacterTextSplitter (their guides' 1,000 and 200 characters),
Chroma.from_documents, a similarity retriever with k=4, Gradio's ChatInterface. The embeddings are the encoder
that Lingxue ships, so neither side has the better vectors; without a model on either side, the page shows the
passages that were found.

    python -m eval.bench.ordinary_app FOLDER PORT DATA
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rag.offline import stay_offline

K = 4
SIZE, OVERLAP = 1000, 200  # the splitter's guide


def main(folder: Path, port: int, data: Path) -> None:
    """Index the folder's documents and serve the page."""
    stay_offline()
    import gradio as gr
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    from rag.embed import load_encoder

    class Bundled(Embeddings):
        """The bundled encoder as LangChain's embeddings."""

        def __init__(self) -> None:
            self._encoder = load_encoder()

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            """Return a vector for each text."""
            rows: list[list[float]] = self._encoder.encode_documents(texts).tolist()
            return rows

        def embed_query(self, text: str) -> list[float]:
            """Return the vector of a question."""
            row: list[float] = self._encoder.encode_query(text)[0].tolist()
            return row

    documents = [
        Document(page_content=path.read_text(encoding="utf-8"), metadata={"source": path.name})
        for path in sorted(folder.glob("*.md"))
    ]
    splits = RecursiveCharacterTextSplitter(chunk_size=SIZE, chunk_overlap=OVERLAP).split_documents(documents)
    store = Chroma.from_documents(splits, Bundled(), persist_directory=str(data))
    retriever = store.as_retriever(search_kwargs={"k": K})

    def answer(message: str, _history: list[Any]) -> str:
        found = retriever.invoke(message)
        return "\n\n".join(f"**{one.metadata['source']}**\n\n{one.page_content}" for one in found)

    gr.ChatInterface(answer).launch(server_name="127.0.0.1", server_port=port, quiet=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
