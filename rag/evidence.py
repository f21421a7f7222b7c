"""Which sentences of the hits answer the question, and how surely.

Scores sentences by how much of the question they cover, weighting what is
rare in the corpus, and checks that the thing asked for (a number, a time, a
person, a named text) is there. Knows questions and hits; writes no answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag import answerability, sentence_ranker, tables
from rag import sentences as split
from rag.clause import Clause, cites
from rag.concepts import ABSENCE, ASKS, COMPLETE, CORRECTS, Concept, concepts
from rag.lexical import LexicalIndex, fold, token_set
from rag.protocols import SourceReader
from rag.question import Question, content_parts
from rag.sentence_ranker import Candidate
from rag.types import Hit, Source

CHUNK_WEIGHT = 0.25  # of the chunk's BM25; the ranker's probability says again what the trees say
EXPECTED_BONUS = 0.2
CUE_BONUS = 0.08
WHY_BONUS = 0.2  # a reason is seldom given without its words
SIZE_BONUS = 0.3  # it lists as many things as the question says there are
ASKING_COST = 0.1  # what says "谁、哪个" itself names the matter and does not settle it
ABSENCE_COST = 0.15  # what says that something is not laid down gives way to what lays it down
COMPLETE_BONUS = 0.1  # a whole sentence rather than a table cell or a note
CORRECTION_BONUS = 0.3  # to a claim to be confirmed, what says that it is wrong
OPENING_BONUS = 0.2  # it begins with the thing asked about
MISSING_COST = 0.5  # a rule for another body is no rule for the one asked about
SECOND = 8  # how far down a sentence may stand that lays down what the best one says is not laid down
HOLDING, HOLDS = 3, 0.7  # so near the best, and covering so much as it does, may what holds the thing stand
SPECIAL_COST = 0.2  # the stricter rule for one matter is no answer to the general question
_SPECIAL = re.compile("干部任免|任免干部")
_SPECIAL_ASKED = re.compile("干部|任免|任命|提拔|人事|选人")
EXAMPLE_COST = 0.15
LEARNED_WEIGHT = 0.4  # best of 0 to 1 on the development cases; see docs/design/0006
_EXAMPLE = re.compile(r"[-\s]*(?:算一个例子|例如|比如|譬如)")
_WHETHER = re.compile(r"有没有|有无|是否有|是不是|是.{0,4}吗|一样吗|一回事吗")
# Logistic of the coverage, chosen on the development halves of eval/sets; see docs/design/0006.
MIDPOINT, SLOPE = 0.30, 14.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence, clean[start:end] of its source.

    `coverage` is the share of the question it covers by itself, `supported`
    with its heading and neighbours, both 0 to 1; `expected` whether it holds
    what the question asks for, `complete` whether it is a whole sentence,
    `named` whether it is a clause that the question names, `missing` how much
    of the question's known things (支委会, 书记) neither it nor its heading names,
    `bare` whether they name such a thing and nothing of what is asked about it.
    """

    source: Source
    start: int
    end: int
    coverage: float
    supported: float
    expected: bool
    score: float
    complete: bool = True
    named: bool = False
    missing: float = 0.0
    bare: bool = False

    @property
    def text(self) -> str:
        """The sentence as repaired."""
        return self.source.clean[self.start : self.end]


def rank(
    question: Question, hits: Sequence[Hit], reader: SourceReader, lexical: LexicalIndex
) -> list[Evidence]:
    """Return the sentences of the hits, best first, each once."""
    wanted = concepts(question, lexical)
    places: dict[tuple[str, int, int], tuple[Source, Candidate]] = {}
    for position, hit in enumerate(hits):
        source = reader.source(hit.chunk.source_id)
        spans = _sentences(source, hit)
        for i, (start, end) in enumerate(spans):
            candidate = Candidate(
                text=source.clean[start:end],
                before=_header(source, start) or (source.clean[slice(*spans[i - 1])] if i else ""),
                after=source.clean[slice(*spans[i + 1])] if i + 1 < len(spans) else "",
                heading=hit.chunk.heading,
                score=hit.features.get("weighed", hit.score),
                rank=position,
                order=i,
                count=len(spans),
            )
            places.setdefault((source.id, start, end), (source, candidate))
    candidates = [candidate for _, candidate in places.values()]
    learned = _learned(question, wanted, candidates)
    found = [
        _evidence(question, wanted, source, place[1:], candidate, float(probability))
        for (place, (source, candidate)), probability in zip(places.items(), learned, strict=True)
    ]
    return _said_first(question, sorted(found, key=lambda e: (-e.score, e.source.id, e.start)))


def _said_first(question: Question, ranked: list[Evidence]) -> list[Evidence]:
    """Put before the best sentence one that settles what that one leaves open.

    Before what says that nothing is laid down comes what lays it down for the
    thing asked about; before a rule for another body what says that for this
    one nothing is; before what lacks the amount or day asked for what has it.
    """
    if not ranked:
        return ranked
    best, absent = ranked[0], states_absence(question, ranked[0])
    for i, other in enumerate(ranked[1:SECOND], 1):
        closer = other.missing < best.missing - 0.1
        if ABSENCE.search(other.text):
            better = closer and not absent and other.supported > best.supported
        elif absent:
            better = closer and other.expected
        else:
            held = other.expected and not best.expected
            better = held and i < HOLDING and other.supported >= HOLDS * best.supported
        if better:
            return [other, *ranked[:i], *ranked[i + 1 :]]
    return ranked


def _learned(
    question: Question, wanted: Sequence[Concept], candidates: Sequence[Candidate]
) -> Sequence[float]:
    if not candidates:
        return []
    rows = sentence_ranker.features(question, wanted, candidates)
    return [float(p) for p in sentence_ranker.trees().probability(rows)]


def _evidence(
    question: Question,
    wanted: Sequence[Concept],
    source: Source,
    span: tuple[int, int],
    candidate: Candidate,
    learned: float,
) -> Evidence:
    own, around = token_set(candidate.text), _around(candidate)
    return Evidence(
        source,
        *span,
        coverage=sentence_ranker.covered(wanted, own),
        supported=sentence_ranker.supported(wanted, own, around),
        expected=_expected(question, candidate),
        score=ruled(question, wanted, candidate) + LEARNED_WEIGHT * learned,
        complete=bool(COMPLETE.search(candidate.text)),
        missing=_missing(wanted, own | around),
        bare=_bare(wanted, own | around),
    )


def ruled(question: Question, wanted: Sequence[Concept], candidate: Candidate) -> float:
    """Return what the rules give a sentence: its coverage with what stands around it, and the cues."""
    text = candidate.text
    own, around = token_set(text), _around(candidate)
    score = sentence_ranker.supported(wanted, own, around) + CHUNK_WEIGHT * candidate.score
    score += EXPECTED_BONUS * _expected(question, candidate) + SIZE_BONUS * question.sized(text)
    score += COMPLETE_BONUS * bool(COMPLETE.search(text)) + OPENING_BONUS * _opens(question, text)
    score += (WHY_BONUS if question.kind == "why" else CUE_BONUS) * question.cued(text)
    score += CORRECTION_BONUS * (question.checks and bool(CORRECTS.search(text)))
    score -= MISSING_COST * _missing(wanted, own | around) + EXAMPLE_COST * bool(_EXAMPLE.match(text))
    score -= ASKING_COST * bool(ASKS.search(text)) + ABSENCE_COST * bool(ABSENCE.search(text))
    special = _SPECIAL.search(text) and not _SPECIAL_ASKED.search(question.text)
    return score - SPECIAL_COST * bool(special)


def _around(candidate: Candidate) -> frozenset[str]:
    return token_set(f"{candidate.heading}\n{candidate.before}")


def _expected(question: Question, candidate: Candidate) -> bool:
    """A row of a table holds what is asked for together with its header, which stands before it."""
    text = candidate.text
    return question.expects(f"{candidate.before}{text}" if text.startswith("|") else text)


def _missing(wanted: Sequence[Concept], tokens: frozenset[str]) -> float:
    """The weight of the question's known things that tokens do not name."""
    return sum(concept.weight * (1 - concept.covered(tokens)) for concept in wanted if concept.listed)


def _bare(wanted: Sequence[Concept], tokens: frozenset[str]) -> bool:
    """Tell whether tokens name a known thing of the question and nothing of what is asked about it.

    谁能开除老师 is not answered by what speaks of teachers.
    """
    listed = any(concept.listed and concept.covered(tokens) for concept in wanted)
    said = [c for c in wanted if not c.listed and len(c.names[0][0][0]) > 1]
    return listed and sum(c.weight for c in said) > BARE_SHARE and not any(c.covered(tokens) for c in said)


def _header(source: Source, start: int) -> str:
    """The header of the table that has a row here, which says what its fields are of."""
    found = tables.at(source.clean, start)
    return source.clean[slice(*found[0].line)] if found else ""


def _opens(question: Question, text: str) -> bool:
    first = content_parts(question)[0]
    return len(first) > 2 and text.lstrip("“‘《- ").startswith(first)


def _sentences(source: Source, hit: Hit) -> list[tuple[int, int]]:
    """The sentences of a chunk without its headings."""
    headings = [(s.start, s.body) for s in source.sections if s.start < s.body]
    return [
        span
        for part in _outside(hit.chunk.start, hit.chunk.end, headings)
        for span in split.sentences(source.clean, *part)
        if len(token_set(source.clean[slice(*span)])) > 2
    ]


def _outside(start: int, end: int, holes: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield what is left of a span when others are cut out of it."""
    position = start
    for hole_start, hole_end in sorted(holes):
        if hole_end <= position or hole_start >= end:
            continue
        if hole_start > position:
            yield position, hole_start
        position = max(position, hole_end)
    if position < end:
        yield position, end


def whole_clause(clause: Clause) -> Evidence:
    """Return a clause that the question names as evidence of itself."""
    return Evidence(clause.source, clause.start, clause.end, 1.0, 1.0, True, 1.0, named=True)


def states_absence(question: Question, evidence: Evidence) -> bool:
    """Tell whether the evidence only says that what is asked for is not laid down (没有核到规定).

    To a question whether something is laid down at all, that is the answer.
    """
    absent = bool(ABSENCE.search(evidence.text)) and not question.stated(evidence.text)
    return absent and not question.checks and not _WHETHER.search(question.text)


BARE_SHARE, BARE_DOUBT = 0.4, 0.3  # the words besides known things weigh so much; none of them is said
UNLIKELY = 0.06  # below, `answerability` too sees no answer; alone it adds nothing, see docs/design/0006
MISSING_DOUBT = 1.0  # a sentence that names none of the question's known things is no answer


def answerable(question: Question, evidence: Sequence[Evidence], hits: Sequence[Hit] = ()) -> float:
    """Return the probability, 0 to 1, that the best evidence answers the question.

    What is asked for must be there: a sentence without it counts for
    little, and a named text, year or clause that no evidence mentions rules it out.
    """
    if not evidence:
        return 0.0
    best = evidence[0]
    probability = 1 / (1 + math.exp(-SLOPE * (best.supported - MIDPOINT)))
    if not best.expected:
        probability *= 0.3
    probability *= max(0.0, 1 - MISSING_DOUBT * best.missing)
    if best.bare and _unlikely(question, hits):
        probability *= BARE_DOUBT
    return probability * (1.0 if _specifics_present(question, best) else 0.1)


def _unlikely(question: Question, hits: Sequence[Hit]) -> bool:
    """Tell whether the hits, as the retriever left them, are unlikely to hold the answer."""
    known = bool(hits) and "ranked" in hits[0].features
    return known and answerability.probability(question.text, hits) < UNLIKELY


def _specifics_present(question: Question, evidence: Evidence) -> bool:
    place = fold(f"{evidence.source.title} {evidence.source.clean}")
    wanted = [*question.names, *question.specifics]
    cited = cites(question.text, evidence.text, exactly=not question.checks)  # a claim may name it wrongly
    return cited and all(fold(name) in place for name in wanted)
