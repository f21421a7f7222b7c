"""The main job on the real document: questions in, cited sentences out, quotes exact."""

import json
import subprocess
import sys

import pytest
from tests_support import fold

from rag.assistant import Assistant
from rag.config import Settings


@pytest.fixture(scope="module")
def seed(tmp_path_factory, seed_file):
    folder = tmp_path_factory.mktemp("seed-knowledge")
    (folder / seed_file.name).write_bytes(seed_file.read_bytes())
    assistant = Assistant(
        Settings(data_dir=tmp_path_factory.mktemp("seed-data"), knowledge_dir=folder, llm="off")
    )
    assistant.index()
    yield assistant
    assistant.close()


ANSWERED = [
    ("学校党组织的六项领导职责是什么？", "把方向、管大局、作决策、抓班子、带队伍、保落实", "篇二·二、（一）"),
    ("一规则、二加强、三优先指什么？", "“一规则”即制订学校议事规则", "篇一·三、"),
    ("一规则、二加强、三优先指什么？", "“二加强”,一是加强党组织对学校思想政治工作", "篇一·三、"),
    ("一规则、二加强、三优先指什么？", "“三优先”,一是学校重大事项决策先由党组织讨论", "篇一·三、"),
    ("校长的行政指挥权依据什么？", "根据教育法的规定,校长行政指挥权应得到充分尊重", "篇一·四、"),
    ("谁来当下设支部的书记？", "让年段长担任下设支部书记", "篇一·二、"),
    ("《意见》包含哪五个部分？", "1.发挥中小学校党组织领导作用;2.支持和保证校长行使职权", "篇二·二、（一）"),
    ("什么样的同志能选到书记岗位上？", "政治坚定、善于协调、精通党务、通晓教育", "篇一·五、"),
    ("双肩挑提倡吗？", "提倡中小学校书记、校长“双肩挑”或党政干部交叉任职", "篇一·四、"),
]


@pytest.mark.parametrize(("question", "held", "locator"), ANSWERED)
def test_a_question_cites_the_sentence_that_holds_its_answer(seed, seed_file, question, held, locator):
    answer = seed.answer(question)
    original = seed_file.read_text(encoding="utf-8")
    assert answer.status == "answered"
    citing = [c for c in answer.citations if fold(held) in fold(c.quote)]
    assert citing and citing[0].locator == locator
    for citation in answer.citations:
        assert citation.quote == original[citation.start : citation.end]


@pytest.mark.parametrize(
    "question",
    [
        "党组织会议要多少人到会才能开？",
        "书记任期几年？",
        "民办学校适用这个制度吗？",
        "三重一大包括哪些？",
        "校长办公会议的议题由谁确定？",
        "学校食堂怎么管理？",
        "《意见》的文号是多少？",
    ],
)
def test_what_the_document_does_not_say_gets_no_answer_but_a_place_to_look(seed, question):
    answer = seed.answer(question)
    assert answer.status == "no_evidence"
    assert "没有找到" in answer.answer and "建议查" in answer.answer or "文号请以" in answer.answer
    assert all(sentence.support == "notice" for sentence in answer.sentences)


def test_notes_about_the_document_beside_it_do_not_take_its_place(tmp_path, seed_file):
    if not (seed_file.parent / "map.md").exists():
        pytest.skip("no notes beside the seed document")
    assistant = Assistant(Settings(data_dir=tmp_path, knowledge_dir=seed_file.parent, llm="off"))
    for question, held, _ in ANSWERED[:7]:
        answer = assistant.answer(question)
        assert any(fold(held) in fold(c.quote) for c in answer.citations), question
    assert assistant.answer("党组织会议要多少人到会才能开？").status == "no_evidence"
    assistant.close()


def test_an_article_of_which_only_the_title_is_there_is_said_to_be_title_only(seed):
    answer = seed.answer("篇八的工作措施讲了什么？")
    assert answer.status == "no_evidence"
    assert "只有篇八的题目《关于建立中小学校党组织领导的校长负责制的工作措施》" in answer.answer


def test_a_quote_across_a_block_marker_is_the_original_with_the_marker_in_it(seed):
    answer = seed.answer("一规则、二加强、三优先指什么？")
    assert any("二加\n8、强" in citation.quote for citation in answer.citations)
    assert all("\n8、" not in sentence.text for sentence in answer.sentences)


def test_the_command_line_answers_in_json_as_the_contract_has_it(tmp_path, seed_file):
    def lingxue(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "rag", "--data-dir", tmp_path, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )

    indexed = lingxue("--knowledge", seed_file.parent, "index")
    assert "切块序号 16 处" in indexed.stdout
    answer = json.loads(lingxue("ask", "谁来当下设支部的书记？", "--json").stdout)
    assert set(answer) == {
        "question", "standalone_question", "status", "answer", "sentences", "citations", "confidence", "model",
        "timings_ms",
    }  # fmt: skip
    assert set(answer["citations"][0]) >= {
        "marker", "source_id", "title", "locator", "section_path", "quote", "start", "end", "authority", "score",
    }  # fmt: skip
    refused = json.loads(lingxue("ask", "党组织会议要多少人到会才能开？", "--json").stdout)
    assert refused["status"] == "no_evidence"
