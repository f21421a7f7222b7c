"""What whoever runs the server needs: is it up, is it ready, how much is it asked, what happened when.

Outermost of all: /healthz, /readyz and /metrics need no login and tell no content.
Every reply carries a request id; logs are one JSON object a line, with that id,
and hold no question, no query string, no name and no secret.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import uuid
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import LingxueError

if TYPE_CHECKING:
    from rag.assistant import Assistant

ID_HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_GROUP = re.compile(r"/[a-z_0-9]{1,20}")  # the first part of a path: no ids, no names in the metrics
_GROUPS = {
    "/",
    "/api",
    "/evidence",
    "/gradio_api",
    "/lingxue",
    "/login",
    "/logout",
    "/replies",
    "/reports",
    "/v1",
}
_current: ContextVar[str] = ContextVar("request_id", default="")
logger = logging.getLogger("lingxue.requests")


class Operations:
    """ASGI middleware over an assistant."""

    def __init__(self, app: ASGIApp, assistant: Assistant) -> None:
        self._app = app
        self._assistant = assistant
        self._registry = CollectorRegistry()
        labels = ("method", "path", "status")
        self._requests = Counter("lingxue_requests", "Requests served.", labels, registry=self._registry)
        self._seconds = Histogram(
            "lingxue_request_seconds", "Time to the last byte.", ("path",), registry=self._registry
        )
        self._chunks = Gauge("lingxue_index_chunks", "Chunks that can be found.", registry=self._registry)
        self._fresh = Gauge("lingxue_index_fresh", "1 where the index is current.", registry=self._registry)
        self._chroma = Gauge(
            "lingxue_dense_by_chroma", "1 where Chroma answered the last search.", registry=self._registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(ID_HEADER, "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        token = _current.set(request_id)
        reply = _Watched(send, request_id)
        started = time.perf_counter()
        try:
            own = await self._own(scope["path"])
            await (own or self._app)(scope, receive, reply.send)
        finally:
            self._note(scope, reply.status, time.perf_counter() - started)
            _current.reset(token)

    async def _own(self, path: str) -> Response | None:
        if path == "/healthz":
            return PlainTextResponse("ok\n")
        if path == "/readyz":
            state = await run_in_threadpool(self._state)
            return JSONResponse(state, 200 if state["ready"] else 503)
        if path == "/metrics":
            await run_in_threadpool(self._state)
            return PlainTextResponse(generate_latest(self._registry))
        return None

    def _state(self) -> dict[str, Any]:
        """Return whether questions can be answered, and how completely."""
        try:
            generation = self._assistant.search_index.current()
            fresh = self._assistant.search_index.fresh()
            self._assistant.records.check()
        except LingxueError as err:
            return {"ready": False, "reason": type(err).__name__}
        chunks = len(generation.positions) if generation else 0
        dense = generation.searched_by if generation else ""
        self._chunks.set(chunks)
        self._fresh.set(fresh)
        self._chroma.set(dense == "chroma")
        return {"ready": chunks > 0, "chunks": chunks, "fresh": fresh, "dense": dense}

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        found = _GROUP.match(scope["path"])
        group = found[0] if found else "/"
        path = group if group in _GROUPS else "other"
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)
        logger.info(
            "request",
            extra={"fields": {"method": method, "path": path, "status": status, "ms": round(1000 * seconds)}},
        )


class _Watched:
    """A reply on its way out: its status is noted, the request id put on it."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._id = request_id
        self.status = 500

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[ID_HEADER] = self._id
        await self._send(message)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, who says it, what, the request it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; of an exception its kind and where it was raised, not its text."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": _current.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = type(record.exc_info[1]).__name__
            trace = record.exc_info[2]
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            if trace is not None:
                line["at"] = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
        return json.dumps(line, ensure_ascii=False)


def log_as_json() -> None:
    """Write this program's log to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("lingxue").setLevel(logging.INFO)
    logging.getLogger("rag").setLevel(logging.INFO)
