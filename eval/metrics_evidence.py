"""Metrics of the evidence: is the gold among what is cited, how early, and is each quote exact.

The citations of an answer, in order, are taken as a ranked list, whatever the
status: what stands near a 资料未载 answer is shown to the reader too.
Knows cases, answers and a way to read sources.
"""

from __future__ import annotations

from eval.matching import quote_matches
from eval.outcome import Outcome, Score
from eval.ranked import first_place, recalled
from eval.ranked import ndcg as ranked_ndcg
from eval.registry import Reader, ScoreCase, metric
from rag.errors import LingxueError
from rag.types import Citation

NO_GOLD = Score(None, "这道题没有标准出处")
_RULE = (
    "引文与标准出处互相包含即为找到（忽略空白和标点的全半角；"
    "只引一部分时须超过标准出处的一半，首尾截法不同时须有八成连续相同）。"
)
_ORDER = "出处按回答里的顺序排列。"


def found_golds(outcome: Outcome) -> list[set[int]]:
    """Return, per citation in order, which gold quotes (by index) it matches."""
    golds = outcome.case.gold_quotes
    return [{i for i, gold in enumerate(golds) if quote_matches(gold, c.quote)} for c in outcome.citations]


def _recall_at(cutoff: int) -> ScoreCase:
    def score(outcome: Outcome, reader: Reader | None) -> Score:
        golds = outcome.case.gold_quotes
        if not golds:
            return NO_GOLD
        held = recalled(found_golds(outcome), cutoff)
        return Score(held / len(golds), f"{held}/{len(golds)}")

    return score


for _cutoff in (1, 3, 5):
    metric(
        f"evidence_recall@{_cutoff}",
        f"出处召回率@{_cutoff}",
        description=f"前 {_cutoff} 条出处找到了多大比例的标准出处。{_ORDER}{_RULE}",
        source="TREC 评测的 recall@k；与 ir_measures 的 R@k 一致",
    )(_recall_at(_cutoff))


@metric(
    "evidence_hit@5",
    "出处命中率@5",
    description=f"前 5 条出处里至少有一条标准出处的题所占比例；几份资料说法相同时，引一份就算。{_RULE}",
    source="TREC 评测的 success@k；与 ir_measures 的 Success@5 一致",
    headline=4,
)
def hit(outcome: Outcome, reader: Reader | None) -> Score:
    """1 when any of the first five citations matches a gold quote, else 0."""
    if not outcome.case.gold_quotes:
        return NO_GOLD
    return Score(float(any(found_golds(outcome)[:5])))


@metric(
    "rr",
    "首个正确出处的倒数排名",
    description=f"第一条正确出处排第 n 位得 1/n，没有得 0；全部题取平均即 MRR。{_ORDER}{_RULE}",
    source="TREC-8 问答评测（Voorhees 1999）；与 ir_measures 的 RR 一致",
)
def reciprocal_rank(outcome: Outcome, reader: Reader | None) -> Score:
    """1 / rank of the first citation that matches a gold quote; 0 when none does."""
    if not outcome.case.gold_quotes:
        return NO_GOLD
    first = first_place(found_golds(outcome))
    return Score(1 / first if first else 0.0, f"第 {first} 位" if first else "没有")


@metric(
    "ndcg@5",
    "出处排序质量 nDCG@5",
    description="前 5 条出处的折损累计增益与最好排法之比：正确出处越靠前分越高，重复引同一处不再加分。"
    + _RULE,
    source="Järvelin 与 Kekäläinen 2002；与 ir_measures 的 nDCG@5 一致",
)
def ndcg(outcome: Outcome, reader: Reader | None) -> Score:
    """NDCG of the first five citations, a gold quote counted where it is cited first (`eval.ranked`)."""
    golds = outcome.case.gold_quotes
    return Score(ranked_ndcg(found_golds(outcome), len(golds), 5)) if golds else NO_GOLD


@metric(
    "exact_quote_rate",
    "引文逐字准确率",
    description="引文与资料原文所标位置的文字一字不差的出处所占比例；资料找不到也算不准确。应为 1。",
    source="本项目的承诺：quote == original[start:end]",
    headline=5,
)
def exact_quotes(outcome: Outcome, reader: Reader | None) -> Score:
    """The share of citations whose quote is original[start:end] of its source, read anew."""
    if reader is None:
        return Score(None, "没有给出读取资料的办法")
    if not outcome.citations:
        return Score(None, "没有引用出处")
    exact = [_exact(citation, reader) for citation in outcome.citations]
    wrong = [str(c.marker) for c, good in zip(outcome.citations, exact, strict=True) if not good]
    return Score(sum(exact) / len(exact), f"不准确：[{']['.join(wrong)}]" if wrong else "")


def _exact(citation: Citation, reader: Reader) -> bool:
    try:
        original = reader(citation.source_id).original
    except (LingxueError, LookupError):
        return False
    inside = 0 <= citation.start < citation.end <= len(original)
    return inside and original[citation.start : citation.end] == citation.quote
