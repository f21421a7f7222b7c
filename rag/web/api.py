"""The HTTP API: ask, draft and evaluate as the commands do, and OpenAI's chat form with citations.

Every address but the description asks for a token (Authorization: Bearer …),
made on the 设置 screen. Bodies are the `--json` forms of the commands.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from rag.errors import (
    BadCases,
    BadRequest,
    DataDirBusy,
    LingxueError,
    NothingIndexed,
    RecordsUnavailable,
)
from rag.privacy import OnPrivate
from rag.types import DraftRequest, Turn
from rag.web.api_docs import SEND_PRIVATE, docs_html
from rag.web.files import new_folder
from rag.web.fragments import screen
from rag.web.limits import A_MINUTE, Limit

if TYPE_CHECKING:
    from rag.assistant import Assistant

MAX_CASES = 500  # of one evaluation: it answers while the caller waits
_DESCRIBED = {
    "提一个问题": "返回回答、逐句的依据和出处；quote 是原文 [start:end] 的原样文字。",
    "列一份提纲": "返回提纲；政策要点附出处，自己的事留〔请填：…〕。",
    "运行一组评测题": "返回各项指标和每题的结果，同 lingxue eval --json。",
}
_STATUS = {BadRequest: 422, BadCases: 422, NothingIndexed: 409, DataDirBusy: 409, RecordsUnavailable: 503}


class Said(BaseModel):
    """One message of the conversation before."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=20_000)


class Ask(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(description="问题，最多 1000 字", examples=["党组织会议要多少人到会才能开？"])
    history: list[Said] = Field(default=[], max_length=40, description="此前的对话，用来理解追问")
    use_model: bool = Field(default=True, description="false：不用大模型，只从资料摘录")
    collection: str = Field(default="", description="只在这一类资料里找，留空为全部")
    send_private: bool = Field(default=False, description=SEND_PRIVATE)


class Draft(BaseModel):
    """What is to be drafted."""

    model_config = ConfigDict(extra="forbid")

    genre: str = Field(description="文种", examples=["心得体会"])
    topic: str = Field(description="主题", examples=["党组织领导的校长负责制"])
    role: str = Field(default="", description="身份，如 书记、校长、党员教师")
    occasion: str = Field(default="", description="场合")
    recipient: str = Field(default="", description="对象")
    length: int = Field(default=0, ge=0, le=20_000, description="字数，0 为按文种常用字数")
    event: str = Field(default="", max_length=1000, description="自己的一件事")
    seed: int = Field(default=0, description="换一个整数，换一个角度")
    use_model: bool = Field(default=True, description="false：不用大模型")
    send_private: bool = Field(default=False, description=SEND_PRIVATE)


class Evaluate(BaseModel):
    """Cases to be answered and scored."""

    model_config = ConfigDict(extra="forbid")

    cases: list[dict[str, Any]] = Field(
        min_length=1, max_length=MAX_CASES, description="评测题，每题的写法同评测集（.jsonl）的一行"
    )


def add_api(app: FastAPI, assistant: Assistant) -> None:
    """Add the API, its description and its errors."""
    from rag.web.openai_form import add_openai

    guard = [Depends(_owner(assistant))]
    router = APIRouter(prefix="/api/v1", dependencies=guard, tags=["领学接口"])
    _add_jobs(router, assistant)
    chat = APIRouter(prefix="/v1", dependencies=guard, tags=["OpenAI 兼容接口"])
    add_openai(chat, assistant)
    described = FastAPI(title="领学 HTTP 接口", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    for part in (router, chat):
        app.include_router(part)
        described.include_router(part)

    @app.get("/api/openapi.json")
    def openapi() -> JSONResponse:
        return JSONResponse(_with_tokens(described.openapi()))

    @app.get("/api/docs")
    def docs() -> HTMLResponse:
        return screen("接口说明", docs_html(_with_tokens(described.openapi())))

    @app.exception_handler(LingxueError)
    def told(_request: Request, err: LingxueError) -> JSONResponse:
        return failed(err)


def failed(err: LingxueError) -> JSONResponse:
    """Return an error as OpenAI's clients and people expect it."""
    kind = type(err).__name__
    return JSONResponse({"error": {"message": str(err), "type": kind}}, _STATUS.get(type(err), 500))


def _owner(assistant: Assistant) -> Any:
    limit = Limit()

    def owner(request: Request) -> str:
        """Return for whom the token acts; raise 401 for one not known, 429 for one that asks too often."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = assistant.records.tokens.owner(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise HTTPException(
                401, "令牌不对或没有给。请在“设置”里开一个令牌，放在 Authorization: Bearer 后面。",
                {"WWW-Authenticate": "Bearer"},
            )  # fmt: skip
        if wait_s := limit.wait_s(found):
            told = f"请求太频繁，每分钟最多 {A_MINUTE} 次。请等 {wait_s} 秒再试。"
            raise HTTPException(429, told, {"Retry-After": str(wait_s)})
        return found

    return owner


def _add_jobs(router: APIRouter, assistant: Assistant) -> None:
    @router.post("/ask", summary="提一个问题", description=_DESCRIBED["提一个问题"])
    def ask(body: Ask) -> dict[str, Any]:
        """Answer one question."""
        history = [Turn(said.role, said.content) for said in body.history]
        answer = assistant.answer(
            body.question,
            history,
            use_model=body.use_model,
            collection=body.collection,
            private="send" if body.send_private else "extract",
        )
        return answer.to_dict()

    @router.post("/draft", summary="列一份提纲", description=_DESCRIBED["列一份提纲"])
    def draft(body: Draft) -> dict[str, Any]:
        """Draft one outline."""
        request = DraftRequest(**body.model_dump(exclude={"use_model", "send_private"}))
        private: OnPrivate = "send" if body.send_private else "extract"
        return assistant.draft(request, use_model=body.use_model, private=private).to_dict()

    @router.post("/evaluate", summary="运行一组评测题", description=_DESCRIBED["运行一组评测题"])
    def evaluate(body: Evaluate) -> dict[str, Any]:
        """Run cases and score them."""
        from eval.main import evaluate as run

        folder = new_folder(assistant.settings.data_dir, "api")
        cases = Path(folder) / "cases.jsonl"
        lines = (json.dumps(case, ensure_ascii=False) for case in body.cases)
        cases.write_text("\n".join(lines), encoding="utf-8")
        assistant.ready()
        return dict(run([cases], assistant=assistant, out=folder).results)


def _with_tokens(described: dict[str, Any]) -> dict[str, Any]:
    """Say in the description that a token is needed."""
    schemes = {"token": {"type": "http", "scheme": "bearer", "description": "在“设置”里开的令牌"}}
    components = {**described.get("components", {}), "securitySchemes": schemes}
    return {**described, "components": components, "security": [{"token": []}]}
