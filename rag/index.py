"""The search index: generations built from the store, verified, then swapped in.

A generation is never changed once `CURRENT` names it: whatever is damaged or
out of date is built again from the store. While that happens, here or in
another process, questions are answered from the generation there is.
"""

from __future__ import annotations

import logging
import shutil
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.atomic import write_text
from rag.chunk import is_evidence
from rag.errors import DataDirUnusable
from rag.generation import (
    CHROMA,
    LEXICAL,
    VECTORS,
    Generation,
    Key,
    content_key,
    read_key,
    stacked,
    write_chunks,
    write_key,
)
from rag.lexical import fold
from rag.postings import Postings
from rag.probe import write_sample
from rag.protocols import Encoder
from rag.reasons import why
from rag.store import Store
from rag.types import Chunk
from rag.vectors import BATCH, Collection, EmbeddedCollection, ServerCollection, exact, lost

if TYPE_CHECKING:
    from rag.types import Matrix

__all__ = ["Generation", "Index", "indexed_text"]
logger = logging.getLogger(__name__)

COMPARED = 50  # queries whose Chroma neighbours are compared with exact ones after a build
AGREEMENT = 0.9  # share of exact neighbours that Chroma has to find among those
_CURRENT = "CURRENT"
ProgressCallback = Callable[[str, int, int], None]


class Index:
    """The generations of one data directory."""

    def __init__(self, folder: Path, store: Store, encoder: Encoder, *, chroma_url: str = "") -> None:
        self._folder = folder
        self._store = store
        self._encoder = encoder
        self._chroma_url = chroma_url
        self._current: Generation | None = None
        self._seen: tuple[str, str] = ("", "")
        self._opening = threading.RLock()

    def current(self) -> Generation | None:
        """Return the newest whole generation, up to date or not; None where there is none."""
        with self._opening:
            now = (self._pointer(), self._store.removals)
            if self._current is None or now != self._seen:
                self._current, self._seen = self._open(now[0]), now
            return self._current

    def fresh(self) -> bool:
        """Tell whether the generation in use is whole and covers what the store holds now."""
        generation = self.current()
        if generation is None:
            return False
        generation.check()
        return not generation.broken and generation.key.revision == self._store.revision

    def behind(self) -> bool:
        """Tell whether the store is older than the index, as after a restored or cut file."""
        generation = self.current()
        return generation is not None and _count(generation.key.revision) > _count(self._store.revision)

    def refresh(self, on_progress: ProgressCallback | None = None) -> Generation:
        """Bring the index up to date with the store; return the generation now in use.

        Raises: DataDirUnusable: the folder cannot be written.
        """
        revision = self._store.revision
        chunks = [chunk for chunk in self._store.chunks() if is_evidence(chunk)]
        content = content_key(chunks, self._encoder.fingerprint)
        generation = self.current()
        try:
            if generation and generation.key.content == content and self._sound(generation):
                if generation.key.revision != revision:
                    generation.key = replace(generation.key, revision=revision)
                    write_key(generation.folder, generation.key)
            else:
                vectors = self._vectors(chunks, on_progress)
                key = Key(content, revision, self._encoder.fingerprint, vectors.shape[1])
                generation = self._replace(chunks, vectors, key, on_progress)
            self._collect(generation)
            self._store.purge()
        except OSError as err:
            raise DataDirUnusable(path=self._folder, reason=why(err)) from err
        self._seen = (self._pointer(), self._store.removals)
        self._store.checkpoint()
        return generation

    def close(self) -> None:
        """Let go of the files of the generation in use."""
        if self._current:
            self._current.close()
            self._current = None

    def _sound(self, generation: Generation) -> bool:
        generation.check()
        return generation.key.dense and not generation.broken and not generation.hidden

    def _pointer(self) -> str:
        try:
            return (self._folder / _CURRENT).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""

    def _open(self, name: str) -> Generation | None:
        """Open the generation that is pointed at, or else the newest that is whole."""
        others = sorted((path.name for path in self._folder.glob("gen-*")), reverse=True)
        stored: list[Chunk] | None = None
        for candidate in dict.fromkeys([name, *others]):
            folder = self._folder / candidate
            if self._current and self._current.folder == folder:
                self._current.close()
            try:
                if not candidate.startswith("gen-") or self._foreign(folder):
                    continue
                stored = self._store.chunks(retired=True) if stored is None else stored
                return self._opened(folder, stored)
            except (OSError, ValueError, KeyError, IndexError, TypeError) as err:
                logger.info("no usable index in %s: %s", folder, err)
        return None

    def _opened(self, folder: Path, stored: Sequence[Chunk]) -> Generation:
        return Generation(
            folder,
            stored,
            vectors=lambda: self._store.vectors(self._encoder.fingerprint),
            chroma_url=self._chroma_url,
        )

    def _foreign(self, folder: Path) -> bool:
        """Tell whether a generation is another encoder's, or kept where the settings do not say."""
        key = read_key(folder)
        elsewhere = bool(key.collection) != bool(self._chroma_url) and key.dense
        return key.fingerprint != self._encoder.fingerprint or elsewhere

    def _replace(
        self, chunks: Sequence[Chunk], vectors: Matrix, key: Key, on_progress: ProgressCallback | None
    ) -> Generation:
        folder = _next_folder(self._folder)
        folder.mkdir(parents=True)
        try:
            collection = self._build(folder, chunks, vectors, on_progress)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        key = replace(key, dense=collection is not None, collection=collection.name if collection else "")
        write_key(folder, key)
        with self._opening:
            if self._current:
                self._current.close()
            write_text(self._folder / _CURRENT, folder.name)
            self._current = self._opened(folder, chunks)
            if collection is not None:
                self._current.adopt(collection)
            return self._current

    def _build(
        self, folder: Path, chunks: Sequence[Chunk], vectors: Matrix, on_progress: ProgressCallback | None
    ) -> Collection | None:
        """Write a generation's files; return its collection, or None where it fails verification."""
        Postings.of(fold(indexed_text(chunk)) for chunk in chunks).save(folder / LEXICAL)
        write_chunks(folder, chunks)
        np.save(folder / VECTORS, vectors.astype(np.float16))
        # A text without a known token has no direction and no neighbours.
        ids = [chunk.id for chunk, vector in zip(chunks, vectors, strict=True) if vector.any()]
        vectors = vectors[vectors.any(axis=1)] if len(vectors) else vectors
        write_sample(folder, vectors)
        collection: Collection | None = None
        try:
            collection = self._new_collection(folder)
            for first in range(0, len(ids), BATCH):
                collection.add(ids[first : first + BATCH], vectors[first : first + BATCH])
                _report(on_progress, "写入索引", min(first + BATCH, len(ids)), len(ids))
            trouble = _trouble(collection, ids, vectors)
            collection.seal()
        except Exception as err:  # noqa: BLE001 - whatever Chroma raises, exact search remains
            trouble = f"{type(err).__name__}: {err}"
            if isinstance(err, OSError):
                raise
        if trouble:
            logger.warning("Chroma is not used for %s, exact search is: %s", folder.name, trouble)
            if collection is not None:
                collection.close()
            return None
        return collection

    def _new_collection(self, folder: Path) -> Collection:
        if not self._chroma_url:
            return EmbeddedCollection(folder / CHROMA, create=True)
        return ServerCollection(self._chroma_url, f"lingxue-{uuid.uuid4().hex}", create=True)

    def _vectors(self, chunks: Sequence[Chunk], on_progress: ProgressCallback | None) -> Matrix:
        """Return (len(chunks), dim); only chunks without a sound stored vector are encoded."""
        fingerprint = self._encoder.fingerprint
        dimension = self._encoder.encode_query("").shape[1]
        stored = self._store.vectors(fingerprint)
        missing = [chunk for chunk in chunks if not _sound(stored.get(chunk.id, b""), dimension)]
        for first in range(0, len(missing), BATCH):
            batch = missing[first : first + BATCH]
            ids = [chunk.id for chunk in batch]
            vectors = self._encoder.encode_documents([indexed_text(chunk) for chunk in batch])
            self._store.put_vectors(ids, vectors, fingerprint=fingerprint)
            stored.update(zip(ids, (vector.tobytes() for vector in vectors), strict=True))
            _report(on_progress, "计算向量", first + len(batch), len(missing))
        return stacked(chunks, stored, dimension)

    def _collect(self, kept: Generation) -> None:
        """Delete all generations but the one in use: they may hold what was deleted since."""
        names = []
        for old in self._folder.glob("gen-*"):
            if old != kept.folder:
                with suppress(OSError, ValueError):  # an unfinished one
                    names.append(read_key(old).collection)
                shutil.rmtree(old, ignore_errors=True)
        kept.drop_collections([name for name in names if name])


def indexed_text(chunk: Chunk) -> str:
    """Return what is searched of a chunk: title and section path, then its text."""
    return f"{chunk.heading}\n{chunk.text}"


def _trouble(collection: Collection, ids: Sequence[str], vectors: Matrix) -> str:
    """Say what is wrong with a new collection: every record finds itself, exact search agrees."""
    if not len(vectors):
        return ""
    if collection.count() != len(vectors):
        return f"应有 {len(vectors)} 条，实有 {collection.count()} 条"
    if missing := lost(collection, vectors):
        return f"{missing} 条记录找不回自己"
    k = min(10, len(vectors))
    agreed = compared = 0
    for query in vectors[:: max(1, len(vectors) // COMPARED)]:
        _, distances = collection.query(query[None], k)
        worst = 1.0 - exact(vectors, query[None], k)[-1][1] + 1e-4  # ties are as good as the others
        agreed += int((distances[0] <= worst).sum())
        compared += k
    return "" if agreed >= AGREEMENT * compared else f"与逐条计算只有 {agreed / compared:.0%} 一致"


def _sound(vector: bytes, dimension: int) -> bool:
    """Tell whether a stored vector has its dimension and is of unit length, or of zeros."""
    if len(vector) != 4 * dimension:
        return False
    row = np.frombuffer(vector, dtype=np.float32)
    length = float(row @ row)
    return length == 0.0 or abs(length - 1.0) < 1e-3


def _count(revision: str) -> int:
    number = revision.split("-")[0]
    return int(number) if number.isdigit() else 0


def _next_folder(parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    names = [p.name for p in parent.glob("gen-*")]
    if (parent / _CURRENT).exists():  # its folder may be gone, its number is not given again
        names.append((parent / _CURRENT).read_text(encoding="utf-8", errors="replace").strip())
    numbers = [int(name[4:]) for name in names if name[4:].isdigit()]
    return parent / f"gen-{max(numbers, default=0) + 1:06d}"


def _report(on_progress: ProgressCallback | None, stage: str, done: int, total: int) -> None:
    if on_progress:
        on_progress(stage, done, total)
