"""How the command line speaks: results on stdout, a line of trouble on stderr, bars for progress.

Ctrl+C is a wish to stop.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def complain(message: object) -> None:
    """Write one line to stderr."""
    sys.stderr.write(" ".join(str(message).split()) + "\n")


def say(text: str) -> None:
    """Write a result to stdout."""
    sys.stdout.write(text + "\n")


def say_json(value: Any) -> None:
    """Write a result to stdout as JSON."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def progress() -> Callable[[str, int, int], None]:
    """Return a callback that draws a progress bar on a terminal and is silent elsewhere."""
    from tqdm import tqdm

    bars: dict[str, tqdm[Any]] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            bars[stage] = tqdm(total=total, desc=stage, disable=None, file=sys.stderr, leave=False)
        bars[stage].update(done - bars[stage].n)

    return report


@contextmanager
def interrupted() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl+C into a wish to stop, told by what is yielded; a second one ends at once."""
    asked = threading.Event()

    def note(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
