"""Writes LightGBM's trees as the plain arrays that `rag.rerank` reads.

Knows LightGBM's dump format. Knows nothing of what was learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.rerank import Trees


def save(boosters: Sequence[Any], path: Path, *, scale: tuple[float, float] = (1.0, 0.0)) -> Trees:
    """Write the mean of boosters that look at the same columns; return it as read back."""
    nodes: list[tuple[int, float, int, int, float]] = []
    roots: list[int] = []
    depth = 0
    for booster in boosters:
        for tree in booster.dump_model()["tree_info"]:
            roots.append(len(nodes))
            depth = max(depth, _add(nodes, tree["tree_structure"], 1 / len(boosters)))
    feature, threshold, left, right, value = zip(*nodes, strict=True)
    np.savez_compressed(
        path,
        names=np.array(boosters[0].feature_name()),
        feature=np.array(feature, dtype=np.int16),
        threshold=np.array(threshold, dtype=np.float32),
        left=np.array(left, dtype=np.int32),
        right=np.array(right, dtype=np.int32),
        value=np.array(value, dtype=np.float32),
        roots=np.array(roots, dtype=np.int32),
        depth=np.array(depth),
        scale=np.array(scale, dtype=np.float64),
    )
    return Trees.load(path)


def _add(nodes: list[tuple[int, float, int, int, float]], node: dict[str, Any], share: float) -> int:
    """Append a node and what is below it; return the depth below."""
    place = len(nodes)
    if "leaf_value" in node:
        nodes.append((0, 0.0, place, place, share * node["leaf_value"]))
        return 0
    nodes.append((0, 0.0, 0, 0, 0.0))
    left = len(nodes)
    depth_left = _add(nodes, node["left_child"], share)
    right = len(nodes)
    depth_right = _add(nodes, node["right_child"], share)
    # Rounded down to what a float32 column can hold, "<=" stays true for the same values.
    threshold = np.float32(node["threshold"])
    if threshold > node["threshold"]:
        threshold = np.nextafter(threshold, np.float32(-np.inf))
    nodes[place] = (node["split_feature"], float(threshold), left, right, 0.0)
    return 1 + max(depth_left, depth_right)
