"""Who administered what, and when: a list that is only added to, for whoever has to account for it.

Holds names and what was done; no passwords, keys, tokens, questions or texts.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select

from rag.errors import LingxueError
from rag.records import database as db

logger = logging.getLogger(__name__)

COMMAND_LINE = "（命令行）"
KEPT_S = 400 * 24 * 3600  # a school year and what follows it
KEPT = 20_000  # lines: who guesses passwords cannot fill the disk
LISTED = 50
LENGTH = 200  # characters of what was done


@dataclass(frozen=True, slots=True)
class Act:
    """One line: when (seconds since 1970), who, what."""

    at: float
    who: str
    what: str


class Acts:
    """The acts in a database."""

    def __init__(self, database: db.Database) -> None:
        self._database = database

    def note(self, who: str, what: str) -> None:
        """Add an act that was done; where it cannot be kept the act still stands, and the log says so."""
        try:
            with self._database.begin() as connection:
                values = {"at": db.now(), "who": who[:64], "what": " ".join(what.split())[:LENGTH]}
                connection.execute(insert(db.acts).values(values))
        except LingxueError as err:
            logger.warning("an administrative act was not noted: %s", type(err).__name__)

    def listed(self, limit: int = LISTED) -> list[Act]:
        """Return the latest acts, the latest first."""
        table = db.acts
        query = select(table.c.at, table.c.who, table.c.what).order_by(table.c.id.desc()).limit(limit)
        with self._database.begin() as connection:
            return [Act(*row) for row in connection.execute(query).all()]

    def purge(self) -> None:
        """Forget what is older than is kept."""
        with self._database.begin() as connection:
            last = int(connection.execute(select(func.max(db.acts.c.id))).scalar() or 0)
            old = (db.acts.c.at < db.now() - KEPT_S) | (db.acts.c.id <= last - KEPT)
            connection.execute(delete(db.acts).where(old))
