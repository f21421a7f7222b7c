"""The 资料库 screen: its addresses.

What is kept and searched is the assistant's, the look is `library_view`'s.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse

from rag.config import shipped_dir
from rag.errors import LingxueError
from rag.parsers import supported_suffixes
from rag.reasons import why
from rag.web.background import Background
from rag.web.fragments import admin_only, screen, told
from rag.web.gate import user_of
from rag.web.jobs import Report
from rag.web.library_view import document_html, job_html, library_html, official_html, undo_html

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.upkeep import IndexReport

TITLE = "资料库"
MAX_BYTES = 50 * 2**20  # of one file
BLOCK = 2**20
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]')  # also what turns names around
_Text = Annotated[str, Form()]


class Library:
    """What the addresses do."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self.job: Background[IndexReport] = Background()
        self._waiting: list[Path] = []

    def start(self, request: Request, message: str = "") -> HTMLResponse:
        """Return the list, under a message (HTML)."""
        documents = self.assistant.documents
        admin = user_of(request).is_admin
        body = library_html(
            documents.listed(),
            admin=admin,
            message=message + (job_html(self.job.state) if admin else ""),
            removed=documents.removed(),
            suffixes=supported_suffixes(),
        )
        if not self.job.working:
            self.job.state = None  # its result has been shown
        return screen(TITLE, body)

    def document(self, request: Request, source_id: str, section: int, message: str = "") -> HTMLResponse:
        """Return one document."""
        documents = self.assistant.documents
        found = next((d for d in documents.listed() if d.id == source_id), None)
        body = document_html(
            self.assistant.source(source_id),
            found.collection if found else "",
            documents.collections(),
            admin=user_of(request).is_admin and found is not None,
            at=section,
            message=message,
        )
        return screen(TITLE, body)

    def note(self, request: Request, what: str) -> None:
        """Note an administrative act of this user."""
        self.assistant.records.acts.note(user_of(request).name or "本机", what)

    def changed(self, request: Request, what: str, source_id: str, act: Callable[[], str]) -> HTMLResponse:
        """Change a document, bring the index up to date, and return the list with what came of it."""
        if refused := admin_only(request, TITLE):
            return refused
        try:
            message = act()
            self.note(request, f"{what} {source_id}")
            self.assistant.refresh()
        except LingxueError as err:
            message = told(str(err), wrong=True)
        return self.start(request, message)

    def keep(self, file: UploadFile) -> JSONResponse:
        """Keep an uploaded file until it is read; say why where it cannot be kept."""
        name = _UNSAFE.sub("_", file.filename or "").strip(". ")[-120:]
        suffix = Path(name).suffix.lower()
        if suffix not in supported_suffixes():
            reason = f"不支持这种格式（{suffix or '没有扩展名'}）。请另存为 .docx、.pdf 或 .txt 再上传。"
            return JSONResponse({"error": reason})
        folder = self.assistant.settings.data_dir / "files"
        folder.mkdir(parents=True, exist_ok=True)
        path, size = folder / name, 0
        partial = path.with_name(f"{name}.part")
        try:
            with partial.open("wb") as out:
                while block := file.file.read(BLOCK):
                    size += len(block)
                    if size > MAX_BYTES:
                        return JSONResponse({"error": "文件超过 50 MB。请拆小，或另存为文字版再上传。"})
                    out.write(block)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        self._waiting.append(path)
        return JSONResponse({"name": name, "bytes": size})

    def work(self, kind: str) -> Callable[[Report], IndexReport]:
        """Return the work of reading what was uploaded ("add"), or the folder again ("sync")."""
        paths, self._waiting = (self._waiting, []) if kind == "add" else ([], self._waiting)

        def work(report: Report) -> IndexReport:
            return self.assistant.index(paths, on_progress=report)

        return work


def add_library(app: FastAPI, assistant: Assistant) -> None:
    """Add the addresses of the screen."""
    library = Library(assistant)
    _add_reading(app, library)
    _add_files(app, library)
    _add_changes(app, library)


def _add_reading(app: FastAPI, library: Library) -> None:
    @app.get("/library")
    def start(request: Request) -> HTMLResponse:
        """Return the list."""
        return library.start(request)

    @app.get("/library/official")
    def official() -> HTMLResponse:
        """Return the catalogue of official texts."""
        path = shipped_dir("knowledge") / "official.toml"
        texts: list[dict[str, Any]] = []
        if path.is_file():
            texts = tomllib.loads(path.read_text(encoding="utf-8")).get("text", [])
        return screen(TITLE, official_html(texts))

    @app.get("/library/jobs")
    def progress(request: Request) -> HTMLResponse:
        """Return how far the reading is; once it is done, the list with what came of it."""
        if refused := admin_only(request, TITLE):
            return refused
        if library.job.working:
            return screen(TITLE, job_html(library.job.state))
        return library.start(request)

    @app.get("/library/{source_id}")
    def document(source_id: str, request: Request, section: int = -1) -> HTMLResponse:
        """Return one document."""
        try:
            return library.document(request, source_id, section)
        except LingxueError as err:
            return screen(TITLE, told(str(err), wrong=True), status=404)


def _add_files(app: FastAPI, library: Library) -> None:
    @app.post("/library/files")
    def upload(file: UploadFile, request: Request) -> JSONResponse:
        """Take one file in; it is read once all are there. What is wrong with a file is no failed request."""
        if not user_of(request).is_admin:
            return JSONResponse({"error": "只有管理员能上传资料。"}, 403)
        try:
            kept = library.keep(file)
            library.note(request, f"上传了文件 {file.filename or ''}")
            return kept
        except OSError as err:
            return JSONResponse({"error": f"存不下这个文件（{why(err)}）。请检查磁盘空间。"})

    @app.post("/library/jobs")
    def begin(request: Request, work: _Text = "sync") -> HTMLResponse:
        """Begin to read."""
        if refused := admin_only(request, TITLE):
            return refused
        if library.job.working or not library.job.start(library.work(work)):
            return screen(
                TITLE, told("正在读取别的文件，请等它结束再试。", wrong=True) + job_html(library.job.state)
            )
        library.note(request, "读入了上传的文件" if work == "add" else "重新读了资料文件夹")
        return screen(TITLE, job_html(library.job.state))

    @app.post("/library/jobs/stop")
    def stop(request: Request) -> HTMLResponse:
        """Stop reading."""
        if refused := admin_only(request, TITLE):
            return refused
        library.job.stop()
        return screen(TITLE, job_html(library.job.state))


def _add_changes(app: FastAPI, library: Library) -> None:
    documents, changed = library.assistant.documents, library.changed

    @app.post("/library/{source_id}/remove")
    def remove(source_id: str, request: Request) -> HTMLResponse:
        """Take a document off the shelf."""
        title = next((d.title for d in documents.listed() if d.id == source_id), "")
        return changed(
            request, f"删除了资料 {title}", source_id, lambda: undo_html(documents.remove(source_id))
        )

    @app.post("/library/{source_id}/restore")
    def restore(source_id: str, request: Request) -> HTMLResponse:
        """Put it back."""

        def act() -> str:
            documents.restore(source_id)
            return told("已恢复，又可以用来回答了。")

        return changed(request, "恢复了资料", source_id, act)

    @app.post("/library/{source_id}")
    def correct(
        source_id: str, request: Request, title: _Text = "", issuer: _Text = "", doc_number: _Text = "",
        issued_on: _Text = "", effective_on: _Text = "", status: _Text = "", authority: _Text = "",
        collection: _Text = "",
    ) -> HTMLResponse:  # fmt: skip
        """Say what is known of a document."""
        said = {"title": title, "issuer": issuer, "doc_number": doc_number, "issued_on": issued_on,
                "effective_on": effective_on, "status": status, "authority": authority}  # fmt: skip

        def act() -> str:
            documents.correct(source_id, collection=collection, **said)
            return told("已保存。")

        return changed(request, f"改了资料信息 {title[:40]}", source_id, act)
