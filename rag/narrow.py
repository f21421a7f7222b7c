"""Cutting a long sentence to the part that answers, and finding the list it holds.

Works on spans of clean text and a question; knows no documents.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag import sentences as split
from rag.evidence import Evidence
from rag.lexical import token_set
from rag.question import Question, QuestionType, content_parts

NARROW_FROM = 140  # a longer sentence is cut to the part that answers
NARROW_POINTED = 90  # the same where one fact is asked for
MIN_PART = 14
ENUMERATING: frozenset[QuestionType] = frozenset(
    {"list", "how", "define", "compare", "fact", "why", "clause"}
)
POINTED: frozenset[QuestionType] = frozenset({"count", "when", "who"})  # a part of a sentence is enough


def narrow(question: Question, evidence: Evidence) -> tuple[int, int]:
    """Cut a long sentence to the clauses that cover as much of the question as it does whole.

    Enumerations are not cut, and what asks for a list keeps its whole sentence.
    """
    text = evidence.source.clean
    start, end = evidence.start, evidence.end
    pointed = question.kind in POINTED or question.sized(evidence.text)
    limit = NARROW_POINTED if pointed else NARROW_FROM
    if end - start <= limit:
        return start, end
    if question.kind in ENUMERATING and has_items(question, text, start, end):
        return start, end
    wanted = frozenset(t for part in content_parts(question) for t in token_set(part))
    start, end = _smallest(text, split.clauses(text, start, end), wanted, question)
    if end - start > NARROW_POINTED and pointed:
        pieces = split.clauses(text, start, end, "，,；;")
        start, end = _smallest(text, pieces, wanted, question)
    while end > start and text[end - 1] in "，,；; \n":
        end -= 1
    return split.trim(text, start, end)


def has_items(question: Question, text: str, start: int, end: int) -> bool:
    """Tell whether a span holds an enumerated list, of as many items as the question says."""
    items = split.items(text, start, end)
    return bool(items) and (not question.size or question.size == len(items))


def _smallest(
    text: str, pieces: Sequence[tuple[int, int]], wanted: frozenset[str], question: Question
) -> tuple[int, int]:
    """The shortest run of pieces that covers what all of them cover and holds what is asked for."""
    whole = wanted & token_set(text[pieces[0][0] : pieces[-1][1]])
    runs = [
        (pieces[i][0], pieces[j][1])
        for i in range(len(pieces))
        for j in range(i, len(pieces))
        if pieces[j][1] - pieces[i][0] >= MIN_PART
    ]
    fitting = [
        run
        for run in runs
        if len(wanted & token_set(text[slice(*run)])) >= 0.9 * len(whole)
        and question.expects(text[slice(*run)])
        and question.cued(text[slice(*run)]) >= question.cued(text[pieces[0][0] : pieces[-1][1]])
        and question.sized(text[slice(*run)]) >= question.sized(text[pieces[0][0] : pieces[-1][1]])
    ]
    return min(fitting, key=lambda run: run[1] - run[0], default=(pieces[0][0], pieces[-1][1]))
