"""Conversations with their messages; each is seen by its owner only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, insert, or_, select, update
from sqlalchemy.sql import ColumnElement

from rag.errors import BadRequest
from rag.records import database as db
from rag.records.payload import from_json, to_json
from rag.types import Answer, Turn

Kind = Literal["question", "answer", "error", "note", "held"]
Opinion = Literal["up", "down", ""]
TITLE_LENGTH = 40  # characters of the first question that name a conversation
LISTED = 60  # conversations shown at once; the search finds the others
TURNS_KEPT = 20  # what follow-up questions can refer to


@dataclass(frozen=True, slots=True)
class Message:
    """One message: a question, its answer, or why there is none."""

    number: int
    kind: Kind
    text: str
    answer: Answer | None = None
    opinion: Opinion = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of one owner, in order."""

    id: str
    title: str
    messages: tuple[Message, ...] = ()

    @property
    def pending(self) -> str:
        """The question that has no reply yet, or ""."""
        last = self.messages[-1] if self.messages else None
        return last.text if last and last.kind == "question" else ""

    @property
    def held(self) -> bool:
        """Whether the last question waits for its writer's word before it goes to an outside model."""
        return bool(self.messages) and self.messages[-1].kind == "held"

    @property
    def turns(self) -> tuple[Turn, ...]:
        """What was said, for the next question; a question without an answer was not said."""
        said: list[Turn] = []
        for asked, replied in zip(self.messages, self.messages[1:], strict=False):
            if asked.kind == "question" and replied.answer:
                said += [Turn("user", asked.text), Turn("assistant", replied.answer.answer)]
        return tuple(said[-TURNS_KEPT:])

    @property
    def last_question(self) -> str:
        """The question asked last, or ""."""
        return next((m.text for m in reversed(self.messages) if m.kind == "question"), "")


@dataclass(frozen=True, slots=True)
class Heading:
    """A conversation in the list."""

    id: str
    title: str
    changed_at: float


class Conversations:
    """The conversations in a database. Every call names the owner; what is another's is not found."""

    def __init__(self, database: db.Database) -> None:
        self._database = database

    def listed(self, owner: str, search: str = "") -> list[Heading]:
        """Return the owner's conversations, the latest first; those whose title or text holds `search`."""
        table = db.conversations
        query = select(table.c.id, table.c.title, table.c.changed_at).where(_seen_by(owner))
        if wanted := search.strip():
            text = db.messages.c.text.contains(wanted, autoescape=True)
            found = select(db.messages.c.conversation_id).where(text)
            query = query.where(or_(table.c.title.contains(wanted, autoescape=True), table.c.id.in_(found)))
        with self._database.begin() as connection:
            rows = connection.execute(query.order_by(table.c.changed_at.desc()).limit(LISTED)).all()
        return [Heading(*row) for row in rows]

    def get(self, owner: str, conversation_id: str) -> Conversation | None:
        """Return a conversation of this owner, or None."""
        with self._database.begin() as connection:
            return read(connection, owner, conversation_id)

    def ask(self, owner: str, conversation_id: str, question: str) -> Conversation:
        """Add a question, to a new conversation where the id is none of the owner's."""
        with self._database.begin() as connection:
            known = read(connection, owner, conversation_id)
            if known is None:
                conversation_id = db.new_id()
                title = " ".join(question.split())[:TITLE_LENGTH]
                connection.execute(
                    insert(db.conversations).values(
                        id=conversation_id, owner=owner, title=title, changed_at=db.now(), deleted=False
                    )
                )
            _add(connection, conversation_id, "question", question)
            return expect(connection, owner, conversation_id)

    def reply(
        self, owner: str, conversation_id: str, kind: Kind, text: str = "", answer: Answer | None = None
    ) -> Conversation:
        """Add the reply to the pending question; where none is pending nothing is added."""
        with self._database.begin() as connection:
            known = expect(connection, owner, conversation_id)
            if not known.pending:
                return known
            _add(connection, conversation_id, kind, answer.answer if answer else text, answer)
            return expect(connection, owner, conversation_id)

    def take_back(self, owner: str, conversation_id: str) -> str:
        """Remove the last question and its reply; return the question."""
        with self._database.begin() as connection:
            known = expect(connection, owner, conversation_id)
            last = next((m for m in reversed(known.messages) if m.kind == "question"), None)
            if last is None:
                return ""
            for table in (db.feedback, db.messages):
                connection.execute(
                    delete(table).where(
                        table.c.conversation_id == conversation_id, table.c.number >= last.number
                    )
                )
            return last.text

    def rename(self, owner: str, conversation_id: str, title: str) -> None:
        """Give a conversation another name; raise BadRequest for an empty one."""
        title = " ".join(title.split())[:TITLE_LENGTH]
        if not title:
            raise BadRequest(reason="对话名称不能为空。请填一个名称。")
        self._update(owner, conversation_id, title=title)

    def remove(self, owner: str, conversation_id: str) -> None:
        """Take a conversation out of the list; `restore` brings it back until the next `purge`."""
        self._update(owner, conversation_id, deleted=True)

    def restore(self, owner: str, conversation_id: str) -> None:
        """Undo `remove`."""
        with self._database.begin() as connection:
            connection.execute(
                update(db.conversations)
                .where(db.conversations.c.id == conversation_id, db.conversations.c.owner == owner)
                .values(deleted=False)
            )

    def purge(self) -> None:
        """Forget removed conversations for good."""
        with self._database.begin() as connection:
            connection.execute(delete(db.conversations).where(db.conversations.c.deleted))

    def _update(self, owner: str, conversation_id: str, **values: Any) -> None:
        with self._database.begin() as connection:
            expect(connection, owner, conversation_id)
            connection.execute(
                update(db.conversations).where(db.conversations.c.id == conversation_id).values(**values)
            )


def _seen_by(owner: str) -> ColumnElement[bool]:
    return (db.conversations.c.owner == owner) & ~db.conversations.c.deleted


def expect(connection: Connection, owner: str, conversation_id: str) -> Conversation:
    """Return a conversation of this owner; raise BadRequest where there is none."""
    found = read(connection, owner, conversation_id)
    if found is None:
        raise BadRequest(reason="找不到这个对话，可能已被删除。请刷新页面，或新建一个对话。")
    return found


def read(connection: Connection, owner: str, conversation_id: str) -> Conversation | None:
    """Return a conversation of this owner, or None."""
    head = connection.execute(
        select(db.conversations.c.id, db.conversations.c.title).where(
            _seen_by(owner), db.conversations.c.id == conversation_id
        )
    ).one_or_none()
    if head is None:
        return None
    given = select(db.feedback.c.number, db.feedback.c.value).filter_by(conversation_id=conversation_id)
    opinions = {row.number: row.value for row in connection.execute(given)}
    rows = connection.execute(
        select(db.messages).filter_by(conversation_id=conversation_id).order_by(db.messages.c.number)
    ).all()
    said = tuple(
        Message(
            row.number,
            row.kind,
            row.text,
            from_json(row.answer) if row.answer else None,
            opinions.get(row.number, ""),
        )
        for row in rows
    )
    return Conversation(head.id, head.title, said)


def _add(
    connection: Connection, conversation_id: str, kind: Kind, text: str, answer: Answer | None = None
) -> None:
    # First of all, since it makes whoever adds to the same conversation wait until this is committed.
    connection.execute(
        update(db.conversations).where(db.conversations.c.id == conversation_id).values(changed_at=db.now())
    )
    last = connection.execute(
        select(func.max(db.messages.c.number)).filter_by(conversation_id=conversation_id)
    ).scalar()
    kept = to_json(answer) if answer else ""
    connection.execute(
        insert(db.messages).values(
            conversation_id=conversation_id, number=(last or 0) + 1, kind=kind, text=text, answer=kept
        )
    )
