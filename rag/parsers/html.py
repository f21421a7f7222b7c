"""Web pages: saved .html and single-file .mht archives.

trafilatura tells the article from what stands around it; where it drops
running text, or finds nothing, every visible block of the page is taken.
Knows markup; nothing is fetched.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import BrokenFile, EmptyFile, NotText
from rag.parsers.build import Builder, one_line
from rag.parsers.encoding import decode, is_binary
from rag.parsers.html_visible import SENTENCE, visible
from rag.types import Block, Parsed

if TYPE_CHECKING:
    from lxml.html import HtmlElement

SUFFIXES: tuple[str, ...] = (".html", ".htm", ".mht", ".mhtml", ".xhtml")
NAME = "网页"

_CHARSET = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w-]{2,20})", re.I
)
_MHT = re.compile(
    rb"^(?:from|subject|date|mime-version|content-type|snapshot-content-location):", re.I | re.M
)
_SITE_TAIL = re.compile(r"\s{0,9}[_|\-–—]{1,9}\s{0,9}[^_|\-–—]{1,30}$")
_KEPT = 0.9  # share of the running text that an article must hold to be the page's text
_MAX_FAULTS = 0.1  # share of unreadable characters from which a file named as a page is none
_PRESENTABLE = 10  # a piece this long that has a sentence mark is running text


def accepts(head: bytes, suffix: str) -> bool:
    """Take what has HTML's marks at its start, or is named as HTML and is no binary file."""
    if is_binary(head):
        return False
    plain = head.replace(b"\0", b"").lower()
    return suffix in SUFFIXES or (b"<html" in plain[:2048] and suffix not in (".txt", ".md")) or _is_mht(head)


def parse(path: Path) -> Parsed:
    """Extract the text of a web page.

    Raises: EmptyFile where nothing is visible; NotText for binary data; BrokenFile for an
    archive without a page and for tags nested without end.
    """
    content = path.read_bytes()
    charset = ""
    if _is_mht(content[:2048]):
        content, charset = _page_of_archive(content, path.name)
    source = _decode(content, charset)
    page = _tree(source, path.name)
    if page is None:
        raise EmptyFile(name=path.name)
    title = _title(page)
    whole = visible(page)
    article = _article(source)
    kept = _with_headings(article, whole) if article and _holds(article.text, whole.text) else whole
    faults = kept.text.count("\ufffd")
    if faults > _MAX_FAULTS * len(kept.text):
        raise NotText(name=path.name)
    remarks = (f"有 {faults} 处字节无法识别，已用 \ufffd 代替",) if faults else ()
    return Parsed(kept.text, kept.blocks, title, remarks)


def _is_mht(head: bytes) -> bool:
    return b"mime-version:" in head.lower() and _MHT.match(head.lstrip()) is not None


def _page_of_archive(content: bytes, name: str) -> tuple[bytes, str]:
    import email
    import email.policy

    message = email.message_from_bytes(content, policy=email.policy.default)
    for wanted in ("text/html", "application/xhtml+xml", "text/plain"):
        for part in message.walk():
            if part.get_content_type() == wanted:
                payload = part.get_payload(decode=True)
                if isinstance(payload, bytes):
                    return payload, part.get_content_charset() or ""
    raise BrokenFile(name=name, reason="网页存档里没有网页")


def _decode(content: bytes, charset: str) -> str:
    """Decode by byte order mark, then as declared, then by plausibility; damaged bytes become U+FFFD."""
    name = "utf-8"
    if not content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        declared = _CHARSET.search(content[:4096])
        name = charset or (declared[1].decode("ascii") if declared else name)
        name = "gb18030" if name.lower() in ("gb2312", "gbk", "gb_2312-80") else name
        with suppress(LookupError, UnicodeDecodeError):  # a wrong declaration is common: the bytes decide
            return content.decode(name)
    if decoded := decode(content):
        return decoded.text
    try:
        return content.decode(name, errors="replace")
    except LookupError:
        return content.decode("utf-8", errors="replace")


def _tree(source: str, name: str) -> HtmlElement | None:
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    parser = HTMLParser(huge_tree=True)  # pages without end tags nest deep
    try:
        page = document_fromstring(
            re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", source.replace("\0", "")), parser=parser
        )
    except (etree.ParserError, ValueError):
        return None
    if any("depth" in entry.message for entry in parser.error_log):  # what follows is lost
        raise BrokenFile(name=name, reason="网页标签嵌套过深")
    return page


def _title(page: HtmlElement) -> str:
    """The article title that government pages declare, or the first heading, or the page's title."""
    for query in ("//meta[translate(@name,'ARTICLE','article')='articletitle']/@content", "//h1[1]"):
        for found in page.xpath(query):
            text = one_line(found if isinstance(found, str) else found.text_content())
            if text:
                return text
    titles = page.xpath("//head/title/text()")
    return _SITE_TAIL.sub("", one_line(titles[0])) if titles else ""


def _holds(article: str, whole: str) -> bool:
    """Tell whether the article has the running text of the whole page."""
    kept = re.sub(r"\s+", "", article)
    pieces = [re.sub(r"\s+", "", line) for line in whole.split("\n") if SENTENCE.search(line)]
    pieces = [piece for piece in pieces if len(piece) >= _PRESENTABLE]
    present = sum(len(piece) for piece in pieces if piece in kept)
    return present >= _KEPT * sum(map(len, pieces))


def _with_headings(article: Parsed, whole: Parsed) -> Parsed:
    """Return the article, or where it came without headings the part of the page it spans, with them.

    trafilatura gives bare paragraphs for a page whose markup names no article.
    """
    if any(block.kind == "heading" for block in article.blocks):
        return article
    kept = re.sub(r"\s+", "", article.text)
    inside = [i for i, b in enumerate(whole.blocks) if _squeezed(whole, b) in kept and b.kind != "heading"]
    if not inside:
        return article
    first, last = inside[0], inside[-1]
    while first and whole.blocks[first - 1].kind == "heading":
        first -= 1
    span = whole.blocks[first : last + 1]
    if not any(block.kind == "heading" for block in span):
        return article
    start = span[0].start
    blocks = tuple(replace(block, start=block.start - start, end=block.end - start) for block in span)
    return replace(whole, text=whole.text[start : span[-1].end], blocks=blocks)


def _squeezed(page: Parsed, block: Block) -> str:
    return re.sub(r"\s+", "", page.text[block.start : block.end])


def _article(source: str) -> Parsed | None:
    """Let trafilatura find the article; None where it finds none or is not installed whole."""
    try:
        import trafilatura
        from lxml import etree
    except ImportError:
        return None
    found = trafilatura.extract(
        source,
        output_format="xml",
        include_comments=False,
        include_tables=True,
        favor_recall=True,
    )
    if not found:
        return None
    main = etree.fromstring(found.encode(), etree.XMLParser(resolve_entities=False)).find("main")
    builder = Builder()
    for element in main if main is not None else ():
        _add_article_element(builder, element)
    parsed = builder.parsed()
    return parsed if len(parsed.blocks) > 1 else None  # its last resort is all text in one piece


def _add_article_element(builder: Builder, element: Any) -> None:
    text = "".join(element.itertext())
    if element.tag == "head":
        level = str(element.get("rend", "h2"))[1:]
        builder.add(one_line(text), "heading", int(level) if level in set("123456") else 2)
    elif element.tag == "list":
        for item in element.iter("item"):
            builder.add(one_line("".join(item.itertext())), "list")
    elif element.tag == "table":
        builder.add_table([["".join(c.itertext()) for c in row.iter("cell")] for row in element.iter("row")])
    else:
        for line in element.iter("lb"):
            line.tail = "\n" + (line.tail or "")
        builder.add("\n".join(map(one_line, "".join(element.itertext()).split("\n"))))
