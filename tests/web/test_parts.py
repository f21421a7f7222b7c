"""The parts behind the screens: conversation, long work, scores, headers, downloads."""

import base64
import hashlib
import io
import os
import re
import threading
import time
from dataclasses import replace

import docx
import pytest

from rag.config import Settings
from rag.errors import BadCases, ModelFailed
from rag.records.records import Records
from rag.types import Answer, Citation, Delta, Progress
from rag.web import files, guard, jobs, scores
from rag.web.chat import reply, shown
from rag.web.export import conversation_docx
from rag.web.page import _model_notice


class Assistant:
    """Replays events; an exception among them is raised."""

    def __init__(self, records, *events):
        self.records = records
        self.events = events
        self.asked = []

    def ask(self, question, history, *, use_model, collection, private):
        self.asked.append((question, tuple(history), use_model, collection))
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event


def said(text):
    return Answer(text, text, "answered", "半数以上。")


@pytest.fixture
def records(tmp_path):
    opened = Records(tmp_path)
    yield opened
    opened.close()


def test_answer_streams_stages_and_text_and_is_kept_when_it_is_verified(records):
    assistant = Assistant(
        records, Progress("检索"), Progress("整理"), Delta("半"), Delta("数"), Progress("核对"), said("问")
    )
    seen = list(reply(assistant, "甲", records.conversations.ask("甲", "", "问"), use_model=True))
    assert all(working for _, working in seen[:-1])
    assert any("lx-arriving" in working for _, working in seen)
    conversation, working = seen[-1]
    assert not working and not conversation.pending
    assert records.conversations.get("甲", conversation.id).messages[1].answer == said("问")


def test_next_question_gets_the_conversation_so_far(records):
    assistant = Assistant(records, said("一"))
    first = records.conversations.ask("甲", "", "一")
    list(reply(assistant, "甲", first, use_model=False))
    second = records.conversations.ask("甲", first.id, "二")
    list(reply(assistant, "甲", second, use_model=False, collection="党建"))
    question, history, use_model, collection = assistant.asked[-1]
    assert (question, use_model, collection) == ("二", False, "党建")
    assert [(turn.role, turn.content) for turn in history] == [("user", "一"), ("assistant", "半数以上。")]


def test_error_is_told_in_one_line_and_the_question_stays(records):
    asked = records.conversations.ask("甲", "", "问")
    *_, (conversation, working) = reply(
        Assistant(records, ModelFailed(reason="断网")), "甲", asked, use_model=True
    )
    page = shown(conversation)
    assert "断网" in page[-1]["content"] and not working
    assert "问" in page[0]["content"] and not conversation.turns


def test_question_left_without_an_answer_says_so_and_what_to_do(records):
    asked = records.conversations.ask("甲", "", "问")
    assert "没有答完" in shown(asked)[-1]["content"]
    assert shown(asked, "正在答")[-1]["content"] == "正在答"


def test_each_answer_of_each_conversation_has_chips_of_its_own(records):
    keys = set()
    for _ in range(2):
        conversation = records.conversations.ask("甲", "", "问")
        for _ in range(2):
            conversation = records.conversations.reply("甲", conversation.id, "answer", answer=said("问"))
            keys |= set(re.findall(r'id="j-up-([^"]+)"', shown(conversation)[-1]["content"]))
            conversation = records.conversations.ask("甲", conversation.id, "问")
    assert len(keys) == 4


@pytest.mark.parametrize(
    "payload", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "\x00\x0b]]>&"]
)
def test_conversation_as_word_holds_questions_answers_and_quotes_and_survives_payloads(records, payload):
    quoted = Citation(1, "s", payload, "二、", (), f"到会要过半数。{payload}", 0, 9)
    conversation = records.conversations.ask("甲", "", f"几个人？{payload}")
    conversation = records.conversations.reply(
        "甲",
        conversation.id,
        "answer",
        answer=replace(said("问"), answer="**半数**以上[1]", citations=(quoted,)),
    )
    words = "\n".join(p.text for p in docx.Document(io.BytesIO(conversation_docx(conversation))).paragraphs)
    assert "问：几个人？" in words and "半数以上[1]" in words and "到会要过半数。" in words


def test_long_work_reports_its_steps_and_gives_its_result():
    def work(report):
        report("评测", 1, 2)
        report("评测", 2, 2)
        return 7

    *steps, last = jobs.run(work, threading.Event())
    assert last == jobs.Done(7)
    assert all(isinstance(step, jobs.Step) for step in steps)


def test_long_work_stops_at_its_next_report_even_where_errors_are_swallowed():
    stop = threading.Event()
    done = []

    def work(report):
        for number in range(10_000):
            try:
                report("评测", number, 10_000)
            except Exception:
                pytest.fail("a stop looks like an error of the work")
            done.append(number)
            time.sleep(0.005)

    steps = jobs.run(work, stop)
    next(steps)
    stop.set()
    *_, last = steps
    assert last == jobs.Failed("")
    assert len(done) < 1000


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (BadCases(name="a.jsonl", row=3, column="", more="", reason="缺 question"), "第 3 行"),
        (KeyError("x"), "程序出错"),
    ],
)
def test_failed_work_says_why(error, told):
    def work(report):
        raise error

    *_, last = jobs.run(work, threading.Event())
    assert told in last.reason


def test_scores_show_labels_figures_and_bars_and_escape_what_they_are_given():
    metric = {"value": 0.5, "scored": 4, "unscored": 0, "ci95": [0.25, 0.75]}
    result = {
        "n": 4,
        "metrics": {"pass_rate": metric, "<b>": {**metric, "value": 1234.0, "ci95": None}},
        "by_kind": {"factoid": {"n": 4, "metrics": {"pass_rate": metric}}, "<i>": {"n": 0, "metrics": {}}},
    }
    page = scores.result_html(result, {"pass_rate": scores.Label("通过率", '"说明"')})
    assert "通过率" in page and "50.0%" in page and "25.0% – 75.0%" in page and "lx-w50" in page
    assert (
        "1234" in page and "事实" in page and "<b>" not in page and "<i>" not in page and "&lt;i&gt;" in page
    )


def test_policy_lets_run_the_inline_scripts_of_the_page_and_no_others():
    page = b'<html lang="en"><head><meta property="og:image" content="https://x/y.jpg" />' \
        b"<script>let a = 1;</script><script src='b.js'></script></head></html>"  # fmt: skip
    ours = guard.our_page(page)
    assert b'lang="zh-CN"' in ours and b"https://" not in ours and b"lingxue/lingxue.js?v=" in ours
    digest = base64.b64encode(hashlib.sha256(b"let a = 1;").digest()).decode()
    policy = guard.policy(guard._INLINE_SCRIPT.findall(ours))
    assert f"'sha256-{digest}'" in policy
    assert policy.count("sha256-") == 1 and "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]


def test_downloads_of_yesterday_go_and_those_of_today_stay(tmp_path):
    old, new = files.new_folder(tmp_path, "draft"), files.new_folder(tmp_path, "draft")
    day_before = time.time() - 2 * files.KEPT_S
    os.utime(old, (day_before, day_before))
    files.new_folder(tmp_path, "eval")
    assert not old.exists() and new.exists()


@pytest.mark.parametrize("title", ["../../etc/passwd", "a/b\\c:d*e?f", ".hidden", "\n\x00", "长" * 300])
def test_file_name_is_one_every_system_takes(title):
    name = files.file_name(title)
    assert name and len(name) <= 40
    assert not set(name) & set('\\/:*?"<>|\n\x00.')


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://127.0.0.1:11434/v1", "都留在这台电脑上"),
        ("http://localhost:1/v1", "都留在这台电脑上"),
        ("http://[::1]:1/v1", "都留在这台电脑上"),
        ("https://api.example.cn/v1", "会发给 api.example.cn"),
        ("https://localhost.example.cn/v1", "会发给 localhost.example.cn"),
        ("", "会发给 模型服务商"),
    ],
)
def test_notice_tells_when_text_leaves_this_computer(tmp_path, address, told):
    settings = Settings(data_dir=tmp_path, llm_model="m", llm_base_url=address)
    assert told in " ".join(_model_notice(settings))


def test_notice_says_where_things_stay_on_one_computer_and_on_a_schools_server():
    assert "这台电脑上" in _model_notice(Settings())[1]
    assert "学校这台服务器上" in _model_notice(Settings(host="0.0.0.0"))[1]
