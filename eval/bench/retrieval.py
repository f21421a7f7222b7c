"""Retrieval quality, speed and memory beside what a developer would assemble from libraries.

    python -m eval.bench.retrieval [--data ../shared/data] [--questions 400] [--sets cmrc policy …]

Each system builds and answers in a process of its own, on the same passages
and questions. Results go to eval/bench/results/<commit>.json and .md.
"""

from __future__ import annotations

import argparse
import json
import logging
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
from rag.embed import load_encoder
from rag.lexical import LexicalIndex

RESULTS = Path(__file__).parent / "results"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
WARM_UP = 5  # questions asked before timing


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
    rows = []
    for name in names:
        for system in options.systems:
            with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
                rows.append(pool.submit(run, system, name, options.data, options.questions).result())
            sys.stdout.write(line(rows[-1]) + "\n")
            sys.stdout.flush()
    result = {"commit": commit(), "speed": speed(options.data), "rows": rows}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{(commit() or 'unknown').replace('+', '-changed')}.json"
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    path.with_suffix(".md").write_text(table(result), encoding="utf-8")
    sys.stdout.write(f"{path}\n")


def run(system: str, name: str, data: Path, questions: int) -> dict[str, Any]:
    """Build a system over a set and ask it every question; times in seconds and milliseconds."""
    logging.disable(logging.WARNING)
    corpus = dict(corpora.every(data))[name]().sampled(questions)
    before = peak_mb()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        started = time.perf_counter()
        find = SYSTEMS[system](corpus, Path(folder))
        built = time.perf_counter() - started
        for question, _ in corpus.questions[:WARM_UP]:
            find(question)
        scored, times = [], []
        for question, gold in corpus.questions:
            asked = time.perf_counter()
            ranked = find(question)
            times.append(1000 * (time.perf_counter() - asked))
            scored.append(measures.measure(ranked, gold))
    cuts = statistics.quantiles(times, n=20) if len(times) > 1 else times * 19
    return {
        "set": name,
        "system": system,
        "chunks": len(corpus.chunks),
        "questions": len(corpus.questions),
        **measures.mean(scored),
        "p50_ms": statistics.median(times),
        "p95_ms": cuts[18],
        "index_s": built,
        "peak_mb": peak_mb() - before,
    }


def peak_mb() -> float:
    """Return the most memory this process has held, in MB; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def speed(data: Path) -> dict[str, float]:
    """Measure characters a second of BM25 and encoding together, all that comes before Chroma."""
    corpus = corpora.passages("drcd", data / "dev" / "drcd_dev.json.gz")
    texts, encoder = corpus.texts, load_encoder()
    started = time.perf_counter()
    LexicalIndex.build(texts)
    lexical = time.perf_counter() - started
    encoder.encode_documents(texts)
    total = time.perf_counter() - started
    count = sum(map(len, texts))
    return {
        "characters": count,
        "lexical_per_s": count / lexical,
        "encoder_per_s": count / (total - lexical),
        "both_per_s": count / total,
    }


def line(row: dict[str, Any]) -> str:
    """Render a row of the table."""
    quality = " | ".join(f"{row[name]:.3f}" for name in measures.NAMES)
    return (
        f"| {row['set']} | {row['system']} | {quality} | {row['p50_ms']:.1f} | {row['p95_ms']:.1f} "
        f"| {row['index_s']:.1f} | {row['peak_mb']:.0f} |"
    )


def table(result: dict[str, Any]) -> str:
    """Render the results as Markdown."""
    sizes = {row["set"]: f"{row['set']} {row['questions']}/{row['chunks']:,}" for row in result["rows"]}
    head = ["set", "system", *measures.NAMES, "p50 ms", "p95 ms", "index s", "peak MB"]
    lines = [
        f"Commit {result['commit']}. Questions/chunks: {', '.join(sizes.values())}.",
        f"Before Chroma: {result['speed']['both_per_s'] / 1e6:.2f} million characters a second "
        f"(BM25 {result['speed']['lexical_per_s'] / 1e6:.2f}, "
        f"encoder {result['speed']['encoder_per_s'] / 1e6:.2f}).",
        "",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
        *map(line, result["rows"]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
