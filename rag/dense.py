"""The nearest chunks of a segment by way of its Chroma collection, and when Chroma is left alone.

Opened when first needed; after a failure a server is tried again, an embedded
collection is taken as broken until it is built again. Knows one segment's rows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.segment import Segment
from rag.vectors import Collection, Damaged, EmbeddedCollection, ServerCollection, Unavailable

if TYPE_CHECKING:
    from rag.types import Matrix

logger = logging.getLogger(__name__)

RETRY_S = 15.0  # after a failure Chroma is left alone so long
CHROMA = "chroma"


class Dense:
    """The Chroma collection of a segment; `broken` where it has to be built again."""

    def __init__(self, segment: Segment, chroma_url: str = "") -> None:
        """Remember where the collection is; it is opened by the first query or `check`."""
        self.broken = False
        self._segment = segment
        self._url = chroma_url
        self._rows = {identity: row for row, (identity, _) in enumerate(segment.listed)}
        self._stray = np.array(segment.key.stray, dtype=np.int64)
        self._collection: Collection | None = None
        self._retry_at = 0.0

    def nearest(self, query: Matrix, k: int) -> list[tuple[int, float]]:
        """Return (row, cosine similarity) of the k rows nearest to a (1, dim) vector, best first.

        Raises: whatever Chroma raises; Unavailable or Damaged where it is not used.
        """
        collection = self._opened()
        try:
            ids, distances = collection.query(query, min(k, len(self._rows)))
        except Exception as err:
            if collection is self._collection:  # or another question has given it up in the meantime
                self._give_up(collection, err)
            raise
        found = {
            self._rows[i]: 1.0 - float(d)
            for i, d in zip(ids[0], distances[0], strict=False)
            if i in self._rows
        }
        if len(self._stray):
            beside = self._segment.halves[self._stray].astype(np.float32) @ query[0]
            found |= {int(row): float(value) for row, value in zip(self._stray, beside, strict=True)}
        return sorted(found.items(), key=lambda pair: -pair[1])[:k]

    def check(self) -> None:
        """Open Chroma now, so that a damaged collection is known before the first question."""
        if self._rows and self._segment.key.dense:
            try:
                self._opened()
            except Exception as err:  # noqa: BLE001 - Chroma raises its own, Rust's and sqlite's errors
                logger.info("vectors not opened: %s", err)

    def _opened(self) -> Collection:
        if self._collection is None:
            if not self._segment.key.dense or self.broken or time.monotonic() < self._retry_at:
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
        key = self._segment.key
        if key.collection:
            return ServerCollection(self._url, key.collection)
        collection = EmbeddedCollection(self._segment.folder / CHROMA)
        collection.query(np.ones((1, key.dimension), dtype=np.float32), 1)  # reads the files
        collection.seal()
        return collection

    def _give_up(self, collection: Collection, err: Exception) -> None:
        """After a failed query: a server may come back, an embedded collection is built again."""
        self.broken = not isinstance(err, Unavailable)
        self._retry_at = time.monotonic() + RETRY_S
        self._collection = None
        collection.close()

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
