"""Metrics of the answer: what it says, whether it should have been given, whether it is supported.

Citation precision and recall follow ALCE (Gao et al. 2023) with its
entailment model replaced by the gold quotes of the case; each docstring says
what that changes. Knows cases and answers.
"""

from __future__ import annotations

from eval.matching import overlap, states
from eval.metrics_evidence import NO_GOLD, exact_quotes, found_golds
from eval.outcome import Outcome, Score
from eval.registry import Reader, metric
from eval.stats import f1, quantile

SUPPORTED = 0.5  # share of a sentence's character pairs in its quotes; a paraphrase of policy keeps its terms
NOT_ANSWERED = Score(None, "没有作出回答")


def _status_right(outcome: Outcome) -> bool:
    return outcome.status == "answered" if outcome.case.answerable else outcome.declined


@metric(
    "pass_rate",
    "通过率",
    description="一道题通过，要同时做到：该答的答了、不该答的没有答；答案要点全部说到；至少引到一处标准出处；"
    "引文逐字准确。没有要点或标准出处的题不看那一项；该答而两样都没有的题，答了也看不出对错，不计分。",
    source="本项目自定，用于对比两次评测哪些题变好变坏",
    headline=1,
)
def passed(outcome: Outcome, reader: Reader | None) -> Score:
    """1 when everything that can be checked of the case is right, else 0 with what is wrong."""
    if not _status_right(outcome):
        return Score(
            0.0,
            "出错"
            if outcome.status == "error"
            else "该答的没有答"
            if outcome.case.answerable
            else "不该答的答了",
        )
    if (points_said := points(outcome, reader).value) is not None and points_said < 1:
        return Score(0.0, "要点没有说全")
    if outcome.case.gold_quotes and not any(found_golds(outcome)):
        return Score(0.0, "没有引到标准出处")
    if (exact := exact_quotes(outcome, reader).value) is not None and exact < 1:
        return Score(0.0, "引文与原文不符")
    if outcome.case.answerable and not (outcome.case.answer_points or outcome.case.gold_quotes):
        return Score(None, "没有答案要点，也没有标准出处，看不出对错")
    return Score(1.0)


@metric(
    "status_accuracy",
    "答与不答的正确率",
    description="资料里有答案的题作了回答、没有答案的题说明了没有（或拒绝）的比例；出错算不正确。",
    source="分类正确率",
    headline=2,
)
def status_accuracy(outcome: Outcome, reader: Reader | None) -> Score:
    """1 when the system answered what is answerable and declined what is not."""
    return Score(float(_status_right(outcome)))


@metric(
    "answer_point_coverage",
    "答案要点覆盖率",
    description="答案要点在回答里原样出现的比例（忽略空白和标点的全半角）；该答而没有答记 0。"
    "换一种说法不算，所以是下限。",
    source="TREC 问答评测的 nugget recall（Voorhees 2003），以原样出现代替人工判断",
    headline=3,
)
def points(outcome: Outcome, reader: Reader | None) -> Score:
    """The share of answer points that the answer says word for word; 0 with the wrong status."""
    wanted = outcome.case.answer_points
    if not wanted:
        return Score(None, "这道题没有答案要点")
    if not _status_right(outcome):
        return Score(0.0, "没有作出应有的回答")
    missing = [point for point in wanted if not states(outcome.text, point)]
    note = f"缺：{'；'.join(missing)}" if missing else ""
    return Score(1 - len(missing) / len(wanted), note)


@metric(
    "citation_precision",
    "引用精确率",
    description="回答的出处里，与某条标准出处相符的比例。引了别处同样正确的原文会算错，所以是下限。",
    source="ALCE（Gao 等 2023）的 citation precision，以“与标准出处相符”代替蕴含模型的判断",
)
def citation_precision(outcome: Outcome, reader: Reader | None) -> Score:
    """The share of an answer's citations that match a gold quote.

    ALCE counts a citation as precise when it entails its statement alone, or
    is needed to. Here it is when its quote matches a gold quote, for which a
    person has judged that it supports the answer. A lower bound: the same
    fact cited from a passage not listed as gold counts as wrong.
    """
    if not outcome.case.gold_quotes:
        return NO_GOLD
    if outcome.status != "answered":
        return NOT_ANSWERED
    if not outcome.citations:
        return Score(None, "没有引用出处")
    matched = found_golds(outcome)
    return Score(sum(map(bool, matched)) / len(matched), f"{sum(map(bool, matched))}/{len(matched)}")


@metric(
    "citation_recall",
    "引用召回率",
    description="回答的句子里，带有至少一处正确出处（与标准出处相符）的句子所占比例；程序自己的提示语不计。",
    source="ALCE（Gao 等 2023）的 citation recall，以“与标准出处相符”代替蕴含模型的判断",
)
def citation_recall(outcome: Outcome, reader: Reader | None) -> Score:
    """The share of an answer's statements that carry a citation matching a gold quote.

    ALCE counts a statement when its cited passages together entail it. Here
    it counts when one of them matches a gold quote; whether the words of the
    statement follow from its quotes is `unsupported_sentence_rate`.
    """
    if not outcome.case.gold_quotes:
        return NO_GOLD
    if outcome.status != "answered":
        return NOT_ANSWERED
    if not outcome.statements:
        return Score(None, "回答里没有陈述句")
    pairs = zip(outcome.citations, found_golds(outcome), strict=True)
    right = {citation.marker for citation, found in pairs if found}
    backed = sum(bool(right & set(sentence.citations)) for sentence in outcome.statements)
    return Score(backed / len(outcome.statements), f"{backed}/{len(outcome.statements)}")


@metric(
    "unsupported_sentence_rate",
    "无依据句子比例",
    description="回答的句子里没有依据的比例：程序标为无依据、没带出处，或与所引原文相同的字词不到一半。"
    "不采信程序自己的“有依据”标记。",
    source="ALCE 与 FActScore（Min 等 2023）的做法，以相邻两字的重合代替模型判断",
    range="0 到 1，越小越好",
    better="lower",
)
def unsupported(outcome: Outcome, reader: Reader | None) -> Score:
    """The share of statements labelled unsupported, without citation, or too far from their quotes."""
    if outcome.status != "answered":
        return NOT_ANSWERED
    if not outcome.statements:
        return Score(None, "回答里没有陈述句")
    quotes = {citation.marker: citation.quote for citation in outcome.citations}
    bad = 0
    for sentence in outcome.statements:
        cited = "\n".join(quotes[marker] for marker in sentence.citations if marker in quotes)
        bad += sentence.support == "unsupported" or not cited or overlap(sentence.text, cited) < SUPPORTED
    return Score(bad / len(outcome.statements), f"{bad}/{len(outcome.statements)}")


_DECLINE = "不答指回答“资料未载”或拒绝；出错的题不算不答。"


@metric(
    "refusal_precision",
    "不答精确率",
    description=f"系统没有答的题里，确实不该答的比例。{_DECLINE}",
    source="精确率；拒答任务见 SQuAD 2.0（Rajpurkar 等 2018）",
    whole_set=True,
)
def refusal_precision(outcome: Outcome, reader: Reader | None) -> Score:
    """Scored where the system declined: 1 when the case is unanswerable."""
    return Score(float(not outcome.case.answerable)) if outcome.declined else Score(None, "系统没有不答")


@metric(
    "refusal_recall",
    "不答召回率",
    description=f"不该答的题里，系统确实没有答的比例。{_DECLINE}",
    source="召回率；拒答任务见 SQuAD 2.0（Rajpurkar 等 2018）",
    whole_set=True,
)
def refusal_recall(outcome: Outcome, reader: Reader | None) -> Score:
    """Scored where the case is unanswerable: 1 when the system declined."""
    return Score(None, "这道题该答") if outcome.case.answerable else Score(float(outcome.declined))


@metric(
    "refusal_f1",
    "不答 F1",
    description=f"不答精确率与不答召回率的调和平均，按全部题合计。{_DECLINE}",
    source="F1（van Rijsbergen 1979）",
    reduce=f1,
    whole_set=True,
    headline=6,
)
def refusal_f1(outcome: Outcome, reader: Reader | None) -> Score:
    """1 for a right refusal, 0 for a wrong or a missing one; right answers take no part."""
    if outcome.case.answerable and not outcome.declined:
        return Score(None, "该答，也没有不答")
    return Score(float(outcome.declined and not outcome.case.answerable))


def _latency(outcome: Outcome, reader: Reader | None) -> Score:
    return Score(None, "出错") if outcome.status == "error" else Score(outcome.latency_ms)


for _share, _name in ((0.5, "中位数"), (0.95, "第 95 百分位")):
    metric(
        f"latency_p{round(100 * _share)}_ms",
        f"回答用时{_name}",
        description=f"从提问到核对完毕的毫秒数的{_name}；出错的题不计。",
        source="分位数，线性内插",
        range="毫秒，越小越好",
        reduce=quantile(_share),
        better="lower",
        unit="ms",
    )(_latency)
