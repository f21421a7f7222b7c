"""Does the cited text support a sentence? Checks on characters and facts, no model.

A sentence is quoted when it stands in its evidence, paraphrased when the
evidence covers its words and holds every number, date, name and document
number it states and the same doer for each deed; anything else is unsupported.
Shared by generated answers and generated outlines.
"""

from __future__ import annotations

import re

from rag.lexical import fold, tokenize
from rag.types import Support

COVERED = 0.55  # share of a sentence's bigrams that a paraphrase keeps; below, claims are new
_NUMBER = re.compile(
    r"[0-9]+(?:\.[0-9]+)?%?|[零〇一二两三四五六七八九十百千万]+(?=分之|[年月日人名次项条届章学天个周成])|分之[一二三四五六七八九十]+|半数|过半"
)
_NAME = re.compile(r"《([^《》]{2,80})》")
_NUMBERED = re.compile(r"[\u4e00-\u9fff]{1,8}[〔\[(（][0-9]{4}[〕\])）] ?[0-9]+ ?号")
_QUOTED = re.compile(r"[“「]([^“”「」]{4,200})[”」]")
_NEGATION = re.compile(r"不得|不能|不可|不应|不是|不必|不需|无需|禁止|没有|未|非")
# Who does what in a school; a paraphrase may not hand one's deed to another.
_DOERS = ("党组织会议", "校长办公会议", "教职工大会", "书记", "校长", "党组织", "行政班子", "教职工代表大会")
_DEEDS = (
    "召集",
    "主持",
    "确定",
    "讨论决定",
    "集体决定",
    "研究提出",
    "组织实施",
    "部署落实",
    "报告",
    "监督",
    "决定",
    "批准",
    "负责",
)
_CLAUSE = re.compile(r"[，,。；;！!？?\n]")


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
    if missing_facts(sentence, evidence) or _swapped(sentence, evidence):
        return "unsupported"
    if bool(_NEGATION.search(sentence)) and not _NEGATION.search(evidence):
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


def _swapped(sentence: str, evidence: str) -> bool:
    """Tell whether a deed is given to doers whom the evidence never joins in it.

    Rule: all doers that a clause of the sentence names beside a deed must
    stand in one clause of the evidence beside that deed, for 会议由书记召集 and
    another 会议由校长召集 do not make the first one's 校长. Deeds that the
    evidence does not mention, or mentions without doers, are left to coverage.
    """
    joined = [_doers_of(clause) for clause in _CLAUSE.split(evidence)]
    return any(
        not any(doers <= known.get(deed, frozenset()) for known in joined)
        for clause in _CLAUSE.split(sentence)
        for deed, doers in _doers_of(clause).items()
        if any(deed in known for known in joined)
    )


def _doers_of(clause: str) -> dict[str, frozenset[str]]:
    """The doers in a clause by each deed in it; a longer name hides the shorter one inside it."""
    doers = []
    rest = clause
    for doer in sorted(_DOERS, key=len, reverse=True):
        if doer in rest:
            doers.append(doer)
            rest = rest.replace(doer, "")
    return {deed: frozenset(doers) for deed in _DEEDS if deed in clause} if doers else {}


def _bare(text: str) -> str:
    """The text folded, without punctuation and white space."""
    return "".join(re.findall(r"[\w%]+", fold(text)))
