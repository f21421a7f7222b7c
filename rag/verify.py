"""Does the cited text support a sentence? Checks on characters and facts, no model.

A sentence is quoted when it stands in its evidence, paraphrased when the
evidence covers its words, holds every number, date, name and document number
it states for the same matter, has the same doer for each deed, and has no
other fact in the same place; anything else is unsupported.
Shared by generated answers and generated outlines.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.lexical import fold, tokenize
from rag.types import Support
from rag.verify_acts import bodies, turned_round
from rag.verify_aligned import contradicted
from rag.verify_facts import Token, read, side, states

COVERED = 0.55  # share of a sentence's bigrams that a paraphrase keeps; below, claims are new
_NAME = re.compile(r"《([^《》]{2,80})》")
_NUMBERED = re.compile(r"[\u4e00-\u9fff]{1,8}[〔\[(（][0-9]{4}[〕\])）] ?[0-9]+ ?号")
_QUOTED = re.compile(r"[“「]([^“”「」]{4,200})[”」]")
_SENTENCE = re.compile(r"[。；;！!？?\n]")
_NOT = "不未非无没"  # what stands behind one of these is denied, not said
_ANY = "一每"  # 有一次, 每天: a manner of speaking where no rule is cited
BOUND = 0.35  # a number's clause shares so much with the evidence sentence the number is taken from


def support(sentence: str, evidence: str) -> Support:
    """Return how far evidence supports a sentence: quoted, paraphrased or unsupported.

    >>> support("书记召集会议。", "党组织会议由书记召集。书记召集会议。")
    'quoted'
    """
    said, known = _bare(sentence), _bare(evidence)
    if not said:
        return "unsupported"
    if re.search(rf"(?<![{_NOT}]){re.escape(said)}", known):
        return "quoted"
    if coverage(sentence, evidence) < COVERED or any(check(sentence, evidence) for check in _CHECKS):
        return "unsupported"
    return "paraphrased"


def coverage(sentence: str, evidence: str) -> float:
    """Return the share, 0 to 1, of a sentence's bigrams and words that the evidence holds."""
    said = [token for token in tokenize(sentence) if len(token) > 1 or token.isascii()]
    known = set(tokenize(evidence))
    return sum(token in known for token in said) / len(said) if said else 0.0


def missing_facts(sentence: str, evidence: str) -> list[str]:
    """Return the numbers, titles, document numbers and quotations in a sentence that the evidence lacks."""
    known = _bare(evidence)
    stated = [*_NUMBERED.findall(sentence), *_NAME.findall(sentence), *_QUOTED.findall(sentence)]
    numbers = [token.text for token in _unknown(sentence, evidence) if token.text[0] not in _ANY]
    return [*numbers, *(fact for fact in stated if _bare(fact) not in known)]


def _unknown(sentence: str, evidence: str) -> list[Token]:
    """The numbers, dates and places in a sentence that the evidence does not state."""
    held = read(evidence)
    return [token for token in read(sentence) if token.text and not any(states(k, token) for k in held)]


def _numbers_moved(sentence: str, evidence: str) -> bool:
    """Tell whether a number is said of another matter than the one the evidence has it for.

    半数以上 stands in a passage beside 三分之二以上: each must come from a sentence
    that shares the words of the clause it is used in and names the same bodies.
    """
    known = [(s, read(s)) for s in _SENTENCE.split(evidence)]
    for clause in _SENTENCE.split(sentence):
        for number in (token for token in read(clause) if token.kind == "number"):
            holding = [s for s, tokens in known if any(states(k, number) for k in tokens)]
            if holding and not any(
                coverage(clause, s) >= BOUND and _sides(clause) <= _sides(s) for s in holding
            ):
                return True
    return False


def _sides(text: str) -> frozenset[str]:
    return frozenset(side(body) for body in bodies(text))


def _denied_alone(sentence: str, evidence: str) -> bool:
    """Tell whether a sentence denies something, and its evidence nothing."""
    return any(token.denies for token in read(sentence)) and not any(token.denies for token in read(evidence))


def _bare(text: str) -> str:
    """The text folded, without punctuation and white space."""
    return "".join(re.findall(r"[\w%]+", fold(text)))


_CHECKS: tuple[Callable[[str, str], object], ...] = (
    _unknown,
    missing_facts,
    turned_round,
    _numbers_moved,
    _denied_alone,
    contradicted,
)
