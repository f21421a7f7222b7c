"""Adding a format means adding one module, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import rag.parsers
from rag.errors import UnsupportedFile
from rag.parsers import formats, parse_file, supported_suffixes

SUBTITLES = '''
"""Subtitles."""
from rag.types import Parsed
SUFFIXES = (".srt",)
NAME = "字幕"

def accepts(head, suffix):
    return suffix in SUFFIXES and b"-->" in head

def parse(path):
    lines = path.read_text("utf-8").splitlines()
    return Parsed("\\n".join(line for line in lines if "-->" not in line and not line.isdigit()))
'''


@pytest.fixture
def extended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "subtitles.py").write_text(SUBTITLES, "utf-8")
    monkeypatch.setattr(rag.parsers, "__path__", [*rag.parsers.__path__, str(tmp_path)])
    formats.cache_clear()
    yield tmp_path
    formats.cache_clear()


def test_new_module_is_a_new_format(extended: Path) -> None:
    path = extended / "a.srt"
    path.write_text("1\n00:00 --> 00:02\n同学们好", "utf-8")
    assert ".srt" in supported_suffixes()
    assert parse_file(path).text == "同学们好"


def test_without_the_module_the_format_is_unsupported(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00 --> 00:02\n同学们好", "utf-8")
    with pytest.raises(UnsupportedFile, match=r"不支持这种格式（\.srt）"):
        parse_file(path)


def test_every_format_offers_the_same_four_things() -> None:
    for module in formats():
        assert module.SUFFIXES and all(
            suffix == suffix.lower() and suffix[0] == "." for suffix in module.SUFFIXES
        )
        assert module.NAME and callable(module.accepts) and callable(module.parse)


def test_no_suffix_belongs_to_two_formats() -> None:
    suffixes = [suffix for module in formats() for suffix in module.SUFFIXES]
    assert sorted(suffixes) == sorted(set(suffixes)) == list(supported_suffixes())


def test_the_formats_schools_use_are_supported() -> None:
    assert {".docx", ".pdf", ".txt", ".md", ".html", ".htm", ".mht", ".xlsx", ".pptx", ".doc", ".wps"} <= set(
        supported_suffixes()
    )
