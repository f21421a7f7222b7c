"""Reading and indexing: characters per second and peak memory, per format, beside the usual readers.

    python -m eval.bench.indexing [--json FILE]

Documents are made of the paragraphs of knowledge/, numbered as articles, and
rendered to every format. Each reader runs over the same files in a process of
its own, twice: the first round loads what it loads, the second is timed. The
peers are what programs usually call: pypdf, python-docx, trafilatura, and
markitdown where it is installed. `indexing` is the whole way of ours, parsing
in its own process included, to vectors and a verified index.
Characters are those that each reader gave back; memory is the process's peak
resident size, with that of its children in brackets.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from eval.bench.laws import RENDERERS, Law

DOCUMENTS = 24
ARTICLES = 120
FORMATS = (".txt", ".html", ".docx", ".pdf")
KNOWLEDGE = Path(__file__).parents[2] / "knowledge"


def make_documents() -> list[Law]:
    """Make rules out of the bundled documents' paragraphs, shuffled; the same every time."""
    lines = [line for path in sorted(KNOWLEDGE.glob("*.md")) for line in path.read_text("utf-8").splitlines()]
    paragraphs = [line for line in lines if re.match(r"[^#|\s-].{20,}", line)]
    chance = random.Random(0)
    return [
        Law(
            f"花园中学第{number}号制度汇编",
            tuple((f"第{n}条", "第一章 规定", chance.choice(paragraphs)) for n in range(1, ARTICLES + 1)),
        )
        for number in range(1, DOCUMENTS + 1)
    ]


def ours(path: Path) -> str:
    """Read with our parsers, in this process."""
    from rag.parsers import parse_file

    return parse_file(path).text


def with_pypdf(path: Path) -> str:
    """Read a PDF page by page."""
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def with_python_docx(path: Path) -> str:
    """Read a Word file's paragraphs."""
    import docx

    return "\n".join(paragraph.text for paragraph in docx.Document(str(path)).paragraphs)


def with_trafilatura(path: Path) -> str:
    """Read a page's main text."""
    import trafilatura

    return trafilatura.extract(path.read_bytes()) or ""


def with_open(path: Path) -> str:
    """Read a text file that is known to be UTF-8."""
    return path.read_text("utf-8")


def with_markitdown(path: Path) -> str:
    """Read with markitdown."""
    return str(_markitdown().convert(str(path)).text_content)


@cache
def _markitdown() -> Any:
    """One converter for all files: making one loads a model."""
    import markitdown

    return markitdown.MarkItDown()


READERS: dict[str, Callable[[Path], str]] = {
    "ours": ours,
    "pypdf": with_pypdf,
    "python-docx": with_python_docx,
    "trafilatura": with_trafilatura,
    "open()": with_open,
    "markitdown": with_markitdown,
}
PEERS = {
    ".txt": ("open()", "markitdown"),
    ".html": ("trafilatura", "markitdown"),
    ".docx": ("python-docx", "markitdown"),
    ".pdf": ("pypdf", "markitdown"),
}


def read_folder(reader: str, folder: Path) -> dict[str, float]:
    """Time a reader over a folder's files, after one round that loads and warms."""
    read = READERS[reader]
    paths = sorted(folder.iterdir())
    read(paths[0])
    begun = time.perf_counter()
    characters = sum(len(read(path)) for path in paths)
    return {"characters": characters, "seconds": time.perf_counter() - begun}


def index_folder(folder: Path) -> dict[str, float]:
    """Time the whole way to a verified index over a folder's files, after one small round that loads."""
    from rag.assistant import Assistant
    from rag.config import Settings

    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as data:
        (Path(small) / "a.txt").write_text("第一条 学校应当保障安全。\n", "utf-8")
        first = Assistant(Settings(data_dir=Path(small) / "data", knowledge_dir=Path(small), llm="off"))
        first.index()
        first.close()
        assistant = Assistant(Settings(data_dir=Path(data), knowledge_dir=folder, llm="off"))
        begun = time.perf_counter()
        assistant.index()
        seconds = time.perf_counter() - begun
        characters = sum(len(assistant.source(stamp.id).original) for stamp in assistant.stamps())
        assistant.close()
    return {"characters": characters, "seconds": seconds}


def _peak_mb() -> tuple[float, float]:
    """Peak resident size of this process and of its largest child, in MB; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0.0, 0.0
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / unit,
    )


def in_process(task: str, folder: Path) -> dict[str, Any]:
    """Run one task in a process of its own; return what it measured."""
    command = [sys.executable, "-m", "eval.bench.indexing", "--task", task, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def run(folder: Path) -> list[dict[str, Any]]:
    """Render the documents and measure every reader on every format."""
    rows = []
    documents = make_documents()
    for suffix in FORMATS:
        place = folder / suffix.strip(".")
        place.mkdir()
        for number, document in enumerate(documents):
            RENDERERS[suffix](document, place / f"{number:02}{suffix}")
        for task in ("ours", *PEERS[suffix], "indexing"):
            if task == "markitdown" and find_spec("markitdown") is None:
                continue
            rows.append({"format": suffix, "reader": task, **in_process(task, place)})
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Lay the rows out as a Markdown table."""
    lines = ["| format | reader | characters | characters/s | peak MB (child) |", "|---|---|---|---|---|"]
    for row in rows:
        speed = row["characters"] / row["seconds"]
        peak = f"{row['peak_mb']:.0f}" + (f" ({row['child_mb']:.0f})" if row["reader"] == "indexing" else "")
        lines.append(f"| {row['format']} | {row['reader']} | {row['characters']:,} | {speed:,.0f} | {peak} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table; with --json also write the rows."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--json", type=Path)
    options.add_argument("--task", help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.task:
        measured = (
            index_folder(given.folder) if given.task == "indexing" else read_folder(given.task, given.folder)
        )
        own, child = _peak_mb()
        print(json.dumps({**measured, "peak_mb": own, "child_mb": child}))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = run(Path(folder))
    print(f"{DOCUMENTS} documents; Python {platform.python_version()}, {platform.system()}\n{table(rows)}")
    if given.json:
        given.json.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
