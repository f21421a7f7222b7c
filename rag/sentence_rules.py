"""What the rules of this field give a sentence: how it covers the question, and the signs of an answer.

What is not laid down gives way to what is, a rule for another body is no rule
for the one asked about, a correction answers a claim to be confirmed. Knows a
question, weighed concepts and a sentence with its surroundings; not documents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rag import sentence_ranker
from rag.concepts import ABSENCE, ASKS, COMPLETE, CORRECTS, Concept
from rag.lexical import token_set
from rag.question import Question, content_parts
from rag.sentence_ranker import Candidate

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
SPECIAL_COST = 0.2  # the stricter rule for one matter is no answer to the general question
_SPECIAL = re.compile("干部任免|任免干部")
_SPECIAL_ASKED = re.compile("干部|任免|任命|提拔|人事|选人")
EXAMPLE_COST = 0.15
DEFINING_COST = 0.1  # what says what a thing is, where that is not asked
_DEFINES = re.compile("是指|指的是")
BARE_SHARE = 0.4  # what is asked about a known thing weighs more than that; none of it is said
# What all of this is about has the names of others in it: to speak of it says nothing of a principal.
_SYSTEM = re.compile("(?:党组织领导下?的)?校长负责制")
_SYSTEM_ASKED = re.compile("负责制|[这该此][个项]?制度")
_EXAMPLE = re.compile(r"[-\s]*(?:算一个例子|例如|比如|譬如)")


def ruled(question: Question, wanted: Sequence[Concept], candidate: Candidate) -> float:
    """Return what the rules give a sentence: its coverage with what stands around it, and the cues."""
    text = candidate.text
    own, beside = token_set(text), around(candidate)
    score = sentence_ranker.supported(wanted, own, beside) + CHUNK_WEIGHT * candidate.score
    score += EXPECTED_BONUS * expected(question, candidate) + SIZE_BONUS * question.sized(text)
    score += COMPLETE_BONUS * bool(COMPLETE.search(text)) + OPENING_BONUS * _opens(question, text)
    score += (WHY_BONUS if question.kind == "why" else CUE_BONUS) * question.cued(text)
    score += CORRECTION_BONUS * (question.checks and bool(CORRECTS.search(text)))
    score -= MISSING_COST * missing(wanted, own | beside) + EXAMPLE_COST * bool(_EXAMPLE.match(text))
    score -= ASKING_COST * bool(ASKS.search(text)) + ABSENCE_COST * bool(ABSENCE.search(text))
    score -= DEFINING_COST * (question.kind != "define" and bool(_DEFINES.search(text)))
    special = _SPECIAL.search(text) and not _SPECIAL_ASKED.search(question.text)
    return score - SPECIAL_COST * bool(special)


def set_aside(question: Question, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """Take the name of the 校长负责制 out of the candidates of a question that does not ask about it."""
    if _SYSTEM_ASKED.search(question.text):
        return candidates
    return [
        replace(
            candidate,
            text=_SYSTEM.sub("制度", candidate.text),
            before=_SYSTEM.sub("制度", candidate.before),
            after=_SYSTEM.sub("制度", candidate.after),
            heading=_SYSTEM.sub("制度", candidate.heading),
            lead=_SYSTEM.sub("制度", candidate.lead),
        )
        for candidate in candidates
    ]


def around(candidate: Candidate) -> frozenset[str]:
    """Return the tokens of what stands around a sentence: its headings and the sentence before it."""
    return token_set(f"{candidate.heading}\n{candidate.before}")


def expected(question: Question, candidate: Candidate) -> bool:
    """Tell whether a sentence holds the sort of thing asked for; a row of a table does so with its header."""
    text = candidate.text
    return question.expects(f"{candidate.before}{text}" if text.startswith("|") else text)


def missing(wanted: Sequence[Concept], tokens: frozenset[str]) -> float:
    """Return the weight of the question's known things that tokens do not name."""
    return sum(concept.weight * (1 - concept.covered(tokens)) for concept in wanted if concept.listed)


def bare(wanted: Sequence[Concept], tokens: frozenset[str]) -> bool:
    """Tell whether tokens name a known thing of the question and nothing of what is asked about it.

    谁能开除老师 is not answered by what speaks of teachers.
    """
    listed = any(concept.listed and concept.covered(tokens) for concept in wanted)
    said = [c for c in wanted if not c.listed and len(c.names[0][0][0]) > 1]
    return listed and sum(c.weight for c in said) > BARE_SHARE and not any(c.covered(tokens) for c in said)


def _opens(question: Question, text: str) -> bool:
    first = content_parts(question)[0]
    return len(first) > 2 and text.lstrip("“‘《- ").startswith(first)
