"""Thirty people asking at once: how long until the first text, and does memory stay flat?

Serves the app on loopback as its users do and speaks the page's own protocol
(Gradio's queue), so stages, streaming, the database and the rendering take
part. Beside the crowd one person is measured alone in the same run: the peer
that tells how much of a time is the crowd's.

    python -m eval.bench.web [seconds] [users]
"""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = (
    "党组织会议要多少人到会才能开？",
    "六项领导职责是哪六个？",
    "书记和校长意见谈不拢，还上不上会？",
    "三重一大包括哪些？",
    "书记岗位津贴一个月发多少",
    "校长办公会议谁主持？",
)
PAUSE_S = (3.0, 9.0)  # between an answer and the next question: reading it
ALONE = 12  # questions of the one person alone


@dataclass(slots=True)
class Seen:
    """What the people saw: seconds to the first text and to the whole answer, and what went wrong."""

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Person:
    """One browser tab: a session, and the conversation that it has open."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=60, trust_env=False)
        self._session = f"{random.getrandbits(64):x}"
        self._asking = _asking(self._client.get("/config").json())

    def ask(self, question: str, seen: Seen) -> None:
        """Ask one question and time it."""
        inputs = [question, None, None, "", "", False]
        job = {"data": inputs, "fn_index": self._asking, "session_hash": self._session}
        started = time.perf_counter()
        first = 0.0
        try:
            self._client.post("/gradio_api/queue/join", json=job).raise_for_status()
            with self._client.stream("GET", f"/gradio_api/queue/data?session_hash={self._session}") as stream:
                for line in stream.iter_lines():
                    if not line.startswith("data:"):
                        continue
                    event = json.loads(line[5:])
                    text = json.dumps(event.get("output", {}), ensure_ascii=False)
                    if not first and ("lx-text" in text):
                        first = time.perf_counter() - started
                    if event["msg"] == "process_completed":
                        if not event.get("success"):
                            seen.errors.append(text[:200])
                        break
        except (httpx.HTTPError, ValueError, KeyError) as err:
            seen.errors.append(f"{type(err).__name__}: {err}")
            return
        whole = time.perf_counter() - started
        seen.whole.append(whole)
        seen.first.append(first or whole)

    def close(self) -> None:
        """Close the tab."""
        self._client.close()


def _asking(config: dict[str, Any]) -> int:
    """Return the number of the event of the page that asks: the one that the button 提问 starts."""
    button = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "send")
    for dependency in config["dependencies"]:
        if any(target[0] == button for target in dependency["targets"]):
            return int(dependency["id"])
    raise LookupError("the page has no button to ask with")


def crowd(address: str, *, users: int, seconds: float) -> Seen:
    """Let people ask for a while, each pausing between questions; return what they saw."""
    seen, until = Seen(), time.monotonic() + seconds

    def live(number: int) -> None:
        choose = random.Random(number)
        person = Person(address)
        time.sleep(choose.uniform(0, PAUSE_S[1]))
        while time.monotonic() < until:
            person.ask(choose.choice(QUESTIONS), seen)
            time.sleep(choose.uniform(*PAUSE_S))
        person.close()

    people = [threading.Thread(target=live, args=(number,)) for number in range(users)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    return seen


def alone(address: str) -> Seen:
    """Let one person ask with nobody else there."""
    seen, person = Seen(), Person(address)
    for number in range(ALONE):
        person.ask(QUESTIONS[number % len(QUESTIONS)], seen)
    person.close()
    return seen


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process; 0 where the system does not tell."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def _line(name: str, seen: Seen) -> str:
    def p95(values: list[float]) -> float:
        return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]

    return (
        f"{name}: {len(seen.whole)} answers, first text p50 {statistics.median(seen.first):.2f} s "
        f"p95 {p95(seen.first):.2f} s, whole p95 {p95(seen.whole):.2f} s, errors {len(seen.errors)}"
    )


def main(seconds: float = 60, users: int = 30) -> None:
    """Run the bench and print what was measured."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        address = f"http://127.0.0.1:{port}"
        command = [
            sys.executable,
            "-m",
            "rag",
            "--data-dir",
            folder,
            "--llm",
            "off",
            "serve",
            "--port",
            str(port),
        ]
        server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "LINGXUE_LOGIN": "auto"})
        try:
            _wait(address, server)
            print(_line("alone before", alone(address)))
            print(f"load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "")
            warm = crowd(address, users=users, seconds=seconds / 4)
            before = memory_mb(server.pid)
            seen = crowd(address, users=users, seconds=seconds)
            print(_line(f"{users} people, warming up", warm))
            print(_line(f"{users} people, {seconds:.0f} s", seen))
            print(f"memory of the server: {before:.0f} MB → {memory_mb(server.pid):.0f} MB")
            print(_line("alone after", alone(address)))
            for error in dict.fromkeys(seen.errors + warm.errors):
                print(f"error: {error}")
        finally:
            server.terminate()
            server.wait(20)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError(f"the server stopped with {server.returncode}")
        try:
            if httpx.get(address, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise TimeoutError(address)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
