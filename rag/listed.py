"""The list that a sentence is part of: its items, wherever they stand, and what explains them.

Knows evidence and the sentences of its section; not how an answer is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice, takewhile

from rag import sentences as split
from rag.evidence import Evidence
from rag.headings import chinese_number
from rag.question import Question

MAX_UNITS = 6
NAMING = 26  # an item this short names its point; what follows explains it
HEADING_SHARE = 0.25  # so much of the question is covered by the heading, not by the item
NEAR_BEST, NEAR_SHARE = 4, 0.8  # so far down, and as close to the best, an item shows the list it is of
INTRODUCES = re.compile(r"(?:如下|以下|下面|下列)[^。]{0,8}[。:：]?$|[:：]$")
_ITEM = re.compile(
    r"^(?:[-*] |\| |[一二三四五六七八九十]{1,2}(?:是|要)|[0-9]{1,2}[.．、]"
    r"|[（(][一二三四五六七八九十0-9]{1,2}[）)])"
)
_NUMBERED = re.compile("([一二三四五六七八九十]{1,2})[是要]")
_TABLE_RULE = re.compile(r"^[|\s:-]+$")


def siblings(best: Evidence) -> list[Evidence]:
    """The list that a sentence introduces, in order, or the items beside one that its heading introduces."""
    text = best.source.clean
    introduces = bool(INTRODUCES.search(best.text))
    by_heading = bool(_ITEM.match(best.text)) and best.supported - best.coverage > HEADING_SHARE
    if not introduces and not by_heading:
        return []
    spans = _by_line(text, split.sentences(text, *_section_around(best)))
    position = next((i for i, span in enumerate(spans) if span[0] >= best.start), len(spans))
    first = position + 1 if introduces else position
    while not introduces and first > 0 and _ITEM.match(text[slice(*spans[first - 1])]):
        first -= 1
    listed = list(takewhile(lambda span: _ITEM.match(text[slice(*span)]), spans[first:]))
    rows = [_beside(best, *span) for span in listed if not _TABLE_RULE.match(text[slice(*span)])]
    return rows if len(rows) > 1 else []


def spread(question: Question, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The items of a list whose explanations stand between them, where they are as many as asked for."""
    best = evidence[0]
    if question.size < 2 or question.ordinal or question.sized(best.text):
        return []
    for near in evidence[:NEAR_BEST]:
        if _NUMBERED.match(near.text) and near.supported >= NEAR_SHARE * best.supported:
            text, (start, end) = near.source.clean, _section_around(near)
            spans = [s for s in split.sentences(text, start, end) if _NUMBERED.match(text[slice(*s)])]
            numbers = [chinese_number(m[1]) for s in spans if (m := _NUMBERED.match(text, s[0]))]
            if numbers == list(range(1, question.size + 1)):
                return [_beside(near, *span) for span in spans]
    return []


def _by_line(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join the sentences of one line to the item that opens it."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        opened = joined and _ITEM.match(text[slice(*joined[-1])]) and "\n" not in text[joined[-1][1] : start]
        if opened and not _ITEM.match(text[start:end]):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def details(best: Evidence) -> list[Evidence]:
    """What follows a sentence that only names its point (二是要理顺分工与合作的关系。)."""
    if not names_point(best.text):
        return []
    text = best.source.clean
    spans = split.sentences(text, best.end, _section_around(best)[1])
    following = takewhile(lambda span: not _ITEM.match(text[slice(*span)]), spans)
    return [_beside(best, *span) for span in islice(following, MAX_UNITS - 1)]


def names_point(text: str) -> bool:
    """Tell whether a sentence is an item that only names its point."""
    return len(text) <= NAMING and bool(_ITEM.match(text))


def _section_around(evidence: Evidence) -> tuple[int, int]:
    holding = [s for s in evidence.source.sections if s.start <= evidence.start < s.end]
    inner = min(holding, key=lambda s: s.end - s.start, default=None)
    return (inner.body, inner.end) if inner else (0, len(evidence.source.clean))


def _beside(evidence: Evidence, start: int, end: int) -> Evidence:
    return Evidence(evidence.source, start, end, evidence.coverage, evidence.supported, True, evidence.score)
