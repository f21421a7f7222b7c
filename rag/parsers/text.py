r"""Plain text and Markdown, in any encoding a Chinese school keeps files in.

The extracted text is the decoded file with line ends made \n and the byte
order mark dropped; nothing else is changed. Knows encodings (`decode`) and
Markdown's line marks, no other markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rag.errors import EmptyFile, NotText
from rag.parsers.encoding import decode, is_binary
from rag.types import Block, BlockKind, Parsed

SUFFIXES: tuple[str, ...] = (".txt", ".md", ".markdown", ".text")
NAME = "纯文本"

_NEWLINE = re.compile(r"\r\n?")
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+\S")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])[ \t]+\S")
_TABLE_RULE = re.compile(r"\s{0,40}\|?[ \t]{0,40}:?-+:?[ \t]{0,40}(?:\|[ \t:\-|]*)?$")
_FRONT_TITLE = re.compile(r"^title[ \t]*[:=][ \t]*[\"']?([^\"'\n]+)", re.MULTILINE)


def accepts(head: bytes, suffix: str) -> bool:
    """Take whatever is named as text: what is not is told as such when parsed."""
    return suffix in SUFFIXES


def parse(path: Path) -> Parsed:
    """Decode a text file.

    Raises: EmptyFile for no bytes or only white space; NotText for binary data.
    """
    content = path.read_bytes()
    if not content.strip():
        raise EmptyFile(name=path.name)
    decoded = None if is_binary(content) else decode(content)
    if decoded is None:
        raise NotText(name=path.name)
    text = _NEWLINE.sub("\n", decoded.text)
    if not text.strip("\ufeff \t\n\u3000"):
        raise EmptyFile(name=path.name)
    remarks = (decoded.remark,) if decoded.remark else ()
    if path.suffix.lower() not in (".md", ".markdown"):
        return Parsed(text, tuple(Block(a, b) for a, b in _lines(text)), "", remarks)
    return _markdown(text, remarks)


def _lines(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    for match in re.compile(r"[^\n]+").finditer(text, start):
        if not match[0].isspace():
            yield match.span()


def _markdown(text: str, remarks: tuple[str, ...]) -> Parsed:
    front = _front_matter(text)
    title = _FRONT_TITLE.search(text, 0, front)
    if front:
        remarks = (*remarks, "已略过文首的元数据（front matter）")
    blocks = tuple(_markdown_blocks(text, front))
    first = next((text[b.start : b.end] for b in blocks if b.kind == "heading" and b.level == 1), "")
    return Parsed(text, blocks, title[1].strip() if title else first.strip("# \t"), remarks)


def _front_matter(text: str) -> int:
    """Return where the front matter (--- or +++ fenced) ends, 0 where there is none."""
    fence = text[:4]
    if fence not in ("---\n", "+++\n"):
        return 0
    end = text.find("\n" + fence, 3)
    return end + 5 if end >= 0 else 0


def _markdown_blocks(text: str, start: int) -> Iterator[Block]:
    lines = list(_lines(text, start))
    fenced = False
    number = 0
    while number < len(lines):
        a, b = lines[number]
        line = text[a:b]
        following = text[slice(*lines[number + 1])] if number + 1 < len(lines) else ""
        kind: BlockKind = "paragraph"
        level = 0
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced:
            pass
        elif heading := _HEADING.match(line):
            kind, level = "heading", len(heading[1])
        elif "|" in line and "|" in following and _TABLE_RULE.match(following):
            while number + 1 < len(lines) and "|" in text[slice(*lines[number + 1])]:
                number += 1
            kind, b = "table", lines[number][1]
        elif _LIST_ITEM.match(line):
            kind = "list"
        yield Block(a, b, kind, level)
        number += 1
