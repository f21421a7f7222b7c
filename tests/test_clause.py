"""Clauses that a question names are found by title, article, 款 and 项."""

import pytest

from rag.assistant import Assistant
from rag.config import Settings

LAW = """中华人民共和国园地法

第一章 总则

第一条 为了管好园地，制定本法。

第二条 园地由园主管理。
园主可以委托他人管理，并应当：
（一）书面委托；
（二）报村委会备案。
委托期限不超过三年。

第二章 附则

第三条 依照第二条管理园地的，适用本法。
"""
OPINION = "关于建立园地管理制的意见（试行）\n\n第二条 园主会议每月召开一次。\n"


@pytest.fixture(scope="module")
def laws(tmp_path_factory):
    folder = tmp_path_factory.mktemp("laws")
    (folder / "园地法.txt").write_text(LAW, encoding="utf-8")
    (folder / "意见.txt").write_text(OPINION, encoding="utf-8")
    assistant = Assistant(Settings(data_dir=tmp_path_factory.mktemp("data"), knowledge_dir=folder, llm="off"))
    assistant.index()
    yield assistant
    assistant.close()


@pytest.mark.parametrize(
    ("question", "quote", "locator"),
    [
        ("园地法第一条讲什么？", "为了管好园地，制定本法。", "第一条"),
        ("《中华人民共和国园地法》第2条第一款", "园地由园主管理。", "第二条第一款"),
        ("园地法第二条第二款（二）是什么", "（二）报村委会备案。", "第二条第二款（二）"),
        ("园地法第二条第三款怎么说", "委托期限不超过三年。", "第二条第三款"),
        ("《意见》第二条讲什么", "园主会议每月召开一次。", "第二条"),
        ("园地法第二条第二款（一）", "（一）书面委托；", "第二条第二款（一）"),
    ],
)
def test_a_named_clause_is_quoted_whole_with_its_locator(laws, question, quote, locator):
    answer = laws.answer(question)
    assert answer.status == "answered" and len(answer.citations) == 1
    assert answer.citations[0].quote == quote and answer.citations[0].locator == locator


def test_a_clause_of_several_paragraphs_comes_line_by_line_under_one_citation(laws):
    answer = laws.answer("园地法第二条讲什么")
    assert [s.text for s in answer.sentences][:2] == ["园地由园主管理。", "园主可以委托他人管理，并应当："]
    assert len(answer.sentences) == 5 and {s.citations for s in answer.sentences} == {(1,)}


def test_without_a_title_every_document_with_that_article_is_quoted(laws):
    answer = laws.answer("第二条讲什么")
    assert {c.title for c in answer.citations} == {"中华人民共和国园地法", "关于建立园地管理制的意见（试行）"}


def test_an_article_that_is_not_there_is_not_answered_with_another(laws):
    assert laws.answer("园地法第九条讲什么").status == "no_evidence"


def test_another_law_with_a_longer_name_is_not_taken_for_it(laws):
    assert laws.answer("小园地法第一条讲什么").status == "no_evidence"


@pytest.mark.parametrize(
    ("question", "holds", "notes"),
    [
        ("《意见》第五条讲什么", "党组织会议的议题由学校领导班子成员提出", "《意见（试行）》第三部分（五）"),
        ("《意见（试行）》第12条", "书记和校长一般应当分设", "第十二条"),
        ("教育法第三十一条", "学校的教学及其他行政管理，由校长负责", "《中华人民共和国教育法》第三十一条"),
        ("支部工作条例第十三条讲了什么", "党小组会一般每月召开1次", "第十三条"),
        ("党章第十七条怎么说", "少数服从多数", "《中国共产党章程》"),
    ],
)
def test_where_the_text_itself_is_not_there_what_restates_the_clause_is_quoted(
    knowledge_base, question, holds, notes
):
    answer = knowledge_base.answer(question)
    assert answer.status == "answered"
    assert any(holds in citation.quote for citation in answer.citations)
    assert all(notes in citation.quote for citation in answer.citations)


@pytest.mark.parametrize("question", ["《意见》第九条讲什么", "教育法第九十条"])
def test_a_clause_that_nothing_restates_is_not_answered_with_a_neighbour(knowledge_base, question):
    assert knowledge_base.answer(question).status == "no_evidence"


def test_the_text_itself_goes_before_what_restates_it(tmp_path):
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "教育法.txt").write_text(
        "中华人民共和国教育法\n\n第三十一条 举办者确定管理体制。\n教学由校长负责。\n", encoding="utf-8"
    )
    (tmp_path / "k" / "解读.md").write_text(
        "# 解读\n\n校长管教学。（出处：《中华人民共和国教育法》第三十一条）\n", encoding="utf-8"
    )
    (tmp_path / "k" / "manifest.toml").write_text(
        '[[document]]\nfile = "解读.md"\nbasis = ["中华人民共和国教育法"]\n', encoding="utf-8"
    )
    assistant = Assistant(Settings(data_dir=tmp_path / "d", knowledge_dir=tmp_path / "k", llm="off"))
    assistant.index()
    titles = {citation.title for citation in assistant.answer("教育法第三十一条讲什么").citations}
    assistant.close()
    assert titles == {"中华人民共和国教育法"}
