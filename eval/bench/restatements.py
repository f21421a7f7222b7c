"""True sentences said in other words, by rule: what a verifier must not reject.

Every rule keeps the meaning: synonyms, a dropped source or time of day, the
shorter modal, clauses that stand side by side in another order, two
sentences joined. Knows Chinese words and nothing of how claims are verified.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SYNONYMS = (
    ("党组织会议", "党委会"), ("校长办公会议", "校长办公会"), ("教职工代表大会", "教代会"),
    ("讨论决定", "集体决定"), ("召集并主持", "召集和主持"), ("必须", "应当"),
    ("不能", "不得"), ("按照", "依照"), ("根据", "按照"), ("应当", "要"), ("每年", "一年"),
    ("至少", "不少于"), ("不得", "不能"), ("规定", "要求"), ("需要", "须"),
    ("以及", "和"), ("作出", "做出"), ("可以", "能够"),
)  # fmt: skip
_NOTE = re.compile(r"（[^（）]*）")
_LEAD = re.compile(r"^(?:但|因此|所以|同时|另外|此外|其中|对此)[，]?")


def restatements(sentence: str, following: str = "") -> Iterator[tuple[str, str]]:
    """Yield (rule, the sentence in other words): at most one of each rule.

    >>> dict(restatements("校长应当由政府聘任。"))["shorter"]
    '校长由政府聘任。'
    """
    for old, new in _SYNONYMS:
        if re.search(plain := rf"{old}(?![^《]*》)", sentence):  # a title has no synonyms
            yield "synonym", re.sub(plain, new, sentence, count=1)
            break
    if "应当由" in sentence or "要由" in sentence:
        yield "shorter", sentence.replace("应当由", "由").replace("要由", "由")
    if _NOTE.search(sentence):
        yield "note dropped", _NOTE.sub("", sentence)
    clauses = sentence.rstrip("。").split("；")
    if len(clauses) > 1 and not re.search(r"[一二三四]是|前款|前项|该|其", sentence):
        yield "reordered", "；".join([*clauses[1:], clauses[0]]) + "。"
        yield "clause dropped", clauses[0] + "。"
    commas = sentence.rstrip("。").split("，")
    if len(commas) > 2 and "；" not in sentence and not re.search(r"如果|的，|但|不|时，|后，", sentence):
        yield "ending dropped", "，".join(commas[:-1]) + "。"
    if following and len(sentence) + len(following) < 160:
        yield "joined", f"{sentence.rstrip('。')}；{_LEAD.sub('', following)}"
