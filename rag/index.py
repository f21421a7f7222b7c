"""The search index: generations built from the store, verified, then swapped in.

A generation is a folder with a Chroma collection (dense) and a BM25 index
(lexical) over the same chunks. It is never changed once `CURRENT` names it:
Chroma's own files are not durable under faults, so whatever is damaged or out
of date is thrown away and built again from the store. The only user of Chroma.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.chunk import is_evidence
from rag.errors import DataDirUnusable
from rag.features import Groups
from rag.lexical import LexicalIndex
from rag.protocols import Encoder
from rag.store import Store
from rag.types import Chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Matrix

logger = logging.getLogger(__name__)

LAYOUT = 2  # raise when what a generation holds changes: old ones are then rebuilt
BATCH = 2000  # Chroma refuses more than 5,461 records at once
VERIFIED = 2000  # at most so many records are looked up again after a build
_COLLECTION = "chunks"
_CURRENT = "CURRENT"
_VECTORS = "vectors.npy"
ProgressCallback = Callable[[str, int, int], None]


class Generation:
    """One finished index: the chunks it covers, lexical scores, dense neighbours."""

    def __init__(self, folder: Path, chunks: Sequence[Chunk]) -> None:
        self.folder = folder
        self.chunks = list(chunks)
        self.positions = {chunk.id: position for position, chunk in enumerate(self.chunks)}
        self.dense_failed = ""

    @cached_property
    def lexical(self) -> LexicalIndex:
        """The BM25 index over the chunks, by position."""
        return LexicalIndex.load(self.folder / "lexical")

    @cached_property
    def groups(self) -> Groups:
        """The source and section of each chunk."""
        return Groups.of(self.chunks)

    @cached_property
    def _vectors(self) -> Matrix | None:
        """The chunks' vectors in half precision, read as needed; None where the file is lost."""
        try:
            return np.load(self.folder / _VECTORS, mmap_mode="r")  # type: ignore[no-any-return]
        except (OSError, ValueError) as err:
            logger.warning("no vectors beside the index: %s", err)
            return None

    def cosines(self, query: Matrix, positions: NDArray[np.int64]) -> Matrix:
        """Return the cosines (positions,) of chunks with a (1, dim) vector; zeros where vectors are lost."""
        if self._vectors is None or not len(positions):
            return np.zeros(len(positions), dtype=np.float32)
        similarities: Matrix = self._vectors[positions].astype(np.float32) @ query[0]
        return similarities

    @cached_property
    def _client(self) -> Any:
        return _client(self.folder)

    @cached_property
    def collection(self) -> Any:
        """The Chroma collection of the chunks' vectors."""
        return self._client.get_collection(_COLLECTION, embedding_function=None)

    def close(self) -> None:
        """Let go of Chroma's files."""
        if "_client" in self.__dict__:
            self._client.close()

    def neighbours(self, query: Matrix, k: int) -> list[tuple[int, float]]:
        """Return (position, cosine similarity) of the k chunks nearest to a (1, dim) vector.

        Where Chroma fails the list is empty and `dense_failed` says why:
        lexical search goes on alone.
        """
        if not self.chunks:
            return []
        try:
            found = self.collection.query(
                query_embeddings=query, n_results=min(k, len(self.chunks)), include=["distances"]
            )
        except Exception as err:  # noqa: BLE001 - Chroma raises its own, Rust's and sqlite's errors
            self.dense_failed = f"{type(err).__name__}: {err}"
            logger.warning("dense search failed: %s", self.dense_failed)
            return []
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [(self.positions[i], 1.0 - float(d)) for i, d in pairs if i in self.positions]


class Index:
    """The generations of one data directory."""

    def __init__(self, folder: Path, store: Store, encoder: Encoder) -> None:
        self._folder = folder
        self._store = store
        self._encoder = encoder
        self._current: Generation | None = None

    def current(self) -> Generation | None:
        """Return the generation in use, or None where none is whole."""
        if self._current is None:
            self._current = self._open()
        return self._current

    def refresh(self, on_progress: ProgressCallback | None = None) -> Generation:
        """Bring the index up to date with the store; return the generation now in use.

        Raises: DataDirUnusable: the folder cannot be written.
        """
        chunks = self._evidence()
        generation = self.current()
        if generation and _key(generation.folder) == self._key_for(chunks):
            return generation
        try:
            vectors = self._vectors(chunks, on_progress)
            folder = self._build(chunks, vectors, on_progress)
            _swap(self._folder, folder)
        except OSError as err:
            raise DataDirUnusable(path=self._folder, reason=err.strerror or err) from err
        self._current = Generation(folder, chunks)
        return self._current

    def close(self) -> None:
        """Let go of the files of the generation in use."""
        if self._current:
            self._current.close()
            self._current = None

    def _evidence(self) -> list[Chunk]:
        return [chunk for chunk in self._store.chunks() if is_evidence(chunk)]

    def _open(self) -> Generation | None:
        try:
            name = (self._folder / _CURRENT).read_text(encoding="utf-8").strip()
            folder = self._folder / name
            chunks = self._evidence()
            if not name or _key(folder) != self._key_for(chunks):
                return None
            generation = Generation(folder, chunks)
            return generation if generation.lexical.size == len(chunks) else None
        except (OSError, ValueError, KeyError) as err:
            logger.info("no usable index in %s: %s", self._folder, err)
            return None

    def _key_for(self, chunks: Sequence[Chunk]) -> str:
        digest = hashlib.blake2b(f"{LAYOUT} {self._encoder.fingerprint}".encode(), digest_size=16)
        for chunk in chunks:
            digest.update(f"\n{chunk.id} {chunk.start} {chunk.end} {chunk.heading}".encode())
        return digest.hexdigest()

    def _vectors(self, chunks: Sequence[Chunk], on_progress: ProgressCallback | None) -> Matrix:
        """Return (len(chunks), dim); only chunks without a stored vector are encoded."""
        fingerprint = self._encoder.fingerprint
        stored = self._store.vectors(fingerprint)
        missing = [chunk for chunk in chunks if chunk.id not in stored]
        for first in range(0, len(missing), BATCH):
            batch = missing[first : first + BATCH]
            ids = [chunk.id for chunk in batch]
            vectors = self._encoder.encode_documents([indexed_text(chunk) for chunk in batch])
            self._store.put_vectors(ids, vectors, fingerprint=fingerprint)
            stored.update(zip(ids, (vector.tobytes() for vector in vectors), strict=True))
            _report(on_progress, "计算向量", first + len(batch), len(missing))
        rows = [np.frombuffer(stored[chunk.id], dtype=np.float32) for chunk in chunks]
        return np.stack(rows) if rows else np.zeros((0, 1), dtype=np.float32)

    def _build(self, chunks: Sequence[Chunk], vectors: Matrix, on_progress: ProgressCallback | None) -> Path:
        folder = _next_folder(self._folder)
        LexicalIndex.build(indexed_text(chunk) for chunk in chunks).save(folder / "lexical")
        np.save(folder / _VECTORS, vectors.astype(np.float16))
        client = _client(folder)
        collection = client.create_collection(
            _COLLECTION, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )
        for first in range(0, len(chunks), BATCH):
            batch = chunks[first : first + BATCH]
            collection.add(ids=[chunk.id for chunk in batch], embeddings=vectors[first : first + BATCH])
            _report(on_progress, "写入索引", first + len(batch), len(chunks))
        _verify(collection, vectors)
        client.close()
        key = {"key": self._key_for(chunks), "chunks": len(chunks)}
        (folder / "key.json").write_text(json.dumps(key), encoding="utf-8")
        return folder


def indexed_text(chunk: Chunk) -> str:
    """Return what is searched of a chunk: title and section path, then its text."""
    return f"{chunk.heading}\n{chunk.text}"


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False, allow_reset=False, _env_file=None)  # type: ignore[call-arg]
    return chromadb.PersistentClient(path=str(folder / "chroma"), settings=settings)


def _verify(collection: Any, vectors: Matrix) -> None:
    """Look records up again by their own vectors; each must find one at distance 0.

    Raises: OSError: one is not its own neighbour, so the build is not to be used.
    """
    count = len(vectors)
    step = max(1, count // VERIFIED)
    sample = vectors[::step]
    for first in range(0, len(sample), 200):
        batch = sample[first : first + 200]
        found = collection.query(query_embeddings=batch, n_results=1, include=["distances"])
        lost = sum(not d or d[0] > 1e-3 for d in found["distances"])
        if lost:
            raise OSError(f"索引校验失败：{lost} 条记录找不回自己，请重新运行 lingxue index")
    if count != collection.count():
        raise OSError(f"索引校验失败：应有 {count} 条，实有 {collection.count()} 条")


def _key(folder: Path) -> str:
    """Return what a generation was built from, or an empty string where it is not whole."""
    try:
        return str(json.loads((folder / "key.json").read_text(encoding="utf-8"))["key"])
    except (OSError, ValueError, KeyError):
        return ""


def _next_folder(parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    names = [p.name for p in parent.glob("gen-*")]
    if (parent / _CURRENT).exists():  # its folder may be gone, its number is not given again
        names.append((parent / _CURRENT).read_text(encoding="utf-8", errors="replace").strip())
    numbers = [int(name[4:]) for name in names if name[4:].isdigit()]
    return parent / f"gen-{max(numbers, default=0) + 1:06d}"


def _swap(parent: Path, folder: Path) -> None:
    """Point CURRENT at a folder, atomically, and drop all but the one before it."""
    before = (parent / _CURRENT).read_text(encoding="utf-8") if (parent / _CURRENT).exists() else ""
    pointer = parent / f"{_CURRENT}.new"
    pointer.write_text(folder.name, encoding="utf-8")
    pointer.replace(parent / _CURRENT)
    for old in parent.glob("gen-*"):
        if old.name not in (folder.name, before):
            shutil.rmtree(old, ignore_errors=True)


def _report(on_progress: ProgressCallback | None, stage: str, done: int, total: int) -> None:
    if on_progress:
        on_progress(stage, done, total)
