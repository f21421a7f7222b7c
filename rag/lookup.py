"""Question to sentences: search, questions known to be asked, ranking.

What answering, tracing and fitting have in common. Knows the stages and their
order; makes no answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from rag.errors import SourceNotFound
from rag.evidence import Evidence, rank
from rag.lexical import LexicalIndex
from rag.phrasings import Near, Phrasings, Place
from rag.protocols import Retriever, SourceReader
from rag.question import Question
from rag.store import Stamp
from rag.types import Hit

HITS = 8
HITS_A_SIDE = 3
SIDE_WEIGHT = 0.8  # a chunk found for one side counts less than one for the whole question
LIKE, SAME = 0.4, 0.5  # so alike, a known question leads to its answers; so alike, they are the whole answer
FAR = 1.5  # so far below the best sentence, what a known question asks besides is not asked here
UNSEEN = {"weighed": 0.3, "ranked": 0.1}  # of a passage that the search did not find for the question itself
LED = 3  # known questions whose answers are looked at even where the search did not find them


@dataclass(frozen=True, slots=True)
class Library:
    """What answering needs of the knowledge base."""

    retriever: Retriever
    reader: SourceReader
    lexical: LexicalIndex
    stamps: Sequence[Stamp]
    phrasings: Phrasings = field(default_factory=Phrasings)
    impaired: Callable[[], bool] = lambda: False  # asked after the search: did it go by words alone?


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found: the hits, their sentences best first, and the whole answer where it is known.

    `nearest` is the likeness of the likest known question.
    """

    hits: Sequence[Hit]
    evidence: Sequence[Evidence]
    whole: Sequence[Evidence]
    nearest: float


def look_up(question: Question, library: Library, sides: Sequence[str] = ()) -> Looked:
    """Find the sentences for a question; `sides` are searched for besides.

    Raises: NothingIndexed.
    """
    hits = library.retriever.retrieve(question.text, k=HITS)
    for side in sides:  # what is said of each side alone stands elsewhere
        found = library.retriever.retrieve(side, k=HITS_A_SIDE)
        hits += [replace(hit, score=SIDE_WEIGHT * hit.score) for hit in _new(found, hits)]
    known = library.phrasings.near(question.text)
    for near in known.near[:LED]:
        hits += _led_to(near, hits, library)
    evidence = rank(question, hits, library.reader, library.lexical, known)
    return Looked(hits, evidence, _whole(question, known.near, evidence), known.nearest)


def _new(found: Sequence[Hit], hits: Sequence[Hit]) -> list[Hit]:
    known = {hit.chunk.id for hit in hits}
    return [hit for hit in found if hit.chunk.id not in known]


def _led_to(near: Near, hits: Sequence[Hit], library: Library) -> list[Hit]:
    """The passages that hold a known question's answers, where the search did not find them.

    Each is found by its own words.
    """
    added: list[Hit] = []
    for place in near.phrasing.places if near.likeness >= LIKE else ():
        if any(_holds(hit, place) for hit in (*hits, *added)):
            continue
        try:
            text = library.reader.source(place.source_id).clean[place.start : place.end]
        except SourceNotFound:  # removed since the questions were read
            continue
        found = [hit for hit in library.retriever.retrieve(text, k=2) if _holds(hit, place)]
        added += [replace(hit, score=0.0, features={**hit.features, **UNSEEN}) for hit in found]
    return added


def _holds(hit: Hit, place: Place) -> bool:
    chunk = hit.chunk
    return chunk.source_id == place.source_id and chunk.start <= place.start < chunk.end


def _whole(question: Question, known: Sequence[Near], evidence: Sequence[Evidence]) -> list[Evidence]:
    """The sentences that answer the known question this one is, where the best one is among them."""
    if not known or not evidence or known[0].likeness < SAME:
        return []
    found = [
        next((e for e in evidence if place.touches(e.source.id, e.start, e.end)), None)
        for place in known[0].phrasing.places
    ]
    least = -math.inf if question.kind == "compare" else evidence[0].score - FAR
    answer = [e for e in found if e and e.score >= least]
    return answer if evidence[0] in answer else []
