"""Long work in a thread of its own, as an iterator of its progress that can be stopped.

Knows neither what the work is nor how its progress is shown.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from rag.errors import LingxueError

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Report = Callable[[str, int, int], None]
UPDATE_S = 0.25  # progress is shown so often
UNEXPECTED = "程序出错，没有做完。请再试一次；仍不行请把终端里的错误信息发给管理员。"


@dataclass(frozen=True, slots=True)
class Step:
    """How far a stage is: `done` of `total`."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """The work is finished and gave this."""

    result: Result


@dataclass(frozen=True, slots=True)
class Failed:
    """The work ended without a result; `reason` is for the user, "" when it was stopped."""

    reason: str


class _StopWork(BaseException):
    """Ends the work from inside its progress report; no `except Exception` on the way takes it."""


def run(work: Callable[[Report], Result], stop: threading.Event) -> Iterator[Step | Done[Result] | Failed]:
    """Do the work; the last item is `Done` or `Failed`. Setting `stop` ends it at its next report."""
    events: SimpleQueue[Step | Done[Result] | Failed] = SimpleQueue()
    threading.Thread(target=_do, args=(work, stop, events), daemon=True).start()
    shown_at = 0.0
    while True:
        try:
            event = events.get(timeout=UPDATE_S)
            while isinstance(event, Step) and not events.empty():
                event = events.get()
        except Empty:
            continue
        if not isinstance(event, Step):
            yield event
            return
        if time.monotonic() - shown_at >= UPDATE_S or event.done >= event.total:
            shown_at = time.monotonic()
            yield event


def _do(
    work: Callable[[Report], Result],
    stop: threading.Event,
    events: SimpleQueue[Step | Done[Result] | Failed],
) -> None:
    def report(stage: str, done: int, total: int) -> None:
        if stop.is_set():
            raise _StopWork
        events.put(Step(stage, done, total))

    try:
        events.put(Done(work(report)))
    except _StopWork:
        events.put(Failed(""))
    except LingxueError as err:
        events.put(Failed(str(err)))
    except Exception:
        logger.exception("work failed")
        events.put(Failed(UNEXPECTED))
