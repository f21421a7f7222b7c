"""The rules of the draft check, read from prompts/review.toml.

Knows the file's form; what a rule means stands with the check that uses it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rag.errors import BadSettings
from rag.prompting import prompts_dir


@dataclass(frozen=True, slots=True)
class Rule:
    """A turn of phrase to point out, unless `not_if` stands in the same sentence.

    `in_titles` whether it counts within 《》, `across` whether it may run over sentences.
    """

    kind: str
    pattern: re.Pattern[str]
    not_if: re.Pattern[str] | None
    in_titles: bool
    across: bool
    reason: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Voice:
    """Words that only the named roles can say of themselves; `said` whose words they are."""

    pattern: re.Pattern[str]
    roles: tuple[str, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules; `tables` holds the settings and wording of the single checks by name."""

    set_terms: tuple[str, ...]
    rules: tuple[Rule, ...]
    voices: tuple[Voice, ...]
    tables: Mapping[str, Mapping[str, Any]]

    def pattern(self, table: str, name: str) -> re.Pattern[str]:
        """Return a compiled pattern of a check; line ends in the file are for reading only."""
        return _compiled(str(self.tables[table][name]).replace("\n", ""))


@cache
def load_rules() -> Rules:
    """Return the rules of prompts/review.toml; raise BadSettings where it cannot be used."""
    path = prompts_dir() / "review.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return Rules(
            set_terms=tuple(table["set_terms"]),
            rules=tuple(_rule(part) for part in table["rules"]),
            voices=tuple(
                Voice(_compiled(part["pattern"]), tuple(part["roles"]), str(part["said"]))
                for part in table["voices"]
            ),
            tables={name: part for name, part in table.items() if isinstance(part, dict)},
        )
    except (OSError, KeyError, TypeError, ValueError, re.error) as err:
        raise BadSettings(name=f"prompts/{path.name}", value="", reason=f"内容不全或写错：{err}") from err


def _rule(part: Mapping[str, Any]) -> Rule:
    return Rule(
        kind=str(part["kind"]),
        pattern=_compiled(part["pattern"]),
        not_if=_compiled(part["not_if"]) if part.get("not_if") else None,
        in_titles=bool(part.get("in_titles", True)),
        across=bool(part.get("across", False)),
        reason=str(part["reason"]),
        suggestion=str(part["suggestion"]),
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
