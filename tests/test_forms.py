"""The form of an answer without a model: what the question asks for decides it."""

import pytest
from tests_support import fold

from rag.assistant import Assistant
from rag.compare import sides
from rag.config import Settings
from rag.opposite import flows
from rag.question import analyse
from rag.tables import at, tables
from rag.types import Turn


def lines(answer):
    return [line for line in answer.answer.splitlines() if line.strip() and not line.startswith(">")]


def test_the_duties_of_an_office_are_listed_under_their_headings(knowledge_base):
    answer = knowledge_base.answer("书记的职责")
    assert sum(line.startswith("- **") for line in lines(answer)) >= 3
    for duty in ("召集党组织会议", "议题最后由党组织书记确定", "应当同校长充分沟通", "应当支持校长"):
        assert duty in answer.answer
    assert "没有核到" not in answer.answer and "误区" not in answer.answer


def test_two_offices_are_set_side_by_side(knowledge_base):
    answer = knowledge_base.answer("书记和校长的分工有什么区别")
    header, rule, *rows = lines(answer)
    assert header == "| 书记 | 校长 |" and set(rule) <= set("|-") and len(rows) >= 3
    for row in rows:
        left, right = row.strip("|").split("|")
        assert "书记" in left or "党组织" in left
        assert "校长" in right and left.strip().endswith("]") and right.strip().endswith("]")


def test_two_meetings_are_compared_by_the_documents_own_table(knowledge_base):
    answer = knowledge_base.answer("党组织会议和校长办公会议有什么不同")
    assert "| 事项 | 党组织会议 | 校长办公会议 |" in answer.answer
    rows = {line.split("|")[1].strip(): line for line in lines(answer) if line.startswith("| ")}
    assert "党组织书记" in rows["召集主持"] and "校长" in rows["召集主持"].split("|")[3]


def test_a_matter_in_a_table_is_answered_with_its_row_and_header(knowledge_base):
    answer = knowledge_base.answer("学校发展规划谁定")
    assert "党组织会议 |" in answer.answer and "属于重大问题的，讨论决定" in answer.answer


def test_a_procedure_comes_in_numbered_steps(knowledge_base):
    answer = knowledge_base.answer("会前要走哪些步骤？")
    assert [line[:2] for line in lines(answer)] == ["1.", "2.", "3.", "4.", "5."]


def test_an_enumeration_is_rebuilt_item_by_item(knowledge_base):
    answer = knowledge_base.answer("校长办公会议办哪三类事？")
    items = [line for line in lines(answer) if line.startswith("- ")]
    assert len(items) == 3 and [line[2:4] for line in items] == ["一是", "二是", "三是"]


def test_one_of_several_is_given_alone(knowledge_base):
    question = "会前要走哪些步骤？"
    history = [Turn("user", question), Turn("assistant", knowledge_base.answer(question).answer)]
    answer = knowledge_base.answer("第二步是什么", history)
    assert "书记和校长先通气" in answer.standalone_question
    assert "充分沟通" in answer.answer and "调查研究。" not in answer.answer


def test_a_fact_is_one_sentence(knowledge_base):
    answer = knowledge_base.answer("党小组会由谁召集？")
    assert len(lines(answer)) == 1 and "党小组组长" in answer.answer


def test_a_false_premise_is_corrected(knowledge_base):
    for question, right in [
        ("义务教育法已经改成党组织领导的校长负责制了对吧", "学校实行校长负责制"),
        ("党组织领导就是书记领导嘛，我理解没错吧", "书记个人领导"),
        ("实行新体制就是取消校长负责制，对不对", "不是取消校长负责"),
    ]:
        answer = knowledge_base.answer(question)
        assert answer.status == "answered" and right in answer.answer, question


def test_where_something_is_written_is_shown_when_that_is_asked(knowledge_base):
    shown = knowledge_base.answer("公办幼儿园的领导体制依据哪部法律？").answer.replace("》", "")
    assert "学前教育法第三十二条" in shown
    assert "（出处" not in knowledge_base.answer("党小组会由谁召集？").answer


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("书记和校长的分工有什么区别", ("书记", "校长")),
        ("两个会议有啥不一样", ("党组织会议", "校长办公会议")),
        ("党组织会跟校务会议题分别谁定", ("党组织会议", "校长办公会议")),
        ("公办园和民办园的管理体制一样吗", ("公办园", "民办园")),
    ],
)
def test_the_two_sides_of_a_comparison_are_named_in_the_documents_words(text, pair):
    assert sides(analyse(text)) == pair


def test_from_whom_to_whom_a_matter_goes_is_read():
    assert flows("学校重大事项决策先由党组织讨论，形成一致意见后向行政提出意见") == {("党组织", "行政")}
    assert flows("应由行政班子负责提出工作意见和方案，提交党组织集体讨论决策") == {("行政", "党组织")}
    assert not flows("党组织会议由书记召集，校长办公会议由校长召集。")


def test_a_row_of_a_table_is_found_with_its_header():
    text = "前文。\n\n| 事 | 谁 |\n|---|---|\n| 甲 | 乙 |\n\n| 丙 | 丁 |\n|---|---|\n| 戊 | 己 |\n"
    assert [len(rows) for rows in tables(text)] == [2, 2]
    header, row = at(text, text.index("| 戊"))
    assert [text[slice(*f)] for f in header.fields] == ["丙", "丁"]
    assert [text[slice(*f)] for f in row.fields] == ["戊", "己"]
    assert at(text, 0) is None and at(text, text.index("| 事")) is None


@pytest.fixture(scope="module")
def seed(tmp_path_factory, seed_file):
    folder = tmp_path_factory.mktemp("forms-seed")
    (folder / seed_file.name).write_bytes(seed_file.read_bytes())
    assistant = Assistant(
        Settings(data_dir=tmp_path_factory.mktemp("forms-data"), knowledge_dir=folder, llm="off")
    )
    assistant.index()
    yield assistant
    assistant.close()


@pytest.mark.parametrize("question", ["行政上遇到大事怎么走流程", "重大事项是先党组织讨论还是先行政提方案"])
def test_two_passages_that_run_contrary_ways_stand_side_by_side(seed, question):
    answer = seed.answer(question)
    quoted = fold("".join(c.quote for c in answer.citations))
    assert fold("先由党组织讨论,形成一致意见后向行政提出意见") in quoted
    assert fold("应由行政班子负责提出工作意见和方案,提交党组织集体讨论") in quoted
    assert "两处说法不一致" in answer.answer


def test_the_authors_opinion_and_central_policy_are_told_apart(seed):
    answer = seed.answer("六项领导职责是什么？双肩挑提倡吗？")
    assert {c.authority for c in answer.citations} <= {"author", "central"}
    assert seed.answer("双肩挑提倡吗？").citations[0].authority == "author"


@pytest.fixture(scope="module")
def relations(tmp_path_factory):
    """A study note whose numbered points stand apart, each with its explanation."""
    folder = tmp_path_factory.mktemp("relations")
    (folder / "体会.md").write_text(RELATIONS, encoding="utf-8")
    assistant = Assistant(Settings(data_dir=folder / "data", knowledge_dir=folder, llm="off"))
    assistant.index()
    yield assistant
    assistant.close()


RELATIONS = """# 学习体会

## 一、理顺关系

因此，必须明确职责分工，理顺党政关系，实现规范管理、科学决策。一是要理顺领导与负责的关系。\
党组织是领导核心，校长独立负责。二是要理顺分工与合作的关系。班子成员既要分工，又要合作。

## 二、建好队伍

一是配强支部书记。要把“政治坚定、善于协调”的同志选拨到书记岗位上来。二是用好骨干教师。骨干教师要带徒弟。

## 三、多听意见

听家长的意见，听学生的意见。

## 四、本校打算

### 1.广泛宣传政策

通过校园网宣传。

### 2.加强支部建设

每月开一次支委会。

### 3.办好家长学校

每学期请家长来两次。
"""


def test_points_that_stand_apart_are_brought_together_where_they_are_as_many_as_asked_for(relations):
    assert [line.rpartition("[")[0] for line in lines(relations.answer("理顺关系要理顺哪两个关系"))] == [
        "- 一是要理顺领导与负责的关系。", "- 二是要理顺分工与合作的关系。"
    ]  # fmt: skip


def test_point_that_only_names_its_matter_is_quoted_with_the_sentence_that_explains_it(relations):
    answer = relations.answer("为什么要配强支部书记，要什么样的人")
    quotes = [citation.quote for citation in answer.citations]
    assert any(q.startswith("一是配强支部书记。要把“政治坚定") for q in quotes), answer.answer


def test_as_many_headings_as_asked_for_are_the_answer_each_with_its_citation(relations):
    answer = relations.answer("本校打算做哪三件事")
    assert [c.quote.strip("# 123.") for c in answer.citations] == [
        "广泛宣传政策",
        "加强支部建设",
        "办好家长学校",
    ]
