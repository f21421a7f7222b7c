"""One SQLite file: opened, migrated with a copy made first, changed in transactions, copied while in use.

Knows versions and errors, not tables: those are the store's. The only user of sqlite3.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rag.atomic import sync_folder
from rag.errors import DataDirUnusable, StoreDamaged
from rag.reasons import why

Connection = sqlite3.Connection
Migration = Callable[[Connection], None]
BUSY_S = 30.0  # another process's transaction is waited for so long
COPIES = "backups"
_VERSION = "SELECT value FROM meta WHERE key = 'schema'"


class Database:
    """A connection shared by threads behind a lock; `read_only` where the folder cannot be written."""

    def __init__(self, path: Path, migrations: Sequence[Migration]) -> None:
        """Open or make the file and bring it to the version `len(migrations)`.

        Raises: DataDirUnusable: no way to open or write it. StoreDamaged: it is
        not a database of ours, or a newer program's.
        """
        self.path = path
        self.read_only = False
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._open(path)
            self._migrate(migrations)
        except OSError as err:
            raise DataDirUnusable(path=path.parent, reason=why(err)) from err
        except sqlite3.OperationalError as err:
            raise DataDirUnusable(path=path.parent, reason=why(err)) from err
        except sqlite3.DatabaseError as err:
            raise StoreDamaged(path=path, reason=why(err)) from err

    def _open(self, path: Path) -> sqlite3.Connection:
        db = _connect(path.resolve().as_uri())
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
                db.execute(f"PRAGMA {pragma}").fetchone()
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return db
        except sqlite3.OperationalError:
            db.close()
            if not path.is_file() or not path.stat().st_size or _pending(path):
                raise
        # A read-only folder or a full disk: what is there can still be read, as long as nothing waits
        # in the write-ahead log, which cannot be opened without writing.
        db = _connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self.read_only = True
        return db

    def close(self) -> None:
        """Move the log into the file and close it."""
        self.checkpoint()
        self._db.close()

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and empty it; other connections may prevent that."""
        with self._lock, suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Change the database all or nothing; raise DataDirUnusable where it cannot be written."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as err:  # disk full, read-only, locked
                self._roll_back()
                raise DataDirUnusable(path=self.path.parent, reason=why(err)) from err
            except sqlite3.DatabaseError as err:
                self._roll_back()
                raise StoreDamaged(path=self.path, reason=why(err)) from err
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            with suppress(sqlite3.Error):  # SQLite may have rolled back by itself
                self._db.execute("ROLLBACK")

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query; raise StoreDamaged where they cannot be read."""
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.DatabaseError as err:
                raise StoreDamaged(path=self.path, reason=why(err)) from err

    def problems(self) -> str:
        """Return what SQLite's own check finds wrong with the file, or an empty string."""
        found = [str(row[0]) for row in self.rows("PRAGMA quick_check(3)")]
        return "" if found == ["ok"] else "；".join(found)

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy, also while others change the database; raise DataDirUnusable."""
        unfinished = path.with_name(f"{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.unlink(missing_ok=True)
            with self._lock:
                _copy(self._db, unfinished)
            unfinished.replace(path)
            sync_folder(path.parent)
        except (OSError, sqlite3.OperationalError) as err:
            raise DataDirUnusable(path=path.parent, reason=why(err)) from err
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def _version(self) -> int:
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchall():
            return 0
        found = self._db.execute(_VERSION).fetchall()
        return int(found[0][0]) if found and str(found[0][0]).isdigit() else 0

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        version, newest = self._version(), len(migrations)
        if version > newest:
            raise StoreDamaged(
                path=self.path,
                reason=f"格式版本 {version} 来自更新的程序，请升级领学",
            )
        if version == newest:
            return
        if version:
            self.copy_to(self.path.parent / COPIES / f"{self.path.stem}-v{version}{self.path.suffix}")
        with self.transaction() as db:
            for step in migrations[self._version() :]:  # another process may have been first
                step(db)
            db.execute("INSERT OR REPLACE INTO meta VALUES ('schema', ?)", (str(newest),))


def check_file(path: Path) -> str:
    """Return what is wrong with a SQLite file that nobody uses, or an empty string."""
    try:
        db = _connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1")
        try:
            found = [str(row[0]) for row in db.execute("PRAGMA quick_check(3)").fetchall()]
        finally:
            db.close()
    except sqlite3.DatabaseError as err:
        return str(err)
    return "" if found == ["ok"] else "；".join(found)


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite file of any kind, consistently, also while it is in use; raise OSError."""
    try:
        db = _connect(source.resolve().as_uri())
        try:
            _copy(db, target)
        finally:
            db.close()
    except sqlite3.Error as err:
        raise OSError(f"{source.name}：{err}") from err


def _copy(db: sqlite3.Connection, target: Path) -> None:
    copy = sqlite3.connect(target)
    try:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE").fetchone()  # one file, no log beside it
    finally:
        copy.close()


def _connect(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None, timeout=BUSY_S)
    db.text_factory = lambda raw: raw.decode("utf-8", "replace")  # a damaged text is told by its digest
    return db


def _pending(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
