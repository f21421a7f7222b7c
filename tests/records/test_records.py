"""What is kept of people: conversations seen by their owner only, answers that come back whole, accounts."""

import sqlite3
import threading
from itertools import count

import pytest

from rag.assistant import Assistant
from rag.config import Settings
from rag.errors import BadRequest, BadSettings, RecordsDamaged, RecordsLost, RecordsUnavailable
from rag.records import accounts, database
from rag.records.records import Records
from rag.types import Answer, Citation, Sentence
from rag.web.site import _accounts

PASSWORD = "一个长长的密码呀"
CITED = Citation(1, "s1", "会议规则", "二、", ("二、",), "到会要过半数。", 4, 11, "school", 0.9, "现行")
ANSWER = Answer(
    "几个人？", "开会几个人？", "answered", "到会要过半数。[1]",
    (Sentence("到会要过半数。", "quoted", (1,)),), (CITED,), 0.9, None, {"total": 12},
)  # fmt: skip


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def records(request, tmp_path):
    """Everything here holds on one computer's file and on a server's database alike."""
    opened = Records(tmp_path, request.getfixturevalue("postgres") if request.param == "PostgreSQL" else "")
    yield opened
    opened.close()


@pytest.fixture
def local(tmp_path):
    """Records in a file of this computer, for tests that look into it."""
    opened = Records(tmp_path)
    yield opened
    opened.close()


def asked(records, owner="甲", question="几个人？"):
    conversation = records.conversations.ask(owner, "", question)
    return records.conversations.reply(owner, conversation.id, "answer", answer=ANSWER)


def test_answer_with_its_citations_comes_back_whole_after_a_restart(tmp_path):
    first = Records(tmp_path)
    kept = asked(first)
    first.close()
    second = Records(tmp_path)
    again = second.conversations.get("甲", kept.id)
    second.close()
    assert again.messages[1].answer == ANSWER
    assert again.turns[1].content == ANSWER.answer


def test_answer_kept_by_a_version_with_more_fields_is_read(local, tmp_path):
    kept = asked(local)
    with sqlite3.connect(tmp_path / "records.db") as raw:
        raw.execute('UPDATE messages SET answer = replace(answer, \'"marker"\', \'"colour": 1, "marker"\')')
    raw.close()
    assert local.conversations.get("甲", kept.id).messages[1].answer == ANSWER


def test_conversation_of_another_owner_is_neither_seen_nor_changed(records):
    kept = asked(records)
    assert records.conversations.get("乙", kept.id) is None
    assert records.conversations.listed("乙") == []
    for change in (
        lambda: records.conversations.rename("乙", kept.id, "我的"),
        lambda: records.conversations.remove("乙", kept.id),
        lambda: records.conversations.take_back("乙", kept.id),
        lambda: records.feedback.give("乙", kept.id, 2, "up"),
    ):
        with pytest.raises(BadRequest, match="找不到"):
            change()
    assert records.conversations.ask("乙", kept.id, "偷看").id != kept.id
    records.conversations.remove("甲", kept.id)
    records.conversations.restore("乙", kept.id)
    assert records.conversations.get("甲", kept.id) is None


@pytest.mark.parametrize(("search", "found"), [("几个人", 1), ("过半数", 1), ("100%", 0), ("_", 0), ("", 1)])
def test_search_looks_in_titles_questions_and_answers_and_takes_no_wildcards(records, search, found):
    asked(records)
    assert len(records.conversations.listed("甲", search)) == found


def test_latest_changed_conversation_stands_first_and_can_be_renamed(records):
    first, second = asked(records, question="一？"), asked(records, question="二？")
    records.conversations.ask("甲", first.id, "还有？")
    assert [h.id for h in records.conversations.listed("甲")] == [first.id, second.id]
    records.conversations.rename("甲", second.id, " 会议  规则 ")
    assert records.conversations.get("甲", second.id).title == "会议 规则"
    with pytest.raises(BadRequest, match="不能为空"):
        records.conversations.rename("甲", second.id, "  ")


def test_removed_conversation_comes_back_until_the_program_starts_again(local, tmp_path):
    kept = asked(local)
    local.conversations.remove("甲", kept.id)
    assert local.conversations.listed("甲") == []
    local.conversations.restore("甲", kept.id)
    assert local.conversations.get("甲", kept.id).messages == kept.messages
    local.conversations.remove("甲", kept.id)
    again = Records(tmp_path)
    again.conversations.restore("甲", kept.id)
    assert again.conversations.get("甲", kept.id) is None
    again.close()


def test_taking_back_removes_the_question_with_its_answer_and_the_opinion_of_it(records):
    kept = asked(records)
    records.feedback.give("甲", kept.id, 2, "down", "漏了内容")
    assert records.conversations.take_back("甲", kept.id) == "几个人？"
    assert records.conversations.get("甲", kept.id).messages == ()
    assert records.feedback.counts() == {}


def test_second_reply_to_one_question_is_not_kept(records):
    kept = asked(records)
    assert records.conversations.reply("甲", kept.id, "note", "已停止").messages == kept.messages


def test_question_with_characters_that_a_database_refuses_is_kept_without_them(records):
    kept = records.conversations.ask("甲", "", "几个\x00人\ud800？")
    assert kept.messages[0].text == "几个\ufffd人\ufffd？"
    assert len(records.conversations.listed("甲", "\x00人")) == 1
    with pytest.raises(BadRequest, match="不对"):
        records.accounts.log_in("\x00", PASSWORD)


def test_questions_asked_at_once_in_one_conversation_are_all_kept(records):
    kept = records.conversations.ask("甲", "", "一？")
    threads = [
        threading.Thread(target=records.conversations.ask, args=("甲", kept.id, f"{n}？")) for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [m.number for m in records.conversations.get("甲", kept.id).messages] == list(range(1, 8))


def test_question_without_an_answer_is_no_turn_of_the_conversation(records):
    conversation = records.conversations.ask("甲", "", "停下的？")
    conversation = records.conversations.reply("甲", conversation.id, "note", "已停止")
    assert conversation.turns == ()


def test_opinions_become_cases_that_the_evaluation_reads(records, tmp_path):
    import json

    from eval.cases import load_cases

    kept = asked(records)
    records.conversations.ask("甲", kept.id, "再问？")
    records.conversations.reply("甲", kept.id, "answer", answer=ANSWER)
    records.feedback.give("甲", kept.id, 2, "up")
    records.feedback.give("甲", kept.id, 4, "down", "出处不对", "应引第三条")
    cases = records.feedback.cases()
    assert [case["kind"] for case in cases] == ["factoid", "multi-turn"]
    assert cases[0]["gold_quotes"] == ["到会要过半数。"] and cases[1]["gold_quotes"] == []
    assert cases[1]["history"][0]["content"] == "几个人？"
    path = tmp_path / "feedback.jsonl"
    path.write_text("\n".join(json.dumps(case, ensure_ascii=False) for case in cases), encoding="utf-8")
    assert len(load_cases([path])) == 2


def test_reason_that_is_not_offered_is_refused_and_an_opinion_can_be_taken_back(records):
    kept = asked(records)
    with pytest.raises(BadRequest):
        records.feedback.give("甲", kept.id, 2, "down", "<script>")
    records.feedback.give("甲", kept.id, 2, "up")
    assert records.conversations.get("甲", kept.id).messages[1].opinion == "up"
    records.feedback.give("甲", kept.id, 2, "")
    assert records.feedback.counts() == {}


def test_password_is_kept_as_argon2_and_the_session_as_a_hash(local, tmp_path):
    local.accounts.add("王老师", PASSWORD, "教师")
    token = local.accounts.log_in("王老师", PASSWORD)
    assert local.accounts.session(token).name == "王老师"
    assert not local.accounts.session(token).is_admin
    with sqlite3.connect(tmp_path / "records.db") as raw:
        dump = "\n".join(raw.iterdump())
    raw.close()
    assert "$argon2id$" in dump and PASSWORD not in dump and token not in dump


def test_session_survives_a_restart_and_ends_with_logging_out(tmp_path):
    first = Records(tmp_path)
    first.accounts.add("甲", PASSWORD)
    token = first.accounts.log_in("甲", PASSWORD)
    first.close()
    second = Records(tmp_path)
    assert second.accounts.session(token).name == "甲"
    second.accounts.log_out(token)
    assert second.accounts.session(token) is None
    second.close()


def test_fifth_wrong_password_locks_the_account_for_the_right_one_too(records, monkeypatch):
    records.accounts.add("甲", PASSWORD, "管理员")
    for _ in range(accounts.FAILURES):
        with pytest.raises(BadRequest, match="不对"):
            records.accounts.log_in("甲", "猜的密码")
    with pytest.raises(BadRequest, match="暂停登录"):
        records.accounts.log_in("甲", PASSWORD)
    assert records.accounts.listed()[0].locked
    later = database.now() + accounts.LOCKED_S + 1
    monkeypatch.setattr(database, "now", lambda: later)
    assert records.accounts.log_in("甲", PASSWORD)


def test_many_guesses_at_once_do_not_outrun_the_count(records):
    records.accounts.add("甲", PASSWORD)
    said, number = [], count()

    def guess():
        with pytest.raises(BadRequest) as refused:
            records.accounts.log_in("甲", f"猜{next(number)}")
        said.append("不对" in str(refused.value))

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 12 and sum(said) <= accounts.FAILURES


def test_unknown_name_and_wrong_password_get_the_same_answer(records):
    records.accounts.add("甲", PASSWORD)
    said = []
    for name in ("甲", "没有这个人"):
        with pytest.raises(BadRequest) as refused:
            records.accounts.log_in(name, "猜的密码")
        said.append(str(refused.value))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("name", "password", "role"),
    [("", PASSWORD, "教师"), ("<b>", PASSWORD, "教师"), ("甲", "短", "教师"), ("甲", PASSWORD, "校长")],
)  # fmt: skip
def test_account_that_cannot_be_used_is_refused_with_the_reason(records, name, password, role):
    with pytest.raises(BadRequest):
        records.accounts.add(name, password, role)
    assert records.accounts.listed() == []


def test_new_password_ends_old_sessions_and_the_last_admin_stays(records):
    records.accounts.add("甲", PASSWORD, "管理员")
    token = records.accounts.log_in("甲", PASSWORD)
    records.accounts.add("甲", "另一个长长的密码", "管理员")
    assert records.accounts.session(token) is None
    with pytest.raises(BadRequest, match="唯一的管理员"):
        records.accounts.remove("甲")


@pytest.mark.parametrize(
    "password",
    ["11111111", "12345678", "abcabcabc", "Password123", "qwertyuiop", "13800138000", "19900101", "woaini1314", "lingxue2024", "wanglaoshi"],
)  # fmt: skip
def test_password_that_is_guessed_first_is_refused(records, password):
    with pytest.raises(BadRequest, match="太容易被猜到"):
        records.accounts.add("wanglaoshi", password)


def test_removed_account_leaves_nothing_to_who_gets_its_name(records):
    records.accounts.add("校长", PASSWORD, "管理员")
    records.accounts.add("王老师", PASSWORD)
    kept = asked(records, "王老师")
    records.conversations.ask("校长", "", "留下的")
    records.accounts.remove("王老师")
    records.accounts.add("王老师", PASSWORD)
    assert (
        records.conversations.listed("王老师") == [] and records.conversations.get("王老师", kept.id) is None
    )
    assert len(records.conversations.listed("校长")) == 1


def test_token_acts_for_its_owner_until_removed_and_is_kept_as_a_hash(local, tmp_path):
    token = local.tokens.make("甲", "教务系统")
    assert local.tokens.owner(token) == "甲"
    assert local.tokens.owner(token + "x") is None
    with sqlite3.connect(tmp_path / "records.db") as raw:
        assert token not in "\n".join(raw.iterdump())
    raw.close()
    key = local.tokens.listed("甲")[0].key
    local.tokens.remove("乙", key)
    assert local.tokens.owner(token) == "甲"
    local.tokens.remove("甲", key)
    assert local.tokens.owner(token) is None


def test_database_address_that_cannot_be_used_is_told_without_its_password(tmp_path):
    with pytest.raises(BadSettings) as refused:
        Records(tmp_path, "nosuch://user:geheim@host/db")
    assert "LINGXUE_DATABASE_URL" in str(refused.value) and "geheim" not in str(refused.value)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_records_cut_in_the_middle_are_told_as_damaged_with_the_remedy(tmp_path, share):
    opened = Records(tmp_path)
    for number in range(60):
        asked(opened, question=f"第{number}个问题？" * 20)
    opened.close()
    path = tmp_path / "records.db"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(RecordsDamaged, match="记录文件已损坏.*lingxue restore") as told:
        cut = Records(tmp_path)
        for heading in cut.conversations.listed("甲"):
            cut.conversations.get("甲", heading.id)
    assert "records.db" in str(told.value) and "malformed" not in str(told.value)


def test_a_file_that_is_no_database_is_told_so(tmp_path):
    (tmp_path / "records.db").write_bytes(b"\0noise" * 2000)
    with pytest.raises(RecordsDamaged, match="不是数据库"):
        Records(tmp_path)


def test_accounts_that_vanished_are_not_started_anew_where_others_can_come_in(tmp_path):
    settings = Settings(data_dir=tmp_path, knowledge_dir=tmp_path / "k", llm="off", login="always")
    assistant = Assistant(settings)
    assistant.records.accounts.add("校长", PASSWORD, "管理员")
    assert _accounts(assistant)  # the server starts
    assistant.close()
    for file in tmp_path.glob("records.db*"):
        file.unlink()
    again = Assistant(settings)
    with pytest.raises(RecordsLost, match="lingxue restore"):
        _accounts(again)
    again.records.accounts.add("校长", PASSWORD, "管理员")  # as `lingxue user add` does: said, not by itself
    assert _accounts(again)
    again.close()


def test_replicas_that_begin_at_the_same_moment_all_find_their_tables(tmp_path, postgres):
    begun = []
    threads = [threading.Thread(target=lambda: begun.append(Records(tmp_path, postgres))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.conversations.listed("甲") for one in begun] == [[]] * 4
    for one in begun:
        one.close()


def test_database_server_that_is_away_is_told_without_its_address(tmp_path):
    with pytest.raises(RecordsUnavailable) as refused:
        Records(tmp_path, "postgresql://user:geheim@127.0.0.1:1/db")
    assert "数据库" in str(refused.value) and "geheim" not in str(refused.value)
