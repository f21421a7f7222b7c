"""The search index: generations built from the store, verified, then swapped in.

A generation is never changed once `CURRENT` names it: whatever is damaged or
out of date is built again from the store. While that happens, here or in
another process, questions are answered from the generation there is.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.atomic import write_text
from rag.chunk import is_evidence
from rag.collection import build
from rag.errors import DataDirUnusable
from rag.generation import UNIT, Generation, stacked
from rag.protocols import Encoder
from rag.reasons import why
from rag.segment import Key, content_key, digests_of, indexed_text, read_key, write_key, write_segment
from rag.store import Store
from rag.types import Chunk
from rag.vectors import BATCH, Collection

if TYPE_CHECKING:
    from rag.types import Matrix

__all__ = ["Generation", "Index", "indexed_text"]
logger = logging.getLogger(__name__)

_CURRENT = "CURRENT"
ProgressCallback = Callable[[str, int, int], None]


class Stopped(BaseException):
    """Raised by a progress callback to end a build; nothing is left of it."""


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

    def refresh(self, on_progress: ProgressCallback | None = None, *, whole: bool = False) -> Generation:
        """Bring the index up to date with the store; return the generation now in use.

        What was added since is set beside the generation there is, which takes about a second; `whole`
        builds all into one where that is due. Raises: DataDirUnusable: the folder cannot be written.
        """
        revision = self._store.revision
        chunks = [chunk for chunk in self._store.chunks() if is_evidence(chunk)]
        digests = digests_of(chunks)
        content = content_key(digests, self._encoder.fingerprint)
        generation = self.current()
        try:
            if generation and generation.key.content == content and self._sound(generation, chunks, whole):
                if generation.key.revision != revision:
                    generation.key = replace(generation.key, revision=revision)
                    write_key(generation.folder, generation.key)
            else:
                key = Key(content, revision, self._encoder.fingerprint, 0)
                generation = self._renewed(generation, chunks, digests, key, on_progress, whole)
            self._collect(generation)
            self._store.purge()
        except OSError as err:
            raise DataDirUnusable(path=self._folder, reason=why(err)) from err
        self._seen = (self._pointer(), self._store.removals)
        self._store.checkpoint()
        return generation

    def settled(self) -> bool:
        """Tell whether nothing is left to build into one: see `refresh`."""
        generation = self.current()
        return generation is None or generation.settled

    def close(self) -> None:
        """Let go of the files of the generation in use."""
        if self._current:
            self._current.close()
            self._current = None

    def _sound(self, generation: Generation, chunks: Sequence[Chunk], whole: bool) -> bool:
        generation.check()
        usable = generation.key.dense and not generation.broken
        return usable and len(generation.positions) == len(chunks) and (generation.settled or not whole)

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
            try:
                if not candidate.startswith("gen-") or self._foreign(folder):
                    continue
                stored = self._store.chunks(retired=True) if stored is None else stored
                return self._opened(folder, stored)
            except (OSError, ValueError, KeyError, IndexError, TypeError) as err:
                logger.info("no usable index in %s: %s", folder, err)
        self.close()
        return None

    def _opened(
        self, folder: Path, stored: Sequence[Chunk], digests: Mapping[str, str] | None = None
    ) -> Generation:
        """Open a generation in the place of the one in use."""
        before = self._current
        opened = Generation(
            folder,
            stored,
            vectors=lambda: self._store.vectors(self._encoder.fingerprint),
            chroma_url=self._chroma_url,
            before=before,
            digests=digests,
        )
        if before is not None and before.dense is not opened.dense:
            before.close()
        return opened

    def _foreign(self, folder: Path) -> bool:
        """Tell whether a generation is another encoder's, or kept where the settings do not say."""
        key = read_key(folder, files=False)
        elsewhere = bool(key.collection) != bool(self._chroma_url) and key.dense
        return key.fingerprint != self._encoder.fingerprint or elsewhere

    def _renewed(
        self,
        generation: Generation | None,
        chunks: Sequence[Chunk],
        digests: Mapping[str, str],
        key: Key,
        on_progress: ProgressCallback | None,
        whole: bool,
    ) -> Generation:
        """Write a generation over the chunks, beside what there is or as a whole; put it in use."""
        if generation:
            generation.check()
        added = generation.missing(chunks, digests) if generation and not whole else []
        base = generation if generation and not whole and generation.takes(chunks, added) else None
        written = added if base else chunks
        vectors = self._vectors(written, on_progress)
        folder = _next_folder(self._folder)
        folder.mkdir(parents=True)
        collection: Collection | None = None
        try:
            write_segment(folder, written, vectors)
            if base:
                key = replace(base.base.key, content=key.content, revision=key.revision)
                key = replace(key, base=base.base.folder.name, dropped=base.dropped(chunks, added), stray=())
            else:
                ids = [chunk.id for chunk in chunks]
                report = partial(_report, on_progress)
                collection, stray = build(folder, ids, vectors, chroma_url=self._chroma_url, report=report)
                name = collection.name if collection else ""
                key = replace(key, dense=collection is not None, collection=name, stray=stray)
            write_key(folder, replace(key, dimension=vectors.shape[1]))
        except BaseException:
            if collection is not None:
                collection.close()
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return self._use(folder, chunks, digests, collection)

    def _use(
        self,
        folder: Path,
        chunks: Sequence[Chunk],
        digests: Mapping[str, str],
        collection: Collection | None,
    ) -> Generation:
        with self._opening:
            write_text(self._folder / _CURRENT, folder.name)
            self._current = self._opened(folder, chunks, digests)
            self._seen = (folder.name, self._store.removals)
            if collection is not None:
                self._current.dense.adopt(collection)
            return self._current

    def _vectors(self, chunks: Sequence[Chunk], on_progress: ProgressCallback | None) -> Matrix:
        """Return (len(chunks), dim); only chunks without a sound stored vector are encoded."""
        fingerprint = self._encoder.fingerprint
        dimension = self._encoder.encode_query("").shape[1]
        stored = self._store.vectors(fingerprint, [chunk.id for chunk in chunks])
        missing = [chunk for chunk in chunks if not _sound(stored.get(chunk.id, b""), dimension)]
        for first in range(0, len(missing), BATCH):
            batch = missing[first : first + BATCH]
            ids = [chunk.id for chunk in batch]
            vectors = self._encoder.encode_documents([indexed_text(chunk) for chunk in batch])
            self._store.put_vectors(ids, vectors, fingerprint=fingerprint)
            stored.update(zip(ids, (vector.tobytes() for vector in vectors), strict=True))
            _report(on_progress, "计算向量", first + len(batch), len(missing))
        return stacked(chunks, stored, dimension)

    def _collect(self, used: Generation) -> None:
        """Delete all generations but the one in use and its base: they may hold what was deleted since."""
        names = []
        for old in self._folder.glob("gen-*"):
            if old not in (used.folder, used.base.folder):
                with suppress(OSError, ValueError):  # an unfinished one
                    names.append(read_key(old, files=False).collection)
                shutil.rmtree(old, ignore_errors=True)
        used.dense.drop_collections([name for name in names if name and name != used.key.collection])


def _sound(vector: bytes, dimension: int) -> bool:
    """Tell whether a stored vector has its dimension and is of unit length, or of zeros."""
    if len(vector) != 4 * dimension:
        return False
    row = np.frombuffer(vector, dtype=np.float32)
    length = float(row @ row)
    return length == 0.0 or abs(length - 1.0) < UNIT


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
