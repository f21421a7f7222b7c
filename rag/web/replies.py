"""What the chat's own buttons ask for: a conversation as a Word file, an opinion on an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from rag.errors import LingxueError
from rag.records.feedback import REASONS
from rag.web.export import conversation_docx
from rag.web.files import file_name
from rag.web.gate import user_of

if TYPE_CHECKING:
    from rag.assistant import Assistant

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class Opinion(BaseModel):
    """What a reader thinks of the answer of a key, as it stands in the page."""

    key: str = Field(pattern=r"^[0-9a-f]{16}-[0-9]{1,6}$")
    opinion: str
    reason: str = ""
    comment: str = ""


def add_replies(app: FastAPI, assistant: Assistant) -> None:
    """Add the addresses."""

    @app.get("/conversation/{name}.docx")
    def export(name: str, request: Request) -> Response:
        """Return a conversation of one's own as a Word file."""
        found = assistant.records.conversations.get(user_of(request).name, name)
        if found is None:
            return Response("找不到这个对话，可能已被删除。", 404, media_type="text/plain; charset=utf-8")
        shown = quote(f"{file_name(found.title)}.docx")
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{shown}"}
        return Response(conversation_docx(found), media_type=DOCX, headers=headers)

    @app.get("/feedback")
    def reasons() -> JSONResponse:
        """Return the reasons that can be chosen."""
        return JSONResponse(list(REASONS))

    @app.post("/feedback")
    def judge(given: Opinion, request: Request) -> JSONResponse:
        """Keep an opinion."""
        owner, (conversation_id, _, number) = user_of(request).name, given.key.partition("-")
        try:
            assistant.records.feedback.give(
                owner, conversation_id, int(number), given.opinion, given.reason, given.comment
            )
        except LingxueError as err:
            return JSONResponse({"error": str(err)}, 400)
        return JSONResponse({"opinion": given.opinion})
