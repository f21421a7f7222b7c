"""Evaluation sets as workbooks: rows to plain values and back, and the template to fill in.

Cells become the values that a line of JSON would hold; whether these make a
case is for `cases`. Knows openpyxl and column names, no rules of cases.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import BadCases

JSON_COLUMNS = ("history",)
LIST_COLUMNS = ("answer_points", "gold_quotes")
MAX_UNPACKED = 500_000_000  # bytes; a workbook is a zip and may be a bomb
_ERRORS = ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!")
_TRUE, _FALSE = ("true", "是", "1", "yes"), ("false", "否", "0", "no")
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
_EXAMPLES: tuple[tuple[object, ...], ...] = (
    (
        "示例-01",
        "factoid",
        "",
        "党组织会议由谁召集？",
        "党组织书记",
        "党组织会议由党组织书记召集并主持。",
        True,
    ),
    (
        "示例-02",
        "multi-turn",
        '[{"role": "user", "content": "书记有哪些职责？"}]',
        "那校长呢？",
        "",
        "",
        True,
    ),
    ("示例-03", "unanswerable", "", "书记的工资是多少？", "", "", False),
)


def read_rows(
    path: Path, fields: Sequence[str], required: Sequence[str]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (row number as the sheet shows it, values by column) of the first sheet.

    The first row names the columns. Rows without any value are passed over.
    Raises: BadCases: not a workbook, or a heading or cell that cannot be read.
    """
    book = _open(path)
    try:
        rows = book.worksheets[0].iter_rows() if book.worksheets else iter(())
        header = _header(next(rows, ()), path.name, fields, required)
        for number, cells in enumerate(rows, 2):
            found = {header[i]: cell.value for i, cell in enumerate(cells) if i in header}
            stray = [c for i, c in enumerate(cells) if i not in header and c.value not in (None, "")]
            if stray:
                raise _fault(path.name, number, f"单元格 {stray[0].coordinate} 不在任何一列标题之下")
            if any(value not in (None, "") for value in found.values()):
                yield number, {name: _cell(name, v, path.name, number) for name, v in found.items()}
    finally:
        book.close()


def _open(path: Path) -> Any:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED:
                raise _fault(path.name, 1, "工作簿展开后太大")
        return load_workbook(path, read_only=True, data_only=True)
    except BadCases:
        raise
    except Exception as err:  # openpyxl raises whatever the broken part of the file leads to
        raise _fault(path.name, 1, "不是能读的 .xlsx 工作簿，请用表格软件另存为 .xlsx") from err


def _header(
    cells: Sequence[Any], name: str, fields: Sequence[str], required: Sequence[str]
) -> dict[int, str]:
    header: dict[int, str] = {}
    for i, cell in enumerate(cells):
        title = str(cell.value).strip() if cell.value is not None else ""
        if not title:
            continue
        if title not in fields:
            raise _fault(name, 1, f"不认识的列“{title}”，可用的列：{'、'.join(fields)}")
        if title in header.values():
            raise _fault(name, 1, f"列“{title}”出现了两次")
        header[i] = title
    if missing := [title for title in required if title not in header.values()]:
        raise _fault(name, 1, f"缺少列“{missing[0]}”")
    return header


def _cell(column: str, value: object, name: str, row: int) -> object:
    """Turn a cell into the value a line of JSON would hold."""
    if value in _ERRORS:
        raise _fault(name, row, f"列“{column}”是出错的公式（{value}）")
    if column == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # spreadsheets turn a numbered id into a number
    if column == "answerable":
        return _flag(value)
    if column in LIST_COLUMNS or column in JSON_COLUMNS:
        return _list(column, value, name, row)
    return "" if value is None else value


def _flag(value: object) -> object:
    if isinstance(value, int | str) and not isinstance(value, bool):
        text = str(value).strip().lower()
        return True if text in _TRUE else False if text in _FALSE else value
    return value


def _list(column: str, value: object, name: str, row: int) -> object:
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if not isinstance(value, str):
        return value
    if column in JSON_COLUMNS or value.lstrip().startswith('["'):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as err:
            raise _fault(name, row, f"列“{column}”不是正确的 JSON") from err
    return [line.strip() for line in value.splitlines() if line.strip()]


def _fault(name: str, row: int, reason: str) -> BadCases:
    return BadCases(name=name, row=row, reason=reason)


def write_template(path: Path, fields: Sequence[str], kinds: Mapping[str, str]) -> None:
    """Write a workbook to fill in: headings with notes, three examples, lists to choose from.

    Args:
        path: where to write it; replaced if it is there.
        fields: the columns in order.
        kinds: the kinds of case and their Chinese names.
    """
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    sheet.title = "题目"
    for column, field in enumerate(fields, 1):
        letter = get_column_letter(column)
        cell = sheet.cell(1, column, field)
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="17574D")
        cell.comment = Comment(_HELP[field], "领学")
        sheet.column_dimensions[letter].width = _WIDTHS.get(field, 16)
        choices = {"kind": ",".join(kinds), "answerable": "TRUE,FALSE"}.get(field)
        if choices:
            rule = DataValidation(type="list", formula1=f'"{choices}"', allow_blank=False)
            sheet.add_data_validation(rule)
            rule.add(f"{letter}2:{letter}2000")
    for row, example in enumerate(_EXAMPLES, 2):
        for column, value in enumerate(example, 1):
            cell = sheet.cell(row, column, value)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"
    guide = book.create_sheet("说明")
    guide.column_dimensions["A"].width, guide.column_dimensions["B"].width = 20, 90
    for line in (("列", "怎么填"), *_HELP.items(), ("", ""), ("kind", "题型"), *kinds.items()):
        guide.append(line)
    book.save(path)
