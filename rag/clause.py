"""Questions that name a clause go straight to it: 教育法第三十一条, 《意见》第五条讲什么.

Knows titles, sections and how clauses are cited; not the index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.headings import chinese_number
from rag.lexical import fold
from rag.protocols import SourceReader
from rag.sentences import trim
from rag.store import Stamp
from rag.types import Section, Source

_NUMBER = "[零〇一二三四五六七八九十百千0-9]{1,7}"
_CLAUSE = re.compile(
    rf"(?:《(?P<title>[^《》]{{2,60}})》|(?P<name>[\u4e00-\u9fff（）()]{{2,30}}?))?的?"
    rf"第(?P<article>{_NUMBER})条(?!件)(?:第(?P<paragraph>{_NUMBER})款)?(?:[（(](?P<item>{_NUMBER})[）)])?"
)
_FILLER = re.compile(r"^(?:请问|请|那么?|根据|按照|依照|依据|关于|我想问|查一?下?|看看|看一?下)+")
_GENERIC = ("意见", "办法", "条例", "规定", "章程", "通知", "细则")  # short for the one there is
_STATE = re.compile("^中华人民共和国")


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause found: clean[start:end] of a source, and the section it is or lies in."""

    source: Source
    section: Section
    start: int
    end: int


def find(question: str, stamps: Iterable[Stamp], reader: SourceReader) -> list[Clause]:
    """Return the clauses that a question names, in documents whose title it names or means.

    Without a title in the question every document with that article counts.
    """
    found = []
    for match in _CLAUSE.finditer(question):
        name = match["title"] or _FILLER.sub("", match["name"] or "")
        for stamp in stamps:
            if name and not _named(name, stamp.title):
                continue
            source = reader.source(stamp.id)
            found += list(_in_source(source, match))
    return found


def _named(name: str, title: str) -> bool:
    """Tell whether a name, full or short (教育法), means a title; 义务教育法 is not 教育法."""
    asked, known = (_STATE.sub("", fold(text).strip()) for text in (name, title))
    known = re.sub(r"\(.{1,20}\)$", "", known)
    asked = re.sub(r"\(.{1,20}\)$", "", asked)
    return asked == known or (asked in _GENERIC and known.endswith(asked))


def _in_source(source: Source, match: re.Match[str]) -> Iterator[Clause]:
    number = chinese_number(match["article"])
    for section in source.sections:
        label = re.match(rf"第({_NUMBER})条", section.label)
        if label and chinese_number(label[1]) == number:
            start, end = _narrowed(source.clean, section, match)
            yield Clause(source, section, start, end)


def _narrowed(text: str, section: Section, match: re.Match[str]) -> tuple[int, int]:
    """Cut a section to the 款 and 项 asked for, where it has them."""
    body = re.finditer(r"[^\n]*\S[^\n]*", text[section.body : section.end])
    lines = [trim(text, section.body + m.start(), section.body + m.end()) for m in body]
    item = re.compile(r"\s{0,9}[（(]([一二三四五六七八九十]{1,3})[）)]")
    if match["paragraph"]:
        paragraphs = [line for line in lines if not item.match(text[slice(*line)])]
        number = chinese_number(match["paragraph"])
        if number > len(paragraphs):
            return section.body, section.end
        start = paragraphs[number - 1][0]
        end = paragraphs[number][0] if number < len(paragraphs) else section.end
        lines = [line for line in lines if start <= line[0] < end]
    if match["item"]:
        wanted = chinese_number(match["item"])
        for line in lines:
            listed = item.match(text[slice(*line)])
            if listed and chinese_number(listed[1]) == wanted:
                return line
    return (lines[0][0], lines[-1][1]) if lines else (section.body, section.end)
