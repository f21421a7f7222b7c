"""Marked answers become cases: what 赞 keeps, what 踩 leaves open, one click more changes it."""

import threading

import pytest
from eval_support import SENTENCES, answer

from eval.cases import load_cases
from eval.collect import collect, collected, collection, forget
from eval.main import evaluate
from eval.metrics import METRICS
from eval.outcome import Outcome
from eval.workbook import write_cases
from rag.types import Sentence, Turn

A, B = SENTENCES[:2]
SAID = answer(quotes=(A, B), question="谁召集会议？")
NONE = answer(
    "资料里没有。", status="no_evidence", sentences=[Sentence("资料里没有。", "notice")], quotes=(A,)
)
BEFORE = (Turn("user", "书记负责什么？"), Turn("assistant", "抓党建。"))


def test_liked_answer_keeps_its_quotes_as_gold(tmp_path):
    case = collect(tmp_path, SAID, (), "up")
    assert (case.question, case.kind, case.gold_quotes, case.answerable) == (
        "谁召集会议？",
        "responsibility",
        (A, B),
        True,
    )
    assert collected(tmp_path) == [case] == load_cases([collection(tmp_path)])
    assert METRICS["pass_rate"].score(Outcome(case, "answered", SAID), None).value == 1.0


def test_liked_refusal_is_a_case_that_is_not_to_be_answered(tmp_path):
    case = collect(tmp_path, NONE, (), "up")
    assert (case.kind, case.answerable, case.gold_quotes) == ("unanswerable", False, ())
    refused = answer("不能照办", status="refused", sentences=[])
    assert collect(tmp_path, refused, (), "up").kind == "adversarial"


@pytest.mark.parametrize("said", [SAID, NONE])
def test_disliked_answer_leaves_open_what_is_right_and_passes_nobody(tmp_path, said):
    case = collect(tmp_path, said, (), "down")
    assert case.answerable and not case.gold_quotes and not case.answer_points
    assert METRICS["pass_rate"].score(Outcome(case, "answered", SAID), None).value is None


def test_quotes_shown_only_as_near_are_no_gold(tmp_path):
    near = answer(quotes=(A, B), sentences=[Sentence(A, "quoted", (1,)), Sentence(B, "notice", (2,))])
    assert collect(tmp_path, near, (), "up").gold_quotes == (A,)


def test_change_of_mind_replaces_the_case_and_another_history_is_another_case(tmp_path):
    collect(tmp_path, SAID, (), "up")
    collect(tmp_path, SAID, (), "down")
    assert [case.gold_quotes for case in collected(tmp_path)] == [()]
    follow = collect(tmp_path, SAID, BEFORE, "up")
    assert follow.kind == "multi-turn" and follow.history == BEFORE and len(collected(tmp_path)) == 2
    forget(tmp_path, SAID, ())
    assert collected(tmp_path) == [follow]
    forget(tmp_path, SAID, BEFORE)
    assert collected(tmp_path) == []
    assert collect(tmp_path, SAID, (), "up") in collected(tmp_path)


def test_clicks_at_once_lose_nothing(tmp_path):
    answers = [answer(quotes=(A,), question=f"问{i}？") for i in range(12)]
    threads = [threading.Thread(target=collect, args=(tmp_path, one, (), "up")) for one in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {case.question for case in collected(tmp_path)} == {f"问{i}？" for i in range(12)}


def test_collection_goes_out_as_a_workbook_to_complete_and_comes_back(tmp_path):
    collect(tmp_path, SAID, BEFORE, "up")
    collect(tmp_path, NONE, (), "down")
    write_cases(tmp_path / "题.xlsx", collected(tmp_path))
    assert load_cases([tmp_path / "题.xlsx"]) == collected(tmp_path)


def test_real_answer_marked_right_passes_when_asked_again(knowledge_base, tmp_path):
    real = knowledge_base.answer("党组织会议要多少人到会才能开？")
    collect(tmp_path, real, (), "up")
    done = evaluate([collection(tmp_path)], assistant=knowledge_base, out=tmp_path / "out")
    assert done.results["metrics"]["pass_rate"]["value"] == 1.0
    assert done.results["cases"][0]["scores"]["evidence_recall@5"] == 1.0
