"""Drafts from files, folders and pasted text; the catalogue of official names.

Knows the file system and the parsers, no rules.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from rag.errors import BadFile, BadRequest, BadSettings, FolderNotFound
from rag.parsers.sandbox import parse_safely
from rag.reasons import why
from rag.review import Draft
from rag.types import Parsed

SUFFIXES = (".docx", ".txt", ".md")
MAX_LENGTH = 200_000  # characters of one draft; a longer text is a book
PASTED = "粘贴的文字"


def pasted(text: str) -> Draft:
    """Return pasted text as a draft; raise BadRequest where there is none or too much."""
    return _draft(PASTED, text)


def read(paths: Sequence[Path]) -> tuple[list[Draft], list[Draft], list[str]]:
    """Read drafts: files and folders as named; "-" is standard input.

    Returns: the drafts asked for, the other drafts in the folders of single
    files, and a line of trouble for each file that could not be read.
    Raises: FolderNotFound; BadRequest: nothing could be read.
    """
    wanted: list[Path] = []
    beside: list[Path] = []
    drafts: list[Draft] = []
    for path in paths:
        if str(path) == "-":
            drafts.append(pasted(sys.stdin.read()))
        elif path.is_dir():
            wanted += _drafts_in(path)
        elif path.is_file():
            wanted.append(path)
            beside += _drafts_in(path.parent)
        else:
            raise FolderNotFound(path=path)
    trouble: list[str] = []
    wanted = list(dict.fromkeys(path.resolve() for path in wanted))
    others = [path for path in dict.fromkeys(p.resolve() for p in beside) if path not in wanted]
    drafts += _read(wanted, trouble)
    siblings = _read(others, trouble)
    if not drafts:
        formats = "、".join(SUFFIXES)
        raise BadRequest(reason=trouble[0] if trouble else f"没有可以查的稿件。支持的格式：{formats}。")
    return drafts, siblings, trouble


def official_titles(*folders: Path) -> list[str]:
    """Return the titles in the folders' catalogues of official texts (official.toml)."""
    titles: list[str] = []
    for folder in folders:
        path = folder / "official.toml"
        if not path.is_file():
            continue
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            titles += [str(entry["title"]) for entry in table.get("text", [])]
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise BadSettings(name=path.name, value=path, reason=f"读不懂这份目录：{err}") from err
    return list(dict.fromkeys(titles))


def _drafts_in(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "~$"))
    ]


def _read(paths: Iterable[Path], trouble: list[str]) -> list[Draft]:
    found = []
    for path, parsed in parse_safely(paths):
        if isinstance(parsed, Parsed):
            try:
                found.append(_draft(path.name, parsed.text, parsed))
            except BadRequest as err:
                trouble.append(str(err))
        elif isinstance(parsed, BadFile):
            trouble.append(str(parsed))
        else:
            trouble.append(f"{path.name}：无法读取（{why(parsed)}）。请检查文件权限。")
    return found


def _draft(name: str, text: str, parsed: Parsed | None = None) -> Draft:
    if not text.strip():
        raise BadRequest(reason=f"{name}：没有文字。请粘贴稿件，或换一个有内容的文件。")
    if len(text) > MAX_LENGTH:
        raise BadRequest(reason=f"{name}：太长（{len(text)}字，最多{MAX_LENGTH}字）。请分开来查。")
    blocks = parsed.blocks if parsed else ()
    return Draft(name, text, tuple((block.start, block.level) for block in blocks if block.level))
