"""Cheap checks before a file is parsed: size, ZIP expansion, XML entities, passwords.

They cost milliseconds and stop what is plainly hostile or locked; what gets
past them meets the limits of `sandbox`. Knows containers, not formats.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from rag.errors import BrokenFile, EncryptedFile, ParseLimit

MAX_FILE_BYTES = 100 * 2**20
MAX_EXPANDED_BYTES = 300 * 2**20
MAX_RATIO = 200  # real office files stay below 60; deflate's ceiling, which bombs reach, is 1032
RATIO_FROM_BYTES = 20 * 2**20  # small archives may be as repetitive as they like
MAX_MEMBERS = 20_000
HEAD_BYTES = 8192
_TAIL_BYTES = 65536

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")  # [MS-OFFCRYPTO] 2.3.4.4
_DTD = [
    mark.encode(code) for mark in ("<!DOCTYPE", "<!ENTITY") for code in ("ascii", "utf-16-le", "utf-16-be")
]


def read_head(path: Path) -> bytes:
    """Return a file's first bytes; of a ZIP archive also its last, which name its members."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(ZIP_MAGIC):
            size = file.seek(0, 2)
            file.seek(max(HEAD_BYTES, size - _TAIL_BYTES))
            head += file.read()
    return head


def check(path: Path, head: bytes) -> None:
    """Refuse what must not reach a parser.

    Raises: ParseLimit for size and expansion; EncryptedFile; BrokenFile for
    an archive that cannot be read or whose XML declares a document type.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise ParseLimit(name=path.name, reason=f"文件 {size // 2**20} MB，上限 {MAX_FILE_BYTES // 2**20} MB")
    if head.startswith(OLE_MAGIC) and _ENCRYPTED_STREAM in path.read_bytes():
        raise EncryptedFile(name=path.name)
    if head.startswith(ZIP_MAGIC):
        _check_zip(path)


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if any(member.flag_bits & 1 for member in members):
                raise EncryptedFile(name=path.name)
            _check_expansion(path, members)
            for member in members:
                if member.filename.lower().endswith((".xml", ".rels", ".xhtml")):
                    _check_xml(path, archive.read(member))
    # OSError: a damaged directory points before the start of a file that was readable a moment ago
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
        OSError,
    ) as err:
        raise BrokenFile(name=path.name, reason="压缩包不完整") from err
    except zlib.error as err:
        raise BrokenFile(name=path.name, reason="压缩数据损坏") from err


def _check_expansion(path: Path, members: list[zipfile.ZipInfo]) -> None:
    expanded = sum(member.file_size for member in members)  # zipfile never yields more than it declares
    packed = max(1, sum(member.compress_size for member in members))
    if expanded > MAX_EXPANDED_BYTES:
        limit = MAX_EXPANDED_BYTES // 2**20
        raise ParseLimit(name=path.name, reason=f"解压后 {expanded // 2**20} MB，上限 {limit} MB")
    if expanded > RATIO_FROM_BYTES and expanded / packed > MAX_RATIO:
        raise ParseLimit(name=path.name, reason=f"压缩比 {expanded // packed}，疑似压缩炸弹")
    if len(members) > MAX_MEMBERS:
        raise ParseLimit(name=path.name, reason=f"压缩包内有 {len(members)} 个文件")


def _check_xml(path: Path, content: bytes) -> None:
    if any(mark in content for mark in _DTD):
        raise BrokenFile(name=path.name, reason="XML 含有不允许的实体声明")
