"""Where the stages meet: what an encoder, a model, a retriever and a reader have to offer.

Knows the data of `rag.types` and the standard library only; implementations
live in their own modules and need not import this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from rag.types import Hit, Source

if TYPE_CHECKING:
    from rag.types import Matrix


class Encoder(Protocol):
    """Turns texts into unit vectors; `fingerprint` changes whenever the vectors would."""

    @property
    def fingerprint(self) -> str:
        """A short name of the weights."""
        ...

    def encode_query(self, text: str) -> Matrix:
        """Return (1, dim) float32, L2-normalised."""
        ...

    def encode_documents(self, texts: Sequence[str]) -> Matrix:
        """Return (len(texts), dim) float32, rows L2-normalised."""
        ...


class Reranker(Protocol):
    """Reads question and passage together; slower and surer than an encoder."""

    def score(self, question: str, texts: Sequence[str]) -> Matrix:
        """Return (len(texts),) float32 from 0 to 1: how surely each text answers the question."""
        ...


class ChatModel(Protocol):
    """A language model: a system and a user message in, text out in pieces."""

    @property
    def name(self) -> str:
        """provider:model."""
        ...

    def stream(self, system: str, user: str) -> Iterator[str]:
        """Yield the reply's text as it arrives; raise `ModelFailed` with the reason."""
        ...


class Retriever(Protocol):
    """Finds the chunks for a question."""

    def retrieve(self, question: str, *, k: int = 8) -> list[Hit]:
        """Return the k best hits, best first."""
        ...


class SourceReader(Protocol):
    """Gives the stored source of an id; raise `SourceNotFound` where there is none."""

    def source(self, source_id: str) -> Source:
        """Return the stored source."""
        ...
