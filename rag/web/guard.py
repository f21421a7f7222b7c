"""The headers that keep the page to itself, and the small changes to Gradio's own page.

A model's answer or a document could hold an image, a form or a script that
calls home; the content security policy lets none of it load. Scripts run
only from this server, and the page's own inline scripts by their hashes:
no 'unsafe-inline', no 'unsafe-eval'. The price: no gr.HTML, no js= on
events and no Vega plots, which all make functions out of text. Styles stay
inline, as Gradio's components write them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.config import LOOPBACK

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "frame-src": "'none'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# Browsers take these from https and from this computer only, and complain elsewhere.
_TRUSTED_HEADERS = {"Cross-Origin-Opener-Policy": "same-origin"}
_INLINE_SCRIPT = re.compile(rb"<script(?![^>]{0,400}\ssrc=)[^>]{0,400}>(.*?)</script>", re.DOTALL)
_OUTSIDE_META = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]{0,400}>')
STATIC = Path(__file__).resolve().parent / "static"


def policy(inline_scripts: Sequence[bytes] = ()) -> str:
    """Return the content security policy that lets exactly these inline scripts run."""
    hashes = [base64.b64encode(hashlib.sha256(script).digest()).decode() for script in inline_scripts]
    sources = " ".join([_POLICY["script-src"], *(f"'sha256-{value}'" for value in dict.fromkeys(hashes))])
    return "; ".join(f"{name} {value}" for name, value in {**_POLICY, "script-src": sources}.items())


def our_page(page: bytes) -> bytes:
    """Make Gradio's start page ours: in Chinese, with our script first, without its outside links."""
    page = _OUTSIDE_META.sub(b"", page)
    page = page.replace(b'lang="en"', b'lang="zh-CN"', 1)
    return page.replace(b"<head>", b"<head>" + _ours(), 1)


@cache
def _ours() -> bytes:
    """Our script and style; their addresses change with their content, so none is shown stale."""
    tags = {
        "lingxue.js": '<script src="lingxue/{}"></script>',
        "screens.js": '<script src="lingxue/{}"></script>',
        "lingxue.css": '<link rel="stylesheet" href="lingxue/{}">',
        "screens.css": '<link rel="stylesheet" href="lingxue/{}">',
    }
    versions = {name: hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12] for name in tags}
    return "".join(tag.format(f"{name}?v={versions[name]}") for name, tag in tags.items()).encode()


class Guard:
    """ASGI middleware that puts the headers on every response and the policy on every page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname
        trusted = scope["scheme"] == "https" or name in LOOPBACK
        reply = _Reply(send, start_page=scope["path"] == "/", trusted=trusted)
        if scope["scheme"] == "https":
            reply.secure()
        await self._app(scope, receive, reply.send)


class _Reply:
    """One response on its way out; a start page is held until it is whole."""

    def __init__(self, send: Send, *, start_page: bool, trusted: bool) -> None:
        self._send = send
        self._fixed = _HEADERS | _TRUSTED_HEADERS if trusted else _HEADERS
        self._start_page = start_page
        self._held: Message | None = None
        self._body = b""

    def secure(self) -> None:
        """The page came by TLS: let the browser insist on it from now on (a year)."""
        self._fixed = self._fixed | {"Strict-Transport-Security": "max-age=31536000"}

    async def send(self, message: Message) -> None:
        """Pass a message on, with the headers."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(self._fixed)
            is_page = headers.get("content-type", "").startswith("text/html")
            if self._start_page and is_page:
                self._held = message
                return
            headers.setdefault("Content-Security-Policy", policy())  # a report brings its own, stricter one
        elif self._held is not None:
            self._body += message.get("body", b"")
            if message.get("more_body", False):
                return
            await self._release(self._held)
            return
        await self._send(message)

    async def _release(self, start: Message) -> None:
        body = our_page(self._body)
        headers = MutableHeaders(scope=start)
        headers["Content-Security-Policy"] = policy(_INLINE_SCRIPT.findall(body))
        headers["Content-Length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
