"""Metrics that a model judges; unscored unless a run was told to have it judge (`--judge`).

Knows what the judge left in the outcome; the judging itself is `judge`'s.
"""

from __future__ import annotations

from eval.judge import FAITHFULNESS, RELEVANCY
from eval.outcome import Outcome, Score
from eval.registry import Reader, metric

NOT_JUDGED = Score(None, "这次评测没有用大模型评判")
_FAILED = "评判失败不计分，不算 0 分。"


@metric(
    FAITHFULNESS,
    "忠实度（大模型评判）",
    description="大模型把回答拆成一条条陈述，逐条判断能否从所引原文得出，能得出的比例。" + _FAILED,
    source="ragas 的 faithfulness（Es 等 2023），依据只算回答所引的原文",
    optional=True,
)
def faithfulness(outcome: Outcome, reader: Reader | None) -> Score:
    """The share of the answer's statements that the judge finds supported by its quotes; 0 to 1."""
    return outcome.judged.get(FAITHFULNESS, NOT_JUDGED)


@metric(
    RELEVANCY,
    "切题度（大模型评判）",
    description="大模型只看回答反推出 3 个问题，它们与原问题的向量余弦的平均；含糊其辞的回答得 0。" + _FAILED,
    source="ragas 的 response relevancy（Es 等 2023），向量用本程序的向量模型",
    optional=True,
)
def relevancy(outcome: Outcome, reader: Reader | None) -> Score:
    """Mean cosine, 0 to 1, of the question and those the judge asks back from the answer."""
    return outcome.judged.get(RELEVANCY, NOT_JUDGED)
