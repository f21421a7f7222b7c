"""Where headings stand in clean text, and how they are numbered.

Recognises 篇 编 章 节 条, 一、（一）1. and the headings a file format declares,
at line starts and glued into run-on text. A numbering found inside a line
counts only when its numbers ascend from one: a cross-reference (依照第五条)
does not. Knows text and blocks; sections are made of this in `structure`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.types import Block

_DIGITS = "零一二三四五六七八九"
_NUM = "[零〇一二三四五六七八九十百千]{1,7}"
RUN_ON = 300  # code points in a line beyond which headings are looked for inside it
MAX_TITLE = 60
_OPEN_TITLE = 20  # a numbered line this short without a full stop is a heading

# Kind, rank (smaller is further out), pattern with the number as group n.
_KINDS: tuple[tuple[str, int, str], ...] = (
    ("篇", 11, rf"(?:篇(?P<n>{_NUM})|第(?P<n2>{_NUM})篇)[、：:\s]?"),
    ("编", 12, rf"第(?P<n>{_NUM})编"),
    ("章", 13, rf"第(?P<n>{_NUM})章"),
    ("节", 14, rf"第(?P<n>{_NUM})节"),
    ("条", 15, rf"第(?P<n>{_NUM}|[0-9]{{1,4}})条(?:之{_NUM})?"),
    ("一、", 16, rf"(?P<n>{_NUM})、"),
    ("（一）", 17, rf"[（(](?P<n>{_NUM})[）)]"),
    ("1.", 18, r"(?P<n>[0-9]{1,2})[.．、](?![0-9])"),
    ("（1）", 19, r"[（(](?P<n>[0-9]{1,2})[）)]"),
)
_LED_KINDS = ("一、", "（一）")
_ITEM_KINDS = ("（一）", "1.", "（1）")
_LIST_KINDS = ("1.", "（1）")  # long lines of these are items of a list, no headings
_LINE_START = [(kind, rank, re.compile(pattern)) for kind, rank, pattern in _KINDS]
_INLINE = [
    ("篇", 11, re.compile(rf"篇(?P<n>{_NUM})、")),
    ("一、", 16, re.compile(rf"(?:(?<=[。？?！!：:；;”）)])|^)(?P<n>{_NUM})、", re.MULTILINE)),
    ("（一）", 17, re.compile(rf"[（(](?P<n>{_NUM})[）)]")),
    ("1.", 18, re.compile(r"(?<![0-9.])(?P<n>[0-9]{1,2})[.．](?=[^0-9。，,；;]{2,14}。)")),
]
# What follows the number of an article that is only referred to: 第五条第二款, 第五条所称.
_REFERENCE = re.compile(
    rf"(?:和|及|以及|或者?|至|到)?第{_NUM}[款项条]|[、的款]|规定|所[称列指规述定]|另有|中(?:的|所|规定|关于|提到|要求)"
)
# （一）加强教育。每周…: the first short sentence of a numbered paragraph is its heading.
_LEAD = re.compile(r"[ \t\u3000]{0,9}([^。；;，,：:？?！!\n]{2,16})。(?=[^\n]{4})")
# A glued heading ends between one of the first and one of the second.
_GLUE = re.compile(
    "(?<=认识|开展|地位|运行|能力|意义|体会|思考|工作|措施|办法|情况|报告|总结|经验|建设|作用|职责|要求"
    "|问题|发展|制度|机制|保障|落实|提高|水平|关系|队伍|要性)"
    "(?=长期以来|近日|近年|今年|为了|为深入|为贯彻|根据|按照|随着|关于|实行|当前|目前|现阶段|中共|党中央"
    "|习近平|作为|我们|我校|我区|我县|通过)"
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: where it starts, where its body starts, its rank and printed number."""

    start: int
    body: int
    rank: int
    kind: str
    number: int
    label: str
    title: str


def chinese_number(text: str) -> int:
    """Read a Chinese or Arabic number below 10,000.

    >>> chinese_number("二十三"), chinese_number("一百零二"), chinese_number("15")
    (23, 102, 15)
    """
    if text.isdigit() and text.isascii():
        return int(text)
    total = digit = 0
    for character in text.replace("〇", "零"):
        if character in _DIGITS:
            digit = _DIGITS.index(character)
        else:
            total += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
    return total + digit


def find_headings(text: str, blocks: Sequence[Block] = ()) -> list[Heading]:
    """Return all headings of a clean text in order."""
    declared = [block for block in blocks if block.kind == "heading"]
    closed = [block for block in blocks if block.kind in ("heading", "table", "footnote")]
    found = [_declared(text, block) for block in declared]
    for start, end in _lines(text):
        if any(block.start <= start < block.end for block in closed):
            continue
        heading = _numbered_line(text, start, end)
        if end - start > RUN_ON and (heading is None or heading.kind != "条"):
            found += _run_on(text, start, end)
        elif heading:
            found.append(heading)
    return _without_lists(text, sorted(found, key=lambda heading: heading.start))


def _without_lists(text: str, headings: Sequence[Heading]) -> list[Heading]:
    """Drop the items of lists: lines （一）（二）… one after the other behind a sentence that ends in ：."""
    kept: list[Heading] = []
    index = 0
    while index < len(headings):
        run = [headings[index]]
        for heading in headings[index + 1 :]:
            last = run[-1]
            between = text[last.start : heading.start].strip()
            if (heading.kind, heading.number) != (last.kind, last.number + 1) or "\n" in between:
                break
            run.append(heading)
        opened = text[max(0, run[0].start - 20) : run[0].start].rstrip()[-1:] in ("：", ":")
        if not (opened and len(run) > 1 and run[0].kind in _ITEM_KINDS and run[0].number == 1):
            kept += run
        index += len(run)
    return kept


def _lines(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"[^\n]+", text):
        start = match.start() + len(match[0]) - len(match[0].lstrip())
        if start < match.end():
            yield start, match.end()


def _declared(text: str, block: Block) -> Heading:
    line = text[block.start : block.end].lstrip("# \t\u3000").rstrip("# \n\t")
    for kind, _, pattern in _LINE_START:
        if match := pattern.match(line):
            label, title = match[0].strip(), line[match.end() :].strip()
            return Heading(block.start, block.end, block.level, kind, _number(match), label, title)
    return Heading(block.start, block.end, block.level, "", 0, "", line)


def _number(match: re.Match[str]) -> int:
    groups = match.groupdict()
    return chinese_number(groups["n"] or groups.get("n2") or "")


def _numbered_line(text: str, start: int, end: int) -> Heading | None:
    for kind, rank, pattern in _LINE_START:
        match = pattern.match(text, start, end)
        if not match:
            continue
        title = text[match.end() : end].strip()
        label = match[0].strip()
        body = end
        lead = _LEAD.match(text, match.end(), end) if kind in _LED_KINDS else None
        if lead:
            title, body = lead[1].strip(), lead.end()
        elif kind == "条" or len(title) > _OPEN_TITLE + 20 or title[-1:] in "。；;":
            if kind in _LIST_KINDS or (kind == "条" and _REFERENCE.match(text, match.end())):
                return None
            title, body = "", match.end()
        return Heading(start, body, rank, kind, _number(match), label, title)
    return None


def _run_on(text: str, start: int, end: int) -> list[Heading]:
    """Find headings glued into one long line, outer kinds first."""
    spans = [(start, end)]
    found: list[Heading] = []
    for kind, rank, pattern in _INLINE:
        inner: list[Heading] = []
        for a, b in spans:
            matches = list(pattern.finditer(text, a, b))
            inner += _ascending(_inline(text, match, kind, rank) for match in matches)
        found = sorted([*found, *inner], key=lambda heading: heading.start)
        borders = [start, *(heading.start for heading in found), end]
        spans = [(a, b) for a, b in zip(borders, borders[1:], strict=False) if a < b]
    limits = [heading.start for heading in found[1:]] + [end] * bool(found)
    return [_with_title(text, h, limit) for h, limit in zip(found, limits, strict=True)]


def _inline(text: str, match: re.Match[str], kind: str, rank: int) -> Heading:
    return Heading(match.start(), match.end(), rank, kind, _number(match), match[0], "")


def _ascending(headings: Iterable[Heading]) -> list[Heading]:
    """Keep runs 1, 2, 3…; a single 1 is kept only for 篇, whose word is proof enough."""
    kept: list[Heading] = []
    run: list[Heading] = []
    for heading in [*headings, None]:
        if heading and run and heading.number == run[-1].number + 1:
            run.append(heading)
        elif heading is None or heading.number == 1:
            kept += run if len(run) > 1 or (run and run[0].kind == "篇") else []
            run = [heading] if heading else []
    return kept


def _with_title(text: str, heading: Heading, limit: int) -> Heading:
    """Find where a glued heading ends, or give it a safe short title and no length."""
    begin = heading.body
    reach = min(limit, begin + MAX_TITLE)
    question = re.compile(r"[？?]").search(text, begin, reach)
    glue = _GLUE.search(text, begin, reach)
    stop = re.compile(r"[。；;，,：:]").search(text, begin, reach)
    if heading.kind == "1." and stop:
        return replace(heading, title=text[begin : stop.start()], body=stop.end())
    ends = [found.end() for found in (question, glue) if found]
    if limit <= begin + MAX_TITLE and not stop:
        ends.append(limit)
    if ends:
        return replace(heading, title=text[begin : min(ends)].strip(), body=min(ends))
    return replace(heading, title=text[begin : stop.start() if stop else reach].strip()[:MAX_TITLE])
