"""Does the cited text support a sentence? Checks on characters and facts, no model.

A sentence is quoted when it stands in its evidence, paraphrased when the
evidence covers its words, holds every number, date, name and document number
it states for the same matter, has the same doer for each deed, and denies
what it denies; anything else is unsupported.
Shared by generated answers and generated outlines.
"""

from __future__ import annotations

import re

from rag.lexical import fold, tokenize
from rag.types import Support
from rag.verify_acts import bodies, turned_round

COVERED = 0.55  # share of a sentence's bigrams that a paraphrase keeps; below, claims are new
_NUMBER = re.compile(
    r"[0-9]+(?:\.[0-9]+)?%?|[零〇一二两三四五六七八九十百千万]{1,12}(?=分之|[年月日人名次项条届章学天个周成])|分之[一二三四五六七八九十]+|半数|过半"
)
_NAME = re.compile(r"《([^《》]{2,80})》")
_NUMBERED = re.compile(r"[\u4e00-\u9fff]{1,8}[〔\[(（][0-9]{4}[〕\])）] ?[0-9]+ ?号")
_QUOTED = re.compile(r"[“「]([^“”「」]{4,200})[”」]")
_NEGATION = re.compile(r"不得|不能|不可|不应|不是|不必|不需|无需|禁止|没有|未|非")
_CLAUSE = re.compile(r"[，,。；;！!？?\n]")
_SENTENCE = re.compile(r"[。；;！!？?\n]")
SAME_MATTER = 0.6  # two clauses that share so many bigrams speak of one thing, and may not differ by a 不
SHORTEST = 5  # characters; a shorter clause says too little to be compared
BOUND = 0.35  # a number's clause shares so much with the evidence sentence the number is taken from


def support(sentence: str, evidence: str) -> Support:
    """Return how far evidence supports a sentence: quoted, paraphrased or unsupported.

    >>> support("书记召集会议。", "党组织会议由书记召集。书记召集会议。")
    'quoted'
    """
    said, known = _bare(sentence), _bare(evidence)
    if not said:
        return "unsupported"
    if said in known:
        return "quoted"
    if missing_facts(sentence, evidence) or turned_round(sentence, evidence):
        return "unsupported"
    if _numbers_moved(sentence, evidence) or _denied(sentence, evidence):
        return "unsupported"
    return "paraphrased" if coverage(sentence, evidence) >= COVERED else "unsupported"


def coverage(sentence: str, evidence: str) -> float:
    """Return the share, 0 to 1, of a sentence's bigrams and words that the evidence holds."""
    said = [token for token in tokenize(sentence) if len(token) > 1 or token.isascii()]
    known = set(tokenize(evidence))
    return sum(token in known for token in said) / len(said) if said else 0.0


def missing_facts(sentence: str, evidence: str) -> list[str]:
    """Return the numbers, titles, document numbers and quotations in a sentence that the evidence lacks."""
    known = _bare(evidence)
    stated = [
        *_NUMBERED.findall(sentence),
        *_NUMBER.findall(sentence),
        *_NAME.findall(sentence),
        *_QUOTED.findall(sentence),
    ]
    return [fact for fact in stated if _bare(fact) not in known]


def _numbers_moved(sentence: str, evidence: str) -> bool:
    """Tell whether a number is said of another matter than the one the evidence has it for.

    半数以上 stands in a passage beside 三分之二以上: each must come from a sentence
    that shares the words of the clause it is used in and names the same bodies.
    """
    known = [s for s in _SENTENCE.split(evidence) if _NUMBER.search(s)]
    for clause in _SENTENCE.split(sentence):
        for number in _NUMBER.findall(clause):
            holding = [s for s in known if _bare(number) in _bare(s)]
            if holding and not any(
                coverage(clause, s) >= BOUND and bodies(clause) <= bodies(s) for s in holding
            ):
                return True
    return False


def _denied(sentence: str, evidence: str) -> bool:
    """Tell whether a clause says 不 where the evidence's clause on its matter does not, or the reverse."""
    known = [clause for clause in _CLAUSE.split(evidence) if clause.strip()]
    for clause in _CLAUSE.split(sentence):
        if len(_bare(clause)) < SHORTEST:
            continue
        nearest = max(known, key=lambda k: coverage(clause, k), default="")
        denies, denied = bool(_NEGATION.search(clause)), bool(_NEGATION.search(nearest))
        if denies != denied and coverage(clause, nearest) >= SAME_MATTER:
            return True
        if denies and not _NEGATION.search(evidence):
            return True
    return False


def _bare(text: str) -> str:
    """The text folded, without punctuation and white space."""
    return "".join(re.findall(r"[\w%]+", fold(text)))
