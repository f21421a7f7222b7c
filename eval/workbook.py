"""Workbooks that are written: the template to fill in, a set of cases, the results of a run.

What is written as a set reads back through `sheets`. Knows openpyxl; computes nothing.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.cases import FIELDS, KIND_NAMES, Case
from eval.files import case_rows, legal
from eval.metrics import METRICS
from eval.outcome import Outcome

MAX_CELL = 32_767  # characters; Excel refuses a file with a longer cell
LAST_ROW = 2000  # how far the template's lists to choose from go
_HELP = {
    "id": "编号，每题一个，不重复",
    "kind": "题型，从下拉列表里选",
    "history": '此前的对话，JSON；没有就留空。如 [{"role": "user", "content": "书记负责什么？"}]',
    "question": "老师会怎么问，就怎么写",
    "answer_points": "答案必须说到的要点，一行一个（Alt+Enter 换行）",
    "gold_quotes": "资料里的原句，一行一句，照抄，不要改字",
    "answerable": "资料里有没有答案：TRUE 或 FALSE",
}
_WIDTHS = {"history": 30, "question": 40, "answer_points": 40, "gold_quotes": 60}
_WIDE = {"问题": 40, "回答": 60, "出处": 60, "标准出处": 50, "答案要点": 30}
_TURN = '[{"role": "user", "content": "书记有哪些职责？"}]'
_EXAMPLES: tuple[tuple[object, ...], ...] = (
    ("示例-01", "factoid", "", "党组织会议由谁召集？", "书记", "党组织会议由党组织书记召集并主持。", True),
    ("示例-02", "multi-turn", _TURN, "那校长呢？", "校长", "", True),
    ("示例-03", "unanswerable", "", "书记的工资是多少？", "", "", False),
)  # fmt: skip


def write_template(path: Path) -> None:
    """Write a workbook to fill in: headings with notes, three examples, lists to choose from."""
    _write_set(path, _EXAMPLES)


def write_cases(path: Path, cases: Sequence[Case]) -> None:
    """Write cases as a workbook that reads back as the same set."""
    _write_set(path, map(_row, cases))


def _row(case: Case) -> tuple[object, ...]:
    history = [{"role": turn.role, "content": turn.content} for turn in case.history]
    return (
        case.id,
        case.kind,
        json.dumps(history, ensure_ascii=False) if history else "",
        case.question,
        _lines(case.answer_points),
        _lines(case.gold_quotes),
        case.answerable,
    )


def _lines(texts: Sequence[str]) -> str:
    """One text a line; as JSON where a text has lines of its own or outer spaces."""
    plain = all(text == text.strip() and len(text.splitlines()) == 1 for text in texts)
    starts_json = bool(texts) and texts[0].startswith('["')
    return "\n".join(texts) if plain and not starts_json else json.dumps(list(texts), ensure_ascii=False)


def _write_set(path: Path, rows: Iterable[Sequence[object]]) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment

    book = Workbook()
    sheet = book.active
    sheet.title = "题目"
    _headings(sheet)
    for number, row in enumerate(rows, 2):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column)
            _fill(cell, value)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    guide = book.create_sheet("说明")
    guide.column_dimensions["A"].width, guide.column_dimensions["B"].width = 20, 90
    for line in (("列", "怎么填"), *_HELP.items(), ("", ""), ("kind", "题型"), *KIND_NAMES.items()):
        guide.append(line)
    _save(book, path)


def _headings(sheet: Any) -> None:
    from openpyxl.comments import Comment
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    _head(sheet, FIELDS, _WIDTHS)
    for column, field in enumerate(FIELDS, 1):
        letter = get_column_letter(column)
        sheet.cell(1, column).comment = Comment(_HELP[field], "领学")
        choices = {"kind": ",".join(KIND_NAMES), "answerable": "TRUE,FALSE"}.get(field)
        if choices:
            rule = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=False)
            sheet.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}{LAST_ROW}")


def write_results(path: Path, results: Mapping[str, Any], outcomes: Sequence[Outcome]) -> None:
    """Write a run as a workbook: one sheet of metrics, one of cases with filters."""
    from openpyxl import Workbook

    book = Workbook()
    totals = book.active
    totals.title = "指标"
    _head(totals, ("指标", "名称", "得分", "95% 区间下限", "95% 区间上限", "计分题数", "算法"), {"算法": 80})
    for name, total in results["metrics"].items():
        low, high = total["ci95"] or (None, None)
        metric = METRICS[name]
        totals.append([metric.label, name, total["value"], low, high, total["scored"], metric.description])
    cases = book.create_sheet("逐题")
    heading, *rows = case_rows(outcomes)
    _head(cases, heading, _WIDE)
    for number, row in enumerate(rows, 2):
        for column, value in enumerate(row, 1):
            _fill(cases.cell(number, column), value)
    cases.auto_filter.ref = cases.dimensions
    _save(book, path)


def _head(sheet: Any, titles: Sequence[str], widths: Mapping[str, int]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    for column, title in enumerate(titles, 1):
        cell = sheet.cell(1, column, title)
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="17574D")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(column)].width = widths.get(title, 16)
    sheet.freeze_panes = "A2"


def _fill(cell: Any, value: object) -> None:
    """Put a value into a cell; text stays text, whatever it begins with."""
    if value in (None, ""):
        return
    if isinstance(value, str):
        cell.value, cell.data_type = legal(value)[:MAX_CELL], "s"
    else:
        cell.value = value


def _save(book: Any, path: Path) -> None:
    """Save whole or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        book.save(made)
        made.replace(path)
