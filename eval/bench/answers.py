"""Time to the first text of an answer without a model, over 5,000 chunks.

    python -m eval.bench.answers

The bundled documents are filled up with made ones, whose lines are the
bundled documents' own in shuffled order, until there are CHUNKS chunks. The
peer, timed in turn with it in the same run, is a list of the passages found:
what a program shows that has search and no answers. Milliseconds are
wall-clock in one process, after one question to warm up.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rag.assistant import Assistant
from rag.config import Settings, shipped_dir
from rag.ingest import QUESTIONS

CHUNKS = 5_000
LINES_A_DOCUMENT = 400
SETS = Path(__file__).resolve().parent.parent / "sets"


def fill(folder: Path, documents: int) -> None:
    """Copy the bundled documents into a folder and add made ones beside them."""
    lines = []
    for path in sorted(shipped_dir("knowledge").glob("*.md")):
        shutil.copy(path, folder)
        shutil.copy(path.with_name(path.stem + QUESTIONS), folder)
        text = path.read_text(encoding="utf-8")
        lines += [line for line in text.splitlines() if line.strip() and line[0] not in "#|"]
    shuffled = random.Random(7)
    for number in range(documents):
        drawn = [f"甲{number}乙{i}：{shuffled.choice(lines)}" for i in range(LINES_A_DOCUMENT)]
        (folder / f"made-{number:03}.txt").write_text("\n\n".join(drawn), encoding="utf-8")


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def share(values: Sequence[float], part: float) -> float:
    """Return a quantile of times."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def main() -> None:
    """Index, ask every question of the bundled set both ways in turn, print the quantiles."""
    lines = (SETS / "knowledge.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "documents"
        folder.mkdir()
        fill(folder, documents=0)
        assistant = Assistant(Settings(data_dir=Path(place) / "data", knowledge_dir=folder, llm="off"))
        bundled = assistant.index().chunks
        fill(folder, documents=1)
        each = assistant.index().chunks - bundled
        fill(folder, documents=-(-(CHUNKS - bundled) // each))
        chunks = assistant.index().chunks
        assistant.answer(questions[0])
        ours, peer = [], []
        for question in questions:
            ours.append(milliseconds(partial(assistant.answer, question)))
            peer.append(milliseconds(partial(assistant.retriever.retrieve, question)))
        assistant.close()
    print(f"{bundled} chunks of the bundled documents filled up to {chunks}; {len(questions)} questions")
    for name, times in (("answer", ours), ("list of passages", peer)):
        p50, p95 = (share(times, part) for part in (0.5, 0.95))
        print(f"{name}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, worst {max(times):.0f} ms")


if __name__ == "__main__":
    main()
