"""The database: its tables and how it is opened. One transaction a `begin()`."""

from __future__ import annotations

import re
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
    Dialect,
    Engine,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, SQLAlchemyError

from rag.errors import BadSettings, DataDirUnusable, LingxueError, RecordsDamaged, RecordsUnavailable
from rag.reasons import why

LOCAL = ""  # the owner where nobody logs in: whoever sits at this computer
FILE = "records.db"
BUSY_S = 30  # how long a writer waits for another one
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
CONNECT_S = 5  # a database server that does not answer in this time is taken as gone


class _Text(TypeDecorator[str]):
    """Text that any database takes: NUL and lone surrogates, which some refuse, become U+FFFD."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what is sent to the database."""
        return None if value is None else _UNKEEPABLE.sub("\ufffd", value)


metadata = MetaData()
conversations = Table(
    "conversations",
    metadata,
    Column("id", _Text(32), primary_key=True),
    Column("owner", _Text(64), nullable=False, index=True),
    Column("title", _Text(200), nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("deleted", Boolean, nullable=False, default=False),
)
messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", _Text(16), nullable=False),
    Column("text", _Text, nullable=False),
    Column("answer", _Text, nullable=False),
    UniqueConstraint("conversation_id", "number"),
)
feedback = Table(
    "feedback",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("value", _Text(8), nullable=False),
    Column("reason", _Text(40), nullable=False),
    Column("comment", _Text, nullable=False),
    Column("given_at", Float, nullable=False),
)
drafts = Table(
    "drafts",
    metadata,
    Column("id", _Text(32), primary_key=True),
    Column("owner", _Text(64), nullable=False, index=True),
    Column("title", _Text(200), nullable=False),
    Column("content", _Text, nullable=False),
    Column("changed_at", Float, nullable=False),
)
users = Table(
    "users",
    metadata,
    Column("name", _Text(64), primary_key=True),
    Column("password", _Text(200), nullable=False),
    Column("role", _Text(8), nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", Float, nullable=False, default=0.0),
)
sessions = Table(
    "sessions",
    metadata,
    Column("digest", _Text(64), primary_key=True),
    Column("user", ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Float, nullable=False),
)
tokens = Table(
    "tokens",
    metadata,
    Column("digest", _Text(64), primary_key=True),
    Column("owner", _Text(64), nullable=False),
    Column("label", _Text(64), nullable=False),
    Column("made_at", Float, nullable=False),
)
acts = Table(
    "acts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("who", _Text(64), nullable=False),
    Column("what", _Text(200), nullable=False),
)


class Database:
    """An open database; connections are pooled and safe to use from any thread."""

    def __init__(self, folder: Path, url: str = "") -> None:
        """Open or make the database; SQLite in the folder where no address is given.

        Raises: DataDirUnusable; RecordsDamaged; RecordsUnavailable; BadSettings: the address cannot be used.
        """
        self._folder, self._remote = folder, False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            address = make_url(url) if url else URL.create("sqlite", database=str(folder / FILE))
            self._engine = _engine(address)
            self._remote = self._engine.dialect.name != "sqlite"
            _make_tables(self._engine)
        except (ArgumentError, NoSuchModuleError, ImportError) as err:
            # The address may hold a password: it is not repeated.
            reason = f"不能用：{type(err).__name__}"
            if isinstance(err, ImportError):
                reason = f"没有安装它的驱动 {err.name}（PostgreSQL 的：pip install 'psycopg[binary]'）"
            raise BadSettings(name="LINGXUE_DATABASE_URL", value="……", reason=reason) from err
        except (OSError, SQLAlchemyError) as err:
            raise self._told(err) from err

    @property
    def engine(self) -> Engine:
        """The engine behind it."""
        return self._engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Give a connection in a transaction; raise what opening it raises, where it fails."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as err:
            raise self._told(err) from err

    def _told(self, err: Exception) -> LingxueError:
        """What went wrong, without the statement and its values."""
        if self._remote:
            return RecordsUnavailable(reason=type(getattr(err, "orig", None) or err).__name__)
        reason = why(getattr(err, "orig", None) or err)
        # SQLite's own class, and no subclass of it, for a file that is cut, overwritten or no database.
        if type(err) is DatabaseError and type(err.orig).__module__ == "sqlite3":
            return RecordsDamaged(path=self._folder / FILE, reason=reason)
        return DataDirUnusable(path=self._folder, reason=reason)

    def close(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()


def _engine(address: URL) -> Engine:
    """Return the engine; of a server's, connections that a restart of it has cut are made anew."""
    backend = address.get_backend_name()
    if backend == "sqlite":
        engine = create_engine(address)
        event.listen(engine, "connect", _prepare)
        return engine
    waiting = {"connect_timeout": CONNECT_S} if backend in ("postgresql", "mysql", "mariadb") else {}
    return create_engine(address, pool_pre_ping=True, connect_args=waiting)


def _make_tables(engine: Engine) -> None:
    try:
        metadata.create_all(engine)
    except SQLAlchemyError:  # another replica was making them at the same moment
        metadata.create_all(engine)


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


def new_id() -> str:
    """Return a name that nobody can guess: 16 hexadecimal digits."""
    return secrets.token_hex(8)


def now() -> float:
    """Return the time, in seconds since 1970."""
    return datetime.now(UTC).timestamp()
