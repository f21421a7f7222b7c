"""All that is kept of people, over one database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from rag.records.accounts import Accounts
from rag.records.acts import Acts
from rag.records.conversations import Conversations
from rag.records.database import Database
from rag.records.drafts import Drafts
from rag.records.feedback import Feedback
from rag.records.tokens import Tokens


class Records:
    """Conversations, drafts, feedback, accounts, tokens and the list of administrative acts."""

    def __init__(self, folder: Path, url: str = "") -> None:
        """Open the database; raise DataDirUnusable or BadSettings."""
        self._database = Database(folder, url)
        self.conversations = Conversations(self._database)
        self.drafts = Drafts(self._database)
        self.feedback = Feedback(self._database)
        self.accounts = Accounts(self._database)
        self.tokens = Tokens(self._database)
        self.acts = Acts(self._database)
        self.conversations.purge()
        self.acts.purge()

    def check(self) -> None:
        """Ask the database for nothing; raise DataDirUnusable or RecordsUnavailable where it fails."""
        with self._database.begin() as connection:
            connection.execute(select(1))

    def close(self) -> None:
        """Close the database."""
        self._database.close()
