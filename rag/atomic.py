"""Files that are either the old one or the new one, whatever happens in between.

Written beside the target, brought to the disk, then renamed over it. Knows
nothing of what the files hold.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file's content; raise OSError, the old file untouched, where that fails."""
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Replace a file's content by UTF-8 text."""
    write_bytes(path, text.encode("utf-8"))


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` when the block ends without an error."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _keep_mode(path, Path(name))
        Path(name).replace(path)
        sync_folder(path.parent)
    finally:
        with suppress(OSError):
            Path(name).unlink()


def _keep_mode(path: Path, made: Path) -> None:
    """Give the new file the old one's permissions; mkstemp's are for the owner only."""
    with suppress(OSError):
        made.chmod(path.stat().st_mode & 0o777)


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk; where the system cannot (Windows), do nothing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
