"""Where runs are filed: a folder each, named by time and commit, with all files of the run.

    evaluations/2026-01-26_0930_1a2b3c4d5e6f/report.html, results.json, …

Knows folders and names of files; neither runs nor measures anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from eval.journal import context_of
from rag.errors import BadRequest
from rag.reasons import why

HOME = "evaluations"  # inside the data directory
JOURNAL = "run.jsonl"  # of an unfinished run; the next one of the same context continues it
FINISHED = "answers.jsonl"
RESULTS, REPORT, ABOUT = "results.json", "report.html", "run.json"
_UNSAFE = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True, slots=True)
class Filed:
    """A run on disk: its folder, when it began, and what it was run on."""

    folder: Path
    started: str
    sets: str
    complete: bool

    @property
    def label(self) -> str:
        """The run in one line, for a list to choose from."""
        return f"{self.started[:16].replace('T', ' ')}　{self.sets}{'' if self.complete else '（未做完）'}"


def home(data_dir: Path) -> Path:
    """Return the folder that runs are filed under."""
    return data_dir / HOME


def place(data_dir: Path, context: Mapping[str, Any], now: datetime) -> Path:
    """Return the folder of an unfinished run of the same context, else a new name by time and commit."""
    wanted = json.loads(json.dumps(context))
    for journal in sorted(home(data_dir).glob(f"*/{JOURNAL}"), reverse=True):
        if context_of(journal) == wanted:
            return journal.parent
    commit = _UNSAFE.sub("-", str(context.get("commit") or context.get("version") or "unknown"))
    name = f"{now:%Y-%m-%d_%H%M%S}_{commit}"
    taken = {path.name for path in home(data_dir).glob(f"{name}*")}
    number = next(n for n in range(1, len(taken) + 2) if _numbered(name, n) not in taken)
    return home(data_dir) / _numbered(name, number)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """Make a folder and hold it for one run; raise BadRequest where that cannot be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire(timeout=0)
    except Timeout as err:
        raise BadRequest(reason=f"{folder} 正被另一次评测使用。请等它结束，或换一个 --out 目录。") from err
    except OSError as err:
        raise BadRequest(reason=f"不能在 {folder} 写报告（{why(err)}）。请换一个 --out 目录。") from err
    try:
        yield folder
    finally:
        lock.release()
        (folder / ".lock").unlink(missing_ok=True)


def filed_runs(data_dir: Path) -> list[Filed]:
    """Return the runs that have results, newest first; folders that hold none are passed over."""
    runs = []
    for path in home(data_dir).glob(f"*/{ABOUT}"):
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
            sets = "、".join(str(part["name"]) for part in about["sets"])
            run = Filed(path.parent, str(about["started"]), sets, bool(about["complete"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if (path.parent / RESULTS).is_file():
            runs.append(run)
    return sorted(runs, key=lambda run: (run.started, run.folder.name), reverse=True)
