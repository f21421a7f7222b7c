"""Addresses that serve what evaluations made: reports, tables, plots, the template of a set.

Only files that a filed run has under its known names are served. Knows where
runs are filed; makes nothing of them itself.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import Request

from rag.web.gate import user_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.responses import Response

    from rag.assistant import Assistant

BASE = "evaluation"  # below the page's own address
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = {
    "report.html": "text/html; charset=utf-8",
    "metrics.svg": "image/svg+xml",
    "kinds.svg": "image/svg+xml",
    "results.json": "application/json",
    "cases.csv": "text/csv; charset=utf-8",
    "cases.xlsx": XLSX,
    "junit.xml": "application/xml",
}
SHOWN = ("report.html", "metrics.svg", "kinds.svg")  # opened in the browser; the rest is saved
# A plot is an image and runs nothing; were it opened by itself, it still could not.
_PLOT = "default-src 'none'; style-src 'unsafe-inline'"


def address(run: str, file: str) -> str:
    """Return the address of a file of a run, relative to the page's."""
    return f"{BASE}/runs/{quote(run)}/{file}"


def add_reports(app: FastAPI, assistant: Assistant) -> None:
    """Add the addresses to the app."""
    data_dir = assistant.settings.data_dir

    @app.get(f"/{BASE}/runs/{{run}}/{{file}}", response_model=None)
    def of_run(run: str, file: str) -> Response:
        return _file_of(data_dir, run, file)

    @app.get(f"/{BASE}/compare.svg", response_model=None)
    def compared(before: str, after: str) -> Response:
        return _comparison(data_dir, before, after)

    @app.get(f"/{BASE}/template.xlsx", response_model=None)
    def template() -> Response:
        from eval.workbook import write_template

        return _made(data_dir, "题集模板.xlsx", write_template)

    @app.get(f"/{BASE}/collected.xlsx", response_model=None)
    def collected(request: Request) -> Response:
        from eval import collect
        from eval.workbook import write_cases

        if assistant.settings.login_required and not user_of(request).is_admin:
            return _missing()  # other people's questions are for the administrator to see
        cases = collect.as_cases(assistant.records.feedback.cases())
        return _made(data_dir, "问答里收集的题.xlsx", lambda path: write_cases(path, cases))


def _file_of(data_dir: Path, run: str, file: str) -> Response:
    from fastapi.responses import FileResponse

    from eval.report import policy

    found = _folder(data_dir, run)
    if found is None or file not in TYPES or not (found / file).is_file():
        return _missing()
    headers = {"Cache-Control": "no-store"}
    if file in SHOWN:
        own = policy() if file == "report.html" else _PLOT
        headers["Content-Security-Policy"] = f"{own}; frame-ancestors 'none'"
        return FileResponse(found / file, media_type=TYPES[file], headers=headers)
    name = f"{run}-{file}"
    return FileResponse(found / file, media_type=TYPES[file], headers=headers, filename=name)


def _folder(data_dir: Path, run: str) -> Path | None:
    """Return the folder of a filed run by its name; a name that is none leads nowhere."""
    from eval.filing import filed_runs

    return next((filed.folder for filed in filed_runs(data_dir) if filed.folder.name == run), None)


def _comparison(data_dir: Path, before: str, after: str) -> Response:
    from fastapi.responses import Response

    from eval.compare import compare, load_results
    from eval.plots import comparison_svg
    from rag.errors import LingxueError

    folders = [_folder(data_dir, run) for run in (before, after)]
    try:
        results = [load_results(folder) for folder in folders if folder]
        drawn = comparison_svg(compare(*results)) if len(results) == len(folders) else ""
    except LingxueError:
        drawn = ""
    if not drawn:
        return _missing()
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _PLOT}
    return Response(drawn, media_type="image/svg+xml", headers=headers)


def _made(data_dir: Path, name: str, write: Callable[[Path], None]) -> Response:
    from fastapi.responses import FileResponse

    from rag.web.files import new_folder

    path = new_folder(data_dir, "set") / name
    write(path)
    return FileResponse(path, media_type=XLSX, filename=name)


def _missing() -> Response:
    from fastapi.responses import PlainTextResponse

    return PlainTextResponse("找不到这个文件，可能已被删除。请回到评测页重新选择。", 404)
