"""The retrieval lab's trace: the same stages as an answer, told step by step."""

import pytest

from rag import answerability
from rag.errors import BadRequest
from rag.trace import HITS, _joined
from rag.web.lab import trace_html

ANSWERED = "党组织会议要多少人到会才能开？"
NOT_THERE = "书记岗位津贴一个月发多少？"


@pytest.mark.parametrize(
    "question", [ANSWERED, NOT_THERE, "三重一大包括哪些？", "xyzzy", "《没有这份文件》怎么说？"]
)
def test_trace_decides_as_the_answer_does(knowledge_base, question):
    trace = knowledge_base.trace(question)
    answer = knowledge_base.answer(question)
    assert trace.answers == (answer.status == "answered")
    assert trace.probability == pytest.approx(answer.confidence, abs=1e-4)
    assert trace.held == answerability.probability(question, [one.hit for one in trace.candidates[:HITS]])


def test_final_ranks_are_the_retrievers_and_stage_ranks_follow_their_scores(knowledge_base):
    trace = knowledge_base.trace(ANSWERED)
    hits = knowledge_base.retriever.retrieve(ANSWERED, k=HITS)
    assert [one.hit.chunk.id for one in trace.candidates[:HITS]] == [hit.chunk.id for hit in hits]
    assert [one.ranks["final"] for one in trace.candidates] == list(range(1, len(trace.candidates) + 1))
    assert trace.stages[-1] == "final" and {"lexical", "dense", "fused", "ranked"} <= set(trace.stages)
    for stage in trace.stages[:-1]:
        seen = [one for one in trace.candidates if stage in one.ranks]
        by_rank = sorted(seen, key=lambda one: one.ranks[stage])
        scores = [one.scores[stage] for one in by_rank]
        assert [one.ranks[stage] for one in by_rank] == list(range(1, len(seen) + 1))
        assert scores == sorted(scores, reverse=True) and min(scores) > 0


def test_what_the_question_speaks_of_adds_up(knowledge_base):
    trace = knowledge_base.trace(ANSWERED)
    assert sum(weight for _, weight in trace.parts) == pytest.approx(1.0)
    assert trace.parts[0][0] in ("党组织会议", "到会")
    assert _joined(["党组", "组织", "织会", "会议"]) == "党组织会议"


def test_empty_question_is_refused(knowledge_base):
    with pytest.raises(BadRequest):
        knowledge_base.trace("  ")


@pytest.mark.parametrize(
    ("question", "told"),
    [(ANSWERED, "会回答"), (NOT_THERE, "不回答"), ("xyzzy", "不回答"), ("<img src=x>有几个人？", "不回答")],
)
def test_lab_renders_every_trace_escaped_with_its_reason(knowledge_base, question, told):
    html = trace_html(knowledge_base.trace(question))
    assert told in html and "能答的把握" in html and "<img" not in html


def test_lab_tells_what_the_ranker_saw_in_words_and_leaves_out_its_inner_columns(knowledge_base):
    from dataclasses import replace

    trace = knowledge_base.trace(ANSWERED)
    seen = {"lexical": 3.0, "ranked": 0.8, "covered": 0.75, "s_grams4_gap": -1.0}
    first = replace(trace.candidates[0], hit=replace(trace.candidates[0].hit, features=seen))
    html = trace_html(replace(trace, candidates=[first]))
    assert "正文盖住问题 0.75" in html and "s_grams4" not in html
