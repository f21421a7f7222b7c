"""Sets that carry their own documents: a folder, or a .zip of one, asked over these documents only.

    我的题集/
      题目.xlsx        one set, .jsonl or .xlsx, under any name
      documents/       the documents that answer it (资料/ does as well)

The documents are kept in the data directory under a hash of their contents,
with an index of their own; the school's documents take no part. Knows files
and the assistant's door, no cases.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from eval.filing import home
from eval.run import ProgressCallback
from rag.errors import BadCases, BadRequest, FolderNotFound

DOCUMENTS = ("documents", "资料")
SET_SUFFIXES = (".jsonl", ".xlsx")
MAX_FILES, MAX_UNPACKED = 2000, 500_000_000  # files, bytes


@dataclass(frozen=True, slots=True)
class Library:
    """The files of cases of a run, and the assistant that is to answer them."""

    files: list[Path]
    assistant: Any


@contextmanager
def opened(
    sets: Sequence[Path], assistant: Any, on_progress: ProgressCallback | None = None
) -> Iterator[Library]:
    """Tell files from sets that carry documents; index and open the latter's.

    Raises: FolderNotFound. BadCases: the folder or archive is no set. BadRequest: more sets beside one
    that carries documents, for then two libraries would be asked in one run.
    """
    carrying = [path for path in sets if path.is_dir() or path.suffix.lower() == ".zip"]
    if not carrying:
        yield Library(list(sets), assistant)
        return
    if len(sets) > 1:
        raise BadRequest(reason=f"{carrying[0].name} 自带资料，只能单独评测。请把其他评测集分开运行。")
    with ExitStack() as stack:
        folder = stack.enter_context(_unpacked(carrying[0]))
        cases, documents = _parts(folder, carrying[0].name)
        if documents is None:
            yield Library([cases], assistant)
            return
        own = _assistant(documents, assistant)
        stack.callback(own.close)
        own.ready(on_progress=on_progress)
        yield Library([cases], own)


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise FolderNotFound(path=path)
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="lingxue-set-") as made:
        try:
            # Windows writes names in the system's encoding and does not say so.
            with zipfile.ZipFile(path, metadata_encoding="gbk") as archive:
                _unpack(archive, Path(made), path.name)
        except (zipfile.BadZipFile, UnicodeError, RuntimeError, NotImplementedError, EOFError) as err:
            raise BadCases(name=path.name, reason="不是能读的 .zip 文件，请重新打包", row=1) from err
        yield Path(made)


def _unpack(archive: zipfile.ZipFile, folder: Path, name: str) -> None:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) > MAX_FILES or sum(info.file_size for info in members) > MAX_UNPACKED:
        reason = f"内容太多，最多 {MAX_FILES} 个文件、展开后 {MAX_UNPACKED // 1_000_000} MB"
        raise BadCases(name=name, reason=reason, row=1)
    for info in members:
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in info.filename:
            raise BadCases(name=name, reason=f"含有不安全的路径“{info.filename[:60]}”", row=1)
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file)


def _parts(folder: Path, name: str) -> tuple[Path, Path | None]:
    """Return the file of cases and the documents of a set, which may lie one folder further in."""
    inside = [path for path in sorted(folder.iterdir()) if not path.name.startswith((".", "__MACOSX", "~$"))]
    if len(inside) == 1 and inside[0].is_dir() and inside[0].name not in DOCUMENTS:
        return _parts(inside[0], name)
    found = [path for path in inside if path.is_file() and path.suffix.lower() in SET_SUFFIXES]
    if len(found) != 1:
        told = "、".join(path.name for path in found) or "没有"
        reason = f"这里应正好有一个 .jsonl 或 .xlsx 题集，现有：{told}"
        raise BadCases(name=name, reason=reason, row=1)
    documents = next((path for path in inside if path.is_dir() and path.name in DOCUMENTS), None)
    return found[0], documents


def _assistant(documents: Path, assistant: Any) -> Any:
    from rag.assistant import Assistant

    library = home(assistant.settings.data_dir) / "libraries" / _digest(documents)
    kept = library / "documents"
    if not kept.is_dir():
        library.mkdir(parents=True, exist_ok=True)
        copy = Path(tempfile.mkdtemp(dir=library)) / "documents"
        shutil.copytree(documents, copy)
        copy.replace(kept)
        copy.parent.rmdir()
    settings = assistant.settings.model_copy(update={"data_dir": library / "data", "knowledge_dir": kept})
    return Assistant(settings)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
