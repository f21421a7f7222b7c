"""Growth with the number of documents: time, memory, disk, latency at 1k, 5k, 20k, all statute articles.

    python -m eval.bench.scale LAWS.jsonl.gz [--sizes 1000 5000 20000 0]

`LAWS.jsonl.gz` holds one article a line: law, article, heading, text; size 0 is all of them. Every size runs
in a process of its own, so that memory is its own. The peer, in the same run, is the same articles in a
Chroma collection by way of `langchain_chroma`, as its guide assembles it, with the same encoder: LangChain's
part alone, without documents' structure, quotes or answers. Results go to eval/bench/results/scale-<commit>.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from eval.bench.retrieval import RESULTS, peak_mb
from eval.bench.systems import ADDED_AT_ONCE, embeddings
from eval.context import commit
from rag.embed import load_encoder
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
ASKED = 120
WARM_UP = 5
NEW = "第一条 新增的规定由新部门负责。"


def main() -> None:
    """Measure every size, ours and the peer's in turn; print a table and file the numbers by commit."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench.scale")
    parser.add_argument("laws", type=Path)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 5000, 20000, 0])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.laws, int(options.one[0]), options.one[1])))
        return
    rows, loads = [], [_load()]
    for size in options.sizes:
        for who in ("lingxue", "langchain"):
            command = [sys.executable, "-m", "eval.bench.scale", str(options.laws), "--one", str(size), who]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    loads.append(_load())
    path = RESULTS / f"scale-{(commit() or 'unknown').replace('+', '-changed')}.json"
    RESULTS.mkdir(exist_ok=True)
    path.write_text(
        json.dumps({"commit": commit(), "load": loads, "rows": rows}, ensure_ascii=False, indent=1), "utf-8"
    )
    path.with_suffix(".md").write_text(table(rows, loads), "utf-8")
    print(table(rows, loads) + str(path))


def table(rows: list[dict[str, Any]], loads: list[float]) -> str:
    """Render the rows as Markdown."""
    names = {
        "articles": "articles", "who": "who", "index_s": "first index, s", "add_one_s": "one more, s",
        "retrieve_p50_ms": "search p50, ms", "retrieve_p95_ms": "search p95, ms",
        "retrieve_cpu_p95_ms": "search p95, ms CPU", "answer_p50_ms": "answer p50, ms",
        "answer_p95_ms": "answer p95, ms", "memory_mb": "memory, MB", "disk_mb": "disk, MB",
    }  # fmt: skip
    lines = [
        f"{os.cpu_count()} processors, load average {loads[0]:.1f} to {loads[-1]:.1f}.",
        "",
        "| " + " | ".join(names.values()) + " |",
        "|---" * len(names) + "|",
        *("| " + " | ".join(str(row.get(name, "—")) for name in names) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def articles(path: Path, size: int) -> list[dict[str, str]]:
    """Return the first `size` articles, or all where it is 0."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for number, line in enumerate(file) if not size or number < size]


def questions(laws: Path) -> list[str]:
    """Return what is asked: people's questions on statutes where they lie beside the laws, else made ones."""
    path = laws.parent / "train" / "statute-questions.jsonl.gz"
    if not path.is_file():
        return [QUESTIONS[number % len(QUESTIONS)] for number in range(ASKED)]
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line)["question"] for line in islice(file, ASKED)]


def measure(laws: Path, size: int, who: str) -> dict[str, Any]:
    """Index and ask; seconds are wall-clock, memory is the process's highest, disk all that was written."""
    stay_offline()
    found, asked = articles(laws, size), questions(laws)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        run = _ours if who == "lingxue" else _peer
        row = run(found, asked, Path(folder))
        disk = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
    return row | {
        "who": who, "articles": len(found), "memory_mb": round(peak_mb()), "disk_mb": round(disk / 2**20)
    }  # fmt: skip


def timed(name: str, work: Callable[[str], object], asked: Sequence[str]) -> dict[str, float]:
    """Ask every question once, a few before to warm up; return ms at the median and the 95th percentile."""
    for question in asked[:WARM_UP]:
        work(question)
    times, used = [], []
    for question in asked[WARM_UP:]:
        started, cpu = time.perf_counter(), time.process_time()
        work(question)
        times.append(1000 * (time.perf_counter() - started))
        used.append(1000 * (time.process_time() - cpu))
    return {
        f"{name}_p50_ms": round(statistics.median(times), 1),
        f"{name}_p95_ms": round(statistics.quantiles(times, n=20)[18], 1),
        f"{name}_cpu_p95_ms": round(statistics.quantiles(used, n=20)[18], 1),
    }


def _ours(found: list[dict[str, str]], asked: list[str], folder: Path) -> dict[str, Any]:
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
    row: dict[str, Any] = {"index_s": round(time.perf_counter() - started, 1), "chunks": report.chunks}
    row |= timed("retrieve", partial(assistant.retriever.retrieve, k=8), asked)
    one = folder / "一.txt"
    one.write_text(NEW, encoding="utf-8")
    started = time.perf_counter()
    assistant.index([one])
    row["add_one_s"] = round(time.perf_counter() - started, 2)
    row |= timed("answer", assistant.answer, asked)
    generation = assistant.search_index.current()
    row["dense_by"] = generation.searched_by if generation else ""
    assistant.close()
    return row


def _peer(found: list[dict[str, str]], asked: list[str], folder: Path) -> dict[str, Any]:
    from langchain_chroma import Chroma

    store = Chroma("laws", embeddings(load_encoder()), persist_directory=str(folder))
    texts = [f"{item['law']} {item['article']} {item['text']}" for item in found]
    started = time.perf_counter()
    for first in range(0, len(texts), ADDED_AT_ONCE):
        store.add_texts(texts[first : first + ADDED_AT_ONCE])
    row: dict[str, Any] = {"index_s": round(time.perf_counter() - started, 1), "chunks": len(texts)}
    row |= timed("retrieve", partial(store.similarity_search, k=8), asked)
    started = time.perf_counter()
    store.add_texts([NEW])
    row["add_one_s"] = round(time.perf_counter() - started, 2)
    return row


if __name__ == "__main__":
    main()
