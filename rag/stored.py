"""What the store takes and gives beside sources and chunks: entries, stamps, what people said.

Plain values and their JSON; nothing of databases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rag.types import Chunk, Metadata, Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is remembered of a stored file: id, name, origin, its content's hash, what is said of it."""

    id: str
    name: str
    origin: str
    stamp: str
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def title(self) -> str:
        """The document's title, or its file name where none is known."""
        return self.metadata.title or self.name


@dataclass(frozen=True, slots=True)
class Entry:
    """A source to be stored: its chunks, where it is from, its content's hash, its MinHash."""

    source: Source
    chunks: Sequence[Chunk]
    origin: str
    stamp: str
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Edit:
    """What people said of a document on the screen: its metadata where changed, its collection."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    collection: str = ""

    def said(self, before: Metadata) -> Metadata:
        """Return the metadata as people said, or as it was where they said nothing."""
        return metadata_of(json.dumps(dict(self.metadata))) if self.metadata else before


def metadata_of(text: str) -> Metadata:
    """Return metadata from their JSON."""
    return tuples_of(Metadata, json.loads(text), "supersedes", "basis")


def tuples_of(kind: type[T], values: dict[str, Any], *names: str) -> T:
    """Build a frozen value from JSON, whose lists stand for tuples in the named fields."""
    return kind(**{k: tuple(v) if k in names else v for k, v in values.items()})
