"""Follow-ups completed from what was asked before; questions that stand alone left alone."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from rag.conversation import leans, standalone
from rag.question import analyse
from rag.types import Turn

SETS = Path(__file__).resolve().parent.parent / "eval" / "sets"


def after(*asked):
    """A conversation in which these were asked."""
    return [turn for question in asked for turn in (Turn("user", question), Turn("assistant", "好的。"))]


@pytest.mark.parametrize(
    ("asked", "question", "held", "gone"),
    [
        (("党员大会多久开一次？",), "那党小组会呢？", ["党小组会", "多久开一次"], ["党员大会"]),
        (("党组织会议由谁主持？",), "校务会呢", ["校务会", "主持"], ["党组织会议"]),
        (("组织生活会一年开几次？",), "一般在什么时候开？", ["组织生活会", "什么时候"], []),
        (("校长有哪些职责？",), "那书记呢？", ["书记", "职责"], ["校长"]),
        (("校长要向谁报告决议执行情况？",), "他还要向教代会报告吗？", ["校长", "教代会"], ["他"]),
        (("六项领导职责是哪六个？",), "第三项是什么意思？", ["领导职责", "第三"], []),
        (("公办学校书记校长怎么配备？",), "民办学校呢？", ["民办学校", "配备"], ["公办"]),
        (("支委会由谁召集？",), "他不在怎么办？", ["支委会"], ["他"]),
        (("两个会议能合在一起开吗？",), "为什么不能？", ["两个会议", "为什么"], []),
        (("学校必须有章程吗？",), "法律依据是什么？", ["章程", "依据"], []),
        (("教育法第三十一条讲什么？",), "那第二款呢？", ["教育法第三十一条", "第二款"], []),
        (("心得体会写多少字？",), "表态发言呢？", ["表态发言", "多少字"], ["心得体会"]),
        (("党组织会议要多少人到会？",), "定干部的时候呢？", ["党组织会议", "定干部"], []),
        (("民主评议党员按什么程序？",), "一年搞几次", ["民主评议党员", "几次"], []),
        (("书记的职责是什么？",), "还有呢？", ["书记"], []),
        (("三重一大包括哪些？",), "由谁决定", ["三重一大", "决定"], []),
        (("主题党日多久一次？", "组织生活会呢？"), "一般几月份", ["组织生活会"], ["主题党日"]),
        (("党组织会议的议题谁来提？",), "最后谁定？", ["党组织会议", "定"], []),
        (("湖南什么时候全部建立这个制度？",), "出处呢", ["湖南", "出处"], []),
        (("校长办公会议要多少人到会？",), "人没到齐能开吗", ["校长办公会议", "到齐"], []),
        (("谁来聘任小学校长？",), "那民办学校的呢", ["民办学校", "聘任"], []),
        (("支部委员会一般几个人？",), "任期多长", ["支部委员会", "任期"], []),
        (("书记和校长有分歧怎么办？",), "然后呢？", ["分歧"], []),
        (("副校长能列席党组织会议吗？",), "他能表决吗？", ["副校长", "表决"], ["他"]),
    ],
)
def test_a_follow_up_becomes_a_question_of_its_own(asked, question, held, gone):
    completed = standalone(question, after(*asked))
    assert all(piece in completed for piece in held), completed
    assert not any(piece in completed for piece in gone), completed


@pytest.mark.parametrize(
    ("asked", "question"),
    [
        ("党员大会多久开一次？", "教代会讨论通过哪些事项？"),
        ("书记的职责是什么？", "公办幼儿园由谁领导？"),
        ("三重一大包括哪些？", "谈心谈话一年几次？"),
        ("书记由谁任命？", "今天天气怎么样？"),
        ("校长有哪些职责？", "什么是一肩挑？"),
        ("心得体会写多少字？", "GB/T 9704的正式名称是什么？"),
        ("党组织会议由谁召集？", "绩效方案要谁通过？"),
        ("两个会议能合开吗？", "意见的全称是什么？"),
        ("支委会谁召集？", "入党转正开什么会？"),
        ("六项领导职责是什么？", "发展规划由谁定？"),
    ],
)
def test_a_change_of_subject_is_no_follow_up(asked, question):
    assert standalone(question, after(asked)) == question


def test_words_that_announce_another_subject_are_left_out():
    assert standalone("换个话题，教师去哪申诉？", after("党员大会多久开一次？")) == "教师去哪申诉？"


def test_every_standalone_question_of_the_sets_stays_as_it_is_after_any_other():
    lines = [
        line
        for name in ("knowledge", "seed")
        for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    questions = [case["question"] for case in map(json.loads, lines) if not case["history"]]
    changed = [q for before, q in pairwise(questions) if standalone(q, after(before)) != q]
    assert len(questions) > 150 and not changed


def test_without_a_history_nothing_is_completed():
    assert standalone("为什么？", []) == "为什么？"


def test_a_question_that_names_nothing_leans():
    assert (
        leans("多久开一次")
        and leans("他能表决吗？")
        and not leans("支委会多久开一次")
        and not leans("《意见》讲什么")
    )


def test_the_number_of_things_asked_for_stays_in_the_question_for_one_of_them():
    completed = standalone("第三点是什么", after("意见包含哪五个部分"))
    assert "五个部分" in completed and analyse(completed).ordinal == 3 and analyse(completed).size == 5
