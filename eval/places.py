"""Places in the files of sets, and complaints about them: the first in full, the others behind it.

Knows file names, rows and columns; no rules of cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rag.errors import BadCases

LISTED = 20  # further faults told in one message


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a file: the line, or the row of the sheet with the letter of each field's column."""

    name: str
    row: int = 1
    letters: Mapping[str, str] = field(default_factory=dict)

    def fault(self, reason: str, about: str = "") -> BadCases:
        """Return the complaint; `about` is the field, or an item of one (history 第 2 项)."""
        letter = self.letters.get(about.split(" ", 1)[0])
        column = f" {letter} 列" if letter else ""
        return BadCases(name=self.name, row=self.row, column=column, reason=reason)


def together(faults: Sequence[BadCases]) -> BadCases:
    """Return the faults of one file as one error, the first in front."""
    first, others = faults[0], faults[1:]
    if not others:
        return first
    listed = [f"第 {f.values['row']} 行{f.values['column']}：{f.values['reason']}" for f in others[:LISTED]]
    rest = " 等" if len(others) > LISTED else ""
    return BadCases(**{**first.values, "more": f"另有 {len(others)} 处：{'；'.join(listed)}{rest}。"})
