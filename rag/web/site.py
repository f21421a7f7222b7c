"""The site: Gradio's page on FastAPI, the screens and the API beside it, the gate and the guard around all.

Works without any network.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rag.config import LOOPBACK
from rag.errors import BadSettings, LingxueError, RecordsLost
from rag.offline import stay_offline
from rag.upkeep import note_records

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.assistant import Assistant
    from rag.records.accounts import Accounts

MAX_UPLOAD = "20mb"  # an evaluation set


def build_app(assistant: Assistant) -> FastAPI:
    """Return the web app over an assistant; raise BadSettings where people must log in and nobody could."""
    stay_offline()
    from rag.web.files import downloads_dir

    # Before Gradio is imported: its files go beside the other data, not where all users can read.
    os.environ["GRADIO_TEMP_DIR"] = str(downloads_dir(assistant.settings.data_dir))
    from fastapi import FastAPI
    from fastapi.staticfiles import StaticFiles

    from rag.web.api import add_api
    from rag.web.guard import STATIC
    from rag.web.library import add_library
    from rag.web.operations import Operations
    from rag.web.replies import add_replies
    from rag.web.reports import add_reports
    from rag.web.settings import add_settings

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    accounts = _accounts(assistant)
    _protect(app, accounts, assistant)
    app.add_middleware(Operations, assistant=assistant)
    _add_evidence(app, assistant)
    for add in (add_replies, add_reports, add_library, add_settings, add_api):
        add(app, assistant)
    app.mount("/lingxue", StaticFiles(directory=STATIC), name="lingxue")
    return _with_gradio(app, assistant, login=accounts is not None)


def _protect(app: FastAPI, accounts: Accounts | None, assistant: Assistant) -> None:
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from rag.web.gate import Gate, add_login
    from rag.web.guard import Guard

    app.add_middleware(Gate, accounts=accounts)
    if accounts is None:
        # Another site's name may be pointed at this computer; only our own names are answered.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "[::1]"])
    else:
        add_login(app, accounts, assistant.records.acts)
    app.add_middleware(Guard)


def _with_gradio(app: FastAPI, assistant: Assistant, *, login: bool) -> FastAPI:
    import gradio as gr

    from rag.web.gate import user_of
    from rag.web.guard import STATIC
    from rag.web.page import build_page
    from rag.web.theme import make_theme

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
        auth_dependency=(lambda request: user_of(request).name or None) if login else None,
    )
    return mounted


def _accounts(assistant: Assistant) -> Accounts | None:
    """Return the accounts where people have to log in, or None.

    Raises: BadSettings: nobody could log in. RecordsLost: somebody could, and the accounts are gone.
    """
    if not assistant.settings.login_required:
        return None
    accounts = assistant.records.accounts
    if accounts.has_admin():
        note_records(assistant.store, accounts=True)
    elif assistant.store.meta("accounts"):
        raise RecordsLost(path=assistant.settings.data_dir / "records.db")
    else:
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
