"""The durable record of sources, chunks and vectors, in one SQLite file.

What stands here is the truth; the search index is built from it and can be
thrown away. Every change is one transaction. Knows nothing of Chroma, of
questions, or of how texts were read.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.database import Connection, Database
from rag.errors import SourceDamaged, SourceNotFound
from rag.migrations import MIGRATIONS, digest
from rag.stored import Edit, Entry, Stamp, metadata_of, tuples_of
from rag.types import Chunk, Repair, Run, Section, Source

if TYPE_CHECKING:
    from rag.types import Matrix

__all__ = ["Edit", "Entry", "Stamp", "Store"]
logger = logging.getLogger(__name__)
_DIGESTED = "id, digest, original, clean, runs, metadata"
_HIDDEN = "hidden:"  # stands before the origin of a removed source
_EDIT = "edit:"  # stands before the key of what people said of a source


class Store:
    """Sources, chunks and vectors.

    A replaced source is *retired*: no longer listed, still to be read, until `purge` is told that the
    index in use has its successor. `revision` counts the changes of sources; `removals` changes when
    something can no longer be read.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the database; raise DataDirUnusable or StoreDamaged."""
        self._db = Database(path, MIGRATIONS)
        self._transaction, self._rows = self._db.transaction, self._db.rows

    @property
    def read_only(self) -> bool:
        """Whether the database can be read but not changed."""
        return self._db.read_only

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def checkpoint(self) -> None:
        """Leave all that was acknowledged in the one file, none of it in SQLite's log."""
        self._db.checkpoint()

    def problems(self) -> str:
        """Return what is wrong with the database file or the texts in it, or an empty string."""
        names = [stamp.name for stamp in self.stamps() if stamp.id in self.damaged()]
        return self._db.problems() or "、".join(names)

    @property
    def revision(self) -> str:
        """How often the sources were changed, and a mark of the last change: "17-5f0c…"."""
        return self.meta("revision") or "0-"

    @property
    def removals(self) -> str:
        """A mark of the last deletion."""
        return self.meta("removals")

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
        self.put_all([Entry(source, chunks, origin, stamp, signature)])

    def put_all(self, entries: Sequence[Entry]) -> None:
        """Store sources as `put` does, all or none of them."""
        with self._transaction() as db:
            for entry in entries:
                source, origin = entry.source, entry.origin
                columns = [_json(map(_plain, p)) for p in (source.runs, source.repairs, source.sections)]
                metadata = json.dumps(asdict(source.metadata), ensure_ascii=False)
                texts = (source.id, source.name, origin, entry.stamp, source.original, source.clean)
                same = (source.name, origin)
                db.execute("DELETE FROM sources WHERE id = ?", (source.id,))
                db.execute("UPDATE sources SET retired = 1 WHERE name = ? AND origin = ?", same)
                db.execute(
                    "INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
                    (*texts, *columns, metadata, entry.signature, digest((*texts[4:], columns[0], metadata))),
                )
                db.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_row, entry.chunks))
            if entries:
                _count_change(db)

    def delete(self, source_ids: Iterable[str]) -> None:
        """Delete sources with their chunks and vectors; unknown ids are passed over."""
        with self._transaction() as db:
            ids = [(source_id,) for source_id in source_ids]
            if db.executemany("DELETE FROM sources WHERE id = ?", ids).rowcount > 0:
                _count_change(db)
                _mark_removal(db)

    def purge(self) -> None:
        """Delete the retired sources: the index in use no longer needs them."""
        with self._transaction() as db:
            if db.execute("DELETE FROM sources WHERE retired").rowcount:
                _mark_removal(db)

    def damaged(self) -> set[str]:
        """Return the ids of the sources whose texts are no longer what was stored."""
        rows = self._rows(f"SELECT {_DIGESTED} FROM sources")  # noqa: S608 - a constant # nosec B608
        return {str(row[0]) for row in rows if digest(row[2:]) != row[1]}

    def forget_stamps(self, source_ids: Iterable[str]) -> None:
        """Have the files of these sources read again by the next indexing."""
        with self._transaction() as db:
            db.executemany("UPDATE sources SET stamp = '' WHERE id = ?", [(i,) for i in source_ids])

    def stamps(self) -> list[Stamp]:
        """Return what is remembered of every stored file, by name."""
        rows = self._rows(
            "SELECT id, name, origin, stamp, metadata FROM sources "
            "WHERE NOT retired AND substr(origin, 1, 7) <> ? ORDER BY name, id",
            (_HIDDEN,),
        )
        return [Stamp(row[0], row[1], row[2], row[3], metadata_of(row[4])) for row in rows]

    def signatures(self) -> dict[str, bytes]:
        """Return the MinHash signatures of the stored texts by source id, where there are any."""
        rows = self._rows("SELECT id, signature FROM sources WHERE length(signature) > 0 AND NOT retired")
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
            _count_change(db)
            _mark_removal(db)

    def unhide(self, source_id: str) -> None:
        """Undo `hide`."""
        query = "UPDATE sources SET origin = substr(origin, ?) WHERE id = ? AND substr(origin, 1, 7) = ?"
        with self._transaction() as db:
            db.execute(query, (len(_HIDDEN) + 1, source_id, _HIDDEN))
            _count_change(db)
            _mark_removal(db)

    def hidden(self) -> list[tuple[str, str]]:
        """Return (id, name) of the hidden sources."""
        rows = self._rows("SELECT id, name FROM sources WHERE substr(origin, 1, 7) = ?", (_HIDDEN,))
        return [(str(source_id), str(name)) for source_id, name in rows]

    def hidden_names(self, origin: str) -> set[str]:
        """Return the names of the hidden sources of an origin."""
        rows = self._rows("SELECT name FROM sources WHERE origin = ?", (_HIDDEN + origin,))
        return {str(name) for (name,) in rows}

    def source(self, source_id: str) -> Source:
        """Return a stored source; raise SourceNotFound, or SourceDamaged for one that is not as stored."""
        columns = f"{_DIGESTED}, name, repairs, sections"
        rows = self._rows(f"SELECT {columns} FROM sources WHERE id = ?", (source_id,))  # noqa: S608 # nosec B608
        if not rows:
            raise SourceNotFound(source_id=source_id)
        identity, kept, original, clean, runs, metadata, name, repairs, sections = rows[0]
        if digest((original, clean, runs, metadata)) != kept:
            raise SourceDamaged(name=name)
        return Source(
            id=identity,
            name=name,
            original=original,
            clean=clean,
            runs=tuple(Run(**run) for run in json.loads(runs)),
            repairs=tuple(Repair(**repair) for repair in json.loads(repairs)),
            sections=tuple(tuples_of(Section, section, "path") for section in json.loads(sections)),
            metadata=metadata_of(metadata),
        )

    def chunks(self, source_id: str = "", *, retired: bool = False) -> list[Chunk]:
        """Return the chunks of one source, or of all, in the order of source id and text.

        Those of retired sources only where asked for, those of damaged ones never.
        """
        texts = self._rows(
            f"SELECT {_DIGESTED} FROM sources WHERE ? IN ('', id) AND retired <= ?",  # noqa: S608 # nosec B608
            (source_id, retired),
        )
        clean = {row[0]: str(row[3]) for row in texts if digest(row[2:]) == row[1]}
        if len(clean) < len(texts):
            logger.error("%d stored documents are damaged and left out", len(texts) - len(clean))
        rows = self._rows(
            'SELECT id, source_id, ordinal, start, "end", heading, locator, section_path FROM chunks '
            "WHERE ? IN ('', source_id) AND source_id NOT IN "
            "(SELECT id FROM sources WHERE substr(origin, 1, 7) = ?) ORDER BY source_id, ordinal",
            (source_id, _HIDDEN),
        )
        rows = [row for row in rows if row[1] in clean]
        paths = json.loads(f"[{','.join(row[7] for row in rows)}]")  # at once: a call each is slow
        return [_chunk(clean[row[1]], row, path) for row, path in zip(rows, paths, strict=True)]

    def put_vectors(self, chunk_ids: Sequence[str], vectors: Matrix, *, fingerprint: str) -> None:
        """Store float32 vectors (len(chunk_ids), dim) made by the encoder of a fingerprint."""
        rows = [(i, fingerprint, vector.tobytes()) for i, vector in zip(chunk_ids, vectors, strict=True)]
        with self._transaction() as db:
            db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def vectors(self, fingerprint: str, chunk_ids: Sequence[str] | None = None) -> dict[str, bytes]:
        """Return the stored vectors of an encoder, of some chunks or of all: float32 bytes by chunk id."""
        query, values = "SELECT chunk_id, vector FROM vectors WHERE fingerprint = ?", [fingerprint]
        if chunk_ids is not None:
            query += " AND chunk_id IN (SELECT value FROM json_each(?))"
            values.append(_json(chunk_ids))
        return {str(chunk_id): bytes(vector) for chunk_id, vector in self._rows(query, values)}


def _count_change(db: Connection) -> None:
    found = db.execute("SELECT value FROM meta WHERE key = 'revision'").fetchall()
    number = int(str(found[0][0]).split("-")[0]) if found else 0
    revision = f"{number + 1}-{uuid.uuid4().hex[:12]}"
    db.execute("INSERT OR REPLACE INTO meta VALUES ('revision', ?)", (revision,))


def _mark_removal(db: Connection) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES ('removals', ?)", (uuid.uuid4().hex,))


def _row(c: Chunk) -> tuple[object, ...]:
    return (c.id, c.source_id, c.ordinal, c.start, c.end, c.heading, c.locator, _json(c.section_path))


def _plain(value: Run | Repair | Section) -> dict[str, object]:
    """What `asdict` gives, without its copies: the fields hold nothing that changes."""
    return {name: getattr(value, name) for name in value.__slots__}


def _json(values: Iterable[object]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _chunk(clean: str, row: tuple[Any, ...], path: Sequence[str]) -> Chunk:
    identity, source_id, ordinal, start, end, heading, locator, _ = row
    return Chunk(identity, source_id, ordinal, start, end, clean[start:end], heading, locator, tuple(path))
