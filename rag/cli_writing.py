"""The commands for writing: `draft` lists an outline, `check` reads drafts.

Knows the command's options and how results are shown; the rest is the assistant's.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import BadRequest
from rag.terminal import complain, say, say_json
from rag.types import DraftRequest, Outline

if TYPE_CHECKING:
    from rag.assistant import Assistant

SUFFIXES = (".docx", ".md", ".txt")
_FIELDS = ("genre", "topic", "role", "occasion", "recipient", "length", "event", "seed")


def draft(options: argparse.Namespace, assistant: Assistant, ready: Callable[[Any], None]) -> int:
    """List an outline; write it to a file where one is named."""
    from rag.outline_text import write_markdown

    if options.out and options.out.suffix.lower() not in SUFFIXES:
        raise BadRequest(reason=f"--out 只能是 .docx、.md 或 .txt 文件：{options.out.name}。请改文件名。")
    ready(assistant)
    request = DraftRequest(**{name: getattr(options, name) for name in _FIELDS})
    outline = assistant.draft(request, private=options.private)
    if options.json:
        say_json(outline.to_dict())
    if options.out:
        _write(outline, options.out, footnotes=options.footnotes)
        complain(f"已写入 {options.out}")
    elif not options.json:
        say(write_markdown(outline))
    return 0


def check(options: argparse.Namespace, assistant: Assistant, ready: Callable[[Any], None]) -> int:
    """Check drafts and say what to look at again."""
    from rag.review_files import read
    from rag.review_text import write_report

    drafts, siblings, trouble = read(options.paths)
    for line in trouble:
        complain(line)
    ready(assistant)
    report = assistant.review(drafts, siblings, role=options.role)
    if options.json:
        say_json(report.to_dict())
    else:
        say(write_report(report))
    return 0


def _write(outline: Outline, path: Path, *, footnotes: bool) -> None:
    from rag.outline_text import write_markdown, write_plain

    if path.suffix.lower() == ".docx":
        from rag.docx import write_docx

        write_docx(outline, path, footnotes=footnotes)
    elif path.suffix.lower() == ".txt":
        path.write_text(write_plain(outline), encoding="utf-8")
    else:
        path.write_text(write_markdown(outline), encoding="utf-8")
