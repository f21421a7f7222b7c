"""What a question asks for."""

import pytest

from rag.parts import parts
from rag.question import analyse, content_parts


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("党组织会议要多少人到会才能开？", "count"),
        ("支委会一个月开几次", "count"),
        ("支部委员会一般几个委员", "count"),
        ("《意见》什么时候印发的？", "when"),
        ("谁来当下设支部的书记？", "who"),
        ("校长办公会议由谁召集", "who"),
        ("六项领导职责是什么", "list"),
        ("《意见》包含哪五个部分？", "list"),
        ("为什么要加强学习？", "why"),
        ("校长的行政指挥权依据什么？", "why"),
        ("重大事项决策的流程是怎样的", "how"),
        ("什么是三重一大", "define"),
        ("一规则、二加强、三优先指什么？", "define"),
        ("书记和校长的职责有什么区别", "compare"),
        ("教育法第三十一条讲什么", "clause"),
        ("校长要给教代会报告工作吗？", "may"),
        ("介绍校长的职责", "list"),
        ("书记的职责", "list"),
        ("书记和校长的分工有什么区别", "compare"),
        ("党组织会和校务会议题分别谁定", "compare"),
        ("三会一课", "fact"),
    ],
)
def test_a_question_is_of_the_type_its_words_ask_for(text, kind):
    assert analyse(text).kind == kind


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("请问到底什么是三会一课？", ["三会一课"]),
        ("学校党组织的六项领导职责是什么？", ["学校党组织", "领导职责"]),
        ("谁来当下设支部的书记？", ["下设支部", "书记"]),
    ],
)
def test_words_of_asking_and_joining_are_no_content(text, content):
    assert content_parts(analyse(text)) == content


def test_the_number_of_things_asked_for_is_kept():
    assert analyse("学校党组织的六项领导职责是什么？").size == 6
    assert analyse("哪五个部分").size == 5
    assert analyse("有哪些职责").size == 0


def test_titles_years_and_clauses_asked_for_are_specific():
    question = analyse("2016年《关于加强中小学校党的建设工作的意见》第三条")
    assert question.names == ("关于加强中小学校党的建设工作的意见",)
    assert question.specifics == ("2016年", "第三条")


@pytest.mark.parametrize(
    ("text", "sentence", "held"),
    [
        ("要多少人到会", "半数以上班子成员到会方可召开。", True),
        ("要多少人到会", "到会人数由学校自己规定。", False),
        ("支委会一个月开几次", "一般每月召开1次。", True),
        ("支委会一个月开几次", "支委会由书记召集。", False),
        ("书记任期几年", "每届任期一般为3年。", True),
        ("书记任期几年", "书记主持全面工作，共有三项职责。", False),
        ("什么时候印发", "2022年1月印发。", True),
        ("什么时候印发", "由办公厅印发。", False),
        ("食堂由谁管", "食堂由总务处管理。", True),
        ("食堂由谁管", "食堂明亮整洁。", False),
    ],
)
def test_an_answer_holds_the_sort_of_thing_asked_for(text, sentence, held):
    assert analyse(text).expects(sentence) is held


def test_a_sentence_with_as_many_items_as_asked_for_is_recognised():
    question = analyse("六项领导职责是什么")
    assert question.sized("把方向、管大局、作决策、抓班子、带队伍、保落实。")
    assert not question.sized("管大局、带队伍、保落实。")
    assert analyse("三个优先是什么").sized("一是先议；二是先商；三是先选。")


def test_a_list_of_other_things_is_not_what_was_counted_though_an_item_names_it():
    question = analyse("六项领导职责是什么？")
    assert question.counted == "领导职责"
    items = "①甲事；②乙事；③丙事；④丁事，不是六项领导职责；⑤戊事；⑥己事。"
    assert not question.sized(f"口径有出入之处：{items}")
    assert question.sized(f"领导职责如下：{items}")
    assert question.sized("把方向、管大局、作决策、抓班子、带队伍、保落实的领导职责。")


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("学校操场多少钱一平米", "一般由学校统一安排。"),
        ("书记管几个部门", "书记管什么要看事情是否重大。（出处：《意见（试行）》第三部分（五））"),
    ],
)
def test_a_numeral_in_a_word_or_in_the_source_note_is_no_amount(question, sentence):
    assert not analyse(question).expects(sentence)


def test_one_thing_asked_of_several_is_asked_apart_and_a_tag_is_no_question():
    assert parts("心得写给谁看，经验又写给谁看？") == ["心得写给谁看", "经验又写给谁看"]
    assert parts("这个文件是谁发的？教育部吗？") == [] == parts("每月开几次会，对不对？")
