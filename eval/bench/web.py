"""Thirty people asking at once: how long until the first text, and does memory stay flat?

Serves the app on loopback as its users do and speaks the page's own protocol
(Gradio's queue), so stages, streaming, the database and the rendering take
part. Beside the crowd one person is measured alone in the same run: the peer
that tells how much of a time is the crowd's.

    python -m eval.bench.web [seconds] [users]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from eval.bench.crowd import MemoryWatch, Person, alone, crowd, line
from eval.bench.installation import replica

QUESTIONS = (
    "党组织会议要多少人到会才能开？",
    "六项领导职责是哪六个？",
    "书记和校长意见谈不拢，还上不上会？",
    "三重一大包括哪些？",
    "书记岗位津贴一个月发多少",
    "校长办公会议谁主持？",
)
ALONE = 12  # questions of the one person alone


def main(seconds: float = 60, users: int = 30) -> None:
    """Run the bench and print what was measured."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = replica(folder, folder / "data", llm="off", login="auto").start().ready()
        address = f"http://127.0.0.1:{server.port}"
        try:
            print(line("alone before", alone(Person(address), QUESTIONS, ALONE)), flush=True)
            warm = crowd(lambda _: Person(address), QUESTIONS, users=users, seconds=seconds / 4)
            print(line(f"{users} people, warming up", warm), flush=True)
            if hasattr(os, "getloadavg"):
                print(f"load average {os.getloadavg()[0]:.1f}")
            memory = MemoryWatch(server.pid)
            seen = crowd(lambda _: Person(address), QUESTIONS, users=users, seconds=seconds)
            memory.stop()
            print(line(f"{users} people, {seconds:.0f} s", seen))
            first, middle, last = memory.thirds()
            print(f"memory of the server: {first:.0f} MB at the beginning, {middle:.0f} in the middle, "
                  f"{last:.0f} at the end ({last / max(first, 1):.2f} times)")  # fmt: skip
            print(line("alone after", alone(Person(address), QUESTIONS, ALONE)))
            for error in dict.fromkeys(seen.errors + warm.errors):
                print(f"error: {error}")
        finally:
            server.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
