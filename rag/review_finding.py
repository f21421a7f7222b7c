"""A finding of the draft check, and a draft cut into the pieces that the checks look at.

Knows no rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rag import sentences as split

KINDS = {
    "overlap": "与资料重合",
    "alike": "与别稿雷同",
    "empty": "空话",
    "template": "模板腔",
    "voice": "口吻不合身份",
    "name": "文件名",
    "under": "多了“下”字",
    "relation": "领导关系写反",
    "stale": "旧提法",
    "number": "数字没有出处",
    "level": "标题层次",
    "blank": "还没填",
    "speech": "领导讲话",
    "private": "个人信息",
}
# What our own outlines append for the writer is no part of the text.
_TAIL = re.compile(
    r"(?m)^[#\s]*(?:[一二三四五六七八九十]+、)?(?:依据|需要您补充|提示|写作提示（定稿前删去）)[：:]?\s*$"
)
_QUOTED = re.compile(r"“[^“”\n]{1,400}”|「[^「」\n]{1,400}」")
_TITLES = re.compile(r"《[^《》\n]{1,120}》")
_MARKED = re.compile(r"\[\d{1,3}\]")
_ENDED = re.compile(r"[。！？!?；;…][”’」』）)》\]】\d\[]*$")
HEADING = re.compile(
    r"\s*(?:#{1,6}\s|[一二三四五六七八九十]{1,3}、|（[一二三四五六七八九十]{1,3}）|\d{1,2}[.．、](?!\d)|（\d{1,2}）|第[一二三四五六七八九十]+[章节条])"
)
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at again, text[start:end] of the draft, why, and what to do about it."""

    kind: str
    start: int
    end: int
    reason: str
    suggestion: str

    def line(self, text: str) -> int:
        """The number of the line it begins in, from 1."""
        return text.count("\n", 0, self.start) + 1

    def to_dict(self, text: str) -> dict[str, Any]:
        """The `check --json` form."""
        return {
            "kind": self.kind,
            "name": KINDS[self.kind],
            "line": self.line(text),
            "start": self.start,
            "end": self.end,
            "text": text[self.start : self.end],
            "reason": self.reason,
            "suggestion": self.suggestion,
        }


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A draft without what our outlines append: `body` keeps the draft's own offsets.

    `sentences` are all, `prose` those that are no headings or titles.
    """

    body: str
    sentences: tuple[Span, ...]
    prose: tuple[Span, ...]
    quoted: tuple[Span, ...]
    titles: tuple[Span, ...]

    def sentence_at(self, position: int) -> str:
        """The sentence that holds an offset, or ""."""
        return next((self.body[a:b] for a, b in self.sentences if a <= position < b), "")

    def attributed(self, start: int, end: int) -> bool:
        """Tell whether a stretch is quoted, or cited by a marker in its sentence."""
        if any(a <= start and end <= b for a, b in self.quoted):
            return True
        held = [self.body[a:b] for a, b in self.sentences if a < end and start < b]
        return bool(held) and all(_MARKED.search(sentence) for sentence in held)

    def in_title(self, start: int, end: int) -> bool:
        """Tell whether a stretch stands within 《》."""
        return any(a <= start and end <= b for a, b in self.titles)

    def in_quotes(self, start: int, end: int) -> bool:
        """Tell whether a stretch stands within “”."""
        return any(a <= start and end <= b for a, b in self.quoted)


def manuscript(text: str) -> Manuscript:
    """Cut a draft into sentences, quotations and titles."""
    tail = _TAIL.search(text)
    body = text[: tail.start()] if tail else text
    spans = tuple(_with_marker(body, span) for span in split.sentences(body))
    prose = tuple(span for span in spans if _is_prose(body[slice(*span)]))
    return Manuscript(
        body,
        spans,
        prose,
        tuple(match.span() for match in _QUOTED.finditer(body)),
        tuple(match.span() for match in _TITLES.finditer(body)),
    )


def _with_marker(body: str, span: Span) -> Span:
    """A sentence together with the marker right behind its mark."""
    match = re.compile(r"(?:\[\d{1,3}\])+").match(body, span[1])
    return (span[0], match.end()) if match else span


def _is_prose(sentence: str) -> bool:
    if _ENDED.search(sentence):
        return True
    return len(sentence) > 30 and not HEADING.match(sentence)
