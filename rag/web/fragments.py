"""Screens that are pages of their own and also live inside a tab: forms and links, no state in the browser.

The page's script (screens.js) shows such a page inside the tab named after
it, follows its links and sends its forms without leaving the app; opened by
themselves the pages work without any script.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fastapi import Request
from fastapi.responses import HTMLResponse

from rag.web.gate import user_of
from rag.web.markup import escape

ADMINS_ONLY = "这里只有管理员能改。请联系本单位的管理员。"


def screen(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    """Return a screen as a page; `body` is HTML."""
    return HTMLResponse(
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)} · 领学</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/lingxue/lingxue.css">'
        '<link rel="stylesheet" href="/lingxue/screens.css">'
        f'</head><body class="lx-page lx-wide"><main id="screen">{body}</main></body></html>',
        status,
        headers={"Cache-Control": "no-store"},
    )


def told(message: str, *, wrong: bool = False, extra: str = "") -> str:
    """Return a line that says what came of an action, read out where a screen is read; `extra` is HTML."""
    kind, role = ("lx-wrong", "alert") if wrong else ("lx-done-line", "status")
    return f'<div class="lx-told {kind}" role="{role}"><span>{escape(message)}</span>{extra}</div>'


def admin_only(request: Request, title: str) -> HTMLResponse | None:
    """Return the refusal for someone who is no administrator, or None."""
    if user_of(request).is_admin:
        return None
    return screen(title, told(ADMINS_ONLY, wrong=True), status=403)


def button(action: str, word: str, *, primary: bool = False, label: str = "", **hidden: str) -> str:
    """Return a form of one button; `label` says it in full to a screen reader."""
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    spoken = f' aria-label="{escape(label)}"' if label else ""
    kind = ' class="lx-primary"' if primary else ""
    return (
        f'<form class="lx-form lx-inline" method="post" action="{escape(action)}">{fields}'
        f"<button{kind}{spoken}>{escape(word)}</button></form>"
    )


def field(
    name: str, label: str, value: str = "", *, hint: str = "", kind: str = "text", maximum: int = 200,
    more: str = "",
) -> str:  # fmt: skip
    """Return a labelled input; `more` is HTML for further attributes."""
    hinted = f'<span class="lx-quiet" id="hint-{name}">{escape(hint)}</span>' if hint else ""
    described = f' aria-describedby="hint-{name}"' if hint else ""
    return (
        f'<p class="lx-field"><label for="f-{name}">{escape(label)}</label>'
        f'<input id="f-{name}" name="{name}" type="{kind}" value="{escape(value)}" maxlength="{maximum}"'
        f"{described} {more}>{hinted}</p>"
    )


def choice(name: str, label: str, options: Sequence[tuple[str, str]], chosen: str = "") -> str:
    """Return a labelled select of (value, word)."""
    entries = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(word)}</option>'
        for value, word in options
    )
    return (
        f'<p class="lx-field"><label for="f-{name}">{escape(label)}</label>'
        f'<select id="f-{name}" name="{name}">{entries}</select></p>'
    )


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose cells are HTML; on a phone each row becomes a card with its headers."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join(
        "<tr>"
        + "".join(f'<td data-label="{escape(h)}">{cell}</td>' for h, cell in zip(header, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<table class="lx-list"><caption class="lx-hidden">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
