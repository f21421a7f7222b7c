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

from rag import sentences as split
from rag import synonyms
from rag.clause import Clause
from rag.lexical import LexicalIndex, fold, token_set, tokenize
from rag.protocols import SourceReader
from rag.question import Question, content_parts
from rag.types import Hit, Source

UNIGRAM_WEIGHT = 0.25  # one character alone says little
SEAM_WEIGHT = 0.2
UNKNOWN_WEIGHT = 0.7  # a word no document holds may be mere talk
CONTEXT_WEIGHT = 0.6  # a word found in the heading or beside the sentence counts so much
CHUNK_WEIGHT = 0.25
EXPECTED_BONUS = 0.2
CUE_BONUS = 0.08
SIZE_BONUS = 0.3  # it lists as many things as the question says there are
ASKING_COST = 0.1  # what says "谁、哪个" itself names the matter and does not settle it
_ASKS = re.compile(r"谁|哪个|哪些|怎么|如何|是否|多少")
ABSENCE_COST = 0.15  # what says that something is not laid down gives way to what lays it down
COMPLETE_BONUS = 0.1  # a whole sentence rather than a table cell or a note
_COMPLETE = re.compile(r"[。！？；!?;][”’」』）)》]{0,3}$|）$")
_ABSENCE = re.compile(
    r"(?:没有|未)[^。，,；;]{0,14}(?:核到|见到|看到|规定|写明|找到|提到|载明|载|统一)|(?:没有|未)\**[：:]"
)
_WHETHER = re.compile(r"有没有|有无|是否有|是不是|是.{0,4}吗|一样吗|一回事吗")
# Logistic of the coverage, fitted by `eval/bench/answerability.py`; see docs/design/0003.
MIDPOINT, SLOPE = 0.40, 14.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence, clean[start:end] of its source.

    `coverage` is the share of the question it covers by itself, `supported`
    with its heading and neighbours, both 0 to 1; `expected` whether it holds
    what the question asks for, `complete` whether it is a whole sentence,
    `named` whether it is a clause that the question names.
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

    @property
    def text(self) -> str:
        """The sentence as repaired."""
        return self.source.clean[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Concept:
    """Something a question speaks of: the ways to say it, each as tokens with their idf, and its weight."""

    names: tuple[tuple[tuple[str, float], ...], ...]
    weight: float

    def covered(self, tokens: frozenset[str]) -> float:
        """Return the share, 0 to 1, of the best said name that a text's tokens hold."""
        return max(
            sum(idf for token, idf in name if token in tokens) / (sum(idf for _, idf in name) or 1.0)
            for name in self.names
        )


def concepts(question: Question, lexical: LexicalIndex) -> list[Concept]:
    """Return what a question speaks of; the weights sum to 1.

    Words with listed synonyms are one concept each, other bigrams stand for
    themselves. A bigram no document holds, between two that some do, is
    where two words meet (学校党组织: 校党) and counts for little.
    """
    found: list[Concept] = []
    for part in content_parts(question):
        folded = fold(part)
        position = 0
        for word in [*synonyms.find(folded), None]:
            found += _bigrams(folded[position : word.start if word else len(folded)], lexical)
            if word:
                found.append(_named(word.names, lexical))
                position = word.end
    merged = {c.names: c for c in found if c.weight > 0}
    total = sum(concept.weight for concept in merged.values()) or 1.0
    return [Concept(concept.names, concept.weight / total) for concept in merged.values()]


def _named(names: Sequence[str], lexical: LexicalIndex) -> Concept:
    """A listed word weighs as much as the rarest bigram of the names that documents use."""
    tokens = [[t for t in tokenize(name) if len(t) > 1 or t.isascii()] or [name] for name in names]
    known = [max(map(lexical.idf, name)) for name in tokens if all(map(lexical.known, name))]
    weight = min(known, default=UNKNOWN_WEIGHT * lexical.idf(""))
    return Concept(tuple(tuple((t, lexical.idf(t)) for t in name) for name in tokens), weight)


def _bigrams(text: str, lexical: LexicalIndex) -> list[Concept]:
    tokens = tokenize(text)
    pairs = [t for t in tokens if len(t) > 1 or t.isascii()]
    found = []
    for i, token in enumerate(pairs):
        weight = lexical.idf(token)
        if not lexical.known(token):
            between = 0 < i < len(pairs) - 1 and lexical.known(pairs[i - 1]) and lexical.known(pairs[i + 1])
            weight *= SEAM_WEIGHT if between else UNKNOWN_WEIGHT
        found.append(Concept((((token, 1.0),),), weight))
    single = [t for t in tokens if len(t) == 1 and not t.isascii()]
    return found + [Concept((((t, 1.0),),), lexical.idf(t) * UNIGRAM_WEIGHT) for t in single]


def rank(
    question: Question, hits: Sequence[Hit], reader: SourceReader, lexical: LexicalIndex
) -> list[Evidence]:
    """Return the sentences of the hits, best first, each once."""
    wanted = concepts(question, lexical)
    found: dict[tuple[str, int, int], Evidence] = {}
    for hit in hits:
        source = reader.source(hit.chunk.source_id)
        for start, end, context in _sentences(source, hit):
            key = (source.id, start, end)
            if key not in found:
                found[key] = _evidence(question, wanted, source, (start, end), context, hit.score)
    return sorted(found.values(), key=lambda e: (-e.score, e.source.id, e.start))


def _evidence(
    question: Question,
    wanted: Sequence[Concept],
    source: Source,
    span: tuple[int, int],
    context: str,
    chunk_score: float,
) -> Evidence:
    text = source.clean[span[0] : span[1]]
    own, around = token_set(text), token_set(context)
    coverage = sum(concept.weight * concept.covered(own) for concept in wanted)
    beside = sum(c.weight * max(0.0, c.covered(around) - c.covered(own)) for c in wanted)
    expected = question.expects(text)
    supported = min(1.0, coverage + CONTEXT_WEIGHT * beside)
    score = supported + CHUNK_WEIGHT * chunk_score + EXPECTED_BONUS * expected
    complete = bool(_COMPLETE.search(text))
    score += SIZE_BONUS * question.sized(text) + COMPLETE_BONUS * complete
    score += CUE_BONUS * question.cued(text)
    score -= ASKING_COST * bool(_ASKS.search(text))
    score -= ABSENCE_COST * bool(_ABSENCE.search(text))
    return Evidence(source, *span, coverage, supported, expected, score, complete)


def _sentences(source: Source, hit: Hit) -> Iterator[tuple[int, int, str]]:
    """Yield the sentences of a chunk with their context: headings, the sentences beside them."""
    chunk = hit.chunk
    headings = [(s.start, s.body) for s in source.sections if s.start < s.body]
    spans = [
        span
        for part in _outside(chunk.start, chunk.end, headings)
        for span in split.sentences(source.clean, *part)
        if len(token_set(source.clean[span[0] : span[1]])) > 2
    ]
    for i, (start, end) in enumerate(spans):
        before = source.clean[slice(*spans[i - 1])] if i else ""
        yield start, end, f"{chunk.heading}\n{before}"


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
    return bool(_ABSENCE.search(evidence.text)) and not _WHETHER.search(question.text)


def answerable(question: Question, evidence: Sequence[Evidence]) -> float:
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
    return probability * (1.0 if _specifics_present(question, best) else 0.1)


def _specifics_present(question: Question, evidence: Evidence) -> bool:
    place = fold(f"{evidence.source.title} {evidence.source.clean}")
    wanted = [*question.names, *question.specifics]
    return all(fold(name) in place for name in wanted)
