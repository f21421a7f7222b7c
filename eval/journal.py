"""The journal of a run: one line of JSON per finished case, so that a run can be resumed.

The first line holds what the run depends on (its context); a journal of
another context is not continued. A line cut short by a crash is dropped.
Knows outcomes and files, not how cases are run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from eval.cases import Case
from eval.outcome import Outcome, Score, answer_from_dict

VERSION = 3


class Journal:
    """Appends finished cases to a file; each is on disk before `add` returns."""

    def __init__(self, path: Path, context: Mapping[str, Any]) -> None:
        """Open the journal, emptied unless it continues a run of the same context."""
        self._path = path
        self._head = {"version": VERSION, "context": json.loads(json.dumps(context))}
        self._lines = _read(path)
        if not self._lines or self._lines[0] != self._head:
            self._lines = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("r+b" if self._lines else "wb")
        self._file.truncate(self._file.seek(_length(path, len(self._lines))))
        if not self._lines:
            self._write(self._head)

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self, *, kept_as: Path | None = None) -> None:
        """Close the file; with `kept_as`, the run is done and its journal is kept under that name."""
        self._file.close()
        if kept_as:
            self._path.replace(kept_as)

    def finished(self, cases: Sequence[Case]) -> dict[str, Outcome]:
        """Return the outcomes already here, by id; a case edited since is not among them."""
        by_id = {case.id: case for case in cases}
        found = {}
        for line in self._lines[1:]:
            case = by_id.get(str(line.get("id")))
            if case and line.get("digest") == case.digest():
                found[case.id] = _outcome(case, line)
        return found

    def add(self, outcome: Outcome) -> None:
        """Append one finished case."""
        self._write(
            {
                "id": outcome.case.id,
                "digest": outcome.case.digest(),
                "status": outcome.status,
                "error": outcome.error,
                "latency_ms": outcome.latency_ms,
                "answer": outcome.answer.to_dict() if outcome.answer else None,
                "judged": {name: [score.value, score.note] for name, score in outcome.judged.items()},
                "passages": outcome.passages,
            }
        )

    def _write(self, value: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(value).encode("ascii") + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _outcome(case: Case, line: Mapping[str, Any]) -> Outcome:
    answer = answer_from_dict(line["answer"]) if line["answer"] else None
    judged = {name: Score(*score) for name, score in line["judged"].items()}
    passages = None if line["passages"] is None else tuple(line["passages"])
    return Outcome(case, line["status"], answer, line["error"], line["latency_ms"], judged, passages)


def context_of(path: Path) -> dict[str, Any] | None:
    """Return what the run of a journal depends on; None where that cannot be read."""
    try:
        with path.open("rb") as file:
            head = json.loads(file.readline())
    except (OSError, ValueError):
        return None
    context = head.get("context") if isinstance(head, dict) and head.get("version") == VERSION else None
    return context if isinstance(context, dict) else None


def _read(path: Path) -> list[dict[str, Any]]:
    """Read the whole lines of a journal, up to the first that is not one."""
    lines: list[dict[str, Any]] = []
    for raw in path.read_bytes().split(b"\n")[:-1] if path.is_file() else []:
        try:
            line = json.loads(raw)
        except ValueError:
            break
        if not isinstance(line, dict):
            break
        lines.append(line)
    return lines


def _length(path: Path, lines: int) -> int:
    """Return the bytes that the first `lines` lines of a file take."""
    if not lines:
        return 0
    return sum(len(line) + 1 for line in path.read_bytes().split(b"\n")[:lines])
