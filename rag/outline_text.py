"""An outline as Markdown or plain text, and the wording that every written form of it shares.

Text from documents and from users is data: whatever in it is Markdown or HTML
is escaped. Knows outlines only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.types import Citation, Outline, Point

SLOT = re.compile(r"〔请填：[^〔〕]{1,200}〕")  # what the writer has to fill in
KIND_NAMES = {"policy": "依据", "own": "实情", "plan": "打算"}
_INNER = str.maketrans("《》", "〈〉")
_NUMERALS = "零一二三四五六七八九"
# What starts or ends Markdown anywhere in a line; "." and "-" only matter at its start.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~$^=+])")
_LINK = re.compile(r"(?i)(https?|ftp|file|javascript|data|mailto|www)([:.])")
_START = re.compile(r"^(\s*)(\d{1,9})([.)])|^(\s*)([-])")


def write_markdown(outline: Outline) -> str:
    """Return the outline as Markdown with [1] markers and the list of what they cite."""
    lines = [f"# {escape(outline.title)}", "", f"**立论**：{escape(outline.thesis)}", ""]
    lines += [f"文种：{escape(outline.genre)}　身份：{escape(outline.role)}", ""]
    for number, section in enumerate(outline.sections, 1):
        budget = f"（约{section.length}字）" if section.length else ""
        lines += [f"## {numeral(number)}、{escape(section.heading)}{budget}", ""]
        lines += [_point(point) for point in section.points]
        lines.append("")
    if outline.citations:
        lines += ["## 依据", "", *(f"- [{c.marker}] {escape(reference(c))}" for c in outline.citations), ""]
    if outline.placeholders:
        lines += ["## 需要您补充", "", *(f"- {escape(text)}" for text in outline.placeholders), ""]
    if outline.warnings:
        lines += ["## 提示", "", *(f"- {escape(text)}" for text in outline.warnings), ""]
    return "\n".join(lines)


def write_plain(outline: Outline) -> str:
    """Return the outline as plain text, laid out for pasting into a letter or a chat."""
    lines = [outline.title, "", f"立论：{outline.thesis}", ""]
    for number, section in enumerate(outline.sections, 1):
        lines.append(f"{numeral(number)}、{section.heading}")
        for place, point in enumerate(section.points, 1):
            lines.append(f"（{numeral(place)}）{point.text}{_markers(point)}")
    return "\n".join([*lines, *_end_list(outline)])


def write_text(outline: Outline, text: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Return what was written out from the outline, (heading, paragraphs), as plain text."""
    lines = [outline.title, ""]
    for number, (heading, paragraphs) in enumerate(text, 1):
        lines += [f"{numeral(number)}、{heading}", *(f"　　{paragraph}" for paragraph in paragraphs)]
    return "\n".join([*lines, *_end_list(outline)])


def _end_list(outline: Outline) -> list[str]:
    listed = [f"[{c.marker}] {reference(c)}" for c in outline.citations]
    return ["", *(["依据", *listed] if listed else []), ""]


def escape(text: str) -> str:
    r"""Return a text that Markdown shows as it is, on one line.

    >>> print(escape("<b>[x](y)"))
    \<b\>\[x\](y)
    """
    line = re.sub(r"\s+", " ", text).replace("&", "&amp;")
    line = _LINK.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", line))
    return _START.sub(lambda m: f"{m[1]}{m[2]}\\{m[3]}" if m[2] else f"{m[4]}\\{m[5]}", line)


def numeral(number: int) -> str:
    """Return 1 to 99 in Chinese, as headings are numbered.

    >>> numeral(12), numeral(20)
    ('十二', '二十')
    """
    tens, ones = divmod(number, 10)
    head = (_NUMERALS[tens] if tens > 1 else "") + "十" if tens else ""
    return head + (_NUMERALS[ones] if ones else "")


def reference(citation: Citation) -> str:
    """Return one entry of the list of citations: title, place, quote, on one line."""
    place = f"（见“{citation.locator}”）" if citation.locator else ""
    quote = re.sub(r"\s+", " ", citation.quote).strip()
    return f"{_titled(citation.title)}{place}：{quote}"


def _titled(title: str) -> str:
    """A title in book marks; marks inside it become single ones."""
    bare = title[1:-1] if re.fullmatch(r"《[^《》]*》", title) else title
    return f"《{bare.translate(_INNER)}》"


def _point(point: Point) -> str:
    return f"- **{KIND_NAMES[point.kind]}**　{escape(point.text)}{_markers(point)}"


def _markers(point: Point) -> str:
    return "".join(f"[{marker}]" for marker in point.citations)
