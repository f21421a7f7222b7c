"""Files to extracted text: one module a format, discovered.

A format is a module of this package that has SUFFIXES, NAME, accepts and
parse; adding one means adding its file and nothing else. Which module reads
a file is decided by the file's first bytes, and by its suffix only where
those leave it open. Knows files; nothing of repair, structure or index.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Protocol, cast

from rag.errors import BrokenFile, EmptyFile, LingxueError, ParseLimit, UnsupportedFile
from rag.parsers import guards
from rag.types import Parsed


class Format(Protocol):
    """What a format module offers."""

    SUFFIXES: tuple[str, ...]
    NAME: str

    def accepts(self, head: bytes, suffix: str) -> bool:
        """Tell from a file's first bytes whether this module reads it.

        `head` is the file's beginning; of a ZIP archive also its end, where
        the names of its members stand. `suffix` is in lower case.
        """
        ...

    def parse(self, path: Path) -> Parsed:
        """Extract a file's text; raise a subclass of `BadFile` with `name=path.name`."""
        ...


@cache
def formats() -> tuple[Format, ...]:
    """Return the format modules of this package, by module name."""
    found = []
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        if hasattr(module, "SUFFIXES"):
            found.append(cast(Format, module))
    return tuple(found)


def supported_suffixes() -> tuple[str, ...]:
    """Return the suffixes of all formats, sorted, in lower case with their dot."""
    return tuple(sorted({suffix for module in formats() for suffix in module.SUFFIXES}))


def parse_file(path: Path) -> Parsed:
    """Extract the text of a file in this process.

    Untrusted files belong into `sandbox`, which bounds time and memory.
    Raises: EmptyFile, NotText, NoTextFound, EncryptedFile, BrokenFile,
    UnsupportedFile, ParseLimit; OSError where the file cannot be read.
    """
    suffix = path.suffix.lower()
    head = guards.read_head(path)
    module = _choose(path, head, suffix)
    guards.check(path, head)
    try:
        parsed = module.parse(path)
    except (LingxueError, OSError):
        raise
    except MemoryError as err:
        raise ParseLimit(name=path.name, reason="内存不足") from err
    except Exception as err:  # format libraries raise anything at all on damaged files
        raise BrokenFile(name=path.name, reason=f"{module.NAME}解析失败：{type(err).__name__}") from err
    if not parsed.text.strip():
        raise EmptyFile(name=path.name)
    return _told(parsed, module, suffix)


def _choose(path: Path, head: bytes, suffix: str) -> Format:
    if not head:
        raise EmptyFile(name=path.name)
    named = [module for module in formats() if suffix in module.SUFFIXES]
    for module in [*named, *(module for module in formats() if module not in named)]:
        if module.accepts(head, suffix):
            return module
    guards.check(path, head)
    if named:
        raise BrokenFile(name=path.name, reason=f"内容不是{named[0].NAME}")
    raise UnsupportedFile(name=path.name, suffix=suffix or "没有后缀", known=_listed(supported_suffixes()))


def _listed(suffixes: Sequence[str]) -> str:
    return " ".join(suffixes)


def _told(parsed: Parsed, module: Format, suffix: str) -> Parsed:
    """Add a remark where the suffix did not say what the file is."""
    if suffix in module.SUFFIXES:
        return parsed
    remark = f"后缀 {suffix or '缺失'} 与内容不符，已按{module.NAME}读取"
    return replace(parsed, remarks=(remark, *parsed.remarks))
