"""How often one person may ask by the API: a bucket that fills evenly, so that no client starves the others.

In this process's memory; with several replicas each has its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

A_MINUTE = 300  # requests; a page of a school's portal asks a few, a loop gone wrong thousands
BURST = 60  # requests at once
_FORGOTTEN = 10_000  # buckets kept; the fullest are forgotten first, for they say nothing


class Limit:
    """Buckets by name; a bucket never seen is full."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}  # name: requests left, when that was

    def wait_s(self, name: str) -> int:
        """Take one request from a bucket; return 0, or the seconds until there is one again."""
        now = self._clock()
        with self._lock:
            left, at = self._buckets.get(name, (float(BURST), now))
            left = min(float(BURST), left + (now - at) * A_MINUTE / 60)
            self._buckets[name] = (left - 1 if left >= 1 else left, now)
            if len(self._buckets) > _FORGOTTEN:
                fullest = sorted(self._buckets, key=lambda key: -self._buckets[key][0])
                for key in fullest[: _FORGOTTEN // 2]:
                    del self._buckets[key]
        return 0 if left >= 1 else max(1, round((1 - left) * 60 / A_MINUTE))
