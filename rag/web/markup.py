"""Text from documents, people and models into HTML that can do nothing but be read.

Everything comes out escaped and on one line: a line without line breaks is
one HTML block to Gradio's Markdown, which then leaves it alone. Knows
nothing of answers or pages.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

AUTHORITIES = {
    "central": "中央文件",
    "ministry": "部委文件",
    "province": "地方文件",
    "county": "地方文件",
    "school": "学校文件",
    "author": "作者观点",
}
_MARKER = re.compile(r"\[(\d{1,3})\]")
# What answers and outlines are made of; links, images, HTML and code are not among it.
_RULES = ["list", "blockquote", "emphasis", "newline"]


def escape(text: str) -> str:
    """Escape text for HTML, content or attribute; line breaks become character references.

    >>> escape('<b title="x">' + chr(10))
    '&lt;b title=&quot;x&quot;&gt;&#10;'
    """
    return html.escape(text).replace("\r", "&#13;").replace("\n", "&#10;")


def book(title: str) -> str:
    """Put a title in book-title marks; marks inside become single ones (GB/T 15834).

    >>> book("《意见（试行）》要点")
    '《〈意见（试行）〉要点》'
    """
    return "《" + title.replace("《", "〈").replace("》", "〉") + "》"


def place(title: str, locator: str) -> str:
    """Return a title and the place in it as one line of plain text.

    >>> place("会议怎么开", "二、（二）")
    '《会议怎么开》 二（二）'
    """
    return f"{book(title)} {shown_locator(locator)}".rstrip()


def shown_locator(locator: str) -> str:
    """Return a locator without the enumeration commas, which lead nowhere at its end."""
    return locator.replace("、", "")


def badges(authority: str, status: str) -> str:
    """Return the authority of a text and its validity as two small labels."""
    label = AUTHORITIES.get(authority, "未注明")
    kind = authority if authority in AUTHORITIES else "unknown"
    badge = f'<span class="lx-badge lx-{kind}">{label}</span>'
    if status:
        repealed = " lx-repealed" if status == "废止" else ""
        badge += f' <span class="lx-badge lx-status{repealed}">{escape(status)}</span>'
    return badge


def to_html(markdown: str, chip: Callable[[int], str], after: Callable[[str], str]) -> str:
    """Render the small Markdown of answers as safe HTML.

    Args:
        markdown: text with [1] markers, lists, quotes and bold; all else is plain text.
        chip: the HTML that stands for a marker, or "" to leave it as it is.
        after: the HTML to put behind a line, given its text without markers.
    """
    parser = _parser()
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type == "inline":
            token.children = _decorate(token.children or [], chip, after)
    return str(parser.renderer.render(tokens, parser.options, {})).replace("\n", "")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("zero", {"html": False, "breaks": True}).enable(_RULES)


def _decorate(children: list[Token], chip: Callable[[int], str], after: Callable[[str], str]) -> list[Token]:
    """Turn markers into chips, and add what belongs behind each line."""
    decorated: list[Token] = []
    line = ""
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            decorated += [_raw(after(line)), child]
            line = ""
            continue
        if child.type != "text":
            decorated.append(child)
            continue
        line += _MARKER.sub("", child.content)
        decorated.append(_raw(_with_chips(child.content, chip)))
    return [*decorated, _raw(after(line))]


def _with_chips(text: str, chip: Callable[[int], str]) -> str:
    pieces = _MARKER.split(text)  # text, number, text, number, …, text
    parts = [escape(pieces[0])]
    for number, following in zip(pieces[1::2], pieces[2::2], strict=True):
        parts += [chip(int(number)) or f"[{number}]", escape(following)]
    return "".join(parts)


def _raw(content: str) -> Token:
    from markdown_it.token import Token

    return Token("html_inline", "", 0, content=content)
