"""Tokens for the HTTP API: shown once when made, kept as hashes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import delete, insert, select

from rag.records import database as db
from rag.records.accounts import digest

PREFIX = "lx-"  # so that a leaked token can be told for what it is
LISTED = 8  # digits of a token's hash that name it


@dataclass(frozen=True, slots=True)
class Token:
    """A token in the list: what it is for, and the beginning of its hash."""

    key: str
    label: str
    made_at: float


class Tokens:
    """The tokens in a database."""

    def __init__(self, database: db.Database) -> None:
        self._database = database

    def make(self, owner: str, label: str) -> str:
        """Make a token that acts for an owner; this is the only time it can be read."""
        token = PREFIX + secrets.token_urlsafe(32)
        kept = {"owner": owner, "label": label.strip()[:40] or "未命名", "made_at": db.now()}
        with self._database.begin() as connection:
            connection.execute(insert(db.tokens).values(digest=digest(token), **kept))
        return token

    def owner(self, token: str) -> str | None:
        """Return for whom a token acts, or None for one that is not known."""
        query = select(db.tokens.c.owner).where(db.tokens.c.digest == digest(token))
        with self._database.begin() as connection:
            found: str | None = connection.execute(query).scalar()
        return found

    def listed(self, owner: str) -> list[Token]:
        """Return an owner's tokens, the latest first."""
        table = db.tokens
        query = select(table.c.digest, table.c.label, table.c.made_at).where(table.c.owner == owner)
        with self._database.begin() as connection:
            rows = connection.execute(query.order_by(table.c.made_at.desc())).all()
        return [Token(row.digest[:LISTED], row.label, row.made_at) for row in rows]

    def remove(self, owner: str, key: str) -> None:
        """Forget the token of a key as listed."""
        table = db.tokens
        if len(key) != LISTED:
            return
        with self._database.begin() as connection:
            connection.execute(
                delete(table).where(table.c.owner == owner, table.c.digest.startswith(key, autoescape=True))
            )
