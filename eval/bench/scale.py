"""Growth with the number of documents: time, memory, disk, latency at 1k, 5k, 20k, all statute articles.

    python -m eval.bench.scale LAWS.jsonl.gz [--sizes 1000 5000 20000 0] [--json FILE]

`LAWS.jsonl.gz` holds one article a line: law, article, heading, text; size 0 is all of them. Every size runs
in a process of its own, so that memory is its own. The peer, in the same run, is the same articles in a
Chroma collection by way of `langchain_chroma`, as its guide assembles it, with the same encoder: LangChain's
part alone, without documents' structure, quotes or answers.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from rag.offline import stay_offline

QUESTIONS = (
    "未成年人可以独自订立合同吗？",
    "劳动合同试用期最长多久？",
    "教师享有哪些权利？",
    "学校可以收取与入学挂钩的费用吗？",
    "离婚时孩子由谁抚养？",
    "用人单位拖欠工资怎么办？",
    "义务教育的年限是多少？",
    "校车没有许可会受什么处罚？",
    "个人信息可以不经同意处理吗？",
    "谁负责审批民办学校？",
    "房屋租赁期限最长是多少年？",
    "食品安全由谁监督？",
    "交通事故当事人应当怎样做？",
    "继承从什么时候开始？",
    "公司股东如何承担责任？",
    "污染环境要承担什么责任？",
)
ASKED = 96


def main() -> None:
    """Measure every size, ours and the peer's in turn; print a table and file the numbers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("laws", type=Path)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 5000, 20000, 0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.laws, int(options.one[0]), options.one[1])))
        return
    rows = []
    for size in options.sizes:
        for who in ("lingxue", "langchain"):
            command = [sys.executable, "-m", "eval.bench.scale", str(options.laws), "--one", str(size), who]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")


def articles(path: Path, size: int) -> list[dict[str, str]]:
    """Return the first `size` articles, or all where it is 0."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for number, line in enumerate(file) if not size or number < size]


def measure(laws: Path, size: int, who: str) -> dict[str, Any]:
    """Index and ask; seconds are wall-clock, memory is the process's highest, disk all that was written."""
    stay_offline()
    found = articles(laws, size)
    with tempfile.TemporaryDirectory() as folder:
        run = _ours if who == "lingxue" else _peer
        row = run(found, Path(folder))
        disk = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
    row |= {"who": who, "articles": len(found), "memory_mb": _memory_mb(), "disk_mb": round(disk / 2**20)}
    return row


def _ours(found: list[dict[str, str]], folder: Path) -> dict[str, Any]:
    from rag.assistant import Assistant
    from rag.config import Settings

    (folder / "k").mkdir()
    laws: dict[str, list[str]] = {}
    for item in found:
        laws.setdefault(item["law"], []).append(f"{item['article']} {item['text']}")
    for number, (law, lines) in enumerate(laws.items()):
        (folder / "k" / f"{number:05d}.txt").write_text(law + "\n" + "\n".join(lines), encoding="utf-8")
    assistant = Assistant(Settings(data_dir=folder / "d", knowledge_dir=folder / "k", llm="off"))
    started = time.perf_counter()
    report = assistant.index()
    seconds = time.perf_counter() - started
    one = folder / "一.txt"
    one.write_text("第一条 新增的规定由新部门负责。", encoding="utf-8")
    started = time.perf_counter()
    assistant.index([one])
    again = time.perf_counter() - started
    list(_asked(assistant, 4))
    times = sorted(_asked(assistant, ASKED))
    generation = assistant.search_index.current()
    by = generation.searched_by if generation else ""
    assistant.close()
    return {
        "index_s": round(seconds, 1), "add_one_s": round(again, 1), "chunks": report.chunks,
        "p50_ms": round(1000 * times[len(times) // 2]), "p95_ms": round(1000 * times[int(0.95 * len(times))]),
        "dense_by": by,
    }  # fmt: skip


def _asked(assistant: Any, count: int) -> Iterator[float]:
    for number in range(count):
        started = time.perf_counter()
        assistant.answer(QUESTIONS[number % len(QUESTIONS)])
        yield time.perf_counter() - started


def _peer(found: list[dict[str, str]], folder: Path) -> dict[str, Any]:
    from langchain_chroma import Chroma
    from langchain_core.embeddings import Embeddings

    from rag.embed import load_encoder

    encoder = load_encoder("")

    class Encoder(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            rows: list[list[float]] = np.asarray(encoder.encode_documents(texts)).tolist()
            return rows

        def embed_query(self, text: str) -> list[float]:
            row: list[float] = encoder.encode_query(text)[0].tolist()
            return row

    store = Chroma("laws", Encoder(), persist_directory=str(folder))
    texts = [f"{item['law']} {item['article']} {item['text']}" for item in found]
    started = time.perf_counter()
    for first in range(0, len(texts), 5000):  # more at once is refused
        store.add_texts(texts[first : first + 5000])
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    store.add_texts(["第一条 新增的规定由新部门负责。"])
    again = time.perf_counter() - started
    times = []
    for number in range(ASKED):
        started = time.perf_counter()
        store.similarity_search(QUESTIONS[number % len(QUESTIONS)], k=8)
        times.append(time.perf_counter() - started)
    times.sort()
    return {
        "index_s": round(seconds, 1), "add_one_s": round(again, 1), "chunks": len(texts),
        "p50_ms": round(1000 * times[len(times) // 2], 1),
        "p95_ms": round(1000 * times[int(0.95 * len(times))], 1),
        "dense_by": "chroma",
    }  # fmt: skip


def _memory_mb() -> int:
    """Return the highest resident memory of this process in MB, 0 where the system does not tell."""
    with suppress(ImportError):
        import resource

        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return 0


if __name__ == "__main__":
    main()
