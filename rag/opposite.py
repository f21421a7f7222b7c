"""Passages that say contrary things: another amount or date, or a matter going the other way round.

Such passages are shown side by side, never reconciled. Knows evidence only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.evidence import Evidence
from rag.question import Question

AT_ODDS = 0.7  # two sentences that cover less of the question may speak of different things
FLOW_AT = 0.2  # the same for two that name the same bodies in contrary order
_BODY = r"党组织(?:会议)?|行政(?:班子)?|校长办公会议?|校长|书记|教职工代表大会|教代会"
# 先由甲讨论，后向乙提出; 由甲提出方案，提交乙: the matter goes from 甲 to 乙.
_FLOWS = (
    re.compile(rf"先由(?:学校)?(?P<a>{_BODY}).{{0,24}}?(?:后|再|然后).{{0,4}}向(?:学校)?(?P<b>{_BODY})"),
    re.compile(rf"由(?:学校)?(?P<a>{_BODY}).{{0,30}}?(?:提交|报|提请|再上|交由?)(?:学校)?(?P<b>{_BODY})"),
)
_SHORT = {
    "党组织会议": "党组织",
    "行政班子": "行政",
    "校长办公会议": "行政",
    "校长办公会": "行政",
    "校长": "行政",
}


def contrary(question: Question, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return the best sentence that contradicts the best one, if any does."""
    if not evidence or evidence[0].named:
        return []
    return _other_amount(question, evidence) or _other_way(evidence)


def flows(text: str) -> set[tuple[str, str]]:
    """Return from whom to whom a matter goes in a text.

    >>> flows("由行政班子提出方案，提交党组织集体讨论。")
    {('行政', '党组织')}
    """
    found = (match for pattern in _FLOWS for match in pattern.finditer(text))
    return {(_SHORT.get(m["a"], m["a"]), _SHORT.get(m["b"], m["b"])) for m in found}


def _other_amount(question: Question, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The best sentence of another document that answers as well and states another amount or date."""
    best = evidence[0]
    stated = question.stated(best.text)
    others = (
        e
        for e in evidence[1:8]
        if e.source.id != best.source.id and e.complete and e.coverage >= max(AT_ODDS, best.coverage - 0.05)
    )
    return [
        e for e in others if stated and question.stated(e.text) and stated.isdisjoint(question.stated(e.text))
    ][:1]


def _other_way(evidence: Sequence[Evidence]) -> list[Evidence]:
    here = {(b, a) for a, b in flows(evidence[0].text)}
    return [e for e in evidence[1:] if here and e.supported >= FLOW_AT and here & flows(e.text)][:1]
