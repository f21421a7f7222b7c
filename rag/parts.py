"""A question that asks the same of several things, cut into questions that each stand alone.

立德树人在哪条，党的领导又在哪条？ is two. Where different things are asked of one
matter, one sentence mostly answers them all; what only seeks assent (对吧) or
offers the answer (教育部吗) is no question of its own. Knows wordings; no documents.
"""

from __future__ import annotations

import re

from rag.conversation import leans, named, standalone
from rag.types import Turn

MOST = 3  # parts; a longer chain of questions is asked as one
SHORTEST = 3  # characters of a part
_BREAK = re.compile(r"[？?；;。！!，,]+")
_ASKS = re.compile(
    r"谁|什么|啥|哪|怎么|怎样|咋|如何|多少|几(?!乎|率)|多久|多长|多大|为何|何时|是否|能否|要不要|有没有"
    r"|([能可行用算])(?:不|得不)\1|能不能|可不可以|该不该|[吗不没]$"
)
_TAG = re.compile(
    r"^(?:(?:这|那)?(?:样)?(?:说|写|做|理解)?(?:是|对|行|好|可以|没错|成)[吗吧么]?|对不对|是不是|行不行|好不好|可不可以|是吧"
    r"|.{0,6}(?:怎么回|怎么看|啥区别|什么区别)|怎么办)$"
)
_OFFERS = re.compile(r"^[^谁什么啥哪怎几多何]{2,8}吗$")


def parts(text: str) -> list[str]:
    """Return the questions that a question consists of, or [] where it is one.

    >>> parts("立德树人在教育法哪条，党的领导又在哪条？")
    ['立德树人在教育法哪条', '党的领导又在哪条']
    """
    found: list[str] = []
    words: set[str] = set()
    said: list[str] = []  # what was told, not asked, before the next question
    for piece in map(str.strip, _BREAK.split(text)):
        if not piece:
            continue
        said.append(piece)
        asks = _ASKS.search(piece)
        mere = _TAG.match(piece) or (found and _OFFERS.match(piece)) or len(piece) < SHORTEST
        if asks and not mere:
            found.append("，".join(said))
            words.add(asks[0])
            said = []
    if not 2 <= len(found) <= MOST or len(words) > 1:
        return []
    first = found[0]
    return [first, *(_completed(part, first) for part in found[1:])]


def _completed(part: str, first: str) -> str:
    """The part with what the first one is about, where it names nothing itself."""
    if leans(part):
        return standalone(part, [Turn("user", first)])
    name = "" if named(part) else named(first)
    return f"{name}{part}"
