"""Outlines from the bundled knowledge and the real retriever: contract, variety, what is quoted."""

import re
from dataclasses import replace
from itertools import combinations
from statistics import mean

import pytest
from outline_support import TOPIC, likeness, words

from eval.bench.drafting import TOPICS, broken
from rag.prompting import genres, roles
from rag.types import DraftRequest, Point

GENRES, ROLES = list(genres()), list(roles())


@pytest.fixture(scope="module")
def drafts(knowledge_base):
    return {
        (genre, role): knowledge_base.draft(DraftRequest(genre=genre, role=role, topic=TOPIC))
        for genre in GENRES
        for role in ROLES
    }


def policy(outline):
    return [point for section in outline.sections for point in section.points if point.kind == "policy"]


def test_every_genre_and_role_quotes_the_knowledge_exactly(knowledge_base, drafts):
    for outline in drafts.values():
        assert policy(outline) and outline.citations
        cited = {citation.marker: citation for citation in outline.citations}
        for citation in outline.citations:
            source = knowledge_base.source(citation.source_id)
            assert citation.quote == source.original[citation.start : citation.end]
        for point in policy(outline):
            sentence = point.text.split("）：", 1)[1].rstrip("。")
            assert sentence in cited[point.citations[0]].quote.replace("\n", "")


def test_what_the_knowledge_says_of_itself_or_of_mistakes_is_not_quoted(drafts):
    quoted = "\n".join(c.quote for outline in drafts.values() for c in outline.citations)
    assert not re.search(r"领学写作约定|核查说明|没有核到|写反|误写|\||\*\*|领导下的校长负责制", quoted)
    assert not re.search(r"幼儿园|民办|职业学校|湖南|上海", quoted)


@pytest.mark.parametrize("topic", TOPICS[1:])
def test_other_topics_keep_the_contract_that_the_benchmark_holds_all_to(knowledge_base, topic):
    """A sample of `python -m eval.bench.drafting`."""
    for index, role in enumerate(ROLES):
        request = DraftRequest(genre=GENRES[(3 * index) % len(GENRES)], role=role, topic=topic)
        outline = knowledge_base.draft(request)
        assert policy(outline) and list(broken(outline, knowledge_base)) == []


def test_the_contract_of_the_benchmark_can_be_broken(knowledge_base, drafts):
    outline = drafts["心得体会", "普通教师"]
    section = outline.sections[0]
    for text, says in (
        ("作为共产党员，〔请填：什么〕", "口吻"),
        ("办了3次〔请填：什么〕", "自编"),
        ("没有空", "留空"),
    ):
        worse = replace(section, points=(*section.points, Point(text, "own")))
        faults = "".join(broken(replace(outline, sections=(worse, *outline.sections[1:])), knowledge_base))
        assert says in faults
    lone = replace(section, points=(Point("说法（中央文件）：凭空说的。", "policy", ()),))
    assert "没有依据" in "".join(broken(replace(outline, sections=(lone,)), knowledge_base))


def test_roles_differ_in_every_genre(drafts):
    for genre in GENRES:
        pairs = [
            likeness(words(drafts[genre, a]), words(drafts[genre, b])) for a, b in combinations(ROLES, 2)
        ]
        assert mean(pairs) <= 0.6, genre


def test_seeds_differ(knowledge_base):
    for genre in ("心得体会", "实施办法", "工作措施"):
        made = [
            words(knowledge_base.draft(DraftRequest(genre=genre, role="书记", topic=TOPIC, seed=seed)))
            for seed in range(4)
        ]
        assert mean(likeness(a, b) for a, b in combinations(made, 2)) <= 0.6


@pytest.mark.parametrize("topic", ["量子计算与区块链", "新能源汽车驾驶技术", "今晚吃什么"])
def test_topics_that_the_knowledge_does_not_hold_get_no_policy(knowledge_base, topic):
    outline = knowledge_base.draft(DraftRequest(genre="心得体会", role="校长", topic=topic))
    assert not policy(outline) and any("没有找到" in warning for warning in outline.warnings)


@pytest.mark.parametrize("topic", ["三会一课", "一肩挑学校怎么分开开会", "教代会", "书记和校长怎么沟通"])
def test_topics_that_it_holds_get_policy_on_them(knowledge_base, topic):
    assert policy(knowledge_base.draft(DraftRequest(genre="学习体会", role="书记", topic=topic)))
