"""The parts behind the screens: conversation, long work, scores, headers, downloads."""

import base64
import hashlib
import os
import threading
import time

import pytest

from rag.config import Settings
from rag.errors import BadCases, ModelFailed
from rag.types import Answer, Delta, Progress
from rag.web import files, guard, jobs, scores
from rag.web.chat import Conversation, reply
from rag.web.page import _model_notice


class Assistant:
    """Replays events; an exception among them is raised."""

    def __init__(self, *events):
        self.events = events
        self.asked = []

    def ask(self, question, history, *, use_model):
        self.asked.append((question, tuple(history), use_model))
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event


def said(text):
    return Answer(text, text, "answered", "半数以上。")


def test_answer_streams_stages_and_text_and_ends_with_the_verified_answer():
    assistant = Assistant(
        Progress("检索"), Progress("整理"), Delta("半"), Delta("数"), Progress("核对"), said("问")
    )
    seen = list(reply(assistant, Conversation().asked("问"), use_model=True))
    assert all(working for _, working in seen[:-1])
    assert any("lx-arriving" in working for _, working in seen)
    conversation, working = seen[-1]
    assert not working and not conversation.pending
    assert [message.role for message in conversation.messages] == ["user", "assistant"]


def test_next_question_gets_the_conversation_so_far():
    assistant = Assistant(said("一"))
    *_, (conversation, _) = reply(assistant, Conversation().asked("一"), use_model=False)
    list(reply(assistant, conversation.asked("二"), use_model=False))
    question, history, use_model = assistant.asked[-1]
    assert (question, use_model) == ("二", False)
    assert [(turn.role, turn.content) for turn in history] == [("user", "一"), ("assistant", "半数以上。")]


def test_error_is_told_in_one_line_and_the_question_stays():
    *_, (conversation, working) = reply(
        Assistant(ModelFailed(reason="断网")), Conversation().asked("问"), use_model=True
    )
    assert "断网" in conversation.messages[-1].html and not working
    assert "问" in conversation.messages[0].html and not conversation.turns


def test_stopping_ends_what_is_pending_and_nothing_else():
    waiting = Conversation().asked("问")
    assert "已停止" in waiting.stopped().messages[-1].html
    assert waiting.stopped().stopped() == waiting.stopped()


def test_each_answer_of_a_conversation_has_chips_of_its_own():
    conversation = Conversation()
    keys = []
    for _ in range(3):
        conversation = conversation.asked("问")
        keys.append(len(conversation.messages))
        conversation = conversation.answered(said("问"))
    assert len(set(keys)) == 3


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
    [(BadCases(name="a.jsonl", row=3, reason="缺 question"), "第 3 行"), (KeyError("x"), "程序出错")],
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
    assert "通过率" in page and "0.500" in page and "0.250 – 0.750" in page and "lx-w50" in page
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
