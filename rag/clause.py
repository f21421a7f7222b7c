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
from rag.structure import ITEM_LINE, contents_entries
from rag.types import Section, Source

_NUMBER = "[零〇一二三四五六七八九十百千0-9]{1,7}"
_CLAUSE = re.compile(
    rf"(?:《(?P<title>[^《》]{{2,60}})》|(?P<name>[\u4e00-\u9fff（）()]{{2,30}}?))?的?"
    rf"第(?P<article>{_NUMBER})条(?!件)(?:第(?P<paragraph>{_NUMBER})款)?(?:[（(](?P<item>{_NUMBER})[）)])?"
)
_FILLER = re.compile(r"^(?:请问|请|那么?|根据|按照|依照|依据|关于|我想问|查一?下?|看看|看一?下)+")
_LED_IN = re.compile("按照?|依照?|据|看|问|在|和|与|跟|说")
_GENERIC = ("意见", "办法", "条例", "规定", "章程", "通知", "细则")  # short for the one there is
_PREFIX = re.compile("^(?:中华人民共和国|中国共产党(?=.{4}))")
_SHORT = {"党章": "中国共产党章程"}
_TRIAL = re.compile(r"\(.{1,20}\)$")
# A paragraph that restates a text says so at its end: （出处：《教育法》第六条；《意见》第三部分（五））
_NOTE = re.compile(r"（出处：(?P<note>.{1,200})）[ \t]*$", re.MULTILINE)
_NOTED = re.compile(r"《(?P<title>[^《》]{2,60})》(?P<places>[^《》；]*)")
_ARTICLES = re.compile(rf"第(?P<first>{_NUMBER})条(?:至第(?P<last>{_NUMBER})条)?")
_RUNNING = re.compile(
    rf"第{_NUMBER}部分((?:（{_NUMBER}）)+)"
)  # （五） of a text whose parts do not restart it
_ITEM = re.compile(r"\s{0,9}[（(]([一二三四五六七八九十]{1,3})[）)]")
_BULLET = re.compile(r"(?:[-*] |[0-9]{1,2}\. )?")
_PART = re.compile(r"篇[一二三四五六七八九十]{1,3}|第([一二三四五六七八九十]{1,3})篇")
MAX_RESTATED = 6


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
    Where the text itself is not there, paragraphs that restate the clause and
    say so in their source note stand for it, those of it alone first.
    """
    found: list[Clause] = []
    for match in _CLAUSE.finditer(question):
        name = match["title"] or _FILLER.sub("", match["name"] or "")
        sources = [reader.source(stamp.id) for stamp in stamps if not name or _named(name, stamp.title)]
        clauses = [clause for source in sources for clause in _in_source(source, match)]
        if name and not clauses:
            clauses = _restated(name, chinese_number(match["article"]), stamps, reader)
        found += clauses
    return found


def cites(question: str, text: str, *, exactly: bool) -> bool:
    """Tell whether text cites the laws whose articles a question names; `exactly`: those articles.

    >>> cites("高等教育法第三十一条讲什么", "……（出处：《中华人民共和国教育法》第三十一条）", exactly=True)
    False
    """
    for match in _CLAUSE.finditer(question):
        name = match["title"] or _LED_IN.split(_FILLER.sub("", match["name"] or ""))[-1]
        if not match["title"] and not name.endswith("法"):
            continue  # 意见, 规定: whichever is spoken of
        number = chinese_number(match["article"])
        noted = [places for title, places in _NOTED.findall(text) if _named(name, title)]
        if not any(not exactly or number in _numbers(places) for places in noted):
            return False
    return True


def _named(name: str, title: str) -> bool:
    """Tell whether a name, full or short (教育法), means a title; 义务教育法 is not 教育法."""
    asked, known = (
        _PREFIX.sub("", _TRIAL.sub("", fold(_SHORT.get(text, text)).strip())) for text in (name, title)
    )
    return asked == known or any(
        short in _GENERIC and long.endswith(short) for short, long in ((asked, known), (known, asked))
    )


def _restated(name: str, number: int, stamps: Iterable[Stamp], reader: SourceReader) -> list[Clause]:
    """Find paragraphs whose source note names an article of a text, in documents said to rest on it."""
    found: list[tuple[int, Clause]] = []
    resting = (stamp for stamp in stamps if any(_named(name, basis) for basis in stamp.metadata.basis))
    for source in (reader.source(stamp.id) for stamp in resting):
        for match in _NOTE.finditer(source.clean):
            places = [places for title, places in _NOTED.findall(match["note"]) if _named(name, title)]
            numbers = [n for place in places for n in _numbers(place)]
            if number in numbers:
                line = source.clean.rfind("\n", 0, match.start()) + 1
                start, end = trim(source.clean, line, match.end())
                start += len(_BULLET.match(source.clean[start:end])[0])  # type: ignore[index]
                section = _innermost(source, start)
                if section:
                    found.append((len(numbers), Clause(source, section, start, end)))
    found.sort(key=lambda pair: pair[0])
    return [clause for _, clause in found[:MAX_RESTATED]]


def _numbers(places: str) -> list[int]:
    """Return the articles that a source note lists, ranges included."""
    numbers: list[int] = []
    for match in _ARTICLES.finditer(places):
        first = chinese_number(match["first"])
        numbers += range(first, chinese_number(match["last"] or match["first"]) + 1)
    for running in _RUNNING.findall(places):
        numbers += [chinese_number(n) for n in running.strip("（）").split("）（")]
    return numbers


def _innermost(source: Source, position: int) -> Section | None:
    holding = [section for section in source.sections if section.start <= position < section.end]
    return holding[-1] if holding else None


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
    if match["paragraph"]:
        paragraphs = [line for line in lines if not ITEM_LINE.match(text[slice(*line)])]
        number = chinese_number(match["paragraph"])
        if number > len(paragraphs):
            return section.body, section.end
        start = paragraphs[number - 1][0]
        end = paragraphs[number][0] if number < len(paragraphs) else section.end
        lines = [line for line in lines if start <= line[0] < end]
    if match["item"]:
        listed = [(line, _ITEM.match(text[slice(*line)])) for line in lines]
        starts = [(line[0], chinese_number(item[1])) for line, item in listed if item]
        for index, (start, number) in enumerate(starts):
            if number == chinese_number(match["item"]):
                following = starts[index + 1][0] if index + 1 < len(starts) else lines[-1][1]
                own = [line for line in lines if start <= line[0] < following]
                ends = [line[1] for line in own if line[0] == start or ITEM_LINE.match(text[slice(*line)])]
                return start, ends[-1]
    return (lines[0][0], lines[-1][1]) if lines else (section.body, section.end)


def title_only(text: str, source_ids: Iterable[str], reader: SourceReader) -> tuple[str, str] | None:
    """Return the label and the title of an article asked for of which a table of contents is all there is."""
    match = _PART.search(text)
    if not match:
        return None
    label = f"篇{match[1]}" if match[1] else match[0]
    for source_id in dict.fromkeys(source_ids):
        source = reader.source(source_id)
        listed = [s for s in source.sections if s.kind == "toc"]
        titles = {k: v for s in listed for k, v in contents_entries(source.clean, s).items()}
        bodies = {section.label.strip("、") for section in source.sections if section.kind == "body"}
        if label in titles and label not in bodies:
            return label, titles[label]
    return None
