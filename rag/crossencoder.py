"""An optional last word on the ranking: any sentence-transformers CrossEncoder, on disk or on the hub.

Reads question and passage together: surer than the bundled ranker with a good
model, and seconds a question on an old PC. Knows texts; nothing of indexes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import hub_offline
from rag.errors import RerankerNotFound

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

    from rag.types import Matrix


class CrossEncoderReranker:
    """A cross-encoder with one output, as a probability."""

    def __init__(self, name_or_path: str) -> None:
        """Load a model by folder or name; with HF_HUB_OFFLINE set, only from disk.

        Raises: RerankerNotFound: the model is neither on disk nor to be fetched.
        """
        try:
            from sentence_transformers import CrossEncoder

            self._model: CrossEncoder = CrossEncoder(
                name_or_path, local_files_only=hub_offline(), trust_remote_code=False
            )
        except Exception as err:  # hub, file, format and dependency errors share no root
            reason = (str(err).splitlines() or [type(err).__name__])[0][:200]
            raise RerankerNotFound(path=name_or_path, reason=reason) from err

    def score(self, question: str, texts: Sequence[str]) -> Matrix:
        """Return (len(texts),) float32 from 0 to 1."""
        from torch.nn import Sigmoid

        pairs = [(question, text) for text in texts]
        found = self._model.predict(pairs, activation_fn=Sigmoid(), show_progress_bar=False)
        return np.asarray(found, dtype=np.float32).reshape(len(pairs), -1)[:, -1]
