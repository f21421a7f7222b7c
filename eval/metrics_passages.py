"""Metrics of retrieval alone: is the gold among the passages found, and how early.

What the retriever finds for the question is measured before an answer is
made of it: an answer looks at several passages and can make good what their
order spoilt, so only here does a worse ranking show. A follow-up is searched
as the question it was understood to be. Knows cases and found passages.
"""

from __future__ import annotations

from eval.matching import quote_matches
from eval.metrics_evidence import NO_GOLD
from eval.outcome import Outcome, Score
from eval.ranked import first_place, ndcg, recalled
from eval.registry import Reader, ScoreCase, metric

DEPTH = 10  # passages looked at
_NOT_SEARCHED = Score(None, "没有检索段落的办法，或检索出错")
_RULE = "段落含有标准出处即为找到（忽略空白和标点的全半角；标准出处跨两段时，段落须含其八成）。"


def _found(outcome: Outcome) -> list[set[int]]:
    """Return, per passage in order, which gold quotes (by index) it holds."""
    golds = outcome.case.gold_quotes
    return [
        {i for i, gold in enumerate(golds) if quote_matches(gold, passage)}
        for passage in outcome.passages or ()
    ]


def _unscored(outcome: Outcome) -> Score | None:
    if not outcome.case.gold_quotes:
        return NO_GOLD
    return _NOT_SEARCHED if outcome.passages is None else None


def _recall_at(cutoff: int) -> ScoreCase:
    def score(outcome: Outcome, reader: Reader | None) -> Score:
        if unscored := _unscored(outcome):
            return unscored
        held, golds = recalled(_found(outcome), cutoff), len(outcome.case.gold_quotes)
        return Score(held / golds, f"{held}/{golds}")

    return score


for _cutoff in (1, 5, DEPTH):
    metric(
        f"passage_recall@{_cutoff}",
        f"检索召回率@{_cutoff}",
        description=f"检索到的前 {_cutoff} 个段落里，含有多大比例的标准出处；与回答怎么写无关。{_RULE}",
        source="TREC 评测的 recall@k；与 ir_measures 的 R@k 一致",
    )(_recall_at(_cutoff))


@metric(
    "passage_rr",
    "检索首个正确段落的倒数排名",
    description=f"检索到的第一个含标准出处的段落排第 n 位得 1/n，前 {DEPTH} 位没有得 0；全部题取平均即 MRR。"
    + _RULE,
    source="TREC-8 问答评测（Voorhees 1999）；与 ir_measures 的 RR@10 一致",
)
def reciprocal_rank(outcome: Outcome, reader: Reader | None) -> Score:
    """1 / rank of the first passage that holds a gold quote; 0 when none of DEPTH does."""
    if unscored := _unscored(outcome):
        return unscored
    first = first_place(_found(outcome)[:DEPTH])
    return Score(1 / first if first else 0.0, f"第 {first} 位" if first else "没有")


@metric(
    "passage_ndcg@5",
    "检索排序质量 nDCG@5",
    description="检索到的前 5 个段落的折损累计增益与最好排法之比：含标准出处的段落越靠前分越高。" + _RULE,
    source="Järvelin 与 Kekäläinen 2002；与 ir_measures 的 nDCG@5 一致",
)
def passage_ndcg(outcome: Outcome, reader: Reader | None) -> Score:
    """NDCG of the first five passages, a gold quote counted where it is found first."""
    return _unscored(outcome) or Score(ndcg(_found(outcome), len(outcome.case.gold_quotes), 5))
