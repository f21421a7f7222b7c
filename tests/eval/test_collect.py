"""Marked answers become cases: what 赞 keeps, what 踩 leaves open, one click more changes it."""

import pytest
from eval_support import SENTENCES, answer

from eval.cases import load_cases
from eval.collect import as_cases, write_collection
from eval.main import evaluate
from eval.metrics import METRICS
from eval.outcome import Outcome
from eval.workbook import write_cases
from rag.records.records import Records
from rag.types import Sentence

A, B = SENTENCES[:2]
SAID = answer(quotes=(A, B), question="谁召集会议？")
NONE = answer(
    "资料里没有。", status="no_evidence", sentences=[Sentence("资料里没有。", "notice", (1,))], quotes=(A,)
)


@pytest.fixture
def records(tmp_path):
    kept = Records(tmp_path)
    yield kept
    kept.close()


def marked(records, said, opinion, *, after=""):
    """Ask, answer and mark in a conversation; return the cases that come of all marks."""
    conversation = records.conversations.ask("甲", after, said.question)
    conversation = records.conversations.reply("甲", conversation.id, "answer", answer=said)
    records.feedback.give("甲", conversation.id, conversation.messages[-1].number, opinion)
    return conversation, as_cases(records.feedback.cases())


def test_liked_answer_keeps_its_quotes_as_gold(records):
    _, (case,) = marked(records, SAID, "up")
    assert (case.question, case.kind, case.answerable) == ("谁召集会议？", "responsibility", True)
    assert case.gold_quotes == (A, B)
    assert METRICS["pass_rate"].score(Outcome(case, "answered", SAID), None).value == 1.0


def test_liked_refusal_is_a_case_that_is_not_to_be_answered(records):
    _, (case,) = marked(records, NONE, "up")
    assert (case.kind, case.answerable, case.gold_quotes) == ("unanswerable", False, ())
    refused = answer("不能照办", status="refused", sentences=[])
    assert marked(records, refused, "up")[1][-1].kind == "adversarial"


@pytest.mark.parametrize("said", [SAID, NONE])
def test_disliked_answer_leaves_open_what_is_right_and_passes_nobody(records, said):
    _, (case,) = marked(records, said, "down")
    assert case.answerable and not case.gold_quotes and not case.answer_points
    assert METRICS["pass_rate"].score(Outcome(case, "answered", SAID), None).value is None


def test_quotes_shown_only_as_near_are_no_gold(records):
    near = answer(quotes=(A, B), sentences=[Sentence(A, "quoted", (1,)), Sentence(B, "notice", (2,))])
    assert marked(records, near, "up")[1][0].gold_quotes == (A,)


def test_change_of_mind_changes_the_case_and_taking_it_back_drops_it(records):
    conversation, _ = marked(records, SAID, "up")
    records.feedback.give("甲", conversation.id, 2, "down")
    (case,) = as_cases(records.feedback.cases())
    assert not case.gold_quotes
    records.feedback.give("甲", conversation.id, 2, "")
    assert as_cases(records.feedback.cases()) == []


def test_follow_up_brings_what_was_said_before(records):
    conversation, _ = marked(records, SAID, "up")
    _, (_, case) = marked(records, answer(quotes=(B,), question="那校长呢？"), "up", after=conversation.id)
    assert case.kind == "multi-turn" and [turn.role for turn in case.history] == ["user", "assistant"]


def test_collection_goes_out_as_a_workbook_to_complete_and_comes_back(records, tmp_path):
    marked(records, SAID, "up")
    _, cases = marked(records, NONE, "down")
    write_cases(tmp_path / "题.xlsx", cases)
    path = write_collection(tmp_path / "data", records.feedback.cases())
    assert load_cases([tmp_path / "题.xlsx"]) == cases == load_cases([path])


def test_real_answer_marked_right_passes_when_asked_again(records, knowledge_base, tmp_path):
    marked(records, knowledge_base.answer("党组织会议要多少人到会才能开？"), "up")
    path = write_collection(tmp_path / "data", records.feedback.cases())
    done = evaluate([path], assistant=knowledge_base, out=tmp_path / "out")
    assert done.results["metrics"]["pass_rate"]["value"] == 1.0
    assert done.results["cases"][0]["scores"]["evidence_recall@5"] == 1.0
