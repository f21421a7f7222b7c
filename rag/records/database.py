"""The database: its tables and how it is opened. One transaction a `begin()`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, SQLAlchemyError

from rag.errors import BadSettings, DataDirUnusable, LingxueError, RecordsDamaged
from rag.reasons import why

LOCAL = ""  # the owner where nobody logs in: whoever sits at this computer
FILE = "records.db"
BUSY_S = 30  # how long a writer waits for another one

metadata = MetaData()
conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False, index=True),
    Column("title", String(200), nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("deleted", Boolean, nullable=False, default=False),
)
messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("answer", Text, nullable=False),
    UniqueConstraint("conversation_id", "number"),
)
feedback = Table(
    "feedback",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("value", String(8), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("comment", Text, nullable=False),
    Column("given_at", Float, nullable=False),
)
drafts = Table(
    "drafts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(64), nullable=False, index=True),
    Column("title", String(200), nullable=False),
    Column("content", Text, nullable=False),
    Column("changed_at", Float, nullable=False),
)
users = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password", String(200), nullable=False),
    Column("role", String(8), nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", Float, nullable=False, default=0.0),
)
sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user", ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Float, nullable=False),
)
tokens = Table(
    "tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("label", String(64), nullable=False),
    Column("made_at", Float, nullable=False),
)
acts = Table(
    "acts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("who", String(64), nullable=False),
    Column("what", String(200), nullable=False),
)


class Database:
    """An open database; connections are pooled and safe to use from any thread."""

    def __init__(self, folder: Path, url: str = "") -> None:
        """Open or make the database; SQLite in the folder where no address is given.

        Raises: DataDirUnusable; RecordsDamaged; BadSettings for an address that cannot be used.
        """
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            address = make_url(url) if url else URL.create("sqlite", database=str(folder / FILE))
            self._engine = create_engine(address)
            if self._engine.dialect.name == "sqlite":
                event.listen(self._engine, "connect", _prepare)
            metadata.create_all(self._engine)
        except (ArgumentError, NoSuchModuleError, ImportError) as err:
            # The address may hold a password: it is not repeated.
            raise BadSettings(
                name="LINGXUE_DATABASE_URL", value="……", reason=f"不能用：{type(err).__name__}"
            ) from err
        except (OSError, SQLAlchemyError) as err:
            raise _told(folder, err) from err

    @property
    def engine(self) -> Engine:
        """The engine behind it."""
        return self._engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Give a connection in a transaction; raise DataDirUnusable or RecordsDamaged where it fails."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as err:
            raise _told(self._folder, err) from err

    def close(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_S * 1000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _told(folder: Path, err: Exception) -> LingxueError:
    """What went wrong, without the statement and its values."""
    reason = why(getattr(err, "orig", None) or err)
    # SQLite's own class, and no subclass of it, for a file that is cut, overwritten or no database.
    if type(err) is DatabaseError:
        return RecordsDamaged(path=folder / FILE, reason=reason)
    return DataDirUnusable(path=folder, reason=reason)


def new_id() -> str:
    """Return a name that nobody can guess: 16 hexadecimal digits."""
    return secrets.token_hex(8)


def now() -> float:
    """Return the time, in seconds since 1970."""
    return datetime.now(UTC).timestamp()
