"""One finished index over a set of chunks: lexical scores, dense neighbours.

A generation is never changed once it is finished. It holds no text: its
chunks are read from the store, each with a digest, and one that is gone or no
longer what was indexed is hidden. So an older generation answers rightly while
a newer one is being built, and a newer one may use what an older one built.
Dense search takes the first way that works: Chroma, exact search over the
stored vectors, none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.dense import CHROMA, Dense
from rag.features import Groups
from rag.lexical import LexicalIndex
from rag.segment import Segment, digests_of, read_key
from rag.types import Chunk
from rag.vectors import exact

if TYPE_CHECKING:
    from rag.matching import Places
    from rag.types import Matrix

logger = logging.getLogger(__name__)

UNIT = 1e-3  # how far from 1 the squared length of a sound vector may be
MOST_ADDED = 2000  # chunks beside the base, searched exactly; more are built into a new one


class Generation:
    """A generation opened for searching; what it says of itself is checked when it is opened."""

    def __init__(
        self,
        folder: Path,
        stored: Sequence[Chunk],
        *,
        vectors: Callable[[], dict[str, bytes]],
        chroma_url: str = "",
        before: Generation | None = None,
        digests: Mapping[str, str] | None = None,
    ) -> None:
        """Open a folder; `stored` are the chunks that can be read now, `vectors` their vectors by id.

        What is open already of the generation `before` is not opened again; `digests` are the chunks',
        where they are known already.
        Raises: OSError or ValueError where a file is missing or not as it was written.
        """
        self.folder = folder
        self.key = read_key(folder, files=False)
        base = folder.parent / self.key.base if self.key.base else folder
        shared = before if before is not None and before.base.folder == base else None
        self.base: Segment = shared.base if shared else Segment.open(base)
        self.dense: Dense = shared.dense if shared else Dense(self.base, chroma_url)
        self._segments = [self.base, Segment.open(folder)] if self.key.base else [self.base]
        self.hidden = self._place(stored, digests_of(stored) if digests is None else digests)
        self.lexical = LexicalIndex([segment.postings for segment in self._segments])
        self.lexical.hide(self.hidden)
        self.dense_failed = ""
        self.searched_by = ""
        self._vectors = vectors
        self._matrix: Matrix | None = None

    def _place(self, stored: Sequence[Chunk], digests: Mapping[str, str]) -> list[int]:
        """Set chunks by position; return the positions whose chunk is gone, changed or not taken over."""
        by_id = {chunk.id: chunk for chunk in stored}
        dropped = set(self.key.dropped)
        self.chunks: list[Chunk] = []
        self.positions: dict[str, int] = {}
        hidden = []
        listed = (entry for segment in self._segments for entry in segment.listed)
        for position, (identity, digest) in enumerate(listed):
            chunk = by_id.get(identity)
            if chunk is None or position in dropped or digests[identity] != digest:
                hidden.append(position)
                chunk = Chunk(identity, "", 0, 0, 0, "")
            else:
                self.positions[identity] = position
            self.chunks.append(chunk)
        return hidden

    @property
    def broken(self) -> bool:
        """Whether Chroma's files have to be built again."""
        return self.dense.broken

    @property
    def left(self) -> int:
        """How many chunks of the base are no longer of use."""
        return sum(position < len(self.base.listed) for position in self.hidden)

    @property
    def added(self) -> int:
        """How many chunks stand beside the base."""
        return len(self.chunks) - len(self.base.listed)

    @property
    def settled(self) -> bool:
        """Whether nothing of what was removed is left in the files, and little stands beside the base."""
        return not self.left and 2 * self.added <= MOST_ADDED

    def missing(self, chunks: Sequence[Chunk], digests: Mapping[str, str]) -> list[Chunk]:
        """Return the chunks of those documents that the base does not hold as they are now."""
        listed = dict(self.base.listed)
        new = {chunk.source_id for chunk in chunks if listed.get(chunk.id) != digests[chunk.id]}
        return [chunk for chunk in chunks if chunk.source_id in new]

    def dropped(self, chunks: Sequence[Chunk], added: Sequence[Chunk]) -> tuple[int, ...]:
        """Return the positions in the base of what is not among the chunks, or among those added."""
        kept = {chunk.id for chunk in chunks} - {chunk.id for chunk in added}
        return tuple(row for row, (identity, _) in enumerate(self.base.listed) if identity not in kept)

    def takes(self, chunks: Sequence[Chunk], added: Sequence[Chunk]) -> bool:
        """Tell whether a segment of `added` beside the base is good enough for `chunks` in all."""
        size = len(self.base.listed)
        kept = len(chunks) - len(added)
        return (
            self.key.dense
            and not self.broken
            and len(added) <= min(MOST_ADDED, size // 2)
            and 2 * kept >= size
        )

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
                found = search(query, k + len(self.hidden))
            except Exception as err:  # noqa: BLE001 - Chroma raises its own, Rust's and sqlite's errors
                reasons.append(f"{type(err).__name__}: {err}")
                continue
            self.searched_by, self.dense_failed = name, ""
            return [(row, score) for row, score in found if row not in self._gone][:k]
        self.searched_by, self.dense_failed = "", "; ".join(reasons)
        logger.warning("dense search failed: %s", self.dense_failed)
        return []

    @cached_property
    def _gone(self) -> frozenset[int]:
        return frozenset(self.hidden)

    def _by_chroma(self, query: Matrix, k: int) -> list[tuple[int, float]]:
        found = self.dense.nearest(query, k)
        if self.added:
            first = len(self.base.listed)
            found += [(first + row, score) for row, score in exact(self._beside, query, k)]
            found.sort(key=lambda pair: -pair[1])
        return found

    @cached_property
    def _beside(self) -> Matrix:
        """The vectors of what stands beside the base."""
        rows: Matrix = self._segments[-1].halves.astype(np.float32)
        return rows

    def _by_scan(self, query: Matrix, k: int) -> list[tuple[int, float]]:
        if self._matrix is None:
            self._matrix = stacked(self.chunks, self._vectors(), len(query[0]))
        return exact(self._matrix, query, k)

    @cached_property
    def groups(self) -> Groups:
        """The source and section of each chunk."""
        return Groups.of(self.chunks)

    def cosines(self, query: Matrix, positions: Places) -> Matrix:
        """Return the cosine similarities (positions,) of chunks with a (1, dim) vector; positions rise."""
        size = len(self.base.listed)
        rows = [self.base.halves[positions[positions < size]]]
        rows += [segment.halves[positions[positions >= size] - size] for segment in self._segments[1:]]
        similarities: Matrix = np.concatenate(rows).astype(np.float32) @ query[0]
        return similarities

    def check(self) -> None:
        """Open Chroma now, so that a damaged collection is known before the first question."""
        if self.positions:
            self.dense.check()

    def close(self) -> None:
        """Let go of Chroma's files."""
        self.dense.close()


def stacked(chunks: Sequence[Chunk], vectors: dict[str, bytes], dimension: int) -> Matrix:
    """Return (len(chunks), dimension) float32; rows of zeros where no sound vector is stored.

    A sound one is of unit length. Raises: ValueError where none of them is stored.
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
    with np.errstate(all="ignore"):  # a damaged vector may hold anything
        rows[~(np.abs(np.einsum("ij,ij->i", rows, rows) - 1) < UNIT)] = 0
    return rows
