"""An answer as it is written without a model: lines of exact quotes, each with its citation.

Knows Markdown and citations; not what is chosen nor why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.authority import LABELS, of_sentence
from rag.cite import Citations
from rag.types import Sentence, Source

_NOTE = re.compile(r"(?<=.)（出处：[^\n]{0,200}）$")  # the citation shows it; the line reads better without
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a comparison: clean[start:end] of a source, cited as clean[cited]; or a dash."""

    source: Source | None = None
    span: Span = (0, 0)
    cited: Span = (0, 0)


def cell_of(source: Source, span: Span, line: Span) -> Cell:
    """Return a field of a document's table, cited with its whole row; one that holds a dash is empty."""
    return Cell(source, span, line) if source.clean[slice(*span)].strip("—- ") else Cell()


class Page:
    """Lines of Markdown and the sentences they say; whose word each is, where `labelled`.

    A line's own （出处：…） is left to its citation unless `noted`.
    """

    def __init__(
        self, citations: Citations, *, confidence: float, labelled: bool = False, noted: bool = False
    ) -> None:
        self._citations = citations
        self._confidence = confidence
        self._labelled = labelled
        self._noted = noted
        self.lines: list[str] = []
        self.sentences: list[Sentence] = []

    def heading(self, text: str) -> None:
        """Write the heading of a group, a document's own words without claim."""
        self.lines.append(f"- **{text}**")

    def say(self, source: Source, span: Span, *, cited: Span | None = None, before: str = "") -> None:
        """Write clean[span] of a source, cited to itself or to the whole it is part of."""
        text, marker = self._said(source, span, cited or span)
        label = f"〔{self._label(source, cited or span)}〕" if self._labelled else ""
        self.lines.append(f"{before}{text}[{marker}]{label}")

    def table(self, header: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]]) -> None:
        """Write rows of a name and a cell for each column of the header."""
        self.lines += ["", f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
        for name, cells in rows:
            written = [self._cell(cell) for cell in cells]
            self.lines.append(
                f"| {' | '.join([name, *written] if name or len(header) > len(cells) else written)} |"
            )
        self.lines.append("")

    def markdown(self) -> str:
        """Return the page."""
        return re.sub(r"\n{3,}", "\n\n", "\n".join(self.lines)).strip()

    def _cell(self, cell: Cell) -> str:
        if cell.source is None:
            return "—"
        text, marker = self._said(cell.source, cell.span, cell.cited)
        return f"{text.replace('|', '/')}[{marker}]"

    def _said(self, source: Source, span: Span, cited: Span) -> tuple[str, int]:
        text = plain(source.clean[slice(*span)])
        text = text if self._noted else _NOTE.sub("", text)
        marker = self._citations.add(source, *cited, score=self._confidence)
        self.sentences.append(Sentence(text, "quoted", (marker,)))
        return text, marker

    def _label(self, source: Source, span: Span) -> str:
        return LABELS[of_sentence(source.metadata.authority, source.clean[slice(*span)])]


def plain(text: str) -> str:
    """Return text on one line, without Markdown's own marks for headings, lists and tables."""
    text = re.sub(r"^\s*(?:#{1,6} |[-*] )", "", " ".join(text.split()))
    return text.strip("| ").replace(" | ", "；") if text.startswith("|") else text
