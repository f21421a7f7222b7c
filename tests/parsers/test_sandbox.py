"""Limits of the parsing process: one bad file costs that file and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import errors
from rag.errors import BrokenFile, EmptyFile, LingxueError, ParseLimit
from rag.parsers import parse_file, sandbox
from rag.parsers.sandbox import ParserProcess, parse_safely

ROGUE = """
import ctypes, os, sys, time
SUFFIXES = (".rogue",)
NAME = "恶意文件"

def accepts(head, suffix):
    return suffix in SUFFIXES

def parse(path):
    order = path.read_text()
    if order == "sleep":
        time.sleep(60)
    if order == "pages":
        from rag.parsers import ocr
        for _ in range(4):
            time.sleep(0.6)
            ocr.on_page()
    if order == "crash":
        ctypes.string_at(0)
    if order == "exit":
        os._exit(7)
    if order == "memory":
        bytearray(8 * 2**30)
    if order == "print":
        os.write(1, b"noise\\n")
        print("noise")
    if order == "raise":
        raise KeyError("inner")
    if order == "recurse":
        return parse(path)
    from rag.types import Parsed
    return Parsed(order)
"""


@pytest.fixture
def rogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A format module that misbehaves on order, put in the worker's package by its start-up hook."""
    (tmp_path / "formats").mkdir()
    (tmp_path / "formats" / "rogue.py").write_text(ROGUE, "utf-8")
    hook = f"import rag.parsers\nrag.parsers.__path__.append({str(tmp_path / 'formats')!r})\n"
    (tmp_path / "sitecustomize.py").write_text(hook, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield tmp_path


def ordered(folder: Path, order: str) -> Path:
    path = folder / f"{order}.rogue"
    path.write_text(order)
    return path


def plain(folder: Path) -> Path:
    path = folder / "好.txt"
    path.write_text("第一条 内容。\n", "utf-8")
    return path


def test_worker_gives_what_the_parser_gives(tmp_path: Path) -> None:
    path = tmp_path / "通知.md"
    path.write_text("---\ntitle: 题\n---\n# 一\n\n𠮷正文\n- 项\n", "utf-8")
    with ParserProcess() as parser:
        assert parser.parse(path) == parse_file(path)


def test_errors_come_back_as_their_class_with_their_values(tmp_path: Path) -> None:
    path = tmp_path / "空.txt"
    path.write_bytes(b"")
    with ParserProcess() as parser, pytest.raises(EmptyFile) as caught:
        parser.parse(path)
    assert caught.value.values == {"name": "空.txt"}


def test_missing_file_is_the_systems_own_error(tmp_path: Path) -> None:
    with ParserProcess() as parser, pytest.raises(FileNotFoundError):
        parser.parse(tmp_path / "无.txt")


@pytest.mark.parametrize(
    ("order", "error", "says"),
    [
        ("sleep", ParseLimit, "用时超过 2 秒"),
        ("crash", BrokenFile, "异常退出"),
        ("exit", BrokenFile, "异常退出"),
        ("raise", BrokenFile, "KeyError"),
        ("recurse", BrokenFile, "RecursionError"),
    ],
)
def test_misbehaving_file_fails_alone_and_the_next_one_succeeds(
    order: str, error: type[LingxueError], says: str, rogue: Path
) -> None:
    with ParserProcess(timeout_s=2) as parser:
        assert parser.parse(plain(rogue)).text == "第一条 内容。\n"
        with pytest.raises(error, match=says) as caught:
            parser.parse(ordered(rogue, order))
        assert caught.value.values["name"] == f"{order}.rogue"
        assert parser.parse(plain(rogue)).text == "第一条 内容。\n"


def test_long_work_that_gives_signs_of_life_is_not_stopped(rogue: Path) -> None:
    with ParserProcess(timeout_s=2) as parser:
        parser.parse(plain(rogue))
        assert parser.parse(ordered(rogue, "pages")).text == "pages"  # 2.4 s in all
        assert parser.parse(plain(rogue)).text == "第一条 内容。\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces a limit of address space")
def test_memory_limit_holds_and_the_next_file_succeeds(rogue: Path) -> None:
    with ParserProcess(timeout_s=20, memory_bytes=2**30) as parser:
        with pytest.raises(ParseLimit, match="内存"):
            parser.parse(ordered(rogue, "memory"))
        assert parser.parse(plain(rogue)).text == "第一条 内容。\n"


def test_what_a_library_prints_does_not_disturb_the_answers(rogue: Path) -> None:
    with ParserProcess() as parser:
        assert parser.parse(ordered(rogue, "print")).text == "print"
        assert parser.parse(plain(rogue)).text == "第一条 内容。\n"


def test_one_worker_serves_many_files_and_is_gone_after(tmp_path: Path) -> None:
    with ParserProcess() as parser:
        parser.parse(plain(tmp_path))
        process = parser._process
        parser.parse(plain(tmp_path))
        assert parser._process is process
    assert process is not None and process.poll() is not None


def test_worker_is_replaced_after_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_FILES_A_WORKER", 2)
    processes = set()
    with ParserProcess() as parser:
        for _ in range(5):
            assert parser.parse(plain(tmp_path)).text == "第一条 内容。\n"
            processes.add(parser._process)
    assert len(processes) == 3
    assert all(process is not None and process.poll() is not None for process in processes)


def test_worker_killed_from_outside_is_started_again(tmp_path: Path) -> None:
    with ParserProcess() as parser:
        parser.parse(plain(tmp_path))
        assert parser._process is not None
        parser._process.kill()
        parser._process.wait()
        assert parser.parse(plain(tmp_path)).text == "第一条 内容。\n"


def test_parse_safely_yields_every_file_with_its_outcome(tmp_path: Path) -> None:
    empty = tmp_path / "空.txt"
    empty.write_bytes(b"")
    missing = tmp_path / "无.txt"
    outcomes = list(parse_safely([plain(tmp_path), empty, missing, plain(tmp_path)]))
    assert [type(outcome).__name__ for _, outcome in outcomes] == [
        "Parsed",
        "EmptyFile",
        "FileNotFoundError",
        "Parsed",
    ]


def test_starting_the_worker_loads_no_heavy_library() -> None:
    code = (
        "import rag.parsers.worker, sys, rag.parsers; rag.parsers.formats();"
        "heavy = {'docx', 'lxml', 'pypdfium2', 'pypdf', 'trafilatura', 'openpyxl', 'numpy', 'pptx'};"
        "print(*heavy & set(sys.modules))"
    )
    root = str(Path(sandbox.__file__).parents[2])
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        check=True,
    )
    assert found.stdout.split() == []


def test_first_answer_comes_within_seconds(tmp_path: Path) -> None:
    begun = time.monotonic()
    with ParserProcess() as parser:
        parser.parse(plain(tmp_path))
    assert time.monotonic() - begun < 3  # measured 0.15 s; a busy machine may be slower


def test_every_error_class_crosses_the_border_by_name() -> None:
    for kind in (
        errors.NotText,
        errors.NoTextFound,
        errors.EncryptedFile,
        errors.UnsupportedFile,
        ParseLimit,
    ):
        assert getattr(errors, kind.__name__) is kind
