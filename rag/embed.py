"""Encoders: the bundled static model without torch, or any sentence-transformers model.

Knows the sentence-transformers folder format. Knows nothing of chunks, stores
or settings. torch is imported only when a model needs it: it costs 6 s and
444 MB, which an old school PC does not have.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import EncoderNotFound

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

    from rag.protocols import Encoder
    from rag.types import Matrix

BUNDLED = Path(__file__).parent / "encoder"
BATCH = 256  # texts tokenized at once
BATCH_TOKENS = 16_384  # of one text summed at once: 32 MB at 512 dimensions
DOCUMENT_PROMPTS = ("document", "passage", "corpus")  # the order sentence-transformers looks in


def load_encoder(setting: str = "") -> Encoder:
    """Return the encoder that a setting names: "" the bundled one, a folder, or a model name.

    Raises: EncoderNotFound: the model is not on disk or cannot be read.
    """
    if not setting:
        return bundled()
    folder = Path(setting)
    if folder.is_dir() and is_static(folder):
        return StaticEncoder(folder)
    return SentenceTransformerEncoder(setting)


@lru_cache(maxsize=1)
def bundled() -> StaticEncoder:
    """Return the encoder that comes with the program, to whose cosines the weights of answering are fitted.

    Raises: EncoderNotFound: it cannot be read.
    """
    return StaticEncoder(BUNDLED)


def is_static(folder: Path) -> bool:
    """Tell whether a sentence-transformers folder is one StaticEmbedding, normalised or not."""
    try:
        kinds = [module["type"].rsplit(".", 1)[-1] for module in _json(folder / "modules.json")]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return kinds in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"])


class StaticEncoder:
    """The mean of token vectors, as StaticEmbedding computes it, in NumPy."""

    def __init__(self, folder: Path) -> None:
        """Read the weights and tokenizer of `folder`.

        Raises: EncoderNotFound: a file is missing or unreadable.
        """
        try:
            module = folder / _json(folder / "modules.json")[0]["path"]
            files = [module / "model.safetensors", module / "tokenizer.json"]
            self._vectors = _read_vectors(files[0])
            self._tokenizer = _read_tokenizer(files[1])
            self._query_prompt, self._document_prompt = _read_prompts(folder)
            self._fingerprint = _digest([*files, folder / "config_sentence_transformers.json"])
        except Exception as err:  # tokenizers raises bare Exception on a damaged file
            raise EncoderNotFound(path=folder, reason=_reason(err)) from err

    @property
    def fingerprint(self) -> str:
        """A digest of weights, tokenizer and prompts."""
        return self._fingerprint

    def encode_query(self, text: str) -> Matrix:
        """Return (1, dim) float32, L2-normalised; zeros where no token of the text is known."""
        return self._encode([text], self._query_prompt)

    def encode_documents(self, texts: Sequence[str]) -> Matrix:
        """Return (len(texts), dim) float32; rows L2-normalised, zeros for a text without tokens."""
        return self._encode(texts, self._document_prompt)

    def _encode(self, texts: Sequence[str], prompt: str) -> Matrix:
        rows = np.zeros((len(texts), self._vectors.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            batch = [prompt + _whole(text) for text in texts[start : start + BATCH]]
            encodings = self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            for row, encoding in enumerate(encodings, start):
                for ids in _pieces(encoding.ids):
                    rows[row] += self._vectors[ids].sum(axis=0)
        return normalised(rows)


def _whole(text: str) -> str:
    """Return a text without half surrogate pairs, which the tokenizer takes for no text at all."""
    return text.encode("utf-8", "ignore").decode("utf-8")


def normalised(rows: Matrix) -> Matrix:
    """Scale rows to unit length; rows of zeros stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Matrix = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


class SentenceTransformerEncoder:
    """Any sentence-transformers model, on disk or on the hub."""

    def __init__(self, name_or_path: str) -> None:
        """Load a model by folder or name; with HF_HUB_OFFLINE set, only from disk.

        Raises: EncoderNotFound: the model is neither on disk nor to be fetched.
        """
        self._name = name_or_path
        try:
            from sentence_transformers import SentenceTransformer

            self._model: SentenceTransformer = SentenceTransformer(
                name_or_path, local_files_only=hub_offline(), trust_remote_code=False
            )
        except Exception as err:  # hub, file, format and dependency errors share no root
            raise EncoderNotFound(path=name_or_path, reason=_reason(err)) from err

    @property
    def fingerprint(self) -> str:
        """A digest of the model's name, modules and prompts."""
        parts = [self._name, str(self._model), json.dumps(self._model.prompts, sort_keys=True)]
        return _short(hashlib.blake2b("\n".join(parts).encode()))

    def encode_query(self, text: str) -> Matrix:
        """Return (1, dim) float32, L2-normalised, with the model's query prompt."""
        rows = self._model.encode_query([text], show_progress_bar=False)
        return normalised(np.asarray(rows, dtype=np.float32))

    def encode_documents(self, texts: Sequence[str]) -> Matrix:
        """Return (len(texts), dim) float32, rows L2-normalised, with the model's document prompt."""
        if not texts:
            return np.zeros((0, int(self._model.get_embedding_dimension() or 0)), dtype=np.float32)
        rows = self._model.encode_document(list(texts), show_progress_bar=False)
        return normalised(np.asarray(rows, dtype=np.float32))


def hub_offline() -> bool:
    """Tell whether the environment forbids fetching models."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _json(path: Path) -> Any:  # noqa: ANN401  JSON is anything
    return json.loads(path.read_text(encoding="utf-8"))


def _read_vectors(path: Path) -> Matrix:
    """Read (tokens, dim) float32; int8 rows come with a scale a row, as model2vec stores them."""
    from safetensors.numpy import load_file

    arrays = load_file(path)
    if "embedding.weight" in arrays:
        return arrays["embedding.weight"].astype(np.float32)
    vectors = arrays["embeddings"].astype(np.float32)
    if "mapping" in arrays:
        vectors = vectors[arrays["mapping"].astype(np.int64)]
    if "weights" in arrays:
        vectors *= arrays["weights"].astype(np.float32)[:, None]
    return vectors


def _read_tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    tokenizer.no_padding()
    return tokenizer


def _read_prompts(folder: Path) -> tuple[str, str]:
    path = folder / "config_sentence_transformers.json"
    config = _json(path) if path.is_file() else {}
    prompts: dict[str, str] = config.get("prompts") or {}
    default = prompts.get(config.get("default_prompt_name") or "", "")
    document = next((prompts[name] for name in DOCUMENT_PROMPTS if name in prompts), default)
    return prompts.get("query", default), document


def _pieces(ids: list[int]) -> Iterator[list[int]]:
    return (ids[i : i + BATCH_TOKENS] for i in range(0, len(ids), BATCH_TOKENS))


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.blake2b()
    for path in files:
        if path.is_file():
            digest.update(path.read_bytes())
    return _short(digest)


def _short(digest: hashlib.blake2b) -> str:
    return digest.hexdigest()[:16]


def _reason(err: Exception) -> str:
    lines = str(err).splitlines()
    return lines[0][:200] if lines else type(err).__name__
