"""Tries a Chroma collection: `python -m rag.probe FOLDER` ends with 0 where it can be used.

A process of its own, because damaged files can end the process that opens
them. Beside the folder lies `sample.npz`: the number of records and up to
`SAMPLE` vectors, each of which has to find itself.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.offline import stay_offline
from rag.vectors import SELF, open_unchecked

if TYPE_CHECKING:
    from rag.types import Matrix

SAMPLE = 2000
SAMPLE_FILE = "sample.npz"


def write_sample(folder: Path, vectors: Matrix) -> None:
    """Keep what the probe compares with: the count and up to `SAMPLE` evenly spaced vectors."""
    step = max(1, -(-len(vectors) // SAMPLE))
    np.savez(folder / SAMPLE_FILE, count=len(vectors), vectors=vectors[::step])


def usable(folder: Path) -> bool:
    """Tell whether a collection holds as many records as it should, and the sample finds itself."""
    with np.load(folder.parent / SAMPLE_FILE, allow_pickle=False) as sample:
        count, vectors = int(sample["count"]), sample["vectors"]
    client, collection = open_unchecked(folder)
    whole = bool(collection.count() == count)
    for first in range(0, len(vectors) if whole else 0, 200):
        batch = vectors[first : first + 200]
        found = collection.query(query_embeddings=batch, n_results=1, include=["distances"])
        whole = whole and all(row and row[0] <= SELF for row in found["distances"])
    client.close()
    return whole


if __name__ == "__main__":
    stay_offline()
    sys.exit(0 if usable(Path(sys.argv[1])) else 1)
