"""Personal numbers are found, and do not go to a model outside this computer unless somebody says so."""

import re

import pytest
from loopback_model import loopback_model
from tests_support import own_address

from rag.assistant import Assistant
from rag.config import Settings
from rag.errors import HeldBack
from rag.privacy import find, outside
from rag.types import DraftRequest, Turn

# The example of GB 11643-1999, a number of 15 digits, made-up telephone numbers, a test card of its issuers.
IDENTITY, PHONE, CARD = "11010519491231002X", "13800138000", "6222021234567890128"
QUESTION = "党组织会议由谁召集并主持？"
PRIVATE = f"{QUESTION}我的身份证号是{IDENTITY}，电话：{PHONE}"
REPLY = "党组织会议由书记召集和主持。"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (IDENTITY, "身份证号"), (IDENTITY.lower(), "身份证号"), (f"编号是{IDENTITY}的人", "身份证号"),
        ("110105 19491231 002X", "身份证号"), ("１１０１０５１９４９１２３１００２Ｘ", "身份证号"),
        ("110105491231002", "身份证号"), (PHONE, "手机号"), ("138-0013-8000", "手机号"), ("+86 138 0013 8000", "手机号"),
        ("008613800138000", "手机号"), ("8613800138000", "手机号"), ("010-66096114", "电话"), ("（0571）87654321", "电话"),
        ("+86-10-66096114", "电话"), ("电话：8765 4321", "电话"), (CARD, "银行卡号"), ("4111 1111 1111 1111", "银行卡号"),
    ],
)  # fmt: skip
def test_a_personal_number_is_found_however_it_is_written_and_shown_masked(text, kind):
    (found,) = find(f"请查{text}，谢谢")
    assert found.kind == kind
    shown = found.masked.strip("*").split("*")
    assert len(shown[0]) == 3 and len(shown[-1]) == 2 and found.masked.count("*") >= 2


@pytest.mark.parametrize(
    "text",
    [
        "11010519491231003X", "110105199913310020", "990105194912310027",  # check digit, month, province
        "12800138000", "1380013800", "138001380001", "教党〔2022〕1号", "2024-03-01至2024-05-06", "20240301123456",
        "第12345678条", "4111 1111 1111 1112", "GB/T 9704-2012", "3.14159265358979", "ISBN 978-7-01-012345-6", "1949年10月1日",
    ],
)  # fmt: skip
def test_other_numbers_are_nobodys(text):
    assert not find(f"请查{text}，谢谢")


def test_the_bundled_documents_hold_no_such_number(knowledge_base):
    for stamp in knowledge_base.stamps():
        assert not find(knowledge_base.source(stamp.id).original)


@pytest.mark.parametrize(
    ("url", "is_outside"),
    [
        ("http://127.0.0.1:11434/v1", False), ("http://localhost:1/v1", False), ("http://[::1]:1/v1", False),
        ("", True), ("https://api.example.com/v1", True), ("http://192.168.1.9:8000/v1", True),
        ("http://127.0.0.1.example.com/v1", True), ("http://localhost@example.com/v1", True),
    ],
)  # fmt: skip
def test_outside_is_every_address_but_this_computers_own(url, is_outside):
    assert outside(url) is is_outside


@pytest.fixture
def outside_model():
    """A model server that is reached over this computer's address in its network, as an outside one would be."""
    if own_address().startswith("127."):
        pytest.skip("this computer has no address in a network")
    with loopback_model(REPLY, host="0.0.0.0") as (server, url):
        yield server, url.replace("127.0.0.1", own_address())


@pytest.fixture
def assistant(knowledge_base, outside_model):
    folders = {name: getattr(knowledge_base.settings, name) for name in ("data_dir", "knowledge_dir")}
    made = Assistant(Settings(**folders, llm_base_url=outside_model[1], llm_model="test"))
    yield made
    made.close()


def test_a_question_with_personal_numbers_is_held_and_nothing_is_sent(assistant, outside_model):
    with pytest.raises(HeldBack) as held:
        assistant.answer(PRIVATE, private="hold")
    assert "身份证号 110*************2X" in str(held.value) and "手机号 138******00" in str(held.value)
    assert (
        IDENTITY not in str(held.value) and PHONE not in str(held.value) and own_address() in str(held.value)
    )
    assert not outside_model[0].requests


def test_by_default_it_is_answered_without_the_model_and_says_why(assistant, outside_model):
    answer = assistant.answer(PRIVATE)
    assert answer.model is None and answer.status == "answered" and answer.citations
    assert "没有发给" in answer.answer.splitlines()[0] and answer.sentences[0].support == "notice"
    assert not outside_model[0].requests


def test_it_is_sent_where_its_writer_says_so(assistant, outside_model):
    assistant.answer(PRIVATE, private="send")
    sent = str(outside_model[0].requests)
    assert IDENTITY in sent


def test_other_questions_are_sent_as_before(assistant, outside_model):
    assistant.answer(QUESTION, private="hold")
    assert len(outside_model[0].requests) == 1


def test_numbers_in_the_conversation_and_in_the_evidence_count_too(assistant, outside_model, tmp_path):
    with pytest.raises(HeldBack):
        assistant.answer("那校长呢？", [Turn("user", PRIVATE), Turn("assistant", REPLY)], private="hold")
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "值班.txt").write_text(f"校门值班由保卫科李某负责，电话{PHONE}。\n", encoding="utf-8")
    settings = assistant.settings.model_copy(
        update={"data_dir": tmp_path / "d", "knowledge_dir": tmp_path / "k"}
    )
    other = Assistant(settings)
    with pytest.raises(HeldBack, match="手机号 138"):
        other.answer("校门值班由谁负责？", private="hold")
    assert PHONE in other.answer("校门值班由谁负责？").answer  # its own documents may be quoted here
    assert (
        "保卫科" in other.answer(f"{PHONE}是谁的电话？", use_model=False).answer
    )  # what documents hold is searched
    other.close()
    assert not outside_model[0].requests


def test_an_outline_is_made_without_the_model_and_the_writing_out_is_held(assistant, outside_model):
    asked = DraftRequest("心得体会", "党组织领导的校长负责制", event=f"我给家长{PHONE}打了电话。")
    outline = assistant.draft(asked)
    assert any("手机号 138******00" in warning for warning in outline.warnings)
    with pytest.raises(HeldBack):
        list(assistant.desk.expand(asked, outline))
    assert not outside_model[0].requests
    assistant.draft(asked, private="send")
    assert PHONE in str(outside_model[0].requests)


def test_a_school_may_trust_a_model_server_of_its_own(assistant, outside_model):
    trusting = Assistant(assistant.settings.model_copy(update={"llm_private": "send"}))
    trusting.answer(PRIVATE, private="hold")
    trusting.close()
    assert re.search(IDENTITY, str(outside_model[0].requests))


def test_the_command_line_holds_back_unless_told(assistant, outside_model, monkeypatch, capsys):
    from rag.cli import main

    for name in ("data_dir", "knowledge_dir", "llm_base_url", "llm_model"):
        monkeypatch.setenv(f"LINGXUE_{name.upper()}", str(getattr(assistant.settings, name)))
    assert main(["ask", PRIVATE]) == 0
    assert "没有发给" in capsys.readouterr().out and not outside_model[0].requests
    assert main(["ask", "--send-private", PRIVATE]) == 0
    assert "没有发给" not in capsys.readouterr().out and outside_model[0].requests


def test_the_api_holds_back_unless_a_field_says_send(assistant, outside_model):
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from rag.web.api import add_api

    app = FastAPI()
    add_api(app, assistant)
    token = assistant.records.tokens.make("", "测试")
    client = TestClient(app, headers={"Authorization": f"Bearer {token}"})
    said = client.post("/api/v1/ask", json={"question": PRIVATE}).json()
    assert "没有发给" in said["answer"] and said["model"] is None
    chat = {"messages": [{"role": "user", "content": PRIVATE}]}
    content = client.post("/v1/chat/completions", json=chat).json()["choices"][0]["message"]["content"]
    assert "没有发给" in content and not outside_model[0].requests
    client.post("/api/v1/ask", json={"question": PRIVATE, "send_private": True})
    client.post("/v1/chat/completions", json={**chat, "send_private": True})
    assert len(outside_model[0].requests) == 2
