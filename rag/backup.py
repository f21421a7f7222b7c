"""Backup and restore of a data directory: one zip file with the digest of everything in it.

What can be rebuilt (the index, Gradio's downloads, locks) is not in it, nor is the model's key. A restore
checks every digest before it changes anything, and what was there before is put
aside, not deleted.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath

from rag import saved
from rag.atomic import replacing
from rag.database import check_file, copy_database
from rag.errors import BackupUnusable, DataDirUnusable
from rag.reasons import why

FORMAT = 1
MANIFEST = "lingxue-backup.json"
ASIDE = "before-restore"
_REBUILT = {"index", "web", "backups"}
_SQLITE = b"SQLite format 3\x00"


def back_up(data_dir: Path, target: Path) -> int:
    """Write all that cannot be rebuilt into a zip file; return the number of files in it.

    The data directory may be in use: databases are copied consistently.
    Raises: DataDirUnusable: something cannot be read or the backup not be written.
    """
    try:
        with (
            tempfile.TemporaryDirectory() as scratch,
            replacing(target) as out,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            kept = list(_kept(data_dir, target))
            files = {name: _pack(archive, path, name, Path(scratch)) for path, name in kept}
            manifest = {"format": FORMAT, "program": _program(), "made": _now(), "files": files}
            archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
    except OSError as err:
        raise DataDirUnusable(path=target.parent, reason=why(err)) from err
    return len(files)


def restore(source: Path, data_dir: Path) -> int:
    """Replace a data directory's content by a backup's; return the number of files restored.

    The caller holds the directory's lock. What was there goes to
    `before-restore-TIME` inside it; the index is built again at the next start.
    Raises: BackupUnusable (nothing is changed), DataDirUnusable.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=data_dir, prefix=".restore-"))
    except OSError as err:
        raise DataDirUnusable(path=data_dir, reason=why(err)) from err
    try:
        names = _unpack(source, staging)
        _exchange(staging, data_dir)
    except OSError as err:
        raise DataDirUnusable(path=data_dir, reason=why(err)) from err
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return len(names)


def _kept(data_dir: Path, target: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files that cannot be rebuilt, with their names inside the backup."""
    for path in sorted(data_dir.rglob("*")):
        relative = path.relative_to(data_dir)
        top = relative.parts[0]
        rebuilt = top in _REBUILT or top.startswith((".", ASIDE)) or path.suffix == ".lock"
        passing = path.name.endswith(("-wal", "-shm", "-journal", ".new")) or path.is_symlink()
        if path.is_file() and not rebuilt and not passing and path.resolve() != target.resolve():
            yield path, relative.as_posix()


def _pack(archive: zipfile.ZipFile, path: Path, name: str, scratch: Path) -> str:
    """Add a file to the archive; return the digest of what was added."""
    with path.open("rb") as file:
        database = file.read(len(_SQLITE)) == _SQLITE
    if database:
        copy = scratch / "copy.db"
        copy.unlink(missing_ok=True)
        copy_database(path, copy)
        path = copy
    elif path.name == saved.NAME:
        copy = scratch / "settings.json"
        copy.write_text(json.dumps(saved.without_key(path.parent), ensure_ascii=False), encoding="utf-8")
        path = copy
    archive.write(path, name)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(source: Path, staging: Path) -> list[str]:
    """Unpack and check a backup; raise BackupUnusable for one that is not whole."""
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            if manifest["format"] != FORMAT:
                raise BackupUnusable(
                    path=source.name, reason=f"格式 {manifest['format']} 本程序不认识，请升级领学"
                )
            files: dict[str, str] = dict(manifest["files"])
            for name, digest in files.items():
                _unpack_one(archive, name, digest, staging, source)
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, NotImplementedError) as err:
        raise BackupUnusable(path=source.name, reason="不是领学的备份文件，或文件已损坏") from err
    except FileNotFoundError as err:
        raise BackupUnusable(path=source.name, reason="找不到文件") from err
    return list(files)


def _unpack_one(archive: zipfile.ZipFile, name: str, digest: str, staging: Path, source: Path) -> None:
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\\" in name or ":" in name:
        raise BackupUnusable(path=source.name, reason="里面的文件名不安全")
    target = staging.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    made = hashlib.sha256()
    with archive.open(name) as packed, target.open("wb") as out:
        while piece := packed.read(1 << 20):
            made.update(piece)
            out.write(piece)
    if made.hexdigest() != digest:
        raise BackupUnusable(path=source.name, reason=f"{name} 与备份时不一致")
    with target.open("rb") as file:
        database = file.read(len(_SQLITE)) == _SQLITE
    if database and (problem := check_file(target)):
        raise BackupUnusable(path=source.name, reason=f"{name} 已损坏（{problem}）")


def _exchange(staging: Path, data_dir: Path) -> None:
    """Put aside what is there, move in what was unpacked, drop what is to be rebuilt."""
    aside = data_dir / f"{ASIDE}-{time.strftime('%Y%m%d-%H%M%S')}"
    aside.mkdir(exist_ok=True)
    kept = {staging.name, aside.name, "writing.lock"}
    for path in sorted(data_dir.iterdir()):
        if path.name not in kept and not path.name.startswith(ASIDE):
            path.replace(aside / path.name)
    for path in sorted(staging.iterdir()):
        path.replace(data_dir / path.name)
    shutil.rmtree(aside / "index", ignore_errors=True)
    with suppress(OSError):  # only when nothing was there
        aside.rmdir()


def _program() -> str:
    try:
        return version("lingxue")
    except PackageNotFoundError:
        return ""


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")
