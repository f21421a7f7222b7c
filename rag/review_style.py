"""How a draft is written: empty talk, templates, whose voice it is, unfilled slots, levels of headings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.headings import chinese_number
from rag.outline_text import SLOT, numeral
from rag.prompting import Role
from rag.review_finding import Finding, Manuscript
from rag.review_rules import Rules

SHORTEST = 8  # characters of a sentence that can be empty talk; a shorter one is a turn, not a claim
DASHES = 3  # in one paragraph
_PARALLEL = "三连排比"
_CLAUSES = re.compile(r"[^，,；;。！？!?、\n]+")
_COUNTED = re.compile(r"^(?:第?[一二三四五六七八九十\d]|有人|有的)")
_LEVELS = (
    re.compile(r"(?P<n>[一二三四五六七八九十]{1,3})、"),
    re.compile(r"（(?P<n>[一二三四五六七八九十]{1,3})）"),
    re.compile(r"(?P<n>\d{1,2})[.．、](?!\d)"),
    re.compile(r"（(?P<n>\d{1,2})）"),
)
_FORMS = ("{}、", "（{}）", "{}.", "（{}）")


def phrases(paper: Manuscript, rules: Rules) -> Iterator[Finding]:
    """Find the turns of phrase that the rules list."""
    for rule in rules.rules:
        for match in rule.pattern.finditer(paper.body):
            start, end = match.span()
            sentence = paper.body[start:end] if rule.across else paper.sentence_at(start)
            excused = rule.not_if and rule.not_if.search(sentence)
            if not excused and (rule.in_titles or not paper.in_title(start, end)):
                yield Finding(rule.kind, start, end, rule.reason, rule.suggestion)


def parallels(paper: Manuscript) -> Iterator[Finding]:
    """Find three clauses in a row that are built alike, and paragraphs strewn with dashes."""
    for start, end in paper.prose:
        spans = [match.span() for match in _CLAUSES.finditer(paper.body, start, end)]
        for first, second, third in zip(spans, spans[1:], spans[2:], strict=False):
            if _alike([paper.body[slice(*span)].strip() for span in (first, second, third)]):
                advice = "留一句最实的，其余换成例子"
                yield Finding("template", first[0], third[1], _PARALLEL, advice)
                break
    for line in re.finditer(r"[^\n]+", paper.body):
        dashes = list(re.finditer("——", line[0]))
        if len(dashes) >= DASHES:
            span = line.start() + dashes[0].start(), line.start() + dashes[-1].end()
            yield Finding("template", *span, "一段里破折号太多", "把插进去的话另写成句")


def _alike(clauses: Sequence[str]) -> bool:
    if any(not 4 <= len(clause) <= 20 or _COUNTED.match(clause) for clause in clauses):
        return False
    if len(set(clauses)) < len(clauses):
        return False
    pairs = [{a[i] == b[i] for i in range(2)} == {True} for a, b in zip(clauses, clauses[1:], strict=False)]
    close = max(map(len, clauses)) - min(map(len, clauses)) <= 3
    if close and all(pairs):
        return True
    same = sum(len(set(column)) == 1 for column in zip(*clauses, strict=False))
    equal = len(set(map(len, clauses))) == 1
    return equal and same >= 3 and len({clause[0] for clause in clauses}) == 1


def voices(paper: Manuscript, rules: Rules, role: Role | None) -> Iterator[Finding]:
    """Find words that the writer's role cannot say; without a role only what nobody should."""
    told: list[tuple[int, int]] = []
    for voice in rules.voices:
        if (role is None and voice.roles) or (role and role.name in voice.roles):
            continue
        for match in voice.pattern.finditer(paper.body):
            if not paper.in_quotes(*match.span()):
                told.append(match.span())
                yield _out_of_voice(match.span(), f"这是{voice.said}的口气", role)
    for word in role.forbidden if role else ():
        for match in re.finditer(re.escape(word), paper.body):
            start, end = match.span()
            if not paper.in_quotes(start, end) and not any(a < end and start < b for a, b in told):
                yield _out_of_voice((start, end), f"“{word}”不是{role.name if role else ''}的说法", role)


def _out_of_voice(span: tuple[int, int], reason: str, role: Role | None) -> Finding:
    if role is None:
        return Finding("voice", *span, reason, "写清由哪个会、哪个岗位定")
    selves = "”“".join(role.selves)
    whose = f"，与“{role.name}”的身份不合"
    return Finding("voice", *span, reason + whose, f"核对身份；以“{role.name}”写稿自称“{selves}”")


def empty(paper: Manuscript, rules: Rules) -> list[Finding]:
    """Find sentences of slogans without a doer, a time, an object or a deed."""
    table = rules.tables["empty"]
    slogans, many = list(table["slogans"]), int(table["many"])
    concrete, persons = rules.pattern("empty", "concrete"), rules.pattern("empty", "persons")
    found = []
    for start, end in paper.prose:
        said = paper.body[start:end]
        for term in rules.set_terms:
            said = said.replace(term, "")
        count = sum(word in said for word in slogans)
        enough = many if persons.search(said) else 1
        if len(said) >= SHORTEST and count >= enough and not concrete.search(said):
            found.append(Finding("empty", start, end, str(table["reason"]), str(table["suggestion"])))
    return found


def blanks(paper: Manuscript, rules: Rules) -> Iterator[Finding]:
    """Find slots that are not filled in."""
    table = rules.tables["blank"]
    for match in SLOT.finditer(paper.body):
        yield Finding("blank", *match.span(), str(table["reason"]), str(table["suggestion"]))


def levels(paper: Manuscript, rules: Rules, marked: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    """Find headings that skip a level, and numbers that skip or come twice.

    `marked` are (start, level) of headings that the file's format marks; they
    count where the text itself has no numbers.
    """
    table = rules.tables["level"]
    counts = [0] * len(_LEVELS)
    given = [0] * len(_LEVELS)  # as printed: after a gap either count may go on
    before = (0, "")
    for start, end, level, number in _numbered(paper.body):
        now = paper.body[start:end]
        jumped = bool(before[1]) and level > before[0] + 1
        expected = counts[level] + 1
        right = _form(level, expected)
        if jumped:
            reason = str(table["jump_reason"]).format(before=before[1], now=now)
            yield Finding("level", start, end, reason, str(table["jump_suggestion"]))
            expected = number
        elif number not in (expected, given[level] + 1, 1):
            reason = str(table["gap_reason"]).format(before=before[1] or "开头", now=now)
            yield Finding("level", start, end, reason, str(table["gap_suggestion"]).format(right=right))
        counts[level] = number if number in (1, given[level] + 1) else expected
        given[level] = number
        counts[level + 1 :] = given[level + 1 :] = [0] * (len(counts) - level - 1)
        before = (level, now)
    if not before[1]:
        yield from _marked(paper, rules, marked)


def _numbered(body: str) -> Iterator[tuple[int, int, int, int]]:
    """The numbered lines: start and end of the number, its level from 0, its value."""
    for line in re.finditer(r"(?m)^[ \t\u3000#*]*(?=[^\s#*])", body):
        for level, pattern in enumerate(_LEVELS):
            match = pattern.match(body, line.end())
            if match:
                said = match["n"]
                yield *match.span(), level, int(said) if said.isdecimal() else chinese_number(said)
                break


def _marked(paper: Manuscript, rules: Rules, marked: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    table = rules.tables["level"]
    before = 0
    for start, level in marked:
        end = paper.body.find("\n", start) if "\n" in paper.body[start:] else len(paper.body)
        if before and level > before + 1 and start < end:
            reason = str(table["jump_reason"]).format(before=f"{before}级标题", now=f"{level}级标题")
            yield Finding("level", start, end, reason, str(table["jump_suggestion"]))
        before = level


def _form(level: int, number: int) -> str:
    return _FORMS[level].format(numeral(number) if level < 2 else number)
