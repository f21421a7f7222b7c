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

from rag import assurance, sentence_ranker, sentence_rules, tables
from rag import sentences as split
from rag.asking import Asked
from rag.clause import Clause, cites
from rag.concepts import ABSENCE, COMPLETE, Concept, concepts
from rag.embed import bundled
from rag.lexical import LexicalIndex, fold, token_set
from rag.phrasings import NOTHING, Known
from rag.protocols import SourceReader
from rag.question import Question
from rag.rerank import sentence_model
from rag.sentence_features import Passages, sentence_columns
from rag.sentence_ranker import Candidate
from rag.types import Hit, Source

ASKED_WEIGHT = 0.7  # of the log-odds that the question asks what the sentence is known to answer
NEUTRAL, LEAST = 0.33, 0.05  # odds that speak neither for nor against; what is added, that none are nothing
SURELY = 0.2  # by so much likelier what it is known to answer, a sentence stays before another
SECOND = 8  # how far down a sentence may stand that lays down what the best one says is not laid down
LEARNED_WEIGHT, READ_WEIGHT = 0.4, 0.2  # of the trees' probability, of the reader's log-odds; see 0006
ALIKE_WEIGHT = 0.6  # of the cosine; .3 to 1 are alike
LEAD = 40  # characters at the start of a document, which name what all of it is about
ELSEWHERE = 0.1  # of the probability is left to what concerns another year or law than the one asked about
HOLDING, HOLDS = 3, 0.7  # so near the best, and covering so much as it does, may what holds the thing stand
_WHETHER = re.compile(r"有没有|有无|是否有|是不是|是.{0,4}吗|一样吗|一回事吗")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence, clean[start:end] of its source.

    `coverage` is the share of the question it covers by itself, `supported`
    with its heading and neighbours, both 0 to 1; `expected` whether it holds
    what the question asks for, `complete` whether it is a whole sentence,
    `named` whether it is a clause that the question names, `missing` how much
    of the question's known things (支委会, 书记) neither it nor its heading names,
    `bare` whether they name such a thing and nothing of what is asked about it, `asked` how likely the
    question asks what it is known to answer, 0 to 1, or None where nothing is known of its document,
    `told` the share of the question that it covers with the words of what it is known to answer,
    `alike` the cosine of its vector with the question's.
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
    asked: float | None = None
    told: float = 0.0
    alike: float = 0.0

    @property
    def text(self) -> str:
        """The sentence as repaired."""
        return self.source.clean[self.start : self.end]


def rank(
    question: Question,
    hits: Sequence[Hit],
    reader: SourceReader,
    lexical: LexicalIndex,
    known: Known = NOTHING,
) -> list[Evidence]:
    """Return the sentences of the hits, best first, each once; `known` are questions like this one."""
    wanted = concepts(question, lexical)
    places = candidates(hits, reader)
    alike = _alike(question, [candidate.text for *_, candidate in places])
    told = sentence_rules.set_aside(question, [candidate for *_, candidate in places])
    learned = _learned(question, wanted, told, lexical)
    found = [
        _evidence(question, wanted, source, span, candidate, (value, cosine), known)
        for (source, span, _), candidate, value, cosine in zip(places, told, learned, alike, strict=True)
    ]
    return _said_first(question, sorted(found, key=lambda e: (-e.score, e.source.id, e.start)))


def candidates(hits: Sequence[Hit], reader: SourceReader) -> list[tuple[Source, tuple[int, int], Candidate]]:
    """Return the sentences of the hits, each once: its source, where it stands, what stands around it."""
    places: dict[tuple[str, int, int], tuple[Source, tuple[int, int], Candidate]] = {}
    for position, hit in enumerate(hits):
        source = reader.source(hit.chunk.source_id)
        spans = _sentences(source, hit)
        for i, (start, end) in enumerate(spans):
            candidate = Candidate(
                text=source.clean[start:end],
                before=_header(source, start) or (source.clean[slice(*spans[i - 1])] if i else ""),
                after=source.clean[slice(*spans[i + 1])] if i + 1 < len(spans) else "",
                heading=hit.chunk.heading,
                lead=source.clean[:LEAD],
                score=hit.features.get("weighed", hit.score),
                rank=position,
                order=i,
                count=len(spans),
            )
            places.setdefault((source.id, start, end), (source, (start, end), candidate))
    return list(places.values())


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
        if (best.asked or 0.0) - (other.asked or 0.0) >= SURELY:
            continue
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
    question: Question, wanted: Sequence[Concept], candidates: Sequence[Candidate], lexical: LexicalIndex
) -> Sequence[float]:
    """What two learned models make of each sentence: the trees, and the passage ranker's reader."""
    if not candidates:
        return []
    rows = sentence_ranker.features(question, wanted, candidates)
    passages = Passages.of([c.text for c in candidates], [f"{c.heading} {c.lead}" for c in candidates])
    read = sentence_model().total(sentence_columns(Asked.of(question.text, lexical), passages))
    best, _ = passages.sentences.best(read)
    total = LEARNED_WEIGHT * sentence_ranker.trees().probability(rows) + READ_WEIGHT * best
    return [float(value) for value in total]


def _alike(question: Question, texts: Sequence[str]) -> Sequence[float]:
    """The cosines of the sentences' vectors with the question's."""
    if not texts:
        return []
    encoder = bundled()
    cosines = encoder.encode_documents(texts) @ encoder.encode_query(question.text)[0]
    return [float(cosine) for cosine in cosines]


def _evidence(
    question: Question,
    wanted: Sequence[Concept],
    source: Source,
    span: tuple[int, int],
    candidate: Candidate,
    weighed: tuple[float, float],
    known: Known,
) -> Evidence:
    """`weighed` are what the learned models make of the sentence, and the cosine of its vector."""
    learned, alike = weighed
    own, around = token_set(candidate.text), sentence_rules.around(candidate)
    asked = known.asked(source.id, *span)
    said = frozenset() if asked is None else known.tokens(source.id, *span)
    return Evidence(
        source,
        *span,
        coverage=sentence_ranker.covered(wanted, own),
        supported=sentence_ranker.supported(wanted, own, around),
        expected=sentence_rules.expected(question, candidate),
        score=sentence_rules.ruled(question, wanted, candidate)
        + learned
        + ALIKE_WEIGHT * alike
        + ASKED_WEIGHT * _told(asked),
        complete=bool(COMPLETE.search(candidate.text)),
        missing=sentence_rules.missing(wanted, own | around),
        bare=sentence_rules.bare(wanted, own | around),
        asked=asked,
        told=sentence_ranker.covered(wanted, own | said),
        alike=alike,
    )


def _told(asked: float | None) -> float:
    """What a sentence gains or loses by the questions known of its document; 0 where none are."""
    odds = NEUTRAL if asked is None else asked / (1 - asked + LEAST)
    return math.log((odds + LEAST) / (NEUTRAL + LEAST))


def _header(source: Source, start: int) -> str:
    """The header of the table that has a row here, which says what its fields are of."""
    found = tables.at(source.clean, start)
    return source.clean[slice(*found[0].line)] if found else ""


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


def answerable(question: Question, evidence: Sequence[Evidence], nearest: float = 0.0) -> float:
    """Return the probability, 0 to 1, that the best evidence answers the question.

    A named text, year or clause that it does not concern all but rules it out.
    `nearest` is the likeness of the question that is known and likest to this one.
    """
    if not evidence:
        return 0.0
    probability = assurance.probability(signs(question, evidence, nearest))
    return probability * (1.0 if _specifics_present(question, evidence[0]) else ELSEWHERE)


def signs(question: Question, evidence: Sequence[Evidence], nearest: float = 0.0) -> dict[str, float]:
    """Return what speaks for the best evidence and against it, by the names of `assurance.SIGNS`."""
    best = evidence[0]
    asked = best.asked or 0.0  # what it is known to answer, it need not say in the question's words
    supported, missing = max(best.supported, asked * best.told), (1 - asked) * best.missing
    chance = assurance.by_rules(supported, missing, expected=best.expected)
    return {
        "doubt": assurance.doubt(chance),
        "bare": float(best.bare),
        "missing": missing,
        "absent": float(bool(ABSENCE.search(best.text))),
        "expected": float(best.expected),
        "amount": float(question.kind in ("count", "when")),
        "person": float(question.kind == "who"),
        "compares": float(question.kind == "compare"),
        "checks": float(question.checks),
        "asked": asked,
        "askable": float(best.asked is not None),
        "told": 0.0 if best.asked is None else best.told,
        "nearest": nearest,
        "alike": best.alike,
        "length": math.log(max(1, len(question.text))),
    }


def _specifics_present(question: Question, evidence: Evidence) -> bool:
    place = fold(f"{evidence.source.title} {evidence.source.clean}")
    wanted = [*question.names, *question.specifics]
    cited = cites(question.text, evidence.text, exactly=not question.checks)  # a claim may name it wrongly
    return cited and all(fold(name) in place for name in wanted)
