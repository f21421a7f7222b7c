"""What the program says in its own words: greetings, refusals, no evidence.

The words and the patterns that call for them are data in
prompts/notices.toml; nothing here speaks.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.types import Answer, Sentence


@dataclass(frozen=True, slots=True)
class Notices:
    """The loaded notices; `table` is the parsed TOML."""

    table: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> Notices:
        """Read notices.toml."""
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def text(self, name: str, **fields: object) -> str:
        """Return a notice with its fields filled in."""
        return str(self.table[name]).format(**fields)

    def small_talk(self, question: str) -> str:
        """Return the reply to a greeting or a question about the program itself, or ""."""
        return self._first("small_talk", question.strip(), "reply")

    def refuses(self, question: str) -> bool:
        """Tell whether a question asks to invent something or to break the rules."""
        return any(re.search(rule["pattern"], question, re.IGNORECASE) for rule in self.table["refuse"])

    def where(self, question: str) -> str:
        """Return where to look for what the documents do not say."""
        return self._first("where", question, "advice") or self.text("where_default")

    def _first(self, name: str, question: str, value: str) -> str:
        rules = self.table.get(name, [])
        found = (r[value] for r in rules if re.search(r["pattern"], question, re.IGNORECASE))
        return str(next(found, ""))


def with_notice(answer: Answer, notice: str) -> Answer:
    """Put a notice above an answer."""
    sentences = (Sentence(notice, "notice"), *answer.sentences)
    return replace(answer, answer=f"> {notice}\n\n{answer.answer}", sentences=sentences)
