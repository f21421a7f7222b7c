"""What a run depended on, so that it can be repeated: commit, settings, documents, sets.

Reads them from outside; what cannot be had is left empty, never a reason to
fail. Secrets and folders of this machine stay out: reports are passed on.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ("llm", "llm_provider", "llm_model", "llm_base_url", "llm_timeout_s", "llm_max_tokens",
    "encoder", "reranker")  # fmt: skip
GIT_TIMEOUT_S = 10.0


def describe(case_files: Sequence[Path], assistant: Any, *, judged: bool = False) -> dict[str, Any]:
    """Return commit, version, settings, index fingerprint, and name and SHA-256 of sets and documents."""
    return {
        "commit": commit(),
        "version": _version(),
        "settings": _settings(getattr(assistant, "settings", None)),
        "judged": judged,
        "index": _fingerprint(assistant),
        "sets": [{"name": path.name, "sha256": _sha256(path)} for path in case_files],
        "documents": _documents(assistant),
    }


def commit(root: Path = ROOT) -> str:
    """Return the commit that stands in `root`, "" where git cannot tell.

    Uncommitted changes of tracked files are told by "+" and a hash of them,
    so that a run is never continued with other code.
    """
    head = _git(root, "rev-parse", "--short=12", "HEAD")
    changes = _git(root, "diff", "HEAD") if head else ""
    return f"{head}+{hashlib.sha256(changes.encode()).hexdigest()[:6]}" if changes else head


def _version() -> str:
    try:
        return version("lingxue")
    except PackageNotFoundError:
        return ""


def _git(root: Path, *arguments: str) -> str:
    if not (root / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=root,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _settings(settings: Any) -> dict[str, str]:
    """The settings that answers depend on; an address without user name, password and query."""
    found = {name: str(getattr(settings, name)) for name in SETTINGS if hasattr(settings, name)}
    if address := found.get("llm_base_url"):
        found["llm_base_url"] = re.sub(r"//[^/@]*@", "//", address).split("?", 1)[0]
    for name in ("encoder", "reranker"):  # folders of this machine
        if found.get(name):
            found[name] = Path(found[name]).name
    return found


def _documents(assistant: Any) -> list[dict[str, str]]:
    stamps = getattr(assistant, "stamps", None)
    found = stamps() if callable(stamps) else ()
    return sorted(({"name": stamp.name, "hash": stamp.stamp} for stamp in found), key=lambda d: d["name"])


def _fingerprint(assistant: Any) -> str:
    """One short name for the documents and the encoder; "" for an assistant that tells neither."""
    documents = _documents(assistant)
    encoder = getattr(getattr(assistant, "encoder", None), "fingerprint", "")
    if not documents:
        return ""
    return hashlib.sha256(repr((documents, encoder)).encode()).hexdigest()[:12]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
