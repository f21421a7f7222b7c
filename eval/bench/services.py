"""Programs that listen on this computer: found, started, waited for, killed and started again.

Knows processes and ports; not what the programs are.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_S = 120.0
_POSTGRES = Path("/usr/lib/postgresql")  # where Debian keeps its versions


class CannotStart(Exception):
    """A program is not installed here, or did not start; the text says which."""


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """Return the path of a program; raise CannotStart where it is not installed."""
    debian = [str(path) for path in _POSTGRES.glob("*/bin")]
    beside = str(Path(sys.executable).parent)
    folders = [beside, os.environ.get("PATH", ""), "/usr/sbin", *sorted(debian, reverse=True)]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if not found:
        raise CannotStart(f"{name} is not installed")
    return found


class Service:
    """One program that listens on a port of this computer; it can be killed and started again."""

    def __init__(
        self,
        command: list[str],
        port: int,
        *,
        log: Path,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
        ending: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.port, self._ending = port, ending
        self._command, self._log, self._user = command, log, user
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid if self._process else 0

    @property
    def said(self) -> str:
        """What the program has written."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def start(self) -> Service:
        """Start it; `ready` waits for it."""
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdout=out, stderr=out, env=self._environment, user=self._user
            )
        return self

    def ready(self) -> Service:
        """Wait until it takes connections; raise CannotStart with what it said where it ends instead."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise CannotStart(f"{self._command[0]}: {self.said[-2000:]}")

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._process is None:
            return
        self._process.send_signal(self._ending)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


def until(check: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Wait for something to become true; return whether it did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.1)
    return check()
