"""Questions known to be asked: they lead to the sentences that answer them, and to nothing else."""

import json
import random
import re
import tomllib
from pathlib import Path

import pytest

from eval.train import samples
from rag import sentences as split
from rag.assistant import Assistant
from rag.config import Settings
from rag.doctor import examine
from rag.ingest import QUESTIONS
from rag.likeness import Likeness, likeness
from rag.phrasings import Phrasings

ROOT = Path(__file__).resolve().parent.parent
KNOWLEDGE = ROOT / "knowledge"
BUNDLED = sorted(KNOWLEDGE.glob(f"*{QUESTIONS}"))
TEXT = (
    "# 值周办法\n\n第一条 值周由年级组轮流承担。\n\n第二条 值周教师每日巡查校园。\n\n"
    "第三条 借用场地须提前申请。\n\n第四条 本办法自九月起施行。\n"
)
ASKED = """
[[questions]]
answers = ["第一条 值周由年级组轮流承担。"]
asked = ["这礼拜归谁看着校门", "本周轮到哪些人站岗"]

[[questions]]
answers = ["第一条 值周由年级组轮流承担。", "第三条 借用场地须提前申请。"]
asked = ["新老师要知道哪些规矩"]
"""


def bare(text):
    return re.sub(r"\W", "", text).lower()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "knowledge"
    made.mkdir()
    (made / "值周办法.md").write_text(TEXT, encoding="utf-8")
    return made


@pytest.fixture
def assistant(folder, tmp_path):
    made = Assistant(Settings(data_dir=tmp_path / "data", knowledge_dir=folder, llm="off"))
    made.index()
    yield made
    made.close()


def teach(folder, text=ASKED):
    (folder / f"值周办法{QUESTIONS}").write_text(text, encoding="utf-8")


def test_a_known_question_leads_to_a_sentence_that_shares_no_word_with_it(assistant, folder):
    question = "这礼拜归谁看着校门？"
    assert assistant.answer(question).status == "no_evidence"
    teach(folder)  # taken up without indexing
    answer = assistant.answer(question)
    assert answer.status == "answered"
    assert [citation.quote for citation in answer.citations] == ["值周由年级组轮流承担。"]


def test_all_sentences_that_answer_a_known_question_are_given_in_order(assistant, folder):
    teach(folder)
    answer = assistant.answer("新老师要知道哪些规矩")
    assert [citation.quote[:2] for citation in answer.citations] == ["值周", "借用"]


def test_what_is_not_asked_is_not_answered_by_known_questions(assistant, folder):
    teach(folder)
    assert assistant.answer("食堂几点关门？").status == "no_evidence"


@pytest.mark.parametrize(
    "text",
    [
        "[[questions]\nanswers = 1",
        "questions = 3",
        '[[questions]]\nanswers = ["没有这一句。"]\nasked = ["有这一句吗"]',
        '[[questions]]\nanswers = [""]\nasked = ["空的"]',
        '[[questions]]\nasked = ["没有答案"]',
    ],
)
def test_a_file_of_questions_that_cannot_be_used_is_passed_over_and_logged(assistant, folder, text, caplog):
    teach(folder, text)
    answer = assistant.answer("值周由谁承担？")
    assert "年级组" in answer.answer and answer.status == "answered"
    told = next(finding for finding in examine(assistant) if finding.name == "大家怎么问")
    assert text.count('""') or (
        QUESTIONS in caplog.text and QUESTIONS in told.detail and told.state == "受限"
    )


def test_questions_of_a_document_that_is_damaged_are_passed_over(assistant, folder, caplog):
    (folder / "食堂.txt").write_text("第一条 食堂由后勤处管理。", encoding="utf-8")
    (folder / f"食堂{QUESTIONS}").write_text(
        '[[questions]]\nanswers = ["食堂由后勤处管理。"]\nasked = ["谁做饭"]', encoding="utf-8"
    )
    teach(folder)
    assistant.index()
    damaged = next(s for s in assistant.stamps() if s.name == "食堂.txt")
    with assistant.store._transaction() as db:
        db.execute("UPDATE sources SET original = '别的' WHERE id = ?", (damaged.id,))
    assert {known.text for known in assistant.library().phrasings.known} == {
        "这礼拜归谁看着校门",
        "本周轮到哪些人站岗",
        "新老师要知道哪些规矩",
    }
    assert "已损坏" in caplog.text


def test_a_file_of_questions_is_no_document(assistant, folder):
    teach(folder)
    report = assistant.index()
    assert [(file.name, file.outcome) for file in report.files] == [("值周办法.md", "未变")]


def test_questions_asked_of_one_collection_are_not_led_out_of_it(assistant, folder):
    teach(folder)
    (folder / "食堂.txt").write_text("第一条 食堂由后勤处管理。", encoding="utf-8")
    assistant.index()
    stamp = next(s for s in assistant.stamps() if s.name == "食堂.txt")
    assistant.documents.correct(stamp.id, collection="后勤")
    assert assistant.answer("这礼拜归谁看着校门？", collection="后勤").status == "no_evidence"


def test_the_same_question_is_likelier_than_one_near_it_and_that_than_another():
    same, near, other = likeness([Likeness(1, 1, 1, 1), Likeness(0.6, 0.5, 0.6, 1), Likeness(0.1, 0, 0.1, 0)])
    assert 1 >= same > near > other >= 0


def test_without_known_questions_none_is_near():
    assert not Phrasings().near("谁召集会议").near and Phrasings().near("谁").asked("x", 0, 9) is None


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.name[:2])
def test_every_answer_of_the_bundled_questions_is_one_sentence_of_its_document(path):
    text = path.with_name(path.name.replace(QUESTIONS, ".md")).read_text(encoding="utf-8")
    spans = split.sentences(text)
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["questions"]
    for group in groups:
        assert group["asked"] and len(set(group["asked"])) == len(group["asked"])
        for answer in group["answers"]:
            start = text.index(answer)
            holding = [s for s in spans if s[0] < start + len(answer) and start < s[1]]
            assert len(holding) == 1, answer


def test_the_bundled_documents_have_questions_and_none_stands_in_an_evaluation_set():
    assert len(BUNDLED) == len(list(KNOWLEDGE.glob("*.md")))
    known = {
        bare(asked)
        for path in BUNDLED
        for group in tomllib.loads(path.read_text(encoding="utf-8"))["questions"]
        for asked in group["asked"]
    }
    sets = [path.read_text(encoding="utf-8") for path in (ROOT / "eval" / "sets").glob("*.jsonl")]
    cases = [c for text in sets for c in map(json.loads, text.splitlines()) if not c["history"]]
    assert len(known) > 4000 and not known & {bare(case["question"]) for case in cases}


def test_what_a_known_question_asks_besides_is_not_given_where_it_is_far_from_what_is_asked(knowledge_base):
    answer = knowledge_base.answer("校长要给教代会报告工作吗")
    assert [("教职工代表大会" in citation.quote) for citation in answer.citations] == [True]


def test_encoder_is_taught_each_sentence_once_in_a_batch():
    known = samples.known(ROOT / "knowledge")
    rows = samples.known_rows(known, random.Random(0))
    assert sorted(sentence for _, sentence in rows) == sorted(known)
    assert all(question in known[sentence] for question, sentence in rows)
