"""Writes the model folder in sentence-transformers' own format, in int8.

Knows the file format. Knows nothing of training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer


def save(vectors: NDArray[np.float32], tokenizer: Tokenizer, folder: Path) -> None:
    """Write a folder that `SentenceTransformer(folder)` loads; the model card is left alone.

    The weights lie as int8 rows with a float32 scale a row, the keys of which
    sentence-transformers folds into float32 vectors when it loads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=vectors)], device="cpu")
    model.save(str(folder), create_model_card=False)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    rows, scales = quantise(vectors)
    target = folder / "model.safetensors"
    # Written beside and moved over: whoever has the old file mapped keeps the old one.
    part = target.with_suffix(".part")
    save_file({"embeddings": rows, "weights": scales}, part)
    part.chmod(0o644)  # safetensors writes for the owner alone
    part.replace(target)


def quantise(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 rows and the factor a row that leads back."""
    scales = np.maximum(np.abs(vectors).max(axis=1), 1e-12) / 127
    rows = np.rint(vectors / scales[:, None]).astype(np.int8)
    return rows, scales.astype(np.float32)
