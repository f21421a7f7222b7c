"""The web server: Gradio's page on FastAPI, the evidence pages, the static files, the guard.

Works without any network. Listens where the settings say, by default on
this computer only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from typing import TYPE_CHECKING

from rag.errors import BadSettings, LingxueError
from rag.offline import stay_offline

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.assistant import Assistant
    from rag.config import Settings
    from rag.records.accounts import Accounts

MAX_UPLOAD = "20mb"  # an evaluation set
GRACE_S = 2  # open pages keep a connection; stopping does not wait for them


def serve(assistant: Assistant) -> None:
    """Serve the web app until it is stopped; raise BadSettings for a port that cannot be had."""
    stay_offline()
    settings = assistant.settings
    with _listen(settings) as listener:
        import uvicorn

        if settings.log == "json":
            from rag.web.operations import log_as_json

            log_as_json()
        app = build_app(assistant)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_S,
        )
        logging.getLogger("uvicorn.error").addFilter(_no_cancelled)
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        sys.stderr.write(f"领学已启动：http://{shown}:{settings.port} （按 Ctrl+C 停止）\n")
        sys.stderr.flush()
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            sys.stderr.write("已停止。\n")
        finally:
            assistant.close()


def _no_cancelled(record: logging.LogRecord) -> bool:
    """Tell whether to log: that stopping cut off an answer under way is no error."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _listen(settings: Settings) -> socket.socket:
    """Open the listening socket before anything is built, so that a port in use is told at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # on Windows the option lets two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError as err:
        listener.close()
        reason = f"这个地址和端口不能用：{err.strerror or err}。可用 --port 换一个端口"
        raise BadSettings(
            name="LINGXUE_PORT", value=f"{settings.host}:{settings.port}", reason=reason
        ) from err
    return listener


def build_app(assistant: Assistant) -> FastAPI:
    """Return the web app over an assistant."""
    stay_offline()
    from rag.web.files import downloads_dir

    # Before Gradio is imported: its files go beside the other data, not where all users can read.
    os.environ["GRADIO_TEMP_DIR"] = str(downloads_dir(assistant.settings.data_dir))
    import gradio as gr
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from rag.config import LOOPBACK
    from rag.web.gate import Gate, add_login, user_of
    from rag.web.guard import STATIC, Guard
    from rag.web.operations import Operations
    from rag.web.page import build_page
    from rag.web.replies import add_replies
    from rag.web.reports import add_reports
    from rag.web.theme import make_theme

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    accounts = _accounts(assistant)
    app.add_middleware(Gate, accounts=accounts)
    if accounts is None:
        # Another site's name may be pointed at this computer; only our own names are answered.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    else:
        add_login(app, accounts)
    app.add_middleware(Guard)
    app.add_middleware(Operations, assistant=assistant)
    _add_evidence(app, assistant)
    add_reports(app, assistant)
    add_replies(app, assistant)
    app.mount("/lingxue", StaticFiles(directory=STATIC), name="lingxue")
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build_page(assistant),
        path="/",
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        show_error=False,
        max_file_size=MAX_UPLOAD,
        enable_monitoring=False,
        ssr_mode=False,
        favicon_path=str(STATIC / "favicon.png"),
        theme=make_theme(),
        auth_dependency=None if accounts is None else lambda request: user_of(request).name or None,
    )
    return mounted


def _accounts(assistant: Assistant) -> Accounts | None:
    """Return the accounts where people have to log in, or None; raise BadSettings where nobody could."""
    if not assistant.settings.login_required:
        return None
    accounts = assistant.records.accounts
    if not accounts.has_admin():
        raise BadSettings(
            name="LINGXUE_HOST",
            value=assistant.settings.host,
            reason="别的电脑也能打开时必须登录，而现在还没有管理员。请先运行 lingxue user add 名字 --admin",
        )
    return accounts


def _add_evidence(app: FastAPI, assistant: Assistant) -> None:
    from fastapi.responses import HTMLResponse

    from rag.web.panel import evidence_page
    from rag.web.render import error_html

    @app.get("/evidence/{source_id}", response_class=HTMLResponse)
    def evidence(source_id: str, start: int = 0, end: int = 0, whole: bool = False) -> HTMLResponse:
        """Return the page of a quote in its document; FastAPI runs it in a thread."""
        try:
            page = evidence_page(assistant.source(source_id), start, end, whole=whole)
        except LingxueError as err:
            lost = f'<article id="evidence">{error_html(str(err), "原文没有打开")}</article>'
            return HTMLResponse(f'<!doctype html><html lang="zh-CN"><body>{lost}</body></html>', 404)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})
