"""Evaluation sets as workbooks: rows to plain values; `workbook` writes what this reads.

Cells become the values that a line of JSON would hold; whether these make a
case is for `cases`. Knows openpyxl and column names, no rules of cases.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from eval.places import Place
from rag.errors import BadCases

JSON_COLUMNS = ("history",)
LIST_COLUMNS = ("answer_points", "gold_quotes")
MAX_UNPACKED = 500_000_000  # bytes; a workbook is a zip and may be a bomb
_ERRORS = ("#REF!", "#N/A", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!")
_TRUE, _FALSE = ("true", "是", "1", "yes"), ("false", "否", "0", "no")
_CHINESE = {
    "编号": "id",
    "题型": "kind",
    "此前的对话": "history",
    "问题": "question",
    "答案要点": "answer_points",
    "标准出处": "gold_quotes",
    "资料里有没有答案": "answerable",
}


def read_rows(
    path: Path, fields: Sequence[str], required: Sequence[str], kinds: Mapping[str, str]
) -> Iterator[tuple[Place, Callable[[], Mapping[str, Any]]]]:
    """Yield, for each row of the first sheet, its place and what reads its values by field.

    The first row names the columns, by field or by the field's Chinese name.
    Rows without any value are passed over. Reading a row raises BadCases for
    a cell that cannot be read. `kinds` are the Chinese names of kinds, which
    may stand for them.
    Raises: BadCases: not a workbook, or a heading that cannot be used.
    """
    with closing(_open(path)) as book, closing(_sheet(book, path.name)) as rows:
        header = _header(next(rows, ()), path.name, fields, required)
        codes = {name: kind for kind, name in kinds.items()}
        letters = {name: _letter(i) for i, name in header.items()}
        for number, cells in enumerate(rows, 2):
            if any(cell.value not in (None, "") for cell in cells):
                place = Place(path.name, number, letters)
                yield place, partial(_values, list(cells), header, place, codes)


def _sheet(book: Any, name: str) -> Generator[Sequence[Any], None, None]:
    """Yield the rows of the first sheet; it is only read as it is asked for, so it may break on the way."""
    if not book.worksheets:
        raise Place(name).fault("工作簿里没有工作表")
    number = 0
    with closing(book.worksheets[0].iter_rows()) as rows:
        try:
            for cells in rows:
                number += 1
                yield cells
        except Exception as err:  # openpyxl raises whatever the broken part of the file leads to
            raise Place(name, number + 1).fault("从这一行起读不出来，请用表格软件另存为 .xlsx") from err


def _letter(index: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(index + 1))


def _values(
    cells: Sequence[Any], header: Mapping[int, str], place: Place, codes: Mapping[str, str]
) -> Mapping[str, Any]:
    stray = [i for i, cell in enumerate(cells) if i not in header and cell.value not in (None, "")]
    if stray:
        raise place.fault(f"单元格 {_letter(stray[0])}{place.row} 不在任何一列标题之下")
    given = {header[i]: cell.value for i, cell in enumerate(cells) if i in header}
    values = {name: _cell(name, value, place) for name, value in given.items()}
    if isinstance(kind := values.get("kind"), str):
        values["kind"] = codes.get(kind.strip(), kind)
    return values


def _open(path: Path) -> Any:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED:
                raise Place(path.name).fault("工作簿展开后太大")
        return load_workbook(path, read_only=True, data_only=True)
    except BadCases:
        raise
    except Exception as err:  # openpyxl raises whatever the broken part of the file leads to
        raise Place(path.name).fault("不是能读的 .xlsx 工作簿，请用表格软件另存为 .xlsx") from err


def _header(
    cells: Sequence[Any], name: str, fields: Sequence[str], required: Sequence[str]
) -> dict[int, str]:
    header: dict[int, str] = {}
    place = Place(name)
    for i, cell in enumerate(cells):
        title = str(cell.value).strip() if cell.value is not None else ""
        title = _CHINESE.get(title, title)
        if not title:
            continue
        if title not in fields:
            raise place.fault(f"{_letter(i)} 列：不认识的列“{title}”，可用的列：{'、'.join(fields)}")
        if title in header.values():
            raise place.fault(f"{_letter(i)} 列：列“{title}”出现了两次")
        header[i] = title
    if missing := [title for title in required if title not in header.values()]:
        raise place.fault(f"缺少列“{missing[0]}”")
    return header


def _cell(column: str, value: object, place: Place) -> object:
    """Turn a cell into the value a line of JSON would hold."""
    if value in _ERRORS:
        raise place.fault(f"列“{column}”是出错的公式（{value}）", column)
    if column == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # spreadsheets turn a numbered id into a number
    if column == "answerable":
        return _flag(value)
    if column in LIST_COLUMNS or column in JSON_COLUMNS:
        return _list(column, value, place)
    return "" if value is None else value


def _flag(value: object) -> object:
    if isinstance(value, int | str) and not isinstance(value, bool):
        text = str(value).strip().lower()
        return True if text in _TRUE else False if text in _FALSE else value
    return value


def _list(column: str, value: object, place: Place) -> object:
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if not isinstance(value, str):
        return value
    if column in JSON_COLUMNS or value.lstrip().startswith('["'):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as err:
            raise place.fault(f"列“{column}”不是正确的 JSON", column) from err
    return [line.strip() for line in value.splitlines() if line.strip()]
