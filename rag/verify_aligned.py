"""A claim laid beside its evidence: does another fact stand where the words are the same?

Facts are masked by their kind, so that the clause of the evidence that speaks
of the same matter is found whatever it says of it; then what stands in the
same places is compared. A part of a claim is contradicted if every clause
that matches it about as well as the best one says something else in a place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from rag import sentences as split
from rag.verify_facts import Token, excludes, read

MATCHED = 0.6  # share of a part's tokens that a clause on the same matter holds in the same order
NEAR_BEST = 0.1  # clauses that match worse by less may be the one meant as well
FEW = 3  # characters; where fewer change around a fact or with a 不, the place is still the same
SHORTEST = 5  # tokens; less says too little to be laid beside anything
_SENTENCE, _CLAUSE = re.compile(r"[；;]"), re.compile(r"[，,：:]")
_NOTE = re.compile(r"（(?:出处|来源)：.*$", re.DOTALL)  # names documents, states nothing
_MARKS = (",", ":")
Tokens = tuple[Token, ...]


def contradicted(claim: str, evidence: str) -> bool:
    """Tell whether a sentence or clause of a claim says another thing than the evidence in the same place.

    >>> contradicted("会议由校长召集。", "会议由书记召集。")
    True
    """
    known = _parts(evidence)
    return any(_against(part, known) for part in _parts(claim) if len(part) >= SHORTEST)


@lru_cache(maxsize=64)
def _parts(text: str) -> tuple[Tokens, ...]:
    """The sentences of a text and their clauses, as tokens."""
    parts: dict[Tokens, None] = {}
    for start, end in split.sentences(text):
        for sentence in _SENTENCE.split(_NOTE.sub("", text[start:end])):
            for part in (sentence, *_CLAUSE.split(sentence)):
                parts[read(part)] = None
    return tuple(parts)


def _against(part: Tokens, known: Sequence[Tokens]) -> bool:
    laid = [(_share(places), places) for places in (_places(part, unit) for unit in _alike(part, known))]
    best = max((share for share, _ in laid), default=0.0)
    near = [places for share, places in laid if share >= best - NEAR_BEST]
    return best >= MATCHED and all(_differ(places) for places in near)


def _alike(part: Tokens, known: Sequence[Tokens]) -> list[Tokens]:
    """The clauses that hold enough of a part's tokens in any order; only those are worth laying beside it."""
    said = Counter(token.symbol for token in part)
    least = (MATCHED - NEAR_BEST) * len(part)
    return [u for u in known if (said & Counter(token.symbol for token in u)).total() >= least]


@dataclass(frozen=True, slots=True)
class _Place:
    """What a claim and its evidence have in one place: the same words, or others."""

    mine: Tokens
    theirs: Tokens
    same: bool

    @property
    def short(self) -> bool:
        """Whether little but facts stands here."""
        return max(_words(self.mine), _words(self.theirs)) <= FEW


def _places(part: Tokens, unit: Tokens) -> list[_Place]:
    matcher = SequenceMatcher(None, [t.symbol for t in part], [t.symbol for t in unit], autojunk=False)
    return [_Place(part[a:b], unit[c:d], tag == "equal") for tag, a, b, c, d in matcher.get_opcodes()]


def _share(places: Sequence[_Place]) -> float:
    """The share of a part's tokens that match, facts only where they agree."""
    pairs = [pair for place in places if place.same for pair in zip(place.mine, place.theirs, strict=True)]
    return sum(not excludes(x, y) for x, y in pairs) / sum(len(place.mine) for place in places)


def _differ(places: Sequence[_Place]) -> bool:
    """Tell whether the two say something else in any place."""
    for i, place in enumerate(places):
        pairs = zip(place.mine, place.theirs, strict=True) if place.same else ()
        stands = _anchored(place) or all(beside.short for beside in places[max(0, i - 1) : i + 2])
        if stands and any(excludes(x, y) for x, y in pairs):
            return True
        if not place.same and place.short and _exchanged(place):
            return True
    mine, theirs = [place.mine for place in places], [place.theirs for place in places]
    changed = [i for i, place in enumerate(places) if not place.same]
    return _slipped(mine, theirs, changed) or _slipped(theirs, mine, changed)


def _anchored(place: _Place) -> bool:
    """Tell whether words of the same stand beside the facts of a place."""
    return any(not token.kind and not _marks(token) for token in place.mine)


def _exchanged(place: _Place) -> bool:
    """Tell whether the facts of one kind in a changed place all exclude one another."""
    for kind in {token.kind for token in place.mine} - {""}:
        others = [token for token in place.theirs if token.kind == kind]
        if others and all(excludes(x, y) for x in place.mine if x.kind == kind for y in others):
            return True
    return False


def _slipped(here: Sequence[Tokens], there: Sequence[Tokens], changed: Sequence[int]) -> bool:
    """Tell whether little more than a denial is here in some changed place, and none is there in any.

    A place between two that match is a clause more or less if it holds a clause
    mark, and no slip.
    """
    last = len(here) - 1
    slips = [
        _clause(here[i], first=i == 0) for i in changed if i in (0, last) or not any(map(_marks, here[i]))
    ]
    denied = any(_denies(_clause(there[i], first=i == 0)) for i in changed)
    return not denied and any(_denies(tokens) and _words(tokens) <= FEW for tokens in slips)


def _clause(tokens: Tokens, *, first: bool) -> Tokens:
    """What of a changed place belongs to the clause that goes on beside it, behind it if it is the first."""
    marks = [i for i, token in enumerate(tokens) if _marks(token)]
    if not marks:
        return tokens
    return tokens[marks[-1] + 1 :] if first else tokens[: marks[0]]


def _marks(token: Token) -> bool:
    return token.value in _MARKS


def _words(tokens: Tokens) -> int:
    return sum(not token.kind for token in tokens)


def _denies(tokens: Tokens) -> bool:
    return any(token.denies for token in tokens)
