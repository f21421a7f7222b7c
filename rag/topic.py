"""Answers to what a whole part of a document is about: 书记的职责, 交稿前自查哪几项.

Where the question is a heading, the answer is what stands under it, complete
and in order. Knows sections and evidence; writes through a `Page`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag import sentences as split
from rag.concepts import ABSENCE
from rag.evidence import Evidence
from rag.lexical import token_set
from rag.page import Page
from rag.question import Question, analyse, content_parts
from rag.synonyms import expand
from rag.types import Section, Source

MATCH = 0.8  # share of the question that the heading holds, and of the heading that the question holds
MAX_LINES = 16
MAX_UNDER = 5  # lines under one heading of a topic that has several
SHORT = 20  # a heading longer than that is a sentence
_EMPTY = re.compile(r"没有收录|没有写|不作转述|本库用语|说明$")
_DUTIES = re.compile("职责|职权|任务|义务|干什么|做什么|管什么")
_OTHER = re.compile("能不能|可不可以|选什么|条件|常问|误|待遇")  # sub-headings on other things than duties
_LINKS = re.compile("[的了有是“”]")
_STRAY = re.compile(f"{ABSENCE.pattern}|误区")
_TABLE = re.compile(r"^\s*\|")
_TAIL = re.compile(r"(?:有哪些|哪些|是什么|什么|怎么办|怎样|如何|怎么|哪几项|[：:？?])")


@dataclass(frozen=True, slots=True)
class Topic:
    """A section whose heading is what the question asks for, with the groups of lines under it."""

    source: Source
    section: Section
    groups: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]


def find(question: Question, evidence: Sequence[Evidence]) -> Topic | None:
    """Return the section that the question asks for as a whole, if there is one."""
    if question.kind not in ("list", "fact", "define") or question.specifics or question.names:
        return None
    wanted = _words(" ".join(content_parts(question)))
    if not wanted:
        return None
    if question.size > 2 and question.kind == "list" and (counted := _counted(question, evidence[0])):
        return counted
    best: tuple[float, Topic] | None = None
    for source in dict((e.source.id, e.source) for e in evidence).values():
        for section in source.sections:
            fit = _fit(wanted, section)
            if fit < MATCH or (best and fit <= best[0]):
                continue
            topic = Topic(source, section, tuple(_groups(source, section, question)))
            if sum(len(lines) for _, lines in topic.groups) > 1:
                best = (fit, topic)
    return best[1] if best else None


def _counted(question: Question, best: Evidence) -> Topic | None:
    """The parts of the section around the best sentence, where there are as many as the question says."""
    source = best.source
    for section in source.sections:
        if not section.start <= best.start < section.end:
            continue
        level = _next_level(source, section)
        children = [s for s in source.sections if section.start < s.start < section.end and s.level == level]
        if len(children) == question.size and any(c.start <= best.start < c.end for c in children):
            titles = tuple(split.trim(source.clean, child.start, child.body) for child in children)
            return Topic(source, section, (("", titles),))
    return None


def _words(text: str) -> frozenset[str]:
    parts = content_parts(analyse(_LINKS.sub(" ", text)))
    tokens = (token for part in parts for token in token_set(expand(part)))
    return frozenset(token for token in tokens if len(token) > 1 or token.isascii())


def _fit(wanted: frozenset[str], section: Section) -> float:
    """How far a heading and what is asked for are the same, 0 to 1."""
    title = _TAIL.sub(" ", section.title)
    if section.kind != "body" or not title.strip() or len(title) > SHORT:
        return 0.0
    named = _words(title)
    if not named:
        return 0.0
    shared = len(wanted & named)
    return min(shared / len(wanted), shared / len(named))


def _groups(
    source: Source, section: Section, question: Question
) -> Iterator[tuple[str, tuple[tuple[int, int], ...]]]:
    children = [
        s
        for s in source.sections
        if section.start < s.start < section.end and s.level == _next_level(source, section)
    ]
    if not children:
        yield "", tuple(_lines(source, section.body, section.end))[:MAX_LINES]
        return
    own = tuple(_lines(source, section.body, children[0].start))
    if own:
        yield "", own[:MAX_UNDER]
    for child in children:
        if _DUTIES.search(question.text) and _OTHER.search(child.title):
            continue
        lines = [line for line in _lines(source, child.body, child.end) if _about(source, line, question)]
        if lines and not _EMPTY.search(child.title):
            yield child.title, tuple(lines[:MAX_UNDER])


def _about(source: Source, line: tuple[int, int], question: Question) -> bool:
    """Tell whether a line under a sub-heading names what the question is about."""
    first = content_parts(question)[0][:2]
    return first in source.clean[slice(*line)]


def _next_level(source: Source, section: Section) -> int:
    inside = [s.level for s in source.sections if section.start < s.start < section.end]
    return min(inside, default=0)


def _lines(source: Source, start: int, end: int) -> Iterator[tuple[int, int]]:
    headings = [(s.start, s.body) for s in source.sections if s.start < s.body]
    for span in split.sentences(source.clean, start, end):
        text = source.clean[slice(*span)]
        inside = any(a <= span[0] < b for a, b in headings)
        if not inside and not _TABLE.match(text) and not _STRAY.search(text) and len(text) > 6:
            yield span


def write(topic: Topic, page: Page) -> None:
    """Write a topic: its lines as a list, under the sub-headings where there are some."""
    count = 0
    for heading, lines in topic.groups:
        if heading:
            page.heading(heading)
        for line in lines:
            if count < MAX_LINES:
                page.say(topic.source, line, before="  - " if heading else "- ")
            count += 1
