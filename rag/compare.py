"""Answers that set two things side by side: 书记和校长, 党组织会议和校长办公会议.

Rows come from a document's own table where it has a column for each; else
the best sentence for each side. Knows evidence and tables; writes through a `Page`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag import synonyms, topic
from rag.concepts import ABSENCE, CORRECTS
from rag.evidence import Evidence
from rag.lexical import fold, token_set
from rag.page import Cell, Page, cell_of
from rag.question import Question, analyse
from rag.tables import tables
from rag.verify_acts import BODIES, acts, bodies

MAX_PAIRS = 3
MAX_DUTIES = 5
SUBJECT = 8  # characters before a side at most where it is what the sentence is about
ENOUGH = 0.34  # a sentence for one side covers so much of the rest of the question
_TWO_MEETINGS = re.compile(r"(?:两|二|2)个(?:会议|会)")
_MEETINGS = ("党组织会议", "校长办公会议")
_SIDES = re.compile(
    r"(?P<a>[^，。？?、]{2,12}?)(?:和|与|跟|同|、|比)(?P<b>[^，。？?、和与跟]{2,12}?)"
    r"(?=的|在|有|之间|相比|差|一样|不一样|是|分别|各|写给|用在|这两|啥|什么|谁|哪|到底|究竟"
    r"|议题|开会|到会|人数|召集|主持|[，,？?、\s]|$)"
)
_SEVERAL = re.compile(
    r"[^、，]{1,8}、[^、，]{1,8}(?:、|和|与)[^、，]{1,8}|(?<!第)三(?:个|者|种)"
)  # more than two
_TALK = re.compile(r"^(?:请问|学校的?|我们|咱们|一般的?|那个|这个)")
_ASKED_OF_BOTH = re.compile(
    r"都|各自?|分别|之间|两个|两者|这?俩|差(?:多少|在?哪里?)|(?:一样|一回事)[吗不么]?|相比|比较|对比"
    r"|(?:有|的)?(?:什么|啥|哪些|何)?(?:区别|不同|差别|差异|异同|不一样)(?:在哪里?|是什么)?"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and the rows: a name and a cell for each side; lines say both at once."""

    sides: tuple[str, str]
    rows: tuple[tuple[str, tuple[Cell, Cell]], ...]
    lines: tuple[Evidence, ...] = ()


def sides(question: Question) -> tuple[str, str] | None:
    """Return the two things a question compares.

    >>> from rag.question import analyse
    >>> sides(analyse("书记和校长的分工有什么区别"))
    ('书记', '校长')
    """
    if _TWO_MEETINGS.search(question.text):
        return _MEETINGS
    if _SEVERAL.search(question.text):
        return None
    match = _named_sides(question)
    if not match:
        return None
    a, b = (_TALK.sub("", match[name].strip("“”‘’《》")) for name in ("a", "b"))
    return (_own_word(a), _own_word(b)) if len(a) > 1 and len(b) > 1 else None


def _named_sides(question: Question) -> re.Match[str] | None:
    return _SIDES.search(question.text.replace("会议题", "会 议题"))


def queries(question: Question) -> list[str]:
    """Return what to search for besides the question: each side by itself, in the matter compared."""
    pair = sides(question) if question.kind == "compare" else None
    if pair is None:
        return []
    matter = _matter(question, pair)
    return [f"{side} {matter or '职责'}" for side in pair]


def apart(question: Question) -> list[str]:
    """Return the question asked of each side alone (主题党日和组织生活会的次数有啥不一样: 主题党日的次数)."""
    pair = sides(question) if question.kind == "compare" else None
    match = _named_sides(question)
    if pair is None or match is None:
        return []
    before, after = match.string[: match.start()], match.string[match.end() :]
    asked = [_ASKED_OF_BOTH.sub("", f"{before}{side}{after}").strip("，,。？? ") for side in pair]
    return asked if all(len(text) > len(side) for text, side in zip(asked, pair, strict=True)) else []


def beside(question: Question, parts: Sequence[Sequence[Evidence]]) -> Comparison | None:
    """Return the best sentence for each side, found apart, where each speaks of its own side."""
    pair = sides(question) if question.kind == "compare" else None
    if pair is None or len(parts) != len(pair) or not all(parts):
        return None
    best = [part[0] for part in parts]
    own = all(_has(e.text, side) for e, side in zip(best, pair, strict=True))
    if not own or best[0].text == best[1].text:
        return None
    return Comparison(pair, (("", (_whole(best[0]), _whole(best[1]))),))


def find(question: Question, evidence: Sequence[Evidence]) -> Comparison | None:
    """Return the comparison the evidence gives, or None where it has nothing on one side."""
    pair = sides(question) if question.kind == "compare" else None
    if pair is None or fold(pair[0]) == fold(pair[1]):
        return None
    rest = _rest(question, pair)
    stated = [e for e in evidence if e.complete and not ABSENCE.search(e.text)]
    both = [e for e in stated[:8] if all(_has(e.text, side) for side in pair)]
    both = [e for e in both if (_share(rest, e.text) >= ENOUGH if rest else _parallel(e.text, pair))][:1]
    rows = list(_table_rows(pair, rest, evidence)) or _row_by_cells(pair, rest, evidence)
    if not rest:
        rows += _duties(pair, evidence) if not rows or pair[0] not in _MEETINGS else []
    if rows:
        return Comparison(pair, tuple(rows), tuple(both) if rest else ())
    if both and rest:
        return Comparison(pair, (), tuple(both))
    single = [_about(side, other, rest, stated) for side, other in (pair, pair[::-1])]
    count = min(len(single[0]), len(single[1]), 1 if rest else MAX_PAIRS)
    if not count and not both:
        return None
    paired = [("", (_whole(single[0][i]), _whole(single[1][i]))) for i in range(count)]
    return Comparison(pair, tuple(paired), tuple(both))


def write(comparison: Comparison, page: Page) -> None:
    """Write what says both at once, then the table."""
    for line in comparison.lines:
        page.say(line.source, (line.start, line.end))
    if comparison.rows:
        named = any(name for name, _ in comparison.rows)
        page.table([*(["事项"] if named else []), *comparison.sides], comparison.rows)


def _own_word(text: str) -> str:
    """The documents' own word for a side: 校务会 → 校长办公会议."""
    found = synonyms.find(fold(text))
    return found[0].names[0] if found and found[0].end - found[0].start == len(text) else text


def _rest(question: Question, pair: tuple[str, str]) -> frozenset[str]:
    """The words of a question besides the two sides: the matter in which they are compared."""
    tokens = token_set(synonyms.expand(_matter(question, pair)))
    return frozenset(token for token in tokens if len(token) > 1)


def _matter(question: Question, pair: tuple[str, str]) -> str:
    content = question.content
    for side in pair:
        for word in synonyms.find(fold(content)):
            if side in word.names:
                content = content.replace(content[word.start : word.end], " ")
        content = content.replace(side, " ")
    return " ".join(
        re.sub(r"[和与跟同的在有是上]|分工|职责|关系|会议(?!题)|会(?=\s|$)|制度", " ", content).split()
    )


def _share(wanted: frozenset[str], text: str) -> float:
    return len(wanted & token_set(text)) / len(wanted) if wanted else 0.0


def _has(text: str, side: str) -> bool:
    """Tell whether a text names a side, or what its short name stands for (公办园: 公办幼儿园)."""
    if side in BODIES:
        return side in bodies(text)  # 校长 is not 校长办公会议
    return side in text or (len(side) > 2 and bool(re.search(f"{side[:2]}.{{0,4}}{side[2:]}", text)))


def _duties(pair: tuple[str, str], evidence: Sequence[Evidence]) -> list[tuple[str, tuple[Cell, Cell]]]:
    """The first lines of what the documents list as each side's duties, beside each other."""
    topics = [topic.find(analyse(f"{side}的职责"), evidence) for side in pair]
    columns = [
        [Cell(found.source, line, line) for _, lines in found.groups for line in lines][:MAX_DUTIES]
        for found in topics
        if found
    ]
    return [("", (a, b)) for a, b in zip(*columns, strict=False)] if len(columns) == len(pair) else []


def _parallel(text: str, pair: tuple[str, str]) -> bool:
    """Tell whether a text has both sides do the same deed: 甲会由书记召集，乙会由校长召集."""
    done = acts(text)
    deeds = [{act.deed for act in done if act.doer == side and not act.denied} for side in pair]
    return bool(deeds[0] & deeds[1])


def _about(side: str, other: str, rest: frozenset[str], evidence: Sequence[Evidence]) -> list[Evidence]:
    """The sentences on one side only, best first; without a matter asked for, those it is the subject of."""
    found = [e for e in evidence if _has(e.text, side) and not _has(e.text, other)]
    if rest:
        return [e for e in found if _share(rest, e.text) >= ENOUGH]
    return [e for e in found if _has(e.text[: len(side) + SUBJECT], side) and not CORRECTS.search(e.text)]


def _whole(evidence: Evidence) -> Cell:
    span = (evidence.start, evidence.end)
    return Cell(evidence.source, span, span)


def _table_rows(
    pair: tuple[str, str], rest: frozenset[str], evidence: Sequence[Evidence]
) -> Iterator[tuple[str, tuple[Cell, Cell]]]:
    """The rows of the first table in the evidence's documents that has a column for each side."""
    sources = {e.source.id: e.source for e in evidence}
    for source in sources.values():
        for rows in tables(source.clean):
            header = [source.clean[slice(*span)] for span in rows[0].fields]
            columns = [next((i for i, cell in enumerate(header) if i and side in cell), 0) for side in pair]
            if not all(columns) or columns[0] == columns[1]:
                continue
            chosen = [row for row in rows[1:] if len(row.fields) == len(header)]
            shares = [_share(rest, source.clean[slice(*row.fields[0])]) for row in chosen]
            fitting = [row for row, share in zip(chosen, shares, strict=True) if 0 < share == max(shares)]
            if rest and not fitting:
                continue
            for row in fitting if rest else chosen:
                left, right = (cell_of(source, row.fields[column], row.line) for column in columns)
                yield source.clean[slice(*row.fields[0])], (left, right)
            return


def _row_by_cells(
    pair: tuple[str, str], rest: frozenset[str], evidence: Sequence[Evidence]
) -> list[tuple[str, tuple[Cell, Cell]]]:
    """The rows of a table that have one side in one field and the other in another (召集主持: 书记, 校长)."""
    for source in {e.source.id: e.source for e in evidence}.values():
        rows = []
        for row in (row for table in tables(source.clean) for row in table[1:]):
            texts = [source.clean[slice(*span)] for span in row.fields]
            at = [next((i for i, text in enumerate(texts) if i and text.endswith(side)), 0) for side in pair]
            if all(at) and at[0] != at[1] and (not rest or _share(rest, texts[0]) > 0):
                left, right = (cell_of(source, row.fields[i], row.line) for i in at)
                rows.append((texts[0], (left, right)))
        if rows:
            return rows
    return []
