"""Draft cases: a request in one line read as genre, role and topic; an outline as an answer."""

import pytest

from eval.drafting import drafter, request
from eval.metrics import score_outcome
from eval.run import System, run

from eval_support import case  # isort: skip


@pytest.mark.parametrize(
    ("text", "genre", "role", "topic"),
    [
        (
            "以书记身份写一篇心得体会，主题是党组织领导的校长负责制",
            "心得体会",
            "书记",
            "党组织领导的校长负责制",
        ),
        ("写一份学习《意见（试行）》的心得体会", "心得体会", "", "意见（试行）"),
        ("随便写点什么", "心得体会", "", "随便写点什么"),
    ],
)
def test_request_is_read_from_one_line(text, genre, role, topic):
    read = request(text)
    assert (read.genre, read.role, read.topic) == (genre, role, topic)


def test_outline_is_scored_like_an_answer_with_exact_quotes(knowledge_base):
    asked = case(kind="draft", question="以书记身份写一篇心得体会，主题是党组织领导的校长负责制")
    done = run(
        [asked],
        System(knowledge_base.answer, drafter=drafter(knowledge_base.draft), reader=knowledge_base.source),
    )
    (outcome,) = done.outcomes
    assert outcome.status == "answered" and outcome.citations
    scores = score_outcome(outcome, knowledge_base.source)
    assert scores["exact_quote_rate"].value == 1.0 and scores["unsupported_sentence_rate"].value is not None
