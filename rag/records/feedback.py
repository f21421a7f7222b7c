"""What readers think of answers, and the evaluation cases that come of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import delete, func, insert, select

from rag.errors import BadRequest
from rag.question import analyse
from rag.records import database as db
from rag.records.conversations import Conversation, expect, read
from rag.types import Answer

REASONS = ("没答到点子上", "出处不对", "漏了内容", "资料过时", "看不懂", "其他")
KINDS = {
    "who": "responsibility",
    "how": "procedure",
    "why": "why",
    "list": "list",
    "compare": "comparison",
}
MAX_COMMENT = 500  # characters


class Feedback:
    """The opinions in a database."""

    def __init__(self, database: db.Database) -> None:
        self._database = database

    def give(
        self, owner: str, conversation_id: str, number: int, opinion: str, reason: str = "", comment: str = ""
    ) -> None:
        """Keep what a reader thinks of an answer, "up" or "down"; "" takes it back.

        Raises: BadRequest: no such answer, or an opinion or reason that is not offered.
        """
        if opinion not in ("up", "down", "") or (reason and reason not in REASONS):
            raise BadRequest(reason="评价只能是“有用”或“没用”，原因请从列出的里选。")
        with self._database.begin() as connection:
            known = expect(connection, owner, conversation_id)
            if not any(message.number == number and message.answer for message in known.messages):
                raise BadRequest(reason="找不到这条回答，可能已被删除。请刷新页面。")
            key = {"conversation_id": conversation_id, "number": number}
            table = db.feedback
            connection.execute(
                delete(table).where(table.c.conversation_id == conversation_id, table.c.number == number)
            )
            if opinion:
                said = {"value": opinion, "reason": reason, "comment": comment.strip()[:MAX_COMMENT]}
                connection.execute(insert(table).values(**key, **said, given_at=db.now()))

    def counts(self) -> dict[str, int]:
        """Return how many answers were found useful ("up") and useless ("down")."""
        table = db.feedback
        with self._database.begin() as connection:
            query = select(table.c.value, func.count()).group_by(table.c.value)
            return {value: int(number) for value, number in connection.execute(query)}

    def cases(self) -> list[dict[str, Any]]:
        """Return every judged answer as an evaluation case, for people to complete.

        A useful answer hands its quotes on as gold quotes. Of a useless one only the question is
        kept: what it quoted is not what should have been quoted.
        """
        heads = db.conversations
        query = (
            select(db.feedback.c.conversation_id, db.feedback.c.number, db.feedback.c.value, heads.c.owner)
            .join(heads, heads.c.id == db.feedback.c.conversation_id)
            .order_by(db.feedback.c.given_at)
        )
        found: list[dict[str, Any]] = []
        with self._database.begin() as connection:
            for conversation_id, number, value, owner in connection.execute(query).all():
                known = read(connection, owner, conversation_id)
                found += _case(known, number, value) if known else []
        return found


def _case(conversation: Conversation, number: int, value: str) -> Iterator[dict[str, Any]]:
    at = next((i for i, m in enumerate(conversation.messages) if m.number == number), 0)
    answer = conversation.messages[at].answer
    if not at or answer is None:
        return
    before = Conversation(conversation.id, "", conversation.messages[: at - 1]).turns
    declined = answer.status != "answered"
    answerable = value == "down" or not declined
    useful = value == "up" and not declined
    # Passages shown only as near, beside a notice, support nothing that was said.
    cited = {marker for s in answer.sentences if s.support != "notice" for marker in s.citations}
    quotes = dict.fromkeys(c.quote for c in answer.citations if c.marker in cited)
    yield {
        "id": f"feedback-{value}-{conversation.id}-{number}",
        "kind": _kind(answer, followed=bool(before), answerable=answerable),
        "history": [{"role": turn.role, "content": turn.content} for turn in before],
        "question": conversation.messages[at - 1].text,
        "answer_points": [],
        "gold_quotes": list(quotes) if useful else [],
        "answerable": answerable,
    }


def _kind(answer: Answer, *, followed: bool, answerable: bool) -> str:
    """Return the kind of case that a judged answer makes."""
    if not answerable:
        return "adversarial" if answer.status == "refused" else "unanswerable"
    if followed:
        return "multi-turn"
    return KINDS.get(analyse(answer.standalone_question).kind, "factoid")
