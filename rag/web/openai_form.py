"""OpenAI's chat form over our answers, so that a school's other clients get citations too.

The text carries [1] markers and, below, the list of what they cite; the
field `citations` holds the same as data. The model's name picks the way:
`lingxue` answers with the language model where one is set, `lingxue-extract`
always from the documents alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from rag.outline_text import reference
from rag.records.database import new_id
from rag.types import Answer, Turn
from rag.web.api_docs import SEND_PRIVATE

if TYPE_CHECKING:
    from rag.assistant import Assistant

MODELS = {"lingxue": "设置了大模型就用，没有就摘录", "lingxue-extract": "只从资料摘录，不用大模型"}
_MODELS = "列出可用的模型名。"
_CHAT = (
    "最后一条 user 消息是问题，之前的是对话；stream 为 true 时按 SSE 返回。出处在正文末尾和 citations 里。"
)
PIECE = 40  # characters of a streamed piece


class Part(BaseModel):
    """A part of a message; only text is read."""

    type: str
    text: str = ""


class Message(BaseModel):
    """A message as OpenAI's clients send it; system messages are not followed."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """The text of the message."""
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class Chat(BaseModel):
    """A request as OpenAI's clients send it; settings of sampling are passed over."""

    model: str = Field(default="lingxue", examples=["lingxue"])
    messages: list[Message] = Field(min_length=1, max_length=200)
    stream: bool = False
    send_private: bool = Field(default=False, description=SEND_PRIVATE)


def add_openai(router: APIRouter, assistant: Assistant) -> None:
    """Add the addresses."""

    @router.get("/models", summary="有哪些模型名", description=_MODELS)
    def models() -> dict[str, Any]:
        """List the names of models."""
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "lingxue"} for name in MODELS]
        return {"object": "list", "data": listed}

    @router.post("/chat/completions", summary="对话", description=_CHAT, response_model=None)
    def chat(body: Chat) -> Response:
        """Answer the last user message; the messages before it are the conversation."""
        if body.model not in MODELS:
            known = "、".join(MODELS)
            return _wrong(404, f"没有这个模型：{body.model}。可用：{known}。", "model_not_found")
        said = [m for m in body.messages if m.role in ("user", "assistant") and m.text.strip()]
        if not said or said[-1].role != "user":
            return _wrong(400, "最后一条消息应是 user 的提问。请检查 messages。", "invalid_request_error")
        turns = [Turn("user" if m.role == "user" else "assistant", m.text) for m in said[:-1]]
        # Answered before anything is sent: only verified text leaves, and an error gets its own status.
        answer = assistant.answer(
            said[-1].text,
            turns,
            use_model=body.model == "lingxue",
            private="send" if body.send_private else "extract",
        )
        name = f"chatcmpl-{new_id()}"
        if body.stream:
            return StreamingResponse(_pieces(answer, name, body.model), media_type="text/event-stream")
        return JSONResponse(_whole(answer, name, body.model))


def content(answer: Answer) -> str:
    """Return the text of an answer with the list of what its markers cite."""
    if not answer.citations:
        return answer.answer
    sources = "\n".join(f"[{c.marker}] {reference(c)}" for c in answer.citations)
    return f"{answer.answer}\n\n出处：\n{sources}"


def _head(name: str, model: str, kind: str) -> dict[str, Any]:
    return {"id": name, "object": kind, "created": int(time.time()), "model": model}


def _whole(answer: Answer, name: str, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content(answer)}
    found = answer.to_dict()
    return {
        **_head(name, model, "chat.completion"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        "status": answer.status,
        "citations": found["citations"],
    }


def _pieces(answer: Answer, name: str, model: str) -> Iterator[str]:
    head = _head(name, model, "chat.completion.chunk")

    def event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps({**head, 'choices': [choice], **more}, ensure_ascii=False)}\n\n"

    yield event({"role": "assistant", "content": ""})
    text = content(answer)
    for start in range(0, len(text), PIECE):
        yield event({"content": text[start : start + PIECE]})
    yield event({}, "stop", status=answer.status, citations=answer.to_dict()["citations"])
    yield "data: [DONE]\n\n"


def _wrong(status: int, message: str, kind: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": kind}}, status)
