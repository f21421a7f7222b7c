"""One long piece of work at a time, looked after while nobody watches the page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from rag.web.jobs import Done, Failed, Report, Step, run

Result = TypeVar("Result")


class Background(Generic[Result]):
    """Runs work in a thread; `state` is its latest step, its result, or None before the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.state: Step | Done[Result] | Failed | None = None

    @property
    def working(self) -> bool:
        """Whether work is under way."""
        return isinstance(self.state, Step)

    def start(self, work: Callable[[Report], Result]) -> bool:
        """Begin; return whether it was begun, which it is not while other work is under way."""
        with self._lock:
            if self.working:
                return False
            self._stop = threading.Event()
            self.state = Step("正在准备", 0, 0)
        threading.Thread(target=self._watch, args=(work, self._stop), daemon=True).start()
        return True

    def stop(self) -> None:
        """Ask the work to end at its next report."""
        self._stop.set()

    def _watch(self, work: Callable[[Report], Result], stop: threading.Event) -> None:
        for event in run(work, stop):
            self.state = event
