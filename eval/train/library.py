"""A folder's documents, read in for the time of a fit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.assistant import Assistant
from rag.config import Settings


@contextmanager
def indexed(folder: Path) -> Iterator[Assistant]:
    """Open an assistant without a model over a folder, in a data directory that is then removed."""
    with tempfile.TemporaryDirectory() as data:
        assistant = Assistant(Settings(data_dir=Path(data), knowledge_dir=folder, llm="off"))
        try:
            assistant.index()
            yield assistant
        finally:
            assistant.close()
