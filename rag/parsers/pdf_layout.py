"""From the lines of PDF pages to paragraphs: margins left out, wrapped lines joined.

What stands in the top or bottom margin and recurs on other pages is a header
or footer; a number alone there is a page number. Knows lines and their
places; nothing of PDF.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile

from rag.parsers.build import Builder
from rag.parsers.pdf_lines import Line, Page, is_wide
from rag.types import Parsed

_MARGIN = 0.12  # share of a page's height at its top and bottom where headers and footers stand
_RECURS = 0.3  # share of the pages that a header stands on at least; odd and even pages may differ
_PAGE_NUMBER = re.compile(
    r"[-—–―·\s]{0,40}(?:第\s{0,9})?(?:\d{1,4}|[ivxlc]{1,7}|[一二三四五六七八九十百〇]{1,5})(?:\s{0,9}页)?"
    r"(?:\s{0,9}[/／，,共\s]{1,4}\s{0,9}\d{1,4}\s{0,9}页?)?[-—–―·\s]{0,40}",
    re.IGNORECASE,
)
_START = re.compile(
    r"第[零〇一二三四五六七八九十百千0-9]{1,7}[编章节条]|[一二三四五六七八九十]{1,3}、"
    r"|[（(][一二三四五六七八九十0-9]{1,3}[）)]|[0-9]{1,2}[.．、](?![0-9])|附件|附录|[①-⑳]"
)
_ENDS = re.compile(r"[。！？；：!?;:…][”’」』）)》]*$")
# A line that ends this far before the margin ends its paragraph: punctuation may hang one em
# over the margin, and take a character with it to the next line.
_SHORT_EMS = 2.4
_OTHER_SIZE = 0.12  # relative difference of size between lines that are not of one paragraph
_INDENT_EMS = 1.2
_MAX_INDENT_EMS = 3.5  # what stands further in is centred
_MARKED = 0.05  # share of indented or spaced lines above which a page marks its paragraphs so
_LOOSE = 1.3  # times the usual distance between lines that parts paragraphs
_HEADING_SIZE = 1.15  # times the body's size
_MAX_HEADING = 60


@dataclass(frozen=True, slots=True)
class _Column:
    """The margins of the lines around, their usual distance and size.

    `marked` says that paragraphs are told by their indent or by the space before them.
    """

    left: float = 0.0
    right: float = 0.0
    leading: float = 0.0
    size: float = 0.0
    marked: bool = True


def paragraphs(pages: Sequence[Page]) -> Parsed:
    """Join the lines of all pages into paragraphs."""
    kept = [_without_margins(page, recurring) for page, recurring in _with_recurring(pages)]
    lines = [line for page in kept for line in page]
    if not lines:
        return Parsed("")
    body = _body_size(lines)
    builder = Builder()
    title = _title(kept[0], body) if kept else ""
    levels = _levels(lines, body)
    for run in _paragraphs(kept):
        text = _join([line.text for line in run])
        level = levels.get(round(run[0].size), 0)
        heading = level > 0 and len(text) <= _MAX_HEADING and not text.endswith(("。", "；", "，"))
        builder.add(text, "heading" if heading else "paragraph", level if heading else 0)
    blank = [str(number) for number, page in enumerate(pages, 1) if not page.lines]
    if blank:
        builder.remark(f"第 {'、'.join(blank[:20])} 页没有文字，可能是扫描页或图片")
    return builder.parsed(title)


def plain_paragraphs(pages: Sequence[Sequence[str]]) -> Parsed:
    """Join lines of which no places are known."""
    builder = Builder()
    run: list[str] = []
    widest = max((len(line) for page in pages for line in page), default=0)
    for line in (line.strip() for page in pages for line in page):
        if run and (_ENDS.search(run[-1]) or len(run[-1]) < 0.8 * widest or not line):
            builder.add(_join(run))
            run = []
        if line and not _PAGE_NUMBER.fullmatch(line):
            run.append(line)
    builder.add(_join(run))
    builder.remark("用备用程序读取，段落划分可能不准")
    return builder.parsed()


def _with_recurring(pages: Sequence[Page]) -> Iterator[tuple[Page, set[tuple[str, int]]]]:
    seen: Counter[tuple[str, int]] = Counter()
    for page in pages:
        seen.update({_place(line, page) for line in page.lines if _in_margin(line, page)})
    least = max(2, round(_RECURS * len(pages)))
    recurring = {place for place, count in seen.items() if count >= least}
    for page in pages:
        yield page, recurring


def _place(line: Line, page: Page) -> tuple[str, int]:
    """A line's text without its digits, and which margin it stands in."""
    return re.sub(r"[\d\s]+", "#", line.text), int(line.bottom > page.height / 2)


def _in_margin(line: Line, page: Page) -> bool:
    return not _MARGIN * page.height < line.bottom < (1 - _MARGIN) * page.height


def _without_margins(page: Page, recurring: set[tuple[str, int]]) -> list[Line]:
    return [
        line
        for line in page.lines
        if not (
            _in_margin(line, page)
            and (_place(line, page) in recurring or _PAGE_NUMBER.fullmatch(line.text.strip()))
        )
    ]


def _body_size(lines: Sequence[Line]) -> float:
    sizes: Counter[int] = Counter()
    for line in lines:
        sizes[round(line.size)] += len(line.text)
    return float(sizes.most_common(1)[0][0])


def _levels(lines: Sequence[Line], body: float) -> dict[int, int]:
    """Heading levels by size, largest first; at most three."""
    sizes = sorted({round(line.size) for line in lines if line.size > _HEADING_SIZE * body}, reverse=True)
    return {size: level for level, size in enumerate(sizes[:3], 1)}


def _title(lines: Sequence[Line], body: float) -> str:
    """The largest lines of the first page, where they are larger than the body."""
    largest = max((line.size for line in lines), default=0.0)
    if largest <= _HEADING_SIZE * body:
        return ""
    from_first = list(dropwhile(lambda line: line.size <= 0.95 * largest, lines))
    number = next((i for i, line in enumerate(from_first) if i and _ends_title(line, largest)), None)
    title = _join([line.text for line in from_first[:number]])
    return title if len(title) <= 2 * _MAX_HEADING else ""


def _ends_title(line: Line, largest: float) -> bool:
    return line.size <= 0.95 * largest or _START.match(line.text) is not None


def _paragraphs(pages: Sequence[Sequence[Line]]) -> Iterator[list[Line]]:
    run: list[Line] = []
    for page in pages:
        columns = {number: _column([x for x in page if x.column == number]) for number in (0, 1, 2)}
        before: Line | None = None
        for line in page:
            column = columns[line.column]
            if run and _begins(run[-1], line, column, columns[run[-1].column], turned=before is None):
                yield run
                run = []
            run.append(line)
            before = line
    if run:
        yield run


def _column(lines: Sequence[Line]) -> _Column:
    if not lines:
        return _Column()
    gaps = [a.bottom - b.bottom for a, b in zip(lines, lines[1:], strict=False) if a.bottom > b.bottom]
    left = min(line.left for line in lines)
    size = statistics.median(line.size for line in lines)
    leading = statistics.median(gaps) if gaps else 0.0
    spaces = sum(_LOOSE * leading < gap for gap in gaps)
    indents = sum(_INDENT_EMS * size < line.left - left < _MAX_INDENT_EMS * size for line in lines)
    return _Column(
        left,
        max(line.right for line in lines),
        leading,
        size,
        indents + spaces > _MARKED * len(lines),
    )


def _begins(last: Line, line: Line, column: _Column, before: _Column, *, turned: bool) -> bool:
    """Tell whether a line begins a paragraph; `turned`: it is the first of its page."""
    size = max(last.size, line.size)
    if abs(last.size - line.size) > _OTHER_SIZE * size or _is_spaced(last, line, column, turned=turned):
        return True
    ended = bool(_ENDS.search(last.text))
    starts = bool(_START.match(line.text))
    large = line.size > _HEADING_SIZE * column.size
    if large or _are_centred(last, line, column):  # the lines of one heading
        return starts or ended
    if ended and (starts or not column.marked):
        return True
    if line.left - column.left > _INDENT_EMS * size and (ended or abs(line.left - last.left) > 0.5 * size):
        return True
    return (before.right or last.right) - last.right > _SHORT_EMS * size


def _is_spaced(last: Line, line: Line, column: _Column, *, turned: bool) -> bool:
    """Tell whether more than the usual distance parts two lines of one column."""
    usual = column.leading * max(1.0, line.size / (column.size or line.size))
    same_column = not turned and last.column == line.column
    return same_column and usual > 0 and last.bottom - line.bottom > _LOOSE * usual


def _are_centred(last: Line, line: Line, column: _Column) -> bool:
    """Tell whether two lines are one centred heading: about one middle, both away from the margins."""
    middle = abs((last.left + last.right) - (line.left + line.right)) / 2
    inner = min(
        last.left - column.left, line.left - column.left, column.right - last.right, column.right - line.right
    )
    return inner > _INDENT_EMS * line.size and middle < 0.5 * line.size


def _join(lines: Sequence[str]) -> str:
    """Join wrapped lines: a blank between Latin words, nothing between Chinese characters."""
    text = ""
    for line in (line.strip() for line in lines):
        if text and line and not is_wide(text[-1]) and not is_wide(line[0]):
            text = text[:-1] if text.endswith("-") and line[0].islower() else text + " "
        text += line
    return text
