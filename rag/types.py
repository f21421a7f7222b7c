"""Frozen data that the stages hand to each other; the protocols they meet at are in `rag.protocols`.

Knows nothing of how anything is computed: standard library only. All offsets
are code points, end exclusive. Two texts exist for every source: the
*original*, exactly as the parser extracted it (quotes are slices of it), and
the *clean* one, with scraping faults repaired, in which sections, chunks and
sentences are found. `Source.to_original` leads from the second to the first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]

BlockKind = Literal["paragraph", "heading", "list", "table", "footnote"]
Authority = Literal["", "central", "ministry", "province", "county", "school", "author"]
Support = Literal["quoted", "paraphrased", "unsupported", "notice"]
Status = Literal["answered", "no_evidence", "refused"]
PointKind = Literal["policy", "own", "plan"]


@dataclass(frozen=True, slots=True)
class Block:
    """A run of the extracted text and what the file format said of it.

    `level` is the heading level, 1 to 9, or 0 for what is not a heading.
    """

    start: int
    end: int
    kind: BlockKind = "paragraph"
    level: int = 0


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser returns: text, its blocks in order, and remarks in Chinese for the user."""

    text: str
    blocks: tuple[Block, ...] = ()
    title: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """`length` code points that stand unchanged at `clean` and at `original`."""

    clean: int
    original: int
    length: int


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair: original[start:end] reads `after` in the clean text."""

    kind: str
    start: int
    end: int
    after: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document under one heading, in clean offsets.

    `label` is the number as printed (篇一, 三、, 第五条), `title` the rest of
    the heading, `body` where the text after the heading begins.
    `path` holds the labels or titles from the outermost section to this one.
    """

    start: int
    end: int
    body: int
    level: int
    label: str = ""
    title: str = ""
    path: tuple[str, ...] = ()
    locator: str = ""
    kind: Literal["body", "toc"] = "body"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a knowledge folder's manifest says of a file; every field may be empty."""

    title: str = ""
    issuer: str = ""
    doc_number: str = ""
    issued_on: str = ""
    effective_on: str = ""
    status: str = ""
    authority: Authority = ""
    url: str = ""
    supersedes: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A document as it is kept: identity, texts, the way between them, structure."""

    id: str
    name: str
    original: str
    clean: str
    runs: tuple[Run, ...]
    repairs: tuple[Repair, ...] = ()
    sections: tuple[Section, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)

    @property
    def title(self) -> str:
        """The document's title, or its file name where none is known."""
        return self.metadata.title or self.name

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """Map a clean span to the original span that holds it.

        Ends that fall inside a replaced piece widen to the whole piece.
        """
        first = self._run_at(start)
        last = self._run_at(max(start, end - 1))
        if first is None or last is None:
            return 0, 0
        original_start = first.original + min(start - first.clean, first.length)
        if end - 1 < last.clean + last.length:
            return original_start, last.original + end - last.clean
        following = self._run_at(end, or_next=True)
        return original_start, following.original if following else len(self.original)

    def _run_at(self, position: int, *, or_next: bool = False) -> Run | None:
        index = bisect_right(self.runs, position, key=lambda run: run.clean) - 1
        if or_next and (index < 0 or position > self.runs[index].clean):
            index += 1
        return self.runs[index] if 0 <= index < len(self.runs) else None


@dataclass(frozen=True, slots=True)
class Chunk:
    """The unit of retrieval: clean[start:end] of one source.

    `text` is that slice; `heading` (title and section path) is indexed with
    it and never quoted.
    """

    id: str
    source_id: str
    ordinal: int
    start: int
    end: int
    text: str
    heading: str = ""
    locator: str = ""
    section_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk found for a question, best first by `score`; `features` say why.

    Clean spans: `sentence` nearest to the question, `section` around the chunk.
    """

    chunk: Chunk
    score: float
    features: Mapping[str, float] = field(default_factory=dict)
    sentence: tuple[int, int] = (0, 0)
    section: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote and where it stands: quote == original[start:end] of its source."""

    marker: int
    source_id: str
    title: str
    locator: str
    section_path: tuple[str, ...]
    quote: str
    start: int
    end: int
    authority: str = ""
    score: float = 0.0
    status: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, how it is supported, and the citation markers it carries."""

    text: str
    support: Support
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified answer. `answer` is Markdown with [1] markers."""

    question: str
    standalone_question: str
    status: Status
    answer: str
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    confidence: float = 0.0
    model: str | None = None
    timings_ms: Mapping[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The `ask --json` form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Progress:
    """A stage begins: 检索, 整理 or 核对."""

    stage: str


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer's text as it arrives, before verification."""

    text: str


Event = Progress | Delta | Answer


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Point:
    """One point of an outline; citations are markers into the outline's list."""

    text: str
    kind: PointKind
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OutlineSection:
    """A heading of an outline, its points, its budget in characters, the genre's part it fills (from 1)."""

    heading: str
    points: tuple[Point, ...]
    length: int = 0
    part: int = 0


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """What a teacher asks to have drafted; `length` in characters, 0 for the genre's usual."""

    genre: str
    topic: str
    role: str = ""
    occasion: str = ""
    recipient: str = ""
    length: int = 0
    event: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Outline:
    """A drafted outline; the `draft --json` form."""

    genre: str
    role: str
    topic: str
    title: str
    thesis: str
    sections: tuple[OutlineSection, ...]
    placeholders: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The `draft --json` form."""
        return asdict(self)
