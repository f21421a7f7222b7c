"""One finished index over a set of chunks: lexical scores, dense neighbours.

A generation is a folder that is never changed once it is finished. It holds
no text: its chunks are read from the store, each with a digest, and one that
is gone or no longer what was indexed is hidden. So an older generation answers
rightly while a newer one is being built. Dense search takes the first way that
works: Chroma, exact search over the stored vectors, none.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.atomic import write_text
from rag.features import Groups
from rag.lexical import LexicalIndex
from rag.postings import Postings
from rag.types import Chunk
from rag.vectors import (
    Collection,
    Damaged,
    EmbeddedCollection,
    ServerCollection,
    Unavailable,
    exact,
    file_digest,
)

if TYPE_CHECKING:
    from rag.matching import Places
    from rag.types import Matrix

logger = logging.getLogger(__name__)

LAYOUT = 4  # raise when what a generation holds changes: old ones are then rebuilt
RETRY_S = 15.0  # after a failure Chroma is left alone so long
CHROMA, LEXICAL, VECTORS = "chroma", "lexical", "vectors.npy"
_KEY, _CHUNKS = "key.json", "chunks.json"


@dataclass(frozen=True, slots=True)
class Key:
    """What a generation was built from.

    `content` is a digest over its chunks, `revision` the store's when they
    were read, `dimension` that of its vectors, `collection` the name on a
    Chroma server, or empty; `dense` is False where Chroma failed verification
    and exact search is used.
    """

    content: str
    revision: str
    fingerprint: str
    dimension: int
    collection: str = ""
    dense: bool = True
    layout: int = LAYOUT


class Generation:
    """A generation opened for searching; what it says of itself is checked when it is opened."""

    def __init__(
        self,
        folder: Path,
        stored: Sequence[Chunk],
        *,
        vectors: Callable[[], dict[str, bytes]],
        chroma_url: str = "",
    ) -> None:
        """Open a folder; `stored` are the chunks that can be read now, `vectors` their vectors by id.

        Raises: OSError or ValueError where a file is missing or not as it was written.
        """
        self.folder = folder
        self.key = read_key(folder)
        self.lexical = LexicalIndex([Postings.load(folder / LEXICAL)])
        self.hidden = self._place(stored)
        self.lexical.hide(self.hidden)
        if self.lexical.size != len(self.chunks):
            raise ValueError(f"{folder.name}: lexical index of another size")
        self.dense_failed = ""
        self.broken = False
        self.searched_by = ""
        self._vectors = vectors
        self._chroma_url = chroma_url
        self._collection: Collection | None = None
        self._retry_at = 0.0
        self._matrix: Matrix | None = None

    def _place(self, stored: Sequence[Chunk]) -> list[int]:
        """Set chunks by position; return the positions whose chunk is gone or changed."""
        by_id = {chunk.id: chunk for chunk in stored}
        listed = json.loads((self.folder / _CHUNKS).read_text(encoding="utf-8"))
        self.chunks: list[Chunk] = []
        hidden = []
        for position, (identity, digest) in enumerate(listed):
            chunk = by_id.get(identity)
            if chunk is None or chunk_digest(chunk) != digest:
                hidden.append(position)
                chunk = Chunk(identity, "", 0, 0, 0, "")
            self.chunks.append(chunk)
        gone = set(hidden)
        self.positions = {c.id: p for p, c in enumerate(self.chunks) if p not in gone}
        return hidden

    def neighbours(self, query: Matrix, k: int) -> list[tuple[int, float]]:
        """Return (position, cosine similarity) of the k chunks nearest to a (1, dim) vector.

        Where neither Chroma nor exact search works the list is empty and
        `dense_failed` says why: lexical search goes on alone.
        """
        if not self.positions:
            return []
        reasons = []
        for name, search in ((CHROMA, self._by_chroma), ("exact", self._by_scan)):
            try:
                found = search(query, k)
            except Exception as err:  # noqa: BLE001 - Chroma raises its own, Rust's and sqlite's errors
                reasons.append(f"{type(err).__name__}: {err}")
                continue
            self.searched_by, self.dense_failed = name, ""
            return found
        self.searched_by, self.dense_failed = "", "; ".join(reasons)
        logger.warning("dense search failed: %s", self.dense_failed)
        return []

    @cached_property
    def groups(self) -> Groups:
        """The source and section of each chunk."""
        return Groups.of(self.chunks)

    @cached_property
    def _halves(self) -> Matrix:
        """The chunks' vectors in half precision, read as they are needed."""
        halves: Matrix = np.load(self.folder / VECTORS, mmap_mode="r")
        return halves

    def cosines(self, query: Matrix, positions: Places) -> Matrix:
        """Return the cosine similarities (positions,) of chunks with a (1, dim) vector."""
        if not len(positions):
            return np.zeros(0, dtype=np.float32)
        similarities: Matrix = self._halves[positions].astype(np.float32) @ query[0]
        return similarities

    def check(self) -> None:
        """Open Chroma now, so that a damaged collection is known before the first question."""
        if self.positions and self.key.dense:
            try:
                self._opened()
            except Exception as err:  # noqa: BLE001 - as above
                logger.info("vectors not opened: %s", err)

    def _by_chroma(self, query: Matrix, k: int) -> list[tuple[int, float]]:
        collection = self._opened()
        try:
            ids, distances = collection.query(query, min(k + len(self.hidden), collection.count()))
        except Exception as err:
            self._give_up(collection, err)
            raise
        pairs = zip(ids[0], distances[0], strict=False)
        return [(self.positions[i], 1.0 - float(d)) for i, d in pairs if i in self.positions][:k]

    def _opened(self) -> Collection:
        if self._collection is None:
            if not self.key.dense or self.broken or time.monotonic() < self._retry_at:
                raise Unavailable("向量库暂停使用")
            self._retry_at = time.monotonic() + RETRY_S
            try:
                self._collection = self._open()
            except Damaged:
                self.broken = True
                raise
            except Unavailable:
                raise
            except Exception:
                self.broken = True
                raise
        return self._collection

    def _open(self) -> Collection:
        if self.key.collection:
            return ServerCollection(self._chroma_url, self.key.collection)
        collection = EmbeddedCollection(self.folder / CHROMA)
        collection.query(np.ones((1, self.key.dimension), dtype=np.float32), 1)  # reads the files
        collection.seal()
        return collection

    def _give_up(self, collection: Collection, err: Exception) -> None:
        """After a failed query: a server may come back, an embedded collection is built again."""
        self.broken = not isinstance(err, Unavailable)
        self._retry_at = time.monotonic() + RETRY_S
        self._collection = None
        collection.close()

    def _by_scan(self, query: Matrix, k: int) -> list[tuple[int, float]]:
        if self._matrix is None:
            self._matrix = stacked(self.chunks, self._vectors(), len(query[0]))
        found = exact(self._matrix, query, k + len(self.hidden))
        hidden = set(self.hidden)
        return [(row, score) for row, score in found if row not in hidden][:k]

    def adopt(self, collection: Collection) -> None:
        """Take over a collection that has just been built."""
        self._collection = collection

    def drop_collections(self, names: Sequence[str]) -> None:
        """Delete collections of older generations from the Chroma server, where there is one."""
        if names and isinstance(self._collection, ServerCollection):
            self._collection.delete_others(names)

    def close(self) -> None:
        """Let go of Chroma's files."""
        collection, self._collection = self._collection, None
        if collection is not None:
            collection.close()


def stacked(chunks: Sequence[Chunk], vectors: dict[str, bytes], dimension: int) -> Matrix:
    """Return (len(chunks), dimension) float32; rows of zeros where no vector is stored.

    Raises: ValueError where none of them is stored.
    """
    rows = np.zeros((len(chunks), dimension), dtype=np.float32)
    found = 0
    for position, chunk in enumerate(chunks):
        vector = vectors.get(chunk.id, b"")
        if len(vector) == 4 * dimension:
            rows[position] = np.frombuffer(vector, dtype=np.float32)
            found += 1
    if chunks and not found:
        raise ValueError("没有存好的向量")
    return rows


def content_key(chunks: Sequence[Chunk], fingerprint: str) -> str:
    """Return the digest that a generation over these chunks and this encoder has."""
    digest = hashlib.blake2b(f"{LAYOUT} {fingerprint}".encode(), digest_size=16)
    for chunk in chunks:
        digest.update(f"\n{chunk.id} {chunk_digest(chunk)}".encode())
    return digest.hexdigest()


def chunk_digest(chunk: Chunk) -> str:
    """Return a short digest of what is indexed and shown of a chunk."""
    parts = f"{chunk.start} {chunk.end} {chunk.heading}\n{chunk.text}"
    return hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def write_chunks(folder: Path, chunks: Sequence[Chunk]) -> None:
    """Write the list of chunks that a generation is over."""
    listed = [(chunk.id, chunk_digest(chunk)) for chunk in chunks]
    write_text(folder / _CHUNKS, json.dumps(listed, separators=(",", ":")))


def write_key(folder: Path, key: Key) -> None:
    """Finish a generation: what it was built from, and the digests of its files."""
    values = asdict(key)
    body = {"key": values, "files": _files(folder), "digest": _digest_of(values)}
    write_text(folder / _KEY, json.dumps(body))


def read_key(folder: Path) -> Key:
    """Return what a generation was built from.

    Raises: OSError or ValueError where it is not whole or not of this layout.
    """
    body = json.loads((folder / _KEY).read_text(encoding="utf-8"))
    try:
        values, files, digest = body["key"], body["files"], body["digest"]
        if digest != _digest_of(values) or files != _files(folder):
            raise ValueError(f"{folder.name}: not as it was written")
        key = Key(**values)
    except (KeyError, TypeError) as err:
        raise ValueError(f"{folder.name}: {err}") from err
    if key.layout != LAYOUT:
        raise ValueError(f"{folder.name}: layout {key.layout}, not {LAYOUT}")
    return key


def _digest_of(values: dict[str, object]) -> str:
    return hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=16).hexdigest()


def _files(folder: Path) -> dict[str, str]:
    """Return the digests of the files that never change again: all but Chroma's, which it rewrites."""
    fixed = [folder / _CHUNKS, folder / VECTORS, *sorted((folder / LEXICAL).glob("*"))]
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in fixed if path.is_file()}
