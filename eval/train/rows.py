"""Rows of named columns with labels, and trees fitted to them.

Knows LightGBM; not questions or corpora.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.train.__main__ import SEED

COMMON = {"learning_rate": 0.07, "max_depth": 8, "min_data_in_leaf": 50, "feature_fraction": 0.6,
          "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0, "max_bin": 63, "verbose": -1,
          "deterministic": True, "force_row_wise": True}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of columns with labels; `groups` are the sizes of the questions' runs of rows."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    labels: NDArray[np.bool_]
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, made: Sequence[tuple[Any, NDArray[np.bool_]]]) -> Rows:
        """Join the (columns, labels) of questions."""
        names = tuple(made[0][0])
        values = [np.stack([columns[name] for name in names], axis=1) for columns, _ in made]
        labels = [label for _, label in made]
        sizes = np.array([len(label) for label in labels], dtype=np.int64)
        return cls(names, np.concatenate(values).astype(np.float32), np.concatenate(labels), sizes)

    def by_name(self) -> dict[str, NDArray[np.float32]]:
        """The columns by name."""
        return {name: self.values[:, i] for i, name in enumerate(self.names)}


def joined(parts: Sequence[Rows]) -> Rows:
    """Put rows of the same columns one after the other."""
    return Rows(
        parts[0].names,
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.groups for part in parts]),
    )


def fit(
    rows: Rows,
    parameters: dict[str, Any],
    rounds: int,
    *,
    grouped: bool = False,
    weights: NDArray[np.floating] | None = None,
) -> Any:
    """Train trees on rows, each counting as its weight; `grouped` for ranking objectives."""
    import lightgbm

    data = lightgbm.Dataset(
        rows.values,
        rows.labels.astype(int),
        weight=weights,
        group=rows.groups if grouped else None,
        feature_name=list(rows.names),
    )
    return lightgbm.train({**parameters, "seed": SEED, "num_threads": 2}, data, rounds)


def platt(
    scores: NDArray[np.floating], labels: NDArray[np.bool_], weights: NDArray[np.floating] | None = None
) -> tuple[float, float]:
    """Return slope and offset that make scores probabilities (Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(scores[:, None], labels, weights)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
