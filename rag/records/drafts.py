"""Outlines that people work on; each is seen by its owner only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from sqlalchemy import delete, insert, select, update

from rag.errors import BadRequest
from rag.records import database as db
from rag.types import Citation, DraftRequest, Outline, OutlineSection, Point

LISTED = 60  # drafts shown at once
TITLE_LENGTH = 60  # characters
T = TypeVar("T")
Text = tuple[tuple[str, tuple[str, ...]], ...]  # what was written out: headings and their paragraphs


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """What was asked for, the outline as it stands, and what was written out from it."""

    id: str
    request: DraftRequest
    outline: Outline
    text: Text = ()


class Drafts:
    """The outlines in a database."""

    def __init__(self, database: db.Database) -> None:
        self._database = database

    def keep(
        self,
        owner: str,
        draft_id: str,
        request: DraftRequest,
        outline: Outline,
        text: Sequence[tuple[str, Sequence[str]]] = (),
    ) -> str:
        """Keep an outline under its id, or under a new one where it has none; return the id."""
        content = {"request": asdict(request), "outline": asdict(outline), "text": text}
        values = {
            "title": outline.title[:TITLE_LENGTH],
            "content": json.dumps(content, ensure_ascii=False),
            "changed_at": db.now(),
        }
        mine = (db.drafts.c.id == draft_id) & (db.drafts.c.owner == owner)
        with self._database.begin() as connection:
            known = draft_id and connection.execute(select(db.drafts.c.id).where(mine)).first()
            if known:
                connection.execute(update(db.drafts).where(mine).values(**values))
                return draft_id
            new = db.new_id()
            connection.execute(insert(db.drafts).values(id=new, owner=owner, **values))
            return new

    def listed(self, owner: str) -> list[tuple[str, str]]:
        """Return (id, title) of an owner's drafts, the latest first."""
        table = db.drafts
        query = select(table.c.id, table.c.title).where(table.c.owner == owner)
        with self._database.begin() as connection:
            rows = connection.execute(query.order_by(table.c.changed_at.desc()).limit(LISTED))
            return [(str(draft_id), str(title)) for draft_id, title in rows]

    def open(self, owner: str, draft_id: str) -> KeptDraft:
        """Return a draft; raise BadRequest where the owner has none of this id."""
        query = select(db.drafts.c.content).where(db.drafts.c.id == draft_id, db.drafts.c.owner == owner)
        with self._database.begin() as connection:
            content = connection.execute(query).scalar()
        if content is None:
            raise BadRequest(reason="找不到这份提纲，可能已被删除。请刷新页面。")
        kept = json.loads(content)
        text = tuple((str(heading), tuple(paragraphs)) for heading, paragraphs in kept.get("text", ()))
        return KeptDraft(draft_id, _made(DraftRequest, kept["request"]), _outline(kept["outline"]), text)

    def remove(self, owner: str, draft_id: str) -> None:
        """Delete a draft for good; none of this id is no error."""
        with self._database.begin() as connection:
            connection.execute(
                delete(db.drafts).where(db.drafts.c.id == draft_id, db.drafts.c.owner == owner)
            )


def _outline(kept: Mapping[str, Any]) -> Outline:
    sections = [
        _made(OutlineSection, {**s, "points": tuple(_made(Point, p, "citations") for p in s["points"])})
        for s in kept["sections"]
    ]
    citations = tuple(_made(Citation, c, "section_path") for c in kept["citations"])
    whole = {**kept, "sections": tuple(sections), "citations": citations}
    return _made(Outline, whole, "placeholders", "warnings")


def _made(kind: type[T], values: Mapping[str, Any], *tuples: str) -> T:
    """Build a value; fields that this version does not know are left out."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{k: tuple(v) if k in tuples else v for k, v in values.items() if k in known})
