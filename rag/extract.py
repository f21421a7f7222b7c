"""An answer without a model: the sentences that answer, in the form the question asks for.

A fact is one sentence; a list or a procedure keeps its items in order; what
a question names one by one (一规则、二加强、三优先) is answered one by one.
Every line is read off the clean text and cited to its span. Knows evidence
and spans; decides nothing about whether to answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag import compare, tables, topic
from rag import sentences as split
from rag.authority import of_sentence, weight
from rag.cite import Citations
from rag.concepts import ABSENCE
from rag.evidence import Evidence
from rag.listed import INTRODUCES, MAX_UNITS, details, names_point, siblings, spread
from rag.narrow import ENUMERATING, POINTED, has_items, narrow
from rag.opposite import contrary
from rag.page import Page, cell_of, plain
from rag.question import Question, QuestionType
from rag.types import Sentence, Source

CITED_WHOLE = 240  # a sentence up to this long is cited whole where a part of it is shown
FULL = 0.8  # a sentence that covers so much of the question and lists things is the list asked for
ALSO = 1.0  # another sentence is given too when it scores this share of the best
_OPEN: frozenset[QuestionType] = frozenset({"list"})  # more than one sentence may answer
_DATED = re.compile(r"[0-9]{4}年|[0-9]{1,9}[%人次名]|半数|分之")
_STEP = re.compile(r"(?<=[，：；,:;])(?=先|再(?!次)|然后|接着|最后|会前|会上|会后)")
_RUNS_ON = re.compile(r"(?=这项|这些|这是|就是要)")


@dataclass(frozen=True, slots=True)
class Unit:
    """One line of the answer: clean[start:end], its parts when it is a list, and its score."""

    source: Source
    start: int
    end: int
    parts: tuple[tuple[int, int], ...]
    score: float
    introduced: bool = False


def extract(
    question: Question,
    evidence: Sequence[Evidence],
    citations: Citations,
    *,
    confidence: float,
    whole: Sequence[Evidence] = (),
) -> tuple[str, list[Sentence]]:
    """Return the answer's Markdown and its sentences; citations are added in order of use.

    `whole` is all that answers, in order, where that is known.
    """
    page = Page(citations, confidence=confidence, noted=question.sourced)
    best = evidence[0]
    if not best.named and (comparison := compare.find(question, evidence)):
        compare.write(comparison, page)
    elif not best.named and not _lists(question, evidence) and (found := topic.find(question, evidence)):
        topic.write(found, page)
    elif whole:
        _write(question, [_unit(question, sentence) for sentence in whole], page)
    else:
        units = _units(question, evidence)
        _write(question, units, page := _page(question, units, citations, confidence))
    return page.markdown(), page.sentences


def _page(question: Question, units: Sequence[Unit], citations: Citations, confidence: float) -> Page:
    """A page that says whose word each line is where they are not all the same one's."""
    words = {of_sentence(u.source.metadata.authority, u.source.clean[u.start : u.end]) for u in units}
    return Page(citations, confidence=confidence, labelled=len(words) > 1, noted=question.sourced)


def _lists(question: Question, evidence: Sequence[Evidence]) -> bool:
    """Tell whether the best sentence itself is the list that is asked for, or points like it are."""
    best = evidence[0]
    text = best.source.clean
    if ABSENCE.search(best.text):
        return False
    if spread(question, evidence):
        return True
    listed = question.sized(best.text) or bool(split.items(text, best.start, best.end))
    return listed or (best.coverage >= FULL and best.text.count("、") > 1)


def _write(question: Question, units: Sequence[Unit], page: Page) -> None:
    if question.ordinal:
        parts = [(u, part) for u in units for part in u.parts[1 if u.introduced else 0 :]]
        if question.ordinal <= len(parts):
            unit, part = parts[question.ordinal - 1]
            page.say(unit.source, part, cited=(unit.start, unit.end))
            return
    units = [unit for unit in units if not _tabled(unit, page)]
    listed = len(units) > 1
    stepped = all(re.match(r"[0-9]{1,2}[.．、]", _text(unit)) for unit in units)
    for unit in units:
        for number, part in enumerate(unit.parts):
            bullet = "  - " if number and listed else "- " if listed or len(unit.parts) > 1 else ""
            bullet = "" if not number and unit.introduced and not listed else bullet
            if not number and (stepped or (unit is units[0] and INTRODUCES.search(_text(unit)))):
                bullet = ""
            page.say(unit.source, part, cited=(unit.start, unit.end), before=bullet)


def _tabled(unit: Unit, page: Page) -> bool:
    """Write a unit that is a row of a table under the table's header; tell whether it is one."""
    found = tables.at(unit.source.clean, unit.start)
    if found is None or len(found[0].fields) != len(found[1].fields):
        return False
    text, (header, row) = unit.source.clean, found
    cells = [cell_of(unit.source, field, row.line) for field in row.fields[1:]]
    page.table([text[slice(*field)] for field in header.fields], [(text[slice(*row.fields[0])], cells)])
    return True


def _units(question: Question, evidence: Sequence[Evidence]) -> list[Unit]:
    best = evidence[0]
    chosen = [best, *_named_parts(question, evidence), *contrary(question, evidence)]
    if best.named:
        chosen += [e for e in evidence[1:] if e.named]
    elif scattered := spread(question, evidence):
        chosen = scattered
    elif question.kind in ENUMERATING:
        listed = siblings(best)
        chosen = listed if listed and INTRODUCES.search(best.text) else chosen + (listed or details(best))
        if len(chosen) == 1 and question.kind in _OPEN:
            chosen += _also(question, evidence)
    units: list[Unit] = []
    for unit in _joined([_unit(question, sentence) for sentence in chosen]):
        known = any(
            u.source.id == unit.source.id and u.start < unit.end and unit.start < u.end for u in units
        )
        same = any(_text(u) == _text(unit) for u in units)
        if not known and not same and len(units) < MAX_UNITS:
            units.append(unit)
    first = units[0]
    together = sorted((u for u in units if u.source.id == first.source.id), key=lambda u: u.start)
    groups = [together, *([u] for u in units if u.source.id != first.source.id)]
    groups.sort(key=lambda group: weight(group[0].source.metadata.authority))
    return [unit for group in groups for unit in group]


def _joined(units: Sequence[Unit]) -> list[Unit]:
    """Take an item that only names its point (一是配强书记。) together with the sentence that explains it."""
    if len(units) < 2 or not names_point(_text(units[0])):
        return list(units)
    first, second, *rest = units
    text = first.source.clean
    follows = second.source.id == first.source.id and not text[first.end : second.start].strip()
    if not follows or second.start < first.end or second.end - first.start > CITED_WHOLE:
        return list(units)
    return [Unit(first.source, first.start, second.end, ((first.start, second.end),), first.score), *rest]


def _text(unit: Unit) -> str:
    return plain(unit.source.clean[unit.start : unit.end])


def _named_parts(question: Question, evidence: Sequence[Evidence]) -> Iterator[Evidence]:
    """Yield the sentence that opens with each thing the question names, where it names several."""
    parts = [p for p in re.split(r"[、，,和与及\s]+", question.content) if len(p) >= 2]
    if len(parts) < 2 or (question.kind in POINTED and "分别" not in question.text):
        return
    apart = "分别" in question.text
    for part in parts:
        if apart and len(parts) > 2:
            yield from [e for e in evidence if e.complete and part in e.text and _DATED.search(e.text)][:1]
            continue
        opening = [e for e in evidence if e.complete and e.text.lstrip("“‘《").startswith(part)]
        yield from opening[:1]


def _also(question: Question, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Other sentences that answer about as well, from any source."""
    best = evidence[0]
    if question.sized(best.text) or best.text.count("、") > 1 or _lists(question, evidence):
        return []
    wanted = max(0.6, ALSO * best.coverage)
    return [e for e in evidence[1:3] if e.expected and e.complete and e.coverage >= wanted]


def _unit(question: Question, evidence: Evidence) -> Unit:
    text = evidence.source.clean
    if evidence.named:
        lines = re.finditer(r"[^\n]*\S[^\n]*", evidence.text)
        parts = tuple(split.trim(text, evidence.start + m.start(), evidence.start + m.end()) for m in lines)
        return Unit(evidence.source, evidence.start, evidence.end, parts, evidence.score)
    start, end = narrow(question, evidence)
    if evidence.end - evidence.start <= CITED_WHOLE and not has_items(question, text, start, end):
        whole = (evidence.start, evidence.end)
        steps = _steps(text, *whole) if question.kind == "how" else []
        return Unit(
            evidence.source, *whole, tuple(steps) if len(steps) > 2 else ((start, end),), evidence.score
        )
    parts = ((start, end),)
    items = split.items(text, start, end) if question.kind in ENUMERATING else []
    if items and (not question.size or question.size == len(items)):
        last_start, last_end = items[-1]
        cut = _RUNS_ON.search(text, last_start + 4, last_end) if _all_short(items[:-1]) else None
        items[-1] = (last_start, cut.start() if cut else last_end)
        intro = split.trim(text, start, items[0][0])
        introduced = intro[0] < intro[1]
        parts = (intro, *items) if introduced else tuple(items)
        return Unit(evidence.source, start, items[-1][1], parts, evidence.score, introduced)
    return Unit(evidence.source, start, end, parts, evidence.score)


def _steps(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Cut a sentence before each word of order: 先…，再…，最后…."""
    cuts = [start, *(m.start() for m in _STEP.finditer(text, start, end) if m.start() > start), end]
    return [split.trim(text, a, b) for a, b in pairwise(cuts)]


def _all_short(items: Sequence[tuple[int, int]]) -> bool:
    return all(end - start <= 24 for start, end in items)
