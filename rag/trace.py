"""What each stage made of a question, step by step, for the retrieval lab.

Runs the stages that `answer` runs, on the same index, and keeps what they
say of every candidate. Knows the stages' public parts; answers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag import answerability
from rag.answer import THRESHOLD
from rag.concepts import concepts
from rag.errors import BadRequest
from rag.evidence import Evidence, answerable, states_absence
from rag.lookup import HITS, Library, look_up
from rag.question import Question, analyse
from rag.types import Hit

POOL = 100  # candidates looked at; ranks behind are not told
STAGES = ("lexical", "dense", "fused", "ranked")  # features that rank; the score of a hit is the last stage


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that was found: its rank, from 1, and score in each stage that saw it."""

    hit: Hit
    ranks: Mapping[str, int]
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Trace:
    """A question on its way: how it is understood, candidates best first, sentences, the decision.

    `stages` are the names of the stages that ranked, in order, the last one
    being "final". `parts` are the things the question speaks of, with their
    weights, which sum to 1. `probability` is that the first sentence answers;
    an answer is given from `threshold` on, unless `absent`. `held` is that the hits hold an answer at
    all, as `rag.answerability` judges from how they were found.
    """

    question: Question
    parts: Sequence[tuple[str, float]]
    stages: Sequence[str]
    candidates: Sequence[Candidate]
    sentences: Sequence[Evidence]
    probability: float
    threshold: float
    absent: bool
    held: float

    @property
    def answers(self) -> bool:
        """Whether the question would be answered."""
        return self.probability >= self.threshold and not self.absent


def trace(text: str, library: Library) -> Trace:
    """Follow a question through the stages; raise BadRequest for an empty one, NothingIndexed."""
    text = text.strip()
    if not text:
        raise BadRequest(reason="问题是空的，请输入要问的内容。")
    question = analyse(text)
    hits = library.retriever.retrieve(text, k=POOL)
    stages = [name for name in STAGES if any(name in hit.features for hit in hits)]
    orders = {name: _order(hits, name) for name in stages}
    candidates = [_candidate(i, hit, orders) for i, hit in enumerate(hits, 1)]
    looked = look_up(question, library)
    sentences = looked.evidence
    spoken = concepts(question, library.lexical)
    parts = sorted(((_joined([t for t, _ in c.names[0]]), c.weight) for c in spoken), key=lambda p: -p[1])
    absent = bool(sentences) and states_absence(question, sentences[0])
    chance = answerable(question, sentences, looked.nearest)
    held = answerability.probability(text, hits[:HITS])
    return Trace(question, parts, [*stages, "final"], candidates, sentences, chance, THRESHOLD, absent, held)


def _joined(tokens: Sequence[str]) -> str:
    """Put overlapping bigrams together again.

    >>> _joined(["会议", "议题"])
    '会议题'
    """
    text = ""
    for token in tokens:
        text += token[1:] if text and token and text[-1] == token[0] else token
    return text


def _order(hits: Sequence[Hit], stage: str) -> dict[str, int]:
    """Return the rank of each chunk by one feature; a chunk that scores nothing there has none."""
    seen = [hit for hit in hits if hit.features.get(stage, 0.0) > 0]
    ranked = sorted(seen, key=lambda hit: -hit.features[stage])
    return {hit.chunk.id: place for place, hit in enumerate(ranked, 1)}


def _candidate(place: int, hit: Hit, orders: Mapping[str, Mapping[str, int]]) -> Candidate:
    ranks = {stage: order[hit.chunk.id] for stage, order in orders.items() if hit.chunk.id in order}
    scores = {stage: hit.features[stage] for stage in ranks}
    return Candidate(hit, {**ranks, "final": place}, {**scores, "final": hit.score})
