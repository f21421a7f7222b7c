"""Questions that people are known to ask of a document, each with the sentences that answer it.

They stand beside the document, in NAME.questions.toml, in people's own words,
which are seldom the document's. A new question like one of them leads to its
sentences. Knows questions and places in sources; not how answers are made.
"""

from __future__ import annotations

import logging
import os
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from rag.concepts import Concept, concepts
from rag.errors import LingxueError
from rag.ingest import QUESTIONS
from rag.lexical import LexicalIndex, token_set, top
from rag.likeness import Likeness, likeness
from rag.protocols import Encoder, SourceReader
from rag.question import Question, analyse
from rag.store import Stamp
from rag.types import Source

logger = logging.getLogger(__name__)

COMPARED = 30  # phrasings compared closely: so many by words, and so many by vectors
LEAST = 1e-3  # of a chance of one, that odds stay finite
KEPT = 8  # sets of documents whose phrasings are at hand


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands: clean[start:end] of a source."""

    source_id: str
    start: int
    end: int

    def touches(self, source_id: str, start: int, end: int) -> bool:
        """Tell whether it shares text with another place."""
        return source_id == self.source_id and start < self.end and self.start < end


@dataclass(frozen=True, slots=True)
class Phrasing:
    """A question, and the places of the sentences that answer it, in order."""

    text: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """A phrasing, and the probability, 0 to 1, that a question asks the same."""

    phrasing: Phrasing
    likeness: float


@dataclass(frozen=True, slots=True)
class Known:
    """What is known to be asked that is like a question, likeliest first.

    `words` has, for each source with known questions, the places that answer them and the tokens of the
    questions that each answers.
    """

    near: Sequence[Near] = ()
    words: Mapping[str, Mapping[Place, frozenset[str]]] = field(default_factory=dict)

    @property
    def nearest(self) -> float:
        """The likeness of the likeliest."""
        return self.near[0].likeness if self.near else 0.0

    def asked(self, source_id: str, start: int, end: int) -> float | None:
        """Return how likely the question asks what a place is known to answer; None where nothing is known.

        The odds of all known questions that the place answers are added up.
        """
        if source_id not in self.words:
            return None
        odds = sum(
            near.likeness / (1 - near.likeness + LEAST)
            for near in self.near
            if any(place.touches(source_id, start, end) for place in near.phrasing.places)
        )
        return odds / (1 + odds)

    def tokens(self, source_id: str, start: int, end: int) -> frozenset[str]:
        """Return the tokens of all known questions that a place answers."""
        places = self.words.get(source_id, {})
        said = [words for place, words in places.items() if place.touches(source_id, start, end)]
        return frozenset().union(*said)


NOTHING = Known()


def groups(path: Path) -> list[tuple[list[str], list[str]]]:
    """Return the groups of a file: exact sentences, and the questions that they answer together.

    Raises: TOMLDecodeError, UnicodeDecodeError, OSError, KeyError or TypeError where it cannot be read.
    """
    told = tomllib.loads(path.read_text(encoding="utf-8-sig"))["questions"]
    return [([str(a) for a in group["answers"]], [str(a) for a in group["asked"]]) for group in told]


def read(path: Path, source: Source, problems: list[str]) -> Iterator[Phrasing]:
    """Yield the phrasings of a file; what cannot be used is passed over and told in `problems`."""
    try:
        listed = groups(path)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, KeyError, TypeError) as err:
        problems.append(f"{path.name} 读不懂，整份没有用上（{type(err).__name__}: {err}）")
        return
    for answers, questions in listed:
        starts = [source.clean.find(answer) for answer in answers]
        problems += [f"{path.name}：资料里没有这一句：{answers[i]}" for i, at in enumerate(starts) if at < 0]
        places = tuple(
            Place(source.id, start, start + len(answer))
            for start, answer in zip(starts, answers, strict=True)
            if start >= 0 and answer
        )
        if places:
            yield from (Phrasing(question, places) for question in questions)


class Phrasings:
    """Known questions, found by what they share with a new one."""

    def __init__(
        self,
        known: Sequence[Phrasing] = (),
        encoder: Encoder | None = None,
        problems: Sequence[str] = (),
    ) -> None:
        """Index the questions by their words, and by their vectors; without an encoder none is found.

        `problems` say what of the files could not be used.
        """
        self.known = list(known)
        self.problems = list(problems)
        self._encoder = encoder
        self._words: dict[str, dict[Place, frozenset[str]]] = {}
        for phrasing in known:
            for place in phrasing.places:
                said = self._words.setdefault(place.source_id, {})
                said[place] = said.get(place, frozenset()) | token_set(phrasing.text)
        texts = [phrasing.text for phrasing in known]
        self._lexical = LexicalIndex.build(texts)
        self._vectors = (
            encoder.encode_documents(texts) if encoder and texts else np.zeros((0, 0), dtype=np.float32)
        )
        self._seen = lru_cache(maxsize=len(texts))(self._see)

    def __len__(self) -> int:
        """How many questions are known."""
        return len(self.known)

    def near(self, text: str) -> Known:
        """Return the phrasings that may ask the same as a question, likeliest first."""
        pairs = self.beside(text)
        values = likeness([pair for _, pair in pairs])
        found = [Near(self.known[i], value) for (i, _), value in zip(pairs, values, strict=True)]
        return Known(sorted(found, key=lambda near: -near.likeness), self._words)

    def beside(self, text: str) -> list[tuple[int, Likeness]]:
        """Set a question beside the phrasings nearest to it, each told by its number."""
        if not self.known or self._encoder is None:
            return []
        cosines = self._vectors @ self._encoder.encode_query(text)[0]
        numbers = sorted({*top(self._lexical.scores(text), COMPARED), *top(cosines, COMPARED)})
        own = _Seen.of(text, self._lexical)
        return [(i, own.beside(self._seen(i), float(cosines[i]))) for i in numbers]

    def _see(self, number: int) -> _Seen:
        return _Seen.of(self.known[number].text, self._lexical)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A question taken apart, to be set beside another."""

    question: Question
    tokens: frozenset[str]
    concepts: Sequence[Concept]

    @classmethod
    def of(cls, text: str, lexical: LexicalIndex) -> _Seen:
        question = analyse(text)
        return cls(question, token_set(text), concepts(question, lexical))

    def beside(self, other: _Seen, cosine: float) -> Likeness:
        """Compare two questions."""
        return Likeness(
            covers=sum(c.weight * c.covered(other.tokens) for c in self.concepts),
            covered=sum(c.weight * c.covered(self.tokens) for c in other.concepts),
            cosine=max(0.0, cosine),
            kind=float(self.question.kind == other.question.kind),
        )


class Shelf:
    """The phrasings beside the documents of a folder, read when they are first asked for."""

    def __init__(self, folder: Path, encoder: Callable[[], Encoder], reader: SourceReader) -> None:
        self._folder, self._encoder, self._reader = folder, encoder, reader
        self._kept: dict[tuple[object, ...], Phrasings] = {}
        self._listed: tuple[dict[Path, int], dict[str, Path]] = {}, {}
        self._reading = threading.Lock()

    def of(self, stamps: Sequence[Stamp]) -> Phrasings:
        """Return what people are known to ask of these documents."""
        with self._reading:
            files = self._files()
            origin = str(self._folder.resolve()) if files else ""
            own = (stamp for stamp in stamps if files and stamp.origin == origin)
            told = [(stamp, path) for stamp in own if (path := files.get(_stem(stamp.name)))]
            key = tuple((stamp.id, path, _changed(path)) for stamp, path in told)
            found = self._kept.pop(key, None)
            if found is None:  # one without questions is kept as well
                problems: list[str] = []
                found = Phrasings(list(self._read(told, problems)), self._encoder(), problems)
                for problem in problems:
                    logger.warning("%s", problem)
            self._kept[key] = found
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
            return found

    def _read(self, told: Sequence[tuple[Stamp, Path]], problems: list[str]) -> Iterator[Phrasing]:
        for stamp, path in told:
            try:
                yield from read(path, self._reader.source(stamp.id), problems)
            except LingxueError as err:  # damaged or just removed: the other documents have their questions
                problems.append(f"{path.name} 没有用上：{err}")

    def _files(self) -> dict[str, Path]:
        """The files of questions by what they stand beside; listed anew when a folder has changed."""
        folders, files = self._listed
        if not folders or any(_changed(folder) != when for folder, when in folders.items()):
            walked = list(os.walk(self._folder))
            paths = [
                Path(top, name) for top, _, names in walked for name in names if name.endswith(QUESTIONS)
            ]
            files = {_name(path, self._folder): path for path in paths}
            self._listed = {Path(top): _changed(Path(top)) for top, _, _ in walked}, files
        return files


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix().removesuffix(QUESTIONS)


def _changed(path: Path) -> int:
    """When a file or folder was changed, in nanoseconds; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
