"""The learned part of choosing the answering sentence: what is looked at, and the trees that weigh it.

Gradient-boosted trees read from a plain file and run in NumPy; trained by
`python -m eval.train.sentences`. Knows a question, weighed concepts and
candidate sentences; not where they come from nor what becomes of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from rag.concepts import ABSENCE, ASKS, COMPLETE, Concept
from rag.lexical import fold, token_set, tokenize
from rag.question import Question, QuestionType, content_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.types import Matrix

FILE = Path(__file__).parent / "ranker" / "answer_sentences.npz"
CONTEXT_WEIGHT = 0.6  # a word found in the heading or the sentence before counts so much
KINDS: tuple[str, ...] = get_args(QuestionType)
POINTED = ("count", "when", "who")
_SHAPES = (
    re.compile("[0-9零一二三四五六七八九十百千万]"),
    re.compile("[0-9]{4}年"),
    re.compile("因为|由于|因此|为了|导致|所以|原因"),
    re.compile("由"),
    re.compile("是"),
    re.compile("《"),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence with what stands around it.

    `rank` and `score` (0 to 1) are its chunk's; `lead` is how its document begins.
    """

    text: str
    before: str
    after: str
    heading: str
    score: float
    rank: int
    order: int
    count: int
    lead: str = ""


def features(question: Question, wanted: Sequence[Concept], candidates: Sequence[Candidate]) -> Matrix:
    """Return (candidates, features) of the sentences; some compare a sentence with the others."""
    if not candidates:
        return np.zeros((0, 0), dtype=np.float32)
    words = [token for part in content_parts(question) for token in tokenize(part)]
    pairs = list(dict.fromkeys(word for word in words if len(word) > 1 or word.isascii()))
    tokens = [token_set(candidate.text) for candidate in candidates]
    local = _local_weights(pairs, tokens)
    asked = _Asked(question, wanted, frozenset(words), local, fold(question.content).replace(" ", ""))
    rows = np.array([_row(asked, c, own) for c, own in zip(candidates, tokens, strict=True)], np.float32)
    relative = rows[:, :5] - rows[:, :5].max(axis=0)
    kinds = np.zeros((len(rows), len(KINDS)), dtype=np.float32)
    kinds[:, KINDS.index(question.kind)] = 1
    return np.hstack([rows, relative, kinds])


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    wanted: Sequence[Concept]
    words: frozenset[str]
    local: Mapping[str, float]
    content: str


def _local_weights(pairs: Sequence[str], tokens: Sequence[frozenset[str]]) -> dict[str, float]:
    """Weigh a question's pairs by how few of the candidates hold them; the weights sum to 1."""
    n = len(tokens)
    counts = {pair: sum(pair in own for own in tokens) for pair in pairs}
    idf = {pair: math.log1p((n - count + 0.5) / (count + 0.5)) for pair, count in counts.items()}
    total = sum(idf.values()) or 1.0
    return {pair: weight / total for pair, weight in idf.items()}


def _row(asked: _Asked, candidate: Candidate, own: frozenset[str]) -> list[float]:
    """The features of one sentence; the first five are also compared with the best candidate's."""
    text, question = candidate.text, asked.question
    folded = fold(text)
    coverage = covered(asked.wanted, own)
    heading = token_set(candidate.heading)
    return [
        coverage,
        supported(asked.wanted, own, token_set(f"{candidate.heading}\n{candidate.before}")),
        longest_run(asked.content, folded) / max(1, len(asked.content)),
        len(own & asked.words) / max(1, len(own)),
        sum(weight for pair, weight in asked.local.items() if pair in own),
        candidate.score,
        1 / (1 + candidate.rank),
        question.expects(text),
        question.cued(text),
        question.sized(text),
        bool(ASKS.search(text)),
        bool(ABSENCE.search(text)),
        bool(COMPLETE.search(text)),
        math.log1p(len(text)),
        covered(asked.wanted, token_set(candidate.before)) if candidate.before else 0.0,
        covered(asked.wanted, token_set(candidate.after)) if candidate.after else 0.0,
        covered(asked.wanted, heading),
        candidate.order == 0,
        candidate.order / max(1, candidate.count - 1),
        text.count("、") / (1 + len(text) / 20),
        *(bool(shape.search(text)) for shape in _SHAPES),
        question.kind in POINTED,
    ]


def covered(wanted: Sequence[Concept], tokens: frozenset[str]) -> float:
    """Return the share, 0 to 1, of what a question speaks of that tokens hold."""
    return sum(concept.weight * concept.covered(tokens) for concept in wanted)


def supported(wanted: Sequence[Concept], own: frozenset[str], around: frozenset[str]) -> float:
    """Return the share covered by a sentence together with what stands around it."""
    beside = sum(c.weight * max(0.0, c.covered(around) - c.covered(own)) for c in wanted)
    return min(1.0, covered(wanted, own) + CONTEXT_WEIGHT * beside)


def longest_run(content: str, text: str) -> int:
    """Return the length of the longest piece of `content` that stands in `text`.

    >>> longest_run("党组织会议由谁召集", "会议由书记召集")
    3
    """
    best = 0
    for start in range(len(content)):
        while start + best < len(content) and content[start : start + best + 1] in text:
            best += 1
    return best


class Trees:
    """A sum of decision trees, all descended at once, a level at a time.

    `feature`, `threshold`, `left`, `right`, `value` hold a node each, of all
    trees in a row; a leaf leads to itself. `roots` are the trees' first nodes.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        self._feature = arrays["feature"].astype(np.int64)
        self._threshold = arrays["threshold"].astype(np.float32)
        self._left, self._right = arrays["left"].astype(np.int64), arrays["right"].astype(np.int64)
        self._value = arrays["value"].astype(np.float32)
        self._roots = arrays["roots"].astype(np.int64)
        self._depth, self._base = int(arrays["depth"]), float(arrays["base"])

    def probability(self, rows: Matrix) -> Matrix:
        """Return (rows,) probabilities, 0 to 1, that a sentence answers."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        nodes = np.broadcast_to(self._roots, (len(rows), len(self._roots)))
        each = np.arange(len(rows))[:, None]
        for _ in range(self._depth):
            smaller = rows[each, self._feature[nodes]] <= self._threshold[nodes]
            nodes = np.where(smaller, self._left[nodes], self._right[nodes])
        logits = self._value[nodes].sum(axis=1) + self._base
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


@lru_cache(maxsize=1)
def trees() -> Trees:
    """The bundled trees, read once."""
    with np.load(FILE, allow_pickle=False) as arrays:
        return Trees(dict(arrays))
