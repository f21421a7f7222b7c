"""Every visible block of a web page, but what is marked as navigation, page header or footer.

Knows elements; nothing of articles and encodings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.parsers.build import Builder, one_line
from rag.types import BlockKind, Parsed

if TYPE_CHECKING:
    from lxml.html import HtmlElement

SENTENCE = re.compile(r"[，。；！？]")
_BLOCKS = frozenset(
    (
        *(
            "p",
            "div",
            "section",
            "article",
            "main",
            "body",
            "td",
            "th",
            "li",
            "dt",
            "dd",
            "blockquote",
            "pre",
        ),
        *("figcaption", "caption", "center", "address", "form", "fieldset", "figure", "details", "summary"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "tr", "tbody", "thead", "tfoot"),
    )
)
_UNSEEN = frozenset(
    (
        *("script", "style", "noscript", "template", "head", "svg", "iframe", "object", "select", "button"),
        *("input", "textarea", "nav", "header", "footer", "aside"),
    )
)
_FURNITURE = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|menu|footer|foot|breadcrumbs?|crumbs?|copyright|sidebar|share|toolbar|pager)(?:$|[\s_-])",
    re.IGNORECASE,
)
_MAX_FURNITURE = 0.3  # share of a page's text beyond which an element named so holds the article after all
_LINKED = 0.6  # share of a block's text in links from which it leads elsewhere and says nothing
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


def visible(page: HtmlElement) -> Parsed:
    """Take the visible blocks of a page in order."""
    body = page.find("body")
    body = page if body is None else body
    builder = Builder()
    _Walk(builder, _MAX_FURNITURE * len(body.text_content())).walk(body)
    return builder.parsed()


class _Walk:
    """Walks elements in document order; runs of inline content become blocks.

    Without recursion: pages may nest deeper than Python's stack.
    """

    def __init__(self, builder: Builder, max_furniture: float) -> None:
        self._builder = builder
        self._max_furniture = max_furniture
        self._run: list[tuple[str, bool]] = []
        self._tags: list[str] = []
        self._links = 0

    def walk(self, root: HtmlElement) -> None:
        """Add the content of an element."""
        stack: list[tuple[HtmlElement, bool]] = [(root, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                self._leave(node)
            elif self._enter(node):
                stack.append((node, True))
                stack.extend((child, False) for child in reversed(node))
                continue
            if node is not root:
                self._text(node.tail)

    def _enter(self, node: HtmlElement) -> bool:
        """Begin an element; tell whether its children are to be walked."""
        if (
            not isinstance(node.tag, str)
            or node.tag in _UNSEEN
            or _is_hidden(node)
            or self._is_furniture(node)
        ):
            return False
        if node.tag in _BLOCKS:
            self._flush()
            if node.tag == "table" and _is_data_table(node):
                self._builder.add_table(_rows(node))
                return False
            self._tags.append(node.tag)
        self._links += node.tag == "a"
        if node.tag == "br":
            self._text("\v")
        self._text(node.text)
        return True

    def _leave(self, node: HtmlElement) -> None:
        self._links -= node.tag == "a"
        if node.tag in _BLOCKS:
            self._flush()
            self._tags.pop()

    def _text(self, text: str | None) -> None:
        if text:
            self._run.append((text, self._links > 0))

    def _flush(self) -> None:
        """End the run of inline content and make a block of it."""
        text = "".join(text for text, _ in self._run)
        linked = sum(len(text.strip()) for text, in_link in self._run if in_link)
        self._run.clear()
        tag = self._tags[-1] if self._tags else ""
        level = int(tag[1]) if re.fullmatch("h[1-6]", tag) else 0
        if not level and linked > _LINKED * len(text.strip()) and not SENTENCE.search(text):
            return
        kind: BlockKind = "heading" if level else "list" if tag == "li" else "paragraph"
        self._builder.add("\n".join(filter(None, map(one_line, text.split("\v")))), kind, level)

    def _is_furniture(self, node: HtmlElement) -> bool:
        name = f"{node.get('class', '')} {node.get('id', '')}"
        return bool(_FURNITURE.search(name)) and len(node.text_content()) <= self._max_furniture


def _is_hidden(node: HtmlElement) -> bool:
    return node.get("hidden") is not None or bool(_HIDDEN.search(node.get("style", "")))


def _is_data_table(table: HtmlElement) -> bool:
    """A table of several columns without tables or headings inside; others only lay out the page."""
    if table.xpath(".//table|.//h1|.//h2|.//h3") or len(table.xpath(".//td//p")) > 4 * len(
        table.xpath(".//td")
    ):
        return False
    return any(len(row.xpath("./td|./th")) > 1 for row in table.iter("tr"))


def _rows(table: HtmlElement) -> Iterator[list[str]]:
    for caption in table.iter("caption"):
        yield [caption.text_content()]
    for row in table.iter("tr"):
        yield [cell.text_content() for cell in row.xpath("./td|./th")]
