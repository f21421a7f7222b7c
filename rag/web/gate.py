"""Who may come in: the session cookie, the login page, and requests that other sites make.

Where only this computer is served nobody logs in: whoever sits at it is its
administrator. Otherwise every address but the login page, the static files
and the API (which asks for a token itself) needs a session.
"""

from __future__ import annotations

import html
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.errors import BadRequest, LingxueError
from rag.records.accounts import SESSION_S, Accounts, User
from rag.records.acts import Acts
from rag.records.database import LOCAL

if TYPE_CHECKING:
    import gradio as gr

COOKIE = "lingxue_session"
_USER = "lingxue.user"
_OPEN = ("/login", "/lingxue/", "/favicon.ico", "/manifest.json")
_TOKENED = ("/api/", "/v1/")
_SAFE = ("GET", "HEAD", "OPTIONS")


class Gate:
    """ASGI middleware; `accounts` is None where nobody logs in."""

    def __init__(self, app: ASGIApp, accounts: Accounts | None = None) -> None:
        self._app = app
        self._accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or turn it away."""
        if scope["type"] != "http" or scope["path"].startswith(_TOKENED):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] not in _SAFE and foreign(headers):
            reply: Response = PlainTextResponse("这个请求来自别的网站，已拒绝。", 403)
            await reply(scope, receive, send)
            return
        try:
            user = await self._user(headers)
        except LingxueError as err:  # the database of the accounts is away: nobody is let in
            await PlainTextResponse(str(err), 503)(scope, receive, send)
            return
        if user is None and not scope["path"].startswith(_OPEN):
            await _turned_away(scope, headers)(scope, receive, send)
            return
        scope[_USER] = user
        await self._app(scope, receive, send)

    async def _user(self, headers: Headers) -> User | None:
        if self._accounts is None:
            return User(LOCAL, "管理员")
        token = session_token(headers.get("cookie", ""))
        return await run_in_threadpool(self._accounts.session, token) if token else None


def _turned_away(scope: Scope, headers: Headers) -> Response:
    wants_page = scope["method"] == "GET" and "text/html" in headers.get("accept", "")
    return RedirectResponse("/login", 303) if wants_page else PlainTextResponse("请先登录。", 401)


def foreign(headers: Headers) -> bool:
    """Tell whether a browser made this request for another site's page."""
    site = headers.get("sec-fetch-site")  # browsers send it to https and to this computer only
    if site:
        return site not in ("same-origin", "none")
    origin = headers.get("origin", "")  # our pages' forms name it, since their referrer policy is same-origin
    return bool(origin) and urlsplit(origin).netloc != headers.get("host", "")


def session_token(cookie: str) -> str:
    """Return the session's token from a Cookie header, or ""."""
    try:
        morsel = SimpleCookie(cookie).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def user_of(request: Request) -> User:
    """Return who makes a request that came through the gate."""
    user = request.scope.get(_USER)
    return user if isinstance(user, User) else User(LOCAL, "教师")


def owner_of(request: gr.Request) -> str:
    """Return whose conversations an event of the page is about."""
    return request.username or LOCAL


def add_login(app: FastAPI, accounts: Accounts, acts: Acts | None = None) -> None:
    """Add the login page and logging out."""

    def noted(name: str, what: str) -> None:
        if acts:
            acts.note(name.strip(), what)

    @app.get("/login", response_class=HTMLResponse)
    def form() -> HTMLResponse:
        return HTMLResponse(_page())

    @app.post("/login")
    def log_in(request: Request, name: str = Form(""), password: str = Form("")) -> Response:
        """Open a session; FastAPI runs it in a thread, for the hash takes a while."""
        try:
            token = accounts.log_in(name.strip(), password)
        except BadRequest as err:
            noted(name, "没有登录成功")
            return HTMLResponse(_page(str(err), name), 403)
        except LingxueError as err:
            return HTMLResponse(_page(str(err), name), 500)
        noted(name, "登录了")
        reply = RedirectResponse("/", 303)
        reply.set_cookie(
            COOKIE,
            token,
            max_age=SESSION_S,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return reply

    @app.post("/logout")
    def log_out(request: Request) -> Response:
        accounts.log_out(session_token(request.headers.get("cookie", "")))
        reply = RedirectResponse("/login", 303)
        reply.delete_cookie(COOKIE)
        return reply


def _page(error: str = "", name: str = "") -> str:
    told = f'<p class="lx-flag" role="alert">{html.escape(error)}</p>' if error else ""
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>登录 · 领学</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="lingxue/lingxue.css"></head><body class="lx-page">'
        '<main class="lx-login"><h1>领学</h1><p>学校政策问答与写作助手</p>'
        f'<form method="post" action="login">{told}'
        '<label for="name">用户名</label><input id="name" name="name" autocomplete="username" required '
        f'maxlength="32" value="{html.escape(name)}" autofocus>'
        '<label for="password">密码</label><input id="password" name="password" type="password" '
        'autocomplete="current-password" required maxlength="200">'
        '<button type="submit">登录</button></form>'
        '<p class="lx-quiet">账号由管理员开设，忘记密码请找管理员重设。</p></main></body></html>'
    )
