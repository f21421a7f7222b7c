"""Retrieval quality, speed and memory beside what a developer would assemble from libraries.

    python -m eval.bench.retrieval [--data ../shared/data] [--questions 400] [--sets cmrc policy …]

Each system builds and answers in a process of its own, on the same passages
and questions. Results go to eval/bench/results/<commit>.json and .md.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from eval.bench import corpora, measures
from eval.bench.systems import SYSTEMS
from eval.context import commit
from eval.train.corpus import read_lines
from rag import ingest
from rag.embed import load_encoder
from rag.lexical import fold
from rag.postings import Postings
from rag.segment import indexed_text
from rag.store import Store

RESULTS = Path(__file__).parent / "results"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
WARM_UP = 5  # questions asked before timing
FEW = {"BM25Retriever": 40, "BM25Retriever, jieba": 40, "EnsembleRetriever (RRF)": 40}
SPEED_ARTICLES = 15_000  # about two million characters
ALONE = 3.0  # load average up to which this run was alone on two processors: its own threads count
LARGE = 20_000  # chunks, from which the slow systems are asked so FEW questions


def main(arguments: Sequence[str] | None = None) -> None:
    """Run every system on every set, print and file the table."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench.retrieval", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--questions", type=int, default=400, help="at most so many a set; 0: all")
    parser.add_argument("--sets", nargs="*", default=[])
    parser.add_argument("--systems", nargs="*", default=list(SYSTEMS), choices=list(SYSTEMS))
    options = parser.parse_args(arguments)
    if not (options.data / "dev").is_dir():
        sys.stdout.write(f"no development sets at {options.data}: nothing measured\n")
        return
    names = [name for name, _ in corpora.every(options.data) if not options.sets or name in options.sets]
    loads, rows = [_load()], []
    rate = speed(options.data)
    for name in names:
        for system in options.systems:
            with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
                rows.append(pool.submit(run, system, name, options.data, options.questions).result())
            sys.stdout.write(line(rows[-1]) + "\n")
            sys.stdout.flush()
    loads.append(_load())
    result = {"commit": commit(), "load": loads, "speed": rate, "rows": rows}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{(commit() or 'unknown').replace('+', '-changed')}.json"
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    path.with_suffix(".md").write_text(table(result), encoding="utf-8")
    sys.stdout.write(f"{path}\n")


def run(system: str, name: str, data: Path, questions: int) -> dict[str, Any]:
    """Build a system over a set and ask it every question; times in seconds and milliseconds."""
    logging.disable(logging.WARNING)
    corpus = dict(corpora.every(data))[name]()
    few = FEW.get(system, 0) if len(corpus.chunks) >= LARGE else 0
    corpus = corpus.sampled(questions).sampled(few)
    before = peak_mb()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        started = time.perf_counter()
        find = SYSTEMS[system](corpus, Path(folder))
        built = time.perf_counter() - started
        for question, _ in corpus.questions[:WARM_UP]:
            find(question)
        scored, times, work = [], [], []
        for question, gold in corpus.questions:
            asked, used = time.perf_counter(), time.process_time()
            ranked = find(question)
            times.append(1000 * (time.perf_counter() - asked))
            work.append(1000 * (time.process_time() - used))
            scored.append(measures.measure(ranked, gold))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return {
        "set": name,
        "system": system,
        "chunks": len(corpus.chunks),
        "questions": len(corpus.questions),
        "few": bool(few),
        **measures.mean(scored),
        "p50_ms": statistics.median(times),
        "p95_ms": _p95(times),
        "cpu_p95_ms": _p95(work),
        "index_s": built,
        "peak_mb": peak_mb() - before,
        "disk_mb": size / 2**20,
    }


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[18] if len(times) > 1 else times[0]


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def peak_mb() -> float:
    """Return the most memory this process has held, in MB; 0 where the system does not say."""
    try:  # not `resource`: what it tells, a new process takes over from the one that started it
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


def speed(data: Path) -> dict[str, float]:
    """Measure characters a second from files to what goes into Chroma, over statutes of SPEED_ARTICLES.

    Reading is parsing in its own process, repair, structure, chunks and the store. Wall-clock, and the
    processor time of this process.
    """
    laws: dict[str, list[str]] = {}
    for row in read_lines(data / "laws.jsonl.gz")[:SPEED_ARTICLES]:
        laws.setdefault(row["law"], []).append(f"{row['article']} {row['text']}")
    encoder = load_encoder()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        folder = Path(place) / "laws"
        folder.mkdir()
        ingest.sync_folder(Store(Path(place) / "warm.db"), folder)
        for number, (law, articles) in enumerate(laws.items()):
            (folder / f"{number:05d}.txt").write_text("\n".join([law, *articles]), encoding="utf-8")
        count = sum(len(law) + sum(map(len, articles)) for law, articles in laws.items())
        store = Store(Path(place) / "lingxue.db")
        marks, used = [time.perf_counter()], time.process_time()
        ingest.sync_folder(store, folder)
        texts = [indexed_text(chunk) for chunk in store.chunks()]
        marks.append(time.perf_counter())
        Postings.of(map(fold, texts))
        marks.append(time.perf_counter())
        encoder.encode_documents(texts)
        marks.append(time.perf_counter())
        store.close()
    stages = {
        name: count / (b - a)
        for name, a, b in zip(("reading", "bm25", "encoder"), marks, marks[1:], strict=False)
    }
    cpu = count / (time.process_time() - used)
    return {"characters": count, **stages, "all": count / (marks[-1] - marks[0]), "all_by_cpu": cpu}


def line(row: dict[str, Any]) -> str:
    """Render a row of the table."""
    quality = " | ".join(f"{row[name]:.3f}" for name in measures.NAMES)
    name = f"{row['system']}{' *' if row['few'] else ''}"
    return (
        f"| {row['set']} | {name} | {quality} | {row['p50_ms']:.1f} | {row['p95_ms']:.1f} "
        f"| {row['cpu_p95_ms']:.1f} | {row['index_s']:.1f} | {row['peak_mb']:.0f} | {row['disk_mb']:.0f} |"
    )


def table(result: dict[str, Any]) -> str:
    """Render the results as Markdown."""
    rows, rate = result["rows"], result["speed"]
    sizes = {r["set"]: f"{r['set']} {r['questions']}/{r['chunks']:,}" for r in rows if not r["few"]}
    head = [
        "set",
        "system",
        *measures.NAMES,
        "p50 ms",
        "p95 ms",
        "p95 ms CPU",
        "index s",
        "peak MB",
        "disk MB",
    ]
    loads = " to ".join(f"{load:.1f}" for load in result["load"])
    few = sorted({r["questions"] for r in rows if r["few"]})
    lines = [
        f"Commit {result['commit']}. Questions/chunks: {', '.join(sizes.values())}.",
        *([f"* asked {few[0]} of the questions only, as it is slow there."] if few else []),
        f"{os.cpu_count()} processors; load average at the start and at the end {loads}"
        f" ({'alone' if max(result['load']) < ALONE else 'other work ran beside it'}). The peak is what the"
        " process grew by; what has 0 MB on disk is built anew at every start.",
        f"From files to what goes into Chroma: {rate['all'] / 1e6:.2f} million characters a second (reading "
        f"{rate['reading'] / 1e6:.2f}, BM25 {rate['bm25'] / 1e6:.2f}, encoder {rate['encoder'] / 1e6:.2f}; "
        f"by the processor time of the process {rate['all_by_cpu'] / 1e6:.2f}).",
        "",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
        *map(line, rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
