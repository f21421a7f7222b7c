"""Older office formats (.doc .wps .rtf .odt …), converted by LibreOffice where it is installed.

Knows how to find and run soffice; what it converts to is read by the modules
for .docx, .xlsx and .pptx.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from rag.errors import BadFile, BrokenFile, EncryptedFile, ParseLimit, UnsupportedFile
from rag.parsers import docx, pptx, xlsx
from rag.parsers.guards import OLE_MAGIC, ZIP_MAGIC
from rag.types import Parsed

SUFFIXES: tuple[str, ...] = (
    ".doc",
    ".wps",
    ".wpt",
    ".rtf",
    ".odt",
    ".xls",
    ".et",
    ".ods",
    ".ppt",
    ".dps",
    ".odp",
)
NAME = "旧版办公文件"

CONVERT_TIMEOUT_S = 60.0
_READERS = {"docx": docx.parse, "xlsx": xlsx.parse, "pptx": pptx.parse}
_SHEETS = frozenset((".xls", ".et", ".ods", ".xlsx", ".xlsm"))
_SLIDES = frozenset((".ppt", ".dps", ".odp", ".pptx", ".pptm", ".ppsx"))
_KILL = 9  # the signal's number: its name is missing on Windows
_RTF_MAGIC = b"{\\rtf"
_ODF_MAGIC = b"mimetypeapplication/vnd.oasis.opendocument"
# Where installers put it on systems that do not put it on the search path.
_PLACES = (
    r"C:\Program Files\LibreOffice\program\soffice.com",
    r"C:\Program Files (x86)\LibreOffice\program\soffice.com",
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
)


def accepts(head: bytes, suffix: str) -> bool:
    """Take OLE containers, rich text and OpenDocument files."""
    if suffix in (".txt", ".md"):
        return False
    if head.startswith(OLE_MAGIC):
        return suffix in SUFFIXES or suffix in _SHEETS | _SLIDES | set(docx.SUFFIXES)
    return head.startswith(_RTF_MAGIC) or (head.startswith(ZIP_MAGIC) and _ODF_MAGIC in head[:200])


def parse(path: Path) -> Parsed:
    """Convert a file with LibreOffice and extract the text of the result.

    Raises: UnsupportedFile where LibreOffice is not installed; EncryptedFile;
    ParseLimit; BrokenFile.
    """
    suffix = path.suffix.lower()
    if _is_locked(path.read_bytes()):
        raise EncryptedFile(name=path.name)
    target = "xlsx" if suffix in _SHEETS else "pptx" if suffix in _SLIDES else "docx"
    office = find_office()
    if office is None:
        remedy = f"{suffix}，本机没有装 LibreOffice，请用 WPS 或 Word 另存为 .{target}"
        raise UnsupportedFile(name=path.name, suffix=remedy, known=" ".join(sorted(_READERS)))
    with tempfile.TemporaryDirectory(prefix="lingxue-", ignore_cleanup_errors=True) as folder:
        converted = _convert(office, path, Path(folder), target)
        try:
            return _READERS[target](converted)
        except BadFile as err:
            raise type(err)(**{**err.values, "name": path.name}) from err


def find_office() -> str | None:
    """Return the path of LibreOffice's program, None where it is not installed."""
    found = shutil.which("soffice") or shutil.which("libreoffice")
    return found or next((place for place in _PLACES if Path(place).is_file()), None)


def _convert(office: str, path: Path, folder: Path, target: str) -> Path:
    source = folder / f"source{path.suffix.lower()}"  # a name that no shell or filter trips over
    shutil.copyfile(path, source)
    output = folder / "out"
    command = [
        office,
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",  # no clash with a running LibreOffice
        "--headless",
        "--norestore",
        "--convert-to",
        target,
        "--outdir",
        str(output),
        str(source),
    ]
    _run(command, path.name)
    converted = output / f"source.{target}"
    if not converted.is_file():
        raise BrokenFile(name=path.name, reason="LibreOffice 无法打开")
    return converted


def _run(command: list[str], name: str) -> None:
    """Run a program and all it starts, no longer than the limit."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows: no console flashes up
        start_new_session=sys.platform != "win32",
    )
    try:
        process.wait(CONVERT_TIMEOUT_S)
    except subprocess.TimeoutExpired as err:
        _kill_tree(process)
        raise ParseLimit(name=name, reason=f"转换用时超过 {CONVERT_TIMEOUT_S:g} 秒") from err


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    """End soffice, which is a script that starts the real program."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, _KILL)
    process.wait()


def _is_locked(content: bytes) -> bool:
    """Tell whether a .doc asks for a password: bit 8 of its header's flags ([MS-DOC] 2.5.2, fEncrypted)."""
    if not content.startswith(OLE_MAGIC):
        return False
    starts = range(512, min(len(content) - 12, 65536), 512)
    return any(content[at : at + 2] == b"\xec\xa5" and content[at + 11] & 1 for at in starts)
