"""Questions to begin with, each tried out: only what the documents answer is suggested."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.errors import LingxueError

if TYPE_CHECKING:
    from rag.assistant import Assistant

COMMON = (
    "党组织会议要多少人到会才能开？",
    "六项领导职责是哪六个？",
    "书记和校长意见谈不拢，还上不上会？",
    "三重一大包括哪些？",
)
TRIED = 24  # questions tried at most: each takes some 50 ms
HEADINGS = 3  # headings of a document that questions are made of
_lock = threading.Lock()
_found: dict[tuple[str, ...], list[str]] = {}


def suggestions(assistant: Assistant, count: int) -> list[str]:
    """Return `count` questions, "" where there are not enough; found once for a state of the library."""
    try:
        state = tuple(stamp.id for stamp in assistant.stamps())
        with _lock:
            if state not in _found:
                _found.clear()
                _found[state] = list(_answered(assistant, count))
    except LingxueError:  # nothing indexed yet: the page says so elsewhere
        return [""] * count
    return [*_found[state], *[""] * count][:count]


def _answered(assistant: Assistant, count: int) -> Iterator[str]:
    found = 0
    for number, question in enumerate(_candidates(assistant)):
        if found == count or number >= TRIED:
            return
        answer = assistant.answer(question, use_model=False)
        if answer.status == "answered" and answer.citations:
            found += 1
            yield question


def _candidates(assistant: Assistant) -> Iterator[str]:
    yield from COMMON
    for stamp in assistant.stamps():
        titles = [s.title for s in assistant.source(stamp.id).sections if s.kind == "body" and s.title]
        for title in [title for title in titles if 4 <= len(title) <= 18][:HEADINGS]:
            yield title if title.endswith(("？", "?")) else f"{title.rstrip('。：:；')}有什么规定？"
