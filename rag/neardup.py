"""Files that say nearly the same: a MinHash of each text, compared with every other.

128 numbers a text, so thousands of texts are compared in milliseconds; an LSH index would save nothing.

Uses datasketch; imports it only when a signature is made or compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rag.lexical import fold

if TYPE_CHECKING:
    from datasketch import MinHash

PERMUTATIONS = 128
SHINGLE = 5  # code points; shorter ones make all policy texts look alike
THRESHOLD = 0.8  # estimated Jaccard similarity of shingles


def signature(text: str) -> bytes:
    """Return the MinHash of a text's shingles, white space and width folded away."""
    import numpy as np

    folded = "".join(fold(text).split())
    shingles = {folded[i : i + SHINGLE] for i in range(max(1, len(folded) - SHINGLE + 1))}
    sketch = _sketch()
    sketch.update_batch([shingle.encode() for shingle in shingles])
    return np.asarray(sketch.hashvalues, dtype=np.uint64).tobytes()


def nearest(mark: bytes, others: Mapping[str, bytes]) -> tuple[str, float] | None:
    """Return the key of the most similar other text and the similarity, or None below THRESHOLD."""
    import numpy as np

    if not others:
        return None
    mine = np.frombuffer(mark, dtype=np.uint64)
    theirs = np.frombuffer(b"".join(others.values()), dtype=np.uint64).reshape(-1, PERMUTATIONS)
    alike = (theirs == mine).mean(axis=1)
    best = int(alike.argmax())
    return (list(others)[best], float(alike[best])) if alike[best] >= THRESHOLD else None


def _sketch() -> MinHash:
    from datasketch import MinHash

    return MinHash(num_perm=PERMUTATIONS, seed=1)
