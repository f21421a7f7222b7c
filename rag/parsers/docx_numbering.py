"""Word's automatic numbering, counted out into the text a reader sees.

Word keeps `第一条` as a counter and a pattern (numbering.xml); this module
plays the counters in document order. Rules: ECMA-376 part 1, 17.9. Knows
numbering definitions, not paragraphs' text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.parsers.ooxml import child, children, is_on, value

if TYPE_CHECKING:
    from lxml.etree import _Element

LEVELS = 9
_DIGITS = "〇一二三四五六七八九"
_FORMAL = "零壹贰叁肆伍陆柒捌玖"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a list: how it counts and how its number is written."""

    start: int = 1
    form: str = "decimal"
    pattern: str = ""
    suffix: str = "tab"
    restart: int | None = None
    legal: bool = False
    style: str = ""


class Numbering:
    """The lists of one document and their counters.

    `links` gives the list id that a numbering style stands for (w:numStyleLink).
    """

    def __init__(self, root: _Element | None, links: dict[str, str]) -> None:
        self._abstract: dict[str, list[Level]] = {}
        self._lists: dict[str, str] = {}
        self._own: dict[str, dict[int, Level]] = {}
        self._fresh: dict[str, dict[int, int]] = {}
        self._counters: dict[str, list[int | None]] = {}
        linked = {a.get(_ID): value(a, "numStyleLink") for a in children(root, "abstractNum")}
        for abstract in children(root, "abstractNum"):
            self._abstract[abstract.get(_ID, "")] = _levels(abstract)
        for number in children(root, "num"):
            self._read_list(number)
        for number_id, abstract_id in list(self._lists.items()):
            style = linked.get(abstract_id)
            target = self._lists.get(links.get(style, "")) if style else None
            self._lists[number_id] = target or abstract_id

    def _read_list(self, number: _Element) -> None:
        number_id = number.get(_NUM_ID, "")
        abstract_id = value(number, "abstractNumId") or ""
        self._lists[number_id] = abstract_id
        for override in children(number, "lvlOverride"):
            index = _integer(override.get(_ILVL), 0)
            start = value(override, "startOverride")
            if start is not None:
                self._fresh.setdefault(number_id, {})[index] = _integer(start, 1)
            own = child(override, "lvl")
            if own is not None:
                self._own.setdefault(number_id, {})[index] = _level(own)

    def level_of_style(self, number_id: str, style: str) -> int:
        """Return the level whose paragraphs have a style, 0 where none names it."""
        levels = self._abstract.get(self._lists.get(number_id, ""), [])
        return next((index for index, level in enumerate(levels) if level.style == style), 0)

    def pattern(self, number_id: str, index: int) -> Level | None:
        """Return the definition of a list's level."""
        own = self._own.get(number_id, {}).get(index)
        levels = self._abstract.get(self._lists.get(number_id, ""), [])
        return own or (levels[index] if index < len(levels) else None)

    def count(self, number_id: str, index: int) -> str:
        """Count one paragraph and return its number as printed, with what separates it from the text."""
        level = self.pattern(number_id, index)
        if level is None:
            return ""
        counters = self._counters.setdefault(self._lists[number_id], [None] * LEVELS)
        self._restart_fresh(number_id, index, counters)
        for outer in range(index):
            if counters[outer] is None:
                counters[outer] = self._start(number_id, outer)
        current = counters[index]
        counters[index] = self._start(number_id, index) if current is None else current + 1
        for deeper in range(index + 1, LEVELS):
            below = self.pattern(number_id, deeper)
            if below is None or below.restart is None or index < below.restart:  # 0: never restarts
                counters[deeper] = None
        return _separated(self._written(number_id, level, counters), level.suffix)

    def _restart_fresh(self, number_id: str, index: int, counters: list[int | None]) -> None:
        """Apply startOverride, which works once, at the first paragraph of its list."""
        fresh = self._fresh.get(number_id, {})
        for overridden in [one for one in fresh if one <= index]:
            counters[overridden:] = [None] * (LEVELS - overridden)
            counters[overridden] = fresh.pop(overridden) - (1 if overridden == index else 0)

    def _start(self, number_id: str, index: int) -> int:
        level = self.pattern(number_id, index)
        return level.start if level else 1

    def _written(self, number_id: str, level: Level, counters: list[int | None]) -> str:
        if level.form == "bullet":
            return ""

        def number(match: re.Match[str]) -> str:
            place = int(match[1]) - 1
            shown = self.pattern(number_id, place)
            form = shown.form if shown else "decimal"
            if level.legal and form not in ("none", "decimalZero"):
                form = "decimal"
            return written(counters[place] or 0, form)

        return re.sub("%([1-9])", number, level.pattern)


_ID = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}abstractNumId"
_NUM_ID = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}numId"
_ILVL = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}ilvl"


def _levels(abstract: _Element) -> list[Level]:
    found = {_integer(level.get(_ILVL), 0): _level(level) for level in children(abstract, "lvl")}
    return [found.get(index, Level()) for index in range(max(found, default=-1) + 1)]


def _level(element: _Element) -> Level:
    restart = value(element, "lvlRestart")
    return Level(
        start=_integer(value(element, "start"), 0),
        form=value(element, "numFmt") or "decimal",
        pattern=value(element, "lvlText") or "",
        suffix=value(element, "suff") or "tab",
        restart=None if restart is None else _integer(restart, 0),
        legal=is_on(child(element, "isLgl")),
        style=value(element, "pStyle") or "",
    )


def _integer(text: str | None, otherwise: int) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,9}", text) else otherwise


def _separated(number: str, suffix: str) -> str:
    """Part a number from the text as print does: nothing after 、 and ）, else a blank."""
    if not number or suffix == "nothing" or number[-1] in "、）)．：:　 ":
        return number
    return number + " "


def chinese(number: int, digits: str = "零一二三四五六七八九", units: str = "十百千万") -> str:
    """Write a number below 100,000 in Chinese.

    >>> chinese(15), chinese(101), chinese(2022)
    ('十五', '一百零一', '二千零二十二')
    """
    if not 0 < number < 100_000:
        return digits[0] if number == 0 else str(number)
    text = ""
    for place in range(4, -1, -1):
        digit = number // 10**place % 10
        if digit:
            text += digits[digit] + (units[place - 1] if place else "")
        elif text and not text.endswith(digits[0]):
            text += digits[0]
    text = text.rstrip(digits[0])
    return text[1:] if text.startswith("一十") else text


def _letters(number: int, first: str) -> str:
    """Word repeats letters past the alphabet: z, aa, bb."""
    return chr(ord(first) + (number - 1) % 26) * ((number - 1) // 26 + 1) if number > 0 else ""


def _roman(number: int) -> str:
    text = ""
    for worth, letters in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    ):
        text += letters * (number // worth if number > 0 else 0)
        number %= worth
    return text


def _from(first: str, last: int) -> Callable[[int], str]:
    """Consecutive code points from `first` for 1 to `last`, digits beyond."""
    return lambda number: chr(ord(first) + number - 1) if 0 < number <= last else str(number)


def _of(characters: str) -> Callable[[int], str]:
    """The characters in turn, digits beyond the last one."""
    return lambda number: characters[number - 1] if 0 < number <= len(characters) else str(number)


def _digit_by_digit(digits: str) -> Callable[[int], str]:
    return lambda number: "".join(digits[int(digit)] for digit in str(number))


def _counting(number: int) -> str:
    """chineseCounting: words up to 99, digit by digit from 100."""
    return chinese(number) if number < 100 else _digit_by_digit(_DIGITS)(number)


# japaneseCounting is what Chinese Word writes for 一、二、三; above 99 the Chinese way of
# saying it is kept (一百零一), which is how the articles are cited.
_FORMS: dict[str, Callable[[int], str]] = {
    "decimalZero": lambda number: f"{number:02d}",
    "upperRoman": lambda number: _roman(number).upper(),
    "lowerRoman": _roman,
    "upperLetter": lambda number: _letters(number, "A"),
    "lowerLetter": lambda number: _letters(number, "a"),
    "chineseCounting": _counting,
    "taiwaneseCounting": _counting,
    "chineseCountingThousand": chinese,
    "taiwaneseCountingThousand": chinese,
    "japaneseCounting": chinese,
    "koreanCounting": chinese,
    "ideographDigital": _digit_by_digit(_DIGITS),
    "japaneseDigitalTenThousand": _digit_by_digit(_DIGITS),
    "taiwaneseDigital": _digit_by_digit(_DIGITS),
    "chineseLegalSimplified": lambda number: chinese(number, _FORMAL, "拾佰仟萬"),
    "japaneseLegal": lambda number: chinese(number, _FORMAL, "拾佰仟萬"),
    "ideographLegalTraditional": lambda number: chinese(number, "零壹貳參肆伍陸柒捌玖", "拾佰仟萬"),
    "ideographTraditional": _of(_STEMS),
    "ideographZodiac": _of(_BRANCHES),
    "decimalEnclosedCircle": _from("①", 20),
    "decimalEnclosedCircleChinese": _from("①", 20),
    "decimalEnclosedParen": _from("⑴", 20),
    "decimalEnclosedFullstop": _from("⒈", 20),
    "ideographEnclosedCircle": _from("㊀", 10),
    "decimalFullWidth": lambda number: str(number).translate(_FULL_WIDTH),
    "decimalFullWidth2": lambda number: str(number).translate(_FULL_WIDTH),
    "none": lambda number: "",
    "bullet": lambda number: "",
}


def written(number: int, form: str) -> str:
    """Write a number in one of Word's number formats (ST_NumberFormat); unknown ones as digits.

    >>> written(12, "chineseCounting"), written(4, "lowerRoman"), written(3, "decimalEnclosedCircle")
    ('十二', 'iv', '③')
    """
    return _FORMS.get(form, str)(number)
