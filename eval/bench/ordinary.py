"""Ours beside an ordinary LangChain + Chroma + Gradio app: same questions, people and machine, in one run.

The peer is `eval.bench.ordinary_app`. Both are served on loopback and asked over Gradio's queue; the peer's
people use its one event for programs, which is less work for it than its page's chain of events. The rounds
alternate, ours and the peer's, so that other work on the machine falls on both. Measured: seconds until a new
installation answers, answers a second when people ask without a pause, p50 and p95 when they read in between,
memory, and how often what is shown holds the sentence that answers (a gold quote of
`eval/sets/knowledge.jsonl`, white space and marks of Markdown aside), in how many characters.

    python -m eval.bench.ordinary [--seconds 25] [--rounds 2] [--users 20] [--file]
"""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from eval.bench.crowd import Asker, Person, Seen, crowd, events, memory_mb, p50, p95
from eval.bench.installation import replica
from eval.bench.services import Service, free_port
from eval.context import commit
from rag.config import shipped_dir

SETS = Path(__file__).resolve().parents[1] / "sets"
RESULTS = Path(__file__).parent / "results"
BUSY = 8  # people who ask without a pause
SOON = 300  # characters: what is read without scrolling on a telephone
READING_S = (1.0, 3.0)
_TAG, _NOISE = re.compile(r"<[^>]*>"), re.compile(r"[\s*#|>`_-]+")


class OrdinaryPerson:
    """Somebody at the ordinary app."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=60, trust_env=False)
        config = self._client.get("/config").json()
        self._asking = next(d["id"] for d in config["dependencies"] if d["api_visibility"] == "public")
        self._session = f"person{free_port()}{time.monotonic_ns()}"

    def ask(self, question: str, seen: Seen) -> str:
        """Ask and note how long it took; return what is shown."""
        job = {"data": [question, None], "fn_index": self._asking, "session_hash": self._session}
        started = time.perf_counter()
        try:
            self._client.post("/gradio_api/queue/join", json=job).raise_for_status()
            with self._client.stream("GET", f"/gradio_api/queue/data?session_hash={self._session}") as stream:
                for event in events(stream):
                    if event["msg"] == "process_completed":
                        if not event.get("success"):
                            seen.errors.append(str(event.get("output"))[:200])
                            return ""
                        seen.whole.append(time.perf_counter() - started)
                        seen.first.append(seen.whole[-1])
                        return json.dumps(event["output"]["data"], ensure_ascii=False)
        except (httpx.HTTPError, ValueError, KeyError) as err:
            seen.errors.append(f"{type(err).__name__}: {err}")
        return ""

    def begin(self) -> None:
        """Nothing: no conversation is kept."""

    def close(self) -> None:
        """Close the tab."""
        self._client.close()


@dataclass(slots=True)
class Side:
    """One app and what was measured of it."""

    name: str
    arrive: Callable[[int], Asker]
    service: Service
    start_s: float = 0.0
    busy: Seen = field(default_factory=Seen)
    reading: Seen = field(default_factory=Seen)
    shown: list[bool] = field(default_factory=list)
    soon: list[bool] = field(default_factory=list)
    characters: list[int] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Return the measures."""
        return {
            "start_s": round(self.start_s, 1),
            "answers_per_s": round(len(self.busy.whole) / max(self.busy.lasted_s, 1e-9), 2),
            "busy_p50_s": round(p50(self.busy.whole), 3),
            "busy_p95_s": round(p95(self.busy.whole), 3),
            "reading_p50_s": round(p50(self.reading.whole), 3),
            "reading_p95_s": round(p95(self.reading.whole), 3),
            "memory_mb": round(memory_mb(self.service.pid)),
            "answers": len(self.busy.whole) + len(self.reading.whole),
            "errors": len(self.busy.errors) + len(self.reading.errors),
            "right_sentence_shown": round(sum(self.shown) / max(len(self.shown), 1), 3),
            f"right_sentence_in_first_{SOON}_characters": round(sum(self.soon) / max(len(self.soon), 1), 3),
            "questions": len(self.shown),
            "characters_shown_p50": p50(self.characters),
        }


def ours(folder: Path) -> Side:
    """Return our app, not started."""
    service = replica(folder, folder / "ours", llm="off", login="auto")
    return Side("lingxue", lambda _: Person(f"http://127.0.0.1:{service.port}"), service)


def peer(folder: Path) -> Side:
    """Return the ordinary app, not started."""
    port = free_port()
    command = [sys.executable, "-m", "eval.bench.ordinary_app", str(shipped_dir("knowledge")), str(port)]
    service = Service([*command, str(folder / "peer")], port, log=folder / "peer.log")
    return Side("langchain+chroma+gradio", lambda _: OrdinaryPerson(f"http://127.0.0.1:{port}"), service)


def start(side: Side, question: str) -> None:
    """Start an app that was never started before and wait for its first answer."""
    started = time.perf_counter()
    side.service.start().ready()
    while True:
        try:
            person = side.arrive(0)
            break
        except (httpx.HTTPError, ValueError):
            time.sleep(0.1)
    first = person.ask(question, Seen())
    side.start_s = time.perf_counter() - started
    person.close()
    if not first:
        raise RuntimeError(f"{side.name} does not answer: {side.service.said[-2000:]}")


def plain(text: str) -> str:
    """Return what is left of shown text without marks, tags and white space."""
    return _NOISE.sub("", html.unescape(_TAG.sub("", text.replace("\\n", "\n").replace('\\"', '"'))))


def read(side: Side, cases: Sequence[dict[str, Any]]) -> None:
    """Ask every case once, alone, and look for the sentence that answers in what is shown."""
    person = side.arrive(0)
    for case in cases:
        person.begin()
        shown = plain(person.ask(case["question"], Seen()))
        for kept, part in ((side.shown, shown), (side.soon, shown[:SOON])):
            kept.append(any(plain(quote) in part for quote in case["gold_quotes"]))
        side.characters.append(len(shown))
    person.close()


def _round(side: Side, questions: Sequence[str], options: argparse.Namespace) -> None:
    """One round of an app: people without a pause, then people who read."""
    for seen, users, pause_s in ((side.busy, BUSY, (0.0, 0.0)), (side.reading, options.users, READING_S)):
        seen.add(crowd(side.arrive, questions, users=users, seconds=options.seconds, pause_s=pause_s))


def measure(options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Start both apps, read the answers of both, then let the rounds alternate; return a row each."""
    lines = (SETS / "knowledge.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [case for case in map(json.loads, lines) if case["gold_quotes"] and not case["history"]]
    questions = [case["question"] for case in cases]
    sides = [ours(folder), peer(folder)]
    try:
        for side in sides:
            start(side, questions[0])
        for side in sides:
            read(side, cases)
        for number in range(options.rounds):
            for side in sides if number % 2 == 0 else sides[::-1]:
                _round(side, questions, options)
        return [side.row() for side in sides]
    finally:
        for side in sides:
            side.service.stop()


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as Markdown, with ours divided by the peer's."""
    ours_row, peer_row = rows
    out = ["| measure | Lingxue | LangChain + Chroma + Gradio | ratio |", "|---|---|---|---|"]
    for name, value in ours_row.items():
        other = peer_row[name]
        out.append(f"| {name} | {value} | {other} | {f'{value / other:.2f}' if other else '—'} |")
    return "\n".join(out)


def main() -> None:
    """Measure, print, and file by commit where asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--file", action="store_true", help="file the result by commit")
    options = parser.parse_args()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options, Path(folder))
    about = (
        f"{os.cpu_count()} cores, load {load:.1f} before, {options.rounds} rounds of {options.seconds:g} s"
    )
    print(f"{about}\n\n{table(rows)}")
    if options.file:
        name = (commit() or "unknown").replace("+", "-changed")
        kept = {"commit": name, "about": about, "lingxue": rows[0], "peer": rows[1]}
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"ordinary-{name}.json"
        path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text(f"Commit {name}. {about}.\n\n{table(rows)}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
