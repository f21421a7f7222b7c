"""Every metric against an example worked by hand, and the ranked ones against ir_measures."""

import math
import random
import re

import ir_measures
import pytest
from eval_support import SENTENCES, TEXT, answer, case, citation, outcome, reader
from ir_measures import RR, R, Success, nDCG

from eval.judge import FAITHFULNESS, RELEVANCY
from eval.metrics import METRICS
from eval.outcome import Outcome, Score
from eval.registry import score_outcome
from eval.stats import f1, mean, quantile
from rag.types import Answer, Sentence

A, B, C, D, E = SENTENCES
GOLD = case(golds=(A, B))
NONE = case(kind="unanswerable", answerable=False)
DECLINED = answer("资料里没有。", status="no_evidence", sentences=[Sentence("资料里没有。", "notice")])
FAR = Sentence("放学以后操场对外开放到晚上八点", "paraphrased", (1,))

# metric, case, answer, value by hand, how
EXAMPLES = [
    ("pass_rate", case(points=("书记",), golds=(A,)), answer(quotes=(A,)), 1.0, "answered, says 书记, cites A, exact"),
    ("pass_rate", case(points=("书记", "校长")), answer(quotes=(A,)), 0.0, "校长 is not said"),
    ("pass_rate", case(golds=(B,)), answer(quotes=(A,)), 0.0, "B is not cited"),
    ("pass_rate", NONE, DECLINED, 1.0, "declined what is not there"),
    ("pass_rate", case(), answer(quotes=(A,)), None, "neither points nor gold: nothing to check by"),
    ("status_accuracy", case(), DECLINED, 0.0, "answerable and declined"),
    ("status_accuracy", NONE, DECLINED, 1.0, ""),
    ("answer_point_coverage", case(points=("书记", "会议", "校长")), answer(quotes=(A,)), 2 / 3, "书记, 会议 of three"),
    ("answer_point_coverage", case(points=("书记",)), DECLINED, 0.0, "declined"),
    ("answer_point_coverage", case(), answer(quotes=(A,)), None, "no points"),
    ("evidence_recall@1", GOLD, answer(quotes=(A, C, B)), 1 / 2, "A in the first 1, of A and B"),
    ("evidence_recall@3", GOLD, answer(quotes=(C, D, B, A)), 1 / 2, "B in the first 3"),
    ("evidence_recall@5", GOLD, answer(quotes=(C, D, B, A)), 1.0, "both in the first 5"),
    ("evidence_hit@5", GOLD, answer(quotes=(C, B)), 1.0, "one is enough"),
    ("evidence_hit@5", GOLD, DECLINED, 0.0, "nothing cited"),
    ("rr", GOLD, answer(quotes=(C, D, B)), 1 / 3, "first right one in place 3"),
    ("ndcg@5", GOLD, answer(quotes=(A, C, B)), (1 + 1 / 2) / (1 + 1 / math.log2(3)), "gains in 1 and 3; best in 1, 2"),
    ("citation_precision", GOLD, answer(quotes=(A, C, D, B)), 2 / 4, "A and B of four"),
    ("citation_precision", GOLD, DECLINED, None, "not answered"),
    ("citation_recall", GOLD, answer(quotes=(A, C, B)), 2 / 3, "sentences 1 and 3 carry a gold citation"),
    ("exact_quote_rate", GOLD, answer(quotes=(A, "不是原文。")), 1 / 2, "the second is nowhere in the source"),
    (
        "unsupported_sentence_rate",
        GOLD,
        answer(quotes=(A,), sentences=[Sentence(A, "quoted", (1,)), FAR, Sentence("无出处", "paraphrased")]),
        2 / 3,
        "too far from its quote; without citation",
    ),
    ("refusal_precision", NONE, DECLINED, 1.0, "declined and rightly"),
    ("refusal_precision", case(), DECLINED, 0.0, "declined and wrongly"),
    ("refusal_precision", case(), answer(quotes=(A,)), None, "did not decline"),
    ("refusal_recall", NONE, answer(quotes=(A,)), 0.0, "should have declined"),
    ("refusal_f1", NONE, DECLINED, 1.0, "true positive"),
    ("refusal_f1", case(), answer(quotes=(A,)), None, "true negative takes no part"),
    ("latency_p50_ms", case(), answer(quotes=(A,)), 10.0, "the case's own milliseconds"),
    ("latency_p95_ms", case(), answer(quotes=(A,)), 10.0, ""),
    (FAITHFULNESS, case(), answer(quotes=(A,)), None, "no judge was asked"),
    (RELEVANCY, case(), answer(quotes=(A,)), None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "asked", "given", "value", "why"), EXAMPLES)
def test_metric_of_one_case_is_what_a_person_works_out(name, asked, given, value, why):
    score = METRICS[name].score(outcome(asked, given), reader).value
    assert score == (value if value is None else pytest.approx(value, abs=1e-12)), why


def test_every_metric_has_a_hand_worked_example_and_says_what_it_is():
    assert {name for name, *_ in (*EXAMPLES, *FOUND)} == set(METRICS)
    for metric in METRICS.values():
        assert len(metric.description) > 10 and metric.source and metric.label
        assert re.search("0 到 1|毫秒", metric.range) and re.search("越[大小]越好", metric.range)
        assert metric.score.__doc__ or metric.unit == "ms" or "recall@" in metric.name


def test_alce_adaptation_is_stated_where_it_is_used():
    for name in ("citation_precision", "citation_recall"):
        metric = METRICS[name]
        assert "ALCE" in metric.source and "代替蕴含模型" in metric.source and "ALCE" in metric.score.__doc__


def test_wholes_add_up_as_worked_by_hand():
    # refusals: 2 right, 1 wrong, 1 missed: precision 2/3, recall 2/3, F1 2/3
    assert f1(values([1, 1, 0, 0])) == pytest.approx(2 / 3)
    assert mean(values([1, None, 0])) == 0.5  # unscored is not 0
    assert quantile(0.5)(values([30, 10, 20, 40])) == 25
    assert quantile(0.95)(values(range(1, 22))) == 20  # place 0.95 · 20 = 19, counted from 0


def values(given):
    import numpy as np

    return np.array([np.nan if v is None else v for v in given], dtype=float)


def test_error_counts_as_wrong_and_is_unscored_where_nothing_was_said():
    failed = outcome(case(points=("书记",), golds=(A,)), None, error="断了")
    scores = score_outcome(failed, reader)
    assert scores["pass_rate"].value == scores["status_accuracy"].value == scores["rr"].value == 0.0
    assert scores["latency_p50_ms"].value is scores["citation_precision"].value is None


def test_metric_that_fails_leaves_its_case_unscored():
    broken = Outcome(GOLD, "answered", Answer("问", "问", "answered", "答", citations=(None,)))  # type: ignore[arg-type]
    scores = score_outcome(broken, reader)
    assert scores["rr"].value is None and "计分出错" in scores["rr"].note
    assert scores["status_accuracy"].value == 1.0


def test_quote_off_by_one_character_is_not_exact():
    moved = citation(1, A, start=TEXT.find(A) + 1)
    given = Answer("问", "问", "answered", A, (), (moved,))
    assert METRICS["exact_quote_rate"].score(outcome(GOLD, given), reader).value == 0.0


@pytest.mark.parametrize(
    ("gold", "quote", "matches"),
    [
        ("党组织会议由书记召集并主持。", "党组织会议由书记召集并主持．", True),  # width of punctuation
        ("党组织会议由书记召集", "会上说：党组织会议由书记召集，校长参加。", True),  # quote holds gold
        ("党组织会议由书记召集并主持", "党组织会议由书记召集", True),  # more than half of it
        ("党组织会议由书记召集并主持，讨论重大问题", "书记", False),  # a word of it is no support
        ("党组织会议由书记召集并主持", "党组织会议由校长召集并主持", False),  # another doer
        ("", "任何话", False),
    ],
)
def test_when_a_quote_is_a_gold_quote(gold, quote, matches):
    from eval.matching import quote_matches

    assert quote_matches(gold, quote) is matches


# passages found, value by hand
FOUND = [
    ("passage_recall@1", (C + A, B), 1 / 2, "A in the first 1, of A and B"),
    ("passage_recall@5", (C, C, D, D, A + B, A), 1.0, "both in the fifth"),
    ("passage_recall@10", (*[C] * 10, A), 0.0, "the eleventh is not looked at"),
    ("passage_rr", (C, D, "前文。" + B), 1 / 3, "first right one in place 3"),
    ("passage_rr", (*[C] * 10, A), 0.0, "none in ten"),
    ("passage_ndcg@5", (A, C, B), (1 + 1 / 2) / (1 + 1 / math.log2(3)), "gains in 1 and 3; best in 1, 2"),
]


@pytest.mark.parametrize(("name", "passages", "value", "why"), FOUND)
def test_metric_of_what_retrieval_found_is_what_a_person_works_out(name, passages, value, why):
    found = Outcome(GOLD, "answered", answer(quotes=(D,)), passages=passages)
    assert METRICS[name].score(found, reader).value == pytest.approx(value, abs=1e-12), why
    assert METRICS[name].score(outcome(GOLD, answer(quotes=(A,))), reader).value is None  # not searched
    without = Outcome(case(), "answered", answer(quotes=(D,)), passages=passages)
    assert METRICS[name].score(without, reader).value is None  # no gold


def test_ranked_metrics_agree_with_ir_measures():
    """200 made-up queries; documents are golds and other sentences, a repeat is worth nothing."""
    pool = [f"第{i}条规定的内容各不相同：{chr(0x4E00 + 97 * i) * 6}{i}号。" for i in range(12)]
    draw = random.Random(7)
    qrels, run, ours = [], [], {name: [] for name in PAIRS}
    for query in range(200):
        golds = draw.sample(pool, draw.randint(1, 6))
        quotes = draw.choices(pool, k=draw.randint(0, 9))
        asked = case(id=str(query), golds=golds)
        given = Answer(
            "问", "问", "answered", "", (), tuple(citation(i, q, start=0) for i, q in enumerate(quotes, 1))
        )
        qrels += [ir_measures.Qrel(str(query), gold, 1) for gold in golds]
        for rank, quote in enumerate(quotes):
            name = quote if quote not in quotes[:rank] else f"again {rank}"
            run.append(ir_measures.ScoredDoc(str(query), name, 100 - rank))
        for name in PAIRS:
            found = Outcome(asked, "answered", given, passages=tuple(f"前文。{quote}" for quote in quotes))
            ours[name].append(METRICS[name].score(found, None).value)
    theirs = ir_measures.calc_aggregate(list(PAIRS.values()), qrels, run)
    for name, measure in PAIRS.items():
        assert sum(ours[name]) / 200 == pytest.approx(theirs[measure], abs=1e-9), name


PAIRS = {"evidence_recall@1": R @ 1, "evidence_recall@3": R @ 3, "evidence_recall@5": R @ 5,
         "evidence_hit@5": Success @ 5, "rr": RR, "ndcg@5": nDCG @ 5, "passage_recall@1": R @ 1,
         "passage_recall@5": R @ 5, "passage_recall@10": R @ 10, "passage_rr": RR @ 10,
         "passage_ndcg@5": nDCG @ 5}  # fmt: skip


def test_judged_metrics_read_what_the_judge_left():
    judged = Outcome(
        case(), "answered", answer(quotes=(A,)), judged={FAITHFULNESS: Score(0.5, "无依据：某句")}
    )
    scores = score_outcome(judged, reader)
    assert scores[FAITHFULNESS] == Score(0.5, "无依据：某句") and scores[RELEVANCY].value is None
