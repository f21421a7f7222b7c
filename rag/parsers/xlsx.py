"""Excel workbooks (.xlsx): each sheet a heading and its rows as tables.

Values are those the program last calculated. Knows workbooks; formulas,
charts and hidden sheets are left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import BrokenFile, EmptyFile
from rag.parsers.build import Builder, one_line, table_line
from rag.parsers.guards import ZIP_MAGIC
from rag.types import Parsed

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

SUFFIXES: tuple[str, ...] = (".xlsx", ".xlsm")
NAME = "Excel 工作簿（.xlsx）"

_DEFAULT_NAMES = ("sheet", "工作表")  # followed by a number they say nothing


def accepts(head: bytes, suffix: str) -> bool:
    """Take ZIP archives with a workbook inside."""
    return head.startswith(ZIP_MAGIC) and b"xl/workbook" in head and suffix not in (".txt", ".md")


def parse(path: Path) -> Parsed:
    """Extract a workbook's visible sheets, row by row.

    Raises: EmptyFile where no cell has a value; BrokenFile.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    builder = Builder()
    titles: list[str] = []
    try:
        # Opened here: openpyxl leaves a file open that it cannot read.
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")  # openpyxl warns of every extension it leaves out
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            try:
                titles = [_add_sheet(builder, sheet) for sheet in book.worksheets]
            finally:
                book.close()
    except (InvalidFileException, KeyError, SyntaxError) as err:
        raise BrokenFile(name=path.name, reason="工作簿不完整") from err
    parsed = builder.parsed(next(filter(None, titles), ""))
    if not any(block.kind != "heading" for block in parsed.blocks):
        raise EmptyFile(name=path.name)
    return parsed


def _add_sheet(builder: Builder, sheet: Worksheet) -> str:
    """Add a sheet; return the title that stands alone in its first row, if one does."""
    if sheet.sheet_state != "visible":
        builder.remark(f"隐藏的工作表已略过：{sheet.title}")
        return ""
    if not hasattr(sheet, "iter_rows"):  # a sheet that is one chart
        return ""
    if hasattr(sheet, "reset_dimensions"):
        sheet.reset_dimensions()  # many programs declare a wrong extent
    tables = list(_tables(sheet.iter_rows()))
    if not tables:
        return ""
    if sheet.title.rstrip("0123456789").strip().lower() not in _DEFAULT_NAMES:
        builder.add(one_line(sheet.title), "heading", 1)
    for rows in tables:
        builder.add_table(rows)
    return tables[0][0][0] if len(tables[0][0]) == 1 else ""


def _tables(rows: Iterable[Iterable[Any]]) -> Iterator[list[list[str]]]:
    """Yield runs of rows with values; blank rows part them, blank cells at a row's end go."""
    run: list[list[str]] = []
    for row in rows:
        cells = [_shown(cell) for cell in row]
        while cells and not cells[-1].strip():
            cells.pop()
        if table_line(cells):
            run.append(cells)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _shown(cell: Any) -> str:
    """Write a value as the sheet shows it, as far as its number format is a common one."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        if str(cell.number_format).endswith("%"):
            return f"{value * 100:.10g}%"
        return f"{value:.15g}"
    if isinstance(value, int) and str(cell.number_format).endswith("%"):
        return f"{value * 100}%"
    return str(value)
