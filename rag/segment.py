"""The files of a generation: what it is over, its words, its vectors; written once, checked when read.

A segment holds no text: its chunks are listed with a digest each. A generation
is one segment, or a large one that was built before (its *base*) and a small
one with what has been added since. Knows files and digests; not searching.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.atomic import write_text
from rag.lexical import fold
from rag.postings import Postings
from rag.types import Chunk
from rag.vectors import file_digest

if TYPE_CHECKING:
    from rag.types import Matrix

LAYOUT = 4  # raise when what a generation holds changes: old ones are then rebuilt
LEXICAL, VECTORS = "lexical", "vectors.npy"
_KEY, _CHUNKS = "key.json", "chunks.json"


@dataclass(frozen=True, slots=True)
class Key:
    """What a generation was built from.

    `content` is a digest over all its chunks, `revision` the store's when they
    were read, `dimension` that of its vectors, `base` the folder of the
    generation that it adds to, or empty, `dropped` the positions there of what
    it does not take over. Of Chroma: `collection` is the name on a server, or
    empty; `dense` is False where it failed verification and exact search is
    used; `stray` are the positions of the few chunks that its graph does not
    lead to, which are searched exactly.
    """

    content: str
    revision: str
    fingerprint: str
    dimension: int
    base: str = ""
    dropped: tuple[int, ...] = ()
    collection: str = ""
    dense: bool = True
    stray: tuple[int, ...] = ()
    layout: int = LAYOUT


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as it was written: (id, digest) of its chunks, their words and half-precision vectors."""

    folder: Path
    key: Key
    listed: tuple[tuple[str, str], ...]
    postings: Postings
    halves: Matrix

    @classmethod
    def open(cls, folder: Path) -> Segment:
        """Read a folder.

        Raises: OSError or ValueError where a file is missing or not as it was written.
        """
        key = read_key(folder)
        listed = tuple((i, d) for i, d in json.loads((folder / _CHUNKS).read_text(encoding="utf-8")))
        postings = Postings.load(folder / LEXICAL)
        halves: Matrix = np.load(folder / VECTORS, mmap_mode="r")
        if not len(listed) == len(postings.lengths) == len(halves):
            raise ValueError(f"{folder.name}: parts of different sizes")
        return cls(folder, key, listed, postings, halves)


def write_segment(folder: Path, chunks: Sequence[Chunk], vectors: Matrix) -> None:
    """Write the files of a segment; `write_key` then finishes it."""
    Postings.of(fold(indexed_text(chunk)) for chunk in chunks).save(folder / LEXICAL)
    listed = list(digests_of(chunks).items())
    write_text(folder / _CHUNKS, json.dumps(listed, separators=(",", ":")))
    np.save(folder / VECTORS, vectors.astype(np.float16))


def indexed_text(chunk: Chunk) -> str:
    """Return what is searched of a chunk: title and section path, then its text."""
    return f"{chunk.heading}\n{chunk.text}"


def content_key(digests: Mapping[str, str], fingerprint: str) -> str:
    """Return the digest that a generation over these chunks, by id, and this encoder has."""
    digest = hashlib.blake2b(f"{LAYOUT} {fingerprint}".encode(), digest_size=16)
    digest.update("".join(f"\n{identity} {own}" for identity, own in digests.items()).encode())
    return digest.hexdigest()


def digests_of(chunks: Sequence[Chunk]) -> dict[str, str]:
    """Return the digests of chunks by id, in their order."""
    return {chunk.id: chunk_digest(chunk) for chunk in chunks}


def chunk_digest(chunk: Chunk) -> str:
    """Return a short digest of what is indexed and shown of a chunk."""
    parts = f"{chunk.start} {chunk.end} {chunk.heading}\n{chunk.text}"
    return hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def write_key(folder: Path, key: Key) -> None:
    """Finish a generation: what it was built from, and the digests of its files."""
    values = asdict(key)
    body = {"key": values, "files": _files(folder), "digest": _digest_of(values)}
    write_text(folder / _KEY, json.dumps(body))


def read_key(folder: Path, *, files: bool = True) -> Key:
    """Return what a generation was built from; without `files` those are not looked at.

    Raises: OSError or ValueError where it is not whole or not of this layout.
    """
    body = json.loads((folder / _KEY).read_text(encoding="utf-8"))
    try:
        values: dict[str, Any] = body["key"]
        if body["digest"] != _digest_of(values) or (files and body["files"] != _files(folder)):
            raise ValueError(f"{folder.name}: not as it was written")
        tuples: dict[str, Any] = {name: tuple(values[name]) for name in ("dropped", "stray")}
        key = Key(**{**values, **tuples})
    except (KeyError, TypeError) as err:
        raise ValueError(f"{folder.name}: {err}") from err
    if key.layout != LAYOUT:
        raise ValueError(f"{folder.name}: layout {key.layout}, not {LAYOUT}")
    return key


def _digest_of(values: dict[str, object]) -> str:
    return hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=16).hexdigest()


def _files(folder: Path) -> dict[str, str]:
    """Return the digests of the files that never change again: all but Chroma's, which it rewrites."""
    fixed = [folder / _CHUNKS, folder / VECTORS, *sorted((folder / LEXICAL).glob("*"))]
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in fixed if path.is_file()}
