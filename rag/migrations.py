"""The tables of the store, version by version; each step leads from one to the next.

A released step is never changed. The database runs the missing ones in one
transaction, after a copy of the file has been made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.database import Connection

_VERSION_1 = (
    "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS sources (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, origin TEXT NOT NULL, stamp TEXT NOT NULL,
    original TEXT NOT NULL, clean TEXT NOT NULL, runs TEXT NOT NULL, repairs TEXT NOT NULL,
    sections TEXT NOT NULL, metadata TEXT NOT NULL, signature BLOB NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS chunks (
    id TEXT PRIMARY KEY, source_id TEXT NOT NULL REFERENCES sources(id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    heading TEXT NOT NULL, locator TEXT NOT NULL, section_path TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS chunks_of_source ON chunks(source_id, ordinal)",
    """CREATE TABLE IF NOT EXISTS vectors (
    chunk_id TEXT PRIMARY KEY REFERENCES chunks(id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL, vector BLOB NOT NULL)""",
)


def _first(db: Connection) -> None:
    for statement in _VERSION_1:
        db.execute(statement)


def _digests_and_retirement(db: Connection) -> None:
    """Version 2: a digest of every source's texts, and sources kept until the index has their successor."""
    db.execute("ALTER TABLE sources ADD COLUMN digest TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE sources ADD COLUMN retired INTEGER NOT NULL DEFAULT 0")
    columns = "id, original, clean, runs, metadata"
    for row in db.execute(f"SELECT {columns} FROM sources").fetchall():  # noqa: S608 - a constant # nosec B608
        db.execute("UPDATE sources SET digest = ? WHERE id = ?", (digest(row[1:]), row[0]))


def digest(texts: Iterable[str]) -> str:
    """Return the digest under which a source's original, clean text, runs and metadata are kept."""
    made = hashlib.blake2b(digest_size=16)
    for text in texts:
        made.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return made.hexdigest()


def _signatures(db: Connection) -> None:
    """Version 3: signatures of a kind that is made twenty times as fast."""
    from rag.neardup import signature

    for identity, clean in db.execute("SELECT id, clean FROM sources").fetchall():
        db.execute("UPDATE sources SET signature = ? WHERE id = ?", (signature(clean), identity))


MIGRATIONS = (_first, _digests_and_retirement, _signatures)
