"""Simulated people who ask a served app over its own protocol, Gradio's queue, as browsers do.

Knows a page's protocol and how long things took; not what is served.
"""

from __future__ import annotations

import json
import random
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

PAUSE_S = (3.0, 9.0)  # between an answer and the next question: reading it
BEGIN = 6  # questions of a conversation before a new one is begun


@dataclass(slots=True)
class Seen:
    """What the people saw: seconds to the first text and to the whole answer, and what went wrong."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    lasted_s: float = 0.0  # how long people asked

    def add(self, other: Seen) -> None:
        """Add what was seen at another time."""
        self.first += other.first
        self.whole += other.whole
        self.errors += other.errors
        self.lasted_s += other.lasted_s


class Person:
    """One browser tab: a session, and the conversation that it has open."""

    def __init__(
        self, address: str, *, name: str = "", password: str = "", trust: ssl.SSLContext | None = None
    ) -> None:
        """Open the page, after logging in where a name is given; `trust` is what checks the certificate."""
        self.client = httpx.Client(base_url=address, timeout=60, trust_env=False, verify=trust or True)
        if name:
            given = {"name": name, "password": password}
            if not self.client.post("/login", data=given).is_redirect:
                raise ValueError(f"{name} is not let in")
        self._session = f"{random.getrandbits(64):x}"
        self._asking = _asking(self.client.get("/config").raise_for_status().json())
        self.conversation = ""
        self.listed: list[str] = []  # the titles in the list of conversations

    def ask(self, question: str, seen: Seen) -> str:
        """Ask one question and time it; return the answer's HTML, "" where there was none."""
        inputs = [question, self.conversation, False, "", "", False]
        job = {"data": inputs, "fn_index": self._asking, "session_hash": self._session}
        started = time.perf_counter()
        first, answer = 0.0, ""
        try:
            self.client.post("/gradio_api/queue/join", json=job).raise_for_status()
            with self.client.stream("GET", f"/gradio_api/queue/data?session_hash={self._session}") as stream:
                for event in events(stream):
                    output = event.get("output", {}).get("data") or []
                    if not first and "lx-text" in _newest(output):
                        first = time.perf_counter() - started
                    if event["msg"] == "process_completed":
                        if not event.get("success"):
                            seen.errors.append(str(event.get("output"))[:200])
                            return ""
                        answer = _newest(output)
                        self.conversation = output[2]
                        self.listed = [title for title, _ in output[10].get("choices", [])]
                        break
        except (httpx.HTTPError, ValueError, KeyError, IndexError) as err:
            seen.errors.append(f"{type(err).__name__}: {err}")
            return ""
        whole = time.perf_counter() - started
        seen.whole.append(whole)
        seen.first.append(first or whole)
        return answer

    def begin(self) -> None:
        """Begin a new conversation with the next question."""
        self.conversation = ""

    def close(self) -> None:
        """Close the tab."""
        self.client.close()


def events(stream: httpx.Response) -> Iterator[dict[str, Any]]:
    """Yield what the queue says of a job."""
    for line in stream.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line[5:])


def _newest(output: list[Any]) -> str:
    """Return what is new in an event: the whole chat comes first, then only what changes in it."""
    chat = output[1] if len(output) > 1 else []
    whole = bool(chat) and isinstance(chat[-1], dict)
    return json.dumps(chat[-1:] if whole else chat, ensure_ascii=False)


def _asking(config: dict[str, Any]) -> int:
    """Return the number of the event of the page that asks: the one that the button 提问 starts."""
    button = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "send")
    for dependency in config["dependencies"]:
        if any(target[0] == button for target in dependency["targets"]):
            return int(dependency["id"])
    raise LookupError("the page has no button to ask with")


class Asker(Protocol):
    """Someone at a page."""

    def ask(self, question: str, seen: Seen) -> str:
        """Ask and note what was seen; return the answer."""

    def begin(self) -> None:
        """Begin a new conversation."""

    def close(self) -> None:
        """Go."""


def crowd(
    arrive: Callable[[int], Asker],
    questions: Sequence[str],
    *,
    users: int,
    seconds: float,
    pause_s: tuple[float, float] = PAUSE_S,
) -> Seen:
    """Let people ask for a while, each pausing between questions; return what they saw."""
    people = [arrive(number) for number in range(users)]
    seen, begun = Seen(), time.monotonic()
    until = begun + seconds

    def live(number: int) -> None:
        choose, person = random.Random(number), people[number]
        time.sleep(choose.uniform(0, pause_s[1]))
        asked = 0
        while time.monotonic() < until:
            person.ask(choose.choice(questions), seen)
            asked += 1
            if asked % BEGIN == 0:
                person.begin()
            time.sleep(choose.uniform(*pause_s))

    threads = [threading.Thread(target=live, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.lasted_s = time.monotonic() - begun
    for person in people:
        person.close()
    return seen


def alone(person: Asker, questions: Sequence[str], times: int) -> Seen:
    """Let one person ask with nobody else there."""
    seen = Seen()
    for number in range(times):
        person.ask(questions[number % len(questions)], seen)
        person.begin()
    person.close()
    return seen


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile; 0 of nothing."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=20)[-1]


def p50(values: Sequence[float]) -> float:
    """Return the median; 0 of nothing."""
    return statistics.median(values) if values else 0.0


def line(name: str, seen: Seen) -> str:
    """Return one line of what was seen."""
    return (
        f"{name}: {len(seen.whole)} answers, first text p50 {p50(seen.first):.2f} s "
        f"p95 {p95(seen.first):.2f} s, "
        f"whole p50 {p50(seen.whole):.2f} s p95 {p95(seen.whole):.2f} s, errors {len(seen.errors)}"
    )


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process; 0 where the system does not tell."""
    try:
        for row in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if row.startswith("VmRSS:"):
                return int(row.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


class MemoryWatch:
    """Notes the memory of a process every few seconds until it is stopped."""

    EVERY_S = 2.0

    def __init__(self, pid: int) -> None:
        self.samples: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def _watch(self, pid: int) -> None:
        while not self._stop.wait(self.EVERY_S):
            self.samples.append(memory_mb(pid))

    def stop(self) -> None:
        """Stop noting."""
        self._stop.set()
        self._thread.join()

    def thirds(self) -> tuple[float, float, float]:
        """Return the mean of the first, the middle and the last third, in MB."""
        size = max(1, len(self.samples) // 3)
        parts = self.samples[:size], self.samples[size : 2 * size], self.samples[-size:]
        first, middle, last = (statistics.mean(part) if part else 0.0 for part in parts)
        return first, middle, last
