"""Parsing in a process of its own, with limits of time and memory.

A zip bomb, an endless loop or a crash in a C library costs one file, not the
program. Knows how to run `worker` and nothing of formats; works without fork
and without select on pipes, so also on Windows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from rag import errors
from rag.errors import BadFile, BrokenFile, ParseLimit
from rag.types import Block, Parsed

TIMEOUT_S = 120.0
MEMORY_BYTES = 2 * 2**30
_FILES_A_WORKER = 200  # what libraries keep would otherwise count against files that come late
_PACKAGE_ROOT = Path(__file__).parents[2]


def parse_safely(
    paths: Iterable[Path], *, timeout_s: float = TIMEOUT_S
) -> Iterator[tuple[Path, Parsed | BadFile | OSError]]:
    """Yield each path with its extracted text, or with the error that kept it from being read."""
    with ParserProcess(timeout_s=timeout_s) as parser:
        for path in paths:
            try:
                yield path, parser.parse(path)
            except (BadFile, OSError) as err:
                yield path, err


class ParserProcess:
    """A worker process that parses files one after another; it starts with the first file.

    Not for several threads at once.
    """

    def __init__(self, *, timeout_s: float = TIMEOUT_S, memory_bytes: int = MEMORY_BYTES) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[str] | None = None
        self._served = 0

    def __enter__(self) -> ParserProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def parse(self, path: Path) -> Parsed:
        """Extract the text of a file.

        Raises: what `parse_file` raises; ParseLimit past the limits;
        BrokenFile where the worker died. The next call starts a new worker.
        """
        with path.open("rb"):  # tells the system's own error for a file that is not there
            pass
        reply = self._ask(path)
        if "parsed" in reply:
            return _parsed(reply["parsed"])
        if "os_error" in reply:
            raise OSError(*reply["os_error"])
        if reply["fatal"]:
            self._kill()
        kind: type[BadFile] = getattr(errors, reply["error"])
        raise kind(**reply["values"])

    def close(self) -> None:
        """End the worker, if one runs."""
        self._kill()

    def _ask(self, path: Path) -> dict[str, Any]:
        process = self._started()
        timed_out = threading.Event()

        def stop() -> None:
            timed_out.set()
            process.kill()

        line = _exchange(process, json.dumps({"path": str(path.resolve())}), self._timeout_s, stop)
        if not line.endswith("\n"):
            self._kill()
            if timed_out.is_set():
                raise ParseLimit(name=path.name, reason=f"用时超过 {self._timeout_s:g} 秒")
            raise BrokenFile(name=path.name, reason="解析程序异常退出，可能是内存超限")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None or self._served >= _FILES_A_WORKER:
            self._kill()
            self._served = 0
            search = [str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rag.parsers.worker", str(self._memory_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # Windows: no console flashes up
                text=True,
                encoding="ascii",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(search)},
            )
        self._served += 1
        return self._process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # closing flushes what a dead worker can no longer read
                    pipe.close()


def _exchange(
    process: subprocess.Popen[str], request: str, timeout_s: float, stop: Callable[[], None]
) -> str:
    """Send one line, return the answer's line; incomplete where the worker died or was stopped.

    A blank line is a sign of life, which long work gives: the time counts anew from there.
    """
    if process.stdin is None or process.stdout is None:
        return ""
    try:
        process.stdin.write(request + "\n")
        process.stdin.flush()
        while True:
            timer = threading.Timer(timeout_s, stop)
            timer.start()
            try:
                line = process.stdout.readline()
            finally:
                timer.cancel()
            if line != "\n":
                return line
    except OSError:
        return ""


def _parsed(fields: dict[str, Any]) -> Parsed:
    blocks = tuple(Block(**block) for block in fields["blocks"])
    return Parsed(fields["text"], blocks, fields["title"], tuple(fields["remarks"]))
