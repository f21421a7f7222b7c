"""The durable record of sources, chunks and vectors, in one SQLite file.

What stands here is the truth; the search index is built from it and can be
thrown away. Every change is one transaction. Knows nothing of Chroma, of
questions, or of how texts were read.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rag.errors import DataDirUnusable, SourceNotFound, StoreDamaged
from rag.types import Chunk, Metadata, Repair, Run, Section, Source

if TYPE_CHECKING:
    from rag.types import Matrix

T = TypeVar("T")
SCHEMA_VERSION = 1
_HIDDEN = "hidden:"  # stands before the origin of a removed source
_EDIT = "edit:"  # stands before the key of what people said of a source
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sources (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, origin TEXT NOT NULL, stamp TEXT NOT NULL,
    original TEXT NOT NULL, clean TEXT NOT NULL, runs TEXT NOT NULL, repairs TEXT NOT NULL,
    sections TEXT NOT NULL, metadata TEXT NOT NULL, signature BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS chunks (
    id TEXT PRIMARY KEY, source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    heading TEXT NOT NULL, locator TEXT NOT NULL, section_path TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS chunks_of_source ON chunks(source_id, ordinal);
CREATE TABLE IF NOT EXISTS vectors (
    chunk_id TEXT PRIMARY KEY REFERENCES chunks(id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL, vector BLOB NOT NULL);
"""


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
class Edit:
    """What people said of a document on the screen: its metadata where changed, its collection."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    collection: str = ""

    def said(self, before: Metadata) -> Metadata:
        """Return the metadata as people said, or as it was where they said nothing."""
        return _metadata(json.dumps(dict(self.metadata))) if self.metadata else before


class Store:
    """Sources, chunks and vectors; one connection, shared by threads behind a lock."""

    def __init__(self, path: Path) -> None:
        """Open or make the database; raise DataDirUnusable or StoreDamaged."""
        self._path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self._db.execute(f"PRAGMA {pragma}").fetchone()
            self._db.executescript(_SCHEMA)
            self._check_version()
        except OSError as err:
            raise DataDirUnusable(path=path.parent, reason=err.strerror or err) from err
        except sqlite3.OperationalError as err:
            raise DataDirUnusable(path=path.parent, reason=err) from err
        except sqlite3.DatabaseError as err:
            raise StoreDamaged(path=path, reason=err) from err

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _check_version(self) -> None:
        version = self.meta("schema") or str(SCHEMA_VERSION)
        if version != str(SCHEMA_VERSION):
            raise StoreDamaged(path=self._path, reason=f"数据格式版本 {version}，本程序只认 {SCHEMA_VERSION}")
        if not self.meta("schema"):
            self.set_meta("schema", version)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as err:  # disk full, read-only, locked
                self._roll_back()
                raise DataDirUnusable(path=self._path.parent, reason=err) from err
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.DatabaseError as err:
                raise StoreDamaged(path=self._path, reason=err) from err

    def meta(self, key: str) -> str:
        """Return a remembered value, or an empty string."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else ""

    def set_meta(self, key: str, value: str) -> None:
        """Remember a value."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def put(
        self, source: Source, chunks: Sequence[Chunk], *, origin: str, stamp: str, signature: bytes = b""
    ) -> None:
        """Store a source and its chunks, replacing what has its id or its name and origin."""
        columns = [_json(map(asdict, part)) for part in (source.runs, source.repairs, source.sections)]
        with self._transaction() as db:
            db.execute(
                "DELETE FROM sources WHERE id = ? OR (name = ? AND origin = ?)",
                (source.id, source.name, origin),
            )
            db.execute(
                "INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(source.id, source.name, origin, stamp, source.original, source.clean),
                    *columns,
                    json.dumps(asdict(source.metadata), ensure_ascii=False),
                    signature,
                ),
            )
            db.executemany(
                "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        c.id,
                        c.source_id,
                        c.ordinal,
                        c.start,
                        c.end,
                        c.heading,
                        c.locator,
                        _json(c.section_path),
                    )
                    for c in chunks
                ],
            )

    def delete(self, source_ids: Iterable[str]) -> None:
        """Delete sources with their chunks and vectors; unknown ids are passed over."""
        with self._transaction() as db:
            db.executemany("DELETE FROM sources WHERE id = ?", [(source_id,) for source_id in source_ids])

    def stamps(self) -> list[Stamp]:
        """Return what is remembered of every stored file, by name."""
        rows = self._rows(
            "SELECT id, name, origin, stamp, metadata FROM sources WHERE substr(origin, 1, 7) <> ? "
            "ORDER BY name, id",
            (_HIDDEN,),
        )
        return [Stamp(row[0], row[1], row[2], row[3], _metadata(row[4])) for row in rows]

    def signatures(self) -> dict[str, bytes]:
        """Return the MinHash signatures of the stored texts by source id, where there are any."""
        rows = self._rows("SELECT id, signature FROM sources WHERE length(signature) > 0")
        return {str(source_id): bytes(mark) for source_id, mark in rows}

    def facts(self) -> dict[str, tuple[int, int, str]]:
        """Return {source id: (code points, chunks, repairs as JSON)}."""
        rows = self._rows(
            "SELECT id, length(original), (SELECT count(*) FROM chunks WHERE source_id = s.id), repairs "
            "FROM sources AS s"
        )
        return {str(row[0]): (int(row[1]), int(row[2]), str(row[3])) for row in rows}

    def edits(self) -> dict[tuple[str, str], Edit]:
        """Return what people said of documents, by origin and name."""
        rows = self._rows("SELECT key, value FROM meta WHERE substr(key, 1, 5) = ?", (_EDIT,))
        found = {}
        for key, value in rows:
            origin, name = json.loads(key[len(_EDIT) :])
            found[str(origin), str(name)] = Edit(**json.loads(value))
        return found

    def set_edit(self, origin: str, name: str, edit: Edit) -> None:
        """Keep what people said of a document."""
        self.set_meta(_EDIT + _json((origin, name)), json.dumps(asdict(edit), ensure_ascii=False))

    def hide(self, source_id: str) -> None:
        """Take a source out of what is listed and searched."""
        with self._transaction() as db:
            db.execute("UPDATE sources SET origin = ? || origin WHERE id = ?", (_HIDDEN, source_id))

    def unhide(self, source_id: str) -> None:
        """Undo `hide`."""
        query = "UPDATE sources SET origin = substr(origin, ?) WHERE id = ? AND substr(origin, 1, 7) = ?"
        with self._transaction() as db:
            db.execute(query, (len(_HIDDEN) + 1, source_id, _HIDDEN))

    def hidden(self) -> list[tuple[str, str]]:
        """Return (id, name) of the hidden sources."""
        rows = self._rows("SELECT id, name FROM sources WHERE substr(origin, 1, 7) = ?", (_HIDDEN,))
        return [(str(source_id), str(name)) for source_id, name in rows]

    def hidden_names(self, origin: str) -> set[str]:
        """Return the names of the hidden sources of an origin."""
        rows = self._rows("SELECT name FROM sources WHERE origin = ?", (_HIDDEN + origin,))
        return {str(name) for (name,) in rows}

    def source(self, source_id: str) -> Source:
        """Return a stored source; raise SourceNotFound."""
        rows = self._rows(
            "SELECT id, name, original, clean, runs, repairs, sections, metadata FROM sources WHERE id = ?",
            (source_id,),
        )
        if not rows:
            raise SourceNotFound(source_id=source_id)
        identity, name, original, clean, runs, repairs, sections, metadata = map(str, rows[0])
        return Source(
            id=identity,
            name=name,
            original=original,
            clean=clean,
            runs=tuple(Run(**run) for run in json.loads(runs)),
            repairs=tuple(Repair(**repair) for repair in json.loads(repairs)),
            sections=tuple(_tuples(Section, section, "path") for section in json.loads(sections)),
            metadata=_metadata(metadata),
        )

    def chunks(self, source_id: str = "") -> list[Chunk]:
        """Return the chunks of one source, or of all, in the order of source id and text."""
        clean = dict(self._rows("SELECT id, clean FROM sources WHERE ? IN ('', id)", (source_id,)))
        rows = self._rows(
            'SELECT id, source_id, ordinal, start, "end", heading, locator, section_path FROM chunks '
            "WHERE ? IN ('', source_id) AND source_id NOT IN "
            "(SELECT id FROM sources WHERE substr(origin, 1, 7) = ?) ORDER BY source_id, ordinal",
            (source_id, _HIDDEN),
        )
        return [_chunk(str(clean[row[1]]), row) for row in rows]

    def put_vectors(self, chunk_ids: Sequence[str], vectors: Matrix, *, fingerprint: str) -> None:
        """Store float32 vectors (len(chunk_ids), dim) made by the encoder of a fingerprint."""
        rows = [
            (chunk_id, fingerprint, vector.tobytes())
            for chunk_id, vector in zip(chunk_ids, vectors, strict=True)
        ]
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def vectors(self, fingerprint: str) -> dict[str, bytes]:
        """Return the stored vectors of an encoder, float32 bytes by chunk id."""
        rows = self._rows("SELECT chunk_id, vector FROM vectors WHERE fingerprint = ?", (fingerprint,))
        return {str(chunk_id): bytes(vector) for chunk_id, vector in rows}


def _json(values: Iterable[object]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _chunk(clean: str, row: tuple[Any, ...]) -> Chunk:
    identity, source_id, ordinal, start, end, heading, locator, path = row
    text = clean[start:end]
    return Chunk(identity, source_id, ordinal, start, end, text, heading, locator, tuple(json.loads(path)))


def _metadata(text: str) -> Metadata:
    return _tuples(Metadata, json.loads(text), "supersedes", "basis")


def _tuples(kind: type[T], values: dict[str, Any], *names: str) -> T:
    """Build a frozen value from JSON, whose lists stand for tuples in the named fields."""
    return kind(**{k: tuple(v) if k in names else v for k, v in values.items()})
