"""Files made for download: each set in a folder of its own, gone after a day.

The folder is Gradio's own (GRADIO_TEMP_DIR), inside the data directory, not
one that all users of the computer share; only what is in it can be fetched,
by a name nobody can guess.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from pathlib import Path

KEPT_S = 24 * 3600
_FILE_NAME = re.compile(r'[\\/:*?"<>|\s.\x00-\x1f]+')


def downloads_dir(data_dir: Path) -> Path:
    """Return the folder that downloads are made in."""
    return data_dir / "web"


def new_folder(data_dir: Path, kind: str) -> Path:
    """Make a new folder for files to download, and drop those older than a day."""
    folder = downloads_dir(data_dir)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.is_dir() and time.time() - old.stat().st_mtime > KEPT_S:
            shutil.rmtree(old, ignore_errors=True)
    made = folder / f"{kind}-{secrets.token_hex(16)}"
    made.mkdir(mode=0o700)
    return made


def file_name(title: str) -> str:
    """Return a title as a file name that every system takes.

    >>> file_name("心得 学习/体会?")
    '心得_学习_体会'
    """
    return _FILE_NAME.sub("_", title).strip("_")[:40] or "提纲"
