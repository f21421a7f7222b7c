"""Builds a Chroma collection over the vectors of a segment and verifies it.

Every record has to find itself, and Chroma to agree with exact search. The
graph that Chroma searches (HNSW) is approximate and does not lead to a few
records in ten thousand: these are named, so that they are searched exactly.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.dense import CHROMA
from rag.probe import write_sample
from rag.vectors import BATCH, Collection, EmbeddedCollection, ServerCollection, exact, lost

if TYPE_CHECKING:
    from rag.types import Matrix

logger = logging.getLogger(__name__)

COMPARED = 50  # queries whose Chroma neighbours are compared with exact ones after a build
AGREEMENT = 0.9  # share of exact neighbours that Chroma has to find among those
MOST_STRAY = 0.002  # share of the records that the graph may miss
Report = Callable[[str, int, int], None]


def build(
    folder: Path, ids: Sequence[str], vectors: Matrix, *, chroma_url: str = "", report: Report
) -> tuple[Collection | None, tuple[int, ...]]:
    """Put (n, dim) vectors into a collection; return it and the rows that its graph does not lead to.

    The collection is None where it fails verification. Raises: OSError, and what `report` raises.
    """
    rows = np.flatnonzero(vectors.any(axis=1))  # a text without a known token has no direction
    vectors = vectors[rows]
    write_sample(folder, vectors)
    collection: Collection | None = None
    stray: tuple[int, ...] = ()
    try:
        collection = _new(folder, chroma_url)
        for first in range(0, len(rows), BATCH):
            part = rows[first : first + BATCH]
            collection.add([ids[row] for row in part], vectors[first : first + BATCH])
            report("写入索引", first + len(part), len(rows))
        missed = lost(collection, vectors, lambda done: report("核对索引", done, len(rows)))
        trouble = _trouble(collection, vectors, missed)
        stray = tuple(int(rows[row]) for row in missed)
        collection.seal()
    except Exception as err:  # noqa: BLE001 - whatever Chroma raises, exact search remains
        trouble = f"{type(err).__name__}: {err}"
        if isinstance(err, OSError):
            _close(collection)
            raise
    except BaseException:
        _close(collection)
        raise
    if trouble:
        logger.warning("Chroma is not used for %s, exact search is: %s", folder.name, trouble)
        _close(collection)
        return None, ()
    return collection, stray


def _close(collection: Collection | None) -> None:
    if collection is not None:
        collection.close()


def _new(folder: Path, chroma_url: str) -> Collection:
    if not chroma_url:
        return EmbeddedCollection(folder / CHROMA, create=True)
    return ServerCollection(chroma_url, f"lingxue-{uuid.uuid4().hex}", create=True)


def _trouble(collection: Collection, vectors: Matrix, missed: Sequence[int]) -> str:
    """Say what is wrong with a new collection: records missing, lost, or far from what exact search finds."""
    if not len(vectors):
        return ""
    if collection.count() != len(vectors):
        return f"应有 {len(vectors)} 条，实有 {collection.count()} 条"
    if len(missed) > MOST_STRAY * len(vectors):
        return f"{len(missed)} 条记录找不回自己"
    k = min(10, len(vectors))
    agreed = compared = 0
    for query in vectors[:: max(1, len(vectors) // COMPARED)]:
        _, distances = collection.query(query[None], k)
        worst = 1.0 - exact(vectors, query[None], k)[-1][1] + 1e-4  # ties are as good as the others
        agreed += int((distances[0] <= worst).sum())
        compared += k
    return "" if agreed >= AGREEMENT * compared else f"与逐条计算只有 {agreed / compared:.0%} 一致"
