"""Questions asked in the chat and marked 赞 or 踩 as a set of cases, run or completed like any other.

The opinions are kept in the records (`rag.records.feedback`), which also make
cases of them; this writes the set anew from there. An answer marked 赞 gives
its quotes as gold, or a case that is not to be answered where it rightly
declined. Of one marked 踩 only the question is known to be good: the case
waits for a teacher to add points or quotes, and passes nobody until then.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from eval.cases import Case, load_cases
from eval.files import write_atomically
from eval.filing import home

NAME = "collected.jsonl"


def write_collection(data_dir: Path, cases: Iterable[Mapping[str, Any]]) -> Path:
    """Write the cases of the records as a set in the data directory; return its file."""
    path = home(data_dir) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, _lines(cases))
    return path


def as_cases(cases: Iterable[Mapping[str, Any]]) -> list[Case]:
    """Read the cases of the records; raise BadCases for one that is none."""
    text = _lines(cases)
    if not text:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / NAME
        path.write_text(text, encoding="utf-8")
        return load_cases([path])


def _lines(cases: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(case, ensure_ascii=True) + "\n" for case in cases)
