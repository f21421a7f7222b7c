"""Administrative acts are noted, and no secret stands in anything that leaves the program or is written by it."""

import hashlib
import io
import logging
import re
import zipfile
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from loopback_model import loopback_model
from web_support import serving

from rag.assistant import Assistant
from rag.backup import back_up
from rag.cli import main
from rag.config import Settings
from rag.web.api import add_api
from rag.web.files import new_folder
from rag.web.gate import COOKIE, Gate, add_login
from rag.web.guard import Guard
from rag.web.library import add_library
from rag.web.limits import BURST, Limit
from rag.web.operations import Operations
from rag.web.replies import add_replies
from rag.web.settings import add_settings

PASSWORD, KEY = "一个长长的密码呀", "sk-geheim-7d1f0c"


@pytest.fixture
def school(tmp_path):
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "食堂.txt").write_text("食堂由总务处管理，每学期公示一次账目。\n", encoding="utf-8")
    settings = Settings(data_dir=tmp_path / "d", knowledge_dir=tmp_path / "k", login="always")
    assistant = Assistant(settings)
    assistant.index()
    assistant.records.accounts.add("校长", PASSWORD, "管理员")
    assistant.records.accounts.add("王老师", PASSWORD)
    yield assistant
    assistant.close()


def app_of(school):
    """The addresses behind the gate, without Gradio's page."""
    app = FastAPI()
    app.add_middleware(Gate, accounts=school.records.accounts)
    app.add_middleware(Operations, assistant=school)
    add_login(app, school.records.accounts, school.records.acts)
    for add in (add_replies, add_library, add_settings, add_api):
        add(app, school)
    return app


def logged_in(app, name):
    made = TestClient(app, base_url="http://lingxue.test", follow_redirects=False)
    reply = made.post("/login", data={"name": name, "password": PASSWORD})
    assert reply.status_code == 303 and COOKIE in made.cookies
    return made


def test_acts_are_noted_with_who_did_them_for_administrators_to_read(school, tmp_path, monkeypatch):
    app = app_of(school)
    head = logged_in(app, "校长")
    head.post("/login", data={"name": "校长", "password": "猜的密码呀呀"})
    head.post("/settings/users", data={"name": "李老师", "password": PASSWORD, "role": "教师"})
    head.post("/settings/users/李老师/remove")
    head.post(
        "/settings/model", data={"act": "save", "llm_base_url": "http://127.0.0.1:9/v1", "llm_api_key": KEY}
    )
    head.post("/library/files", files={"file": ("值周.txt", io.BytesIO("值周办法".encode()))})
    head.post(f"/library/{school.stamps()[0].id}/remove")
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    monkeypatch.setenv("LINGXUE_KNOWLEDGE_DIR", str(tmp_path / "k"))
    assert main(["--data-dir", str(tmp_path / "d"), "user", "add", "赵老师"]) == 0
    noted = [(act.who, act.what) for act in reversed(school.records.acts.listed())]
    assert noted == [
        ("校长", "登录了"),
        ("校长", "没有登录成功"),
        ("校长", "已保存账号 李老师（教师）。"),
        ("校长", "已删除账号 李老师和它的对话、提纲。"),
        ("校长", "已保存。"),
        ("校长", "上传了文件 值周.txt"),
        ("校长", f"删除了资料 食堂 {noted[6][1][-16:]}"),
        ("（命令行）", "账号 add 赵老师"),
    ]
    assert "没有登录成功" in head.get("/settings").text
    teacher = logged_in(app, "王老师")
    refused = teacher.post("/settings/users", data={"name": "我", "password": PASSWORD, "role": "管理员"})
    assert refused.status_code == 403 and "管理记录" not in teacher.get("/settings").text


def test_a_key_stands_in_no_page_log_report_export_or_backup(school, tmp_path, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    with loopback_model(mode="401") as (_, url):
        app = app_of(school)
        head = logged_in(app, "校长")
        given = {"llm_base_url": url, "llm_model": "m", "llm_api_key": KEY, "llm_provider": "openai"}
        seen = [head.post("/settings/model", data={**given, "act": act}).text for act in ("save", "test")]
        token = school.records.tokens.make("校长", "试")
        bearer = {"Authorization": f"Bearer {token}"}
        case = {"id": "1", "question": "食堂由谁管理？", "kind": "factoid", "answer_points": ["总务处"],
                "gold_quotes": [], "answerable": True}  # fmt: skip
        asked = {"question": case["question"]}
        seen += [head.post("/api/v1/ask", json=asked, headers=bearer).text,
                 head.post("/api/v1/evaluate", json={"cases": [case]}, headers=bearer).text]  # fmt: skip
        seen += [
            head.get(path).text
            for path in ("/settings", "/library", "/metrics", "/readyz", "/api/openapi.json")
        ]
        kept = school.records.conversations.ask("校长", "", case["question"])
        school.records.conversations.reply("校长", kept.id, "answer", answer=school.answer(case["question"]))
        exported = head.get(f"/conversation/{kept.id}.docx").content
        with zipfile.ZipFile(io.BytesIO(exported)) as docx:
            seen += [docx.read(name).decode("utf-8", "replace") for name in docx.namelist()]
        seen.append(head.post("/settings/check").text)
    back_up(school.settings.data_dir, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert "settings.json" in archive.namelist() and not any(
            n.startswith("web/") for n in archive.namelist()
        )
        seen += [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
    seen += [
        record.getMessage() + str(record.exc_info)
        for record in caplog.records
        if record.name.startswith(("rag", "lingxue"))
    ]
    seen.append(repr(school.settings))
    assert len(seen) > 20 and not [
        text[:80] for text in seen if KEY in text or token in text or PASSWORD in text
    ]
    holding = [p for p in (tmp_path / "d").rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()]
    assert [p.name for p in holding] == ["settings.json"] and holding[0].stat().st_mode & 0o077 == 0


def test_uploads_and_downloads_have_names_that_nobody_can_guess(school, tmp_path):
    data = school.settings.data_dir
    with serving(data, knowledge=tmp_path / "k", login="always") as site:
        head, teacher, nobody = (httpx.Client(base_url=site, trust_env=False) for _ in range(3))
        for client, name in ((head, "校长"), (teacher, "王老师")):
            assert client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303
        (path,) = head.post("/gradio_api/upload", files={"files": ("题.jsonl", b'{"id": "1"}')}).json()
        folder = Path(path).parent.name
        assert re.fullmatch("[0-9a-f]{64}", folder)  # a hash keyed with the server's secret
        assert folder != hashlib.sha256(b'{"id": "1"}').hexdigest()
        assert head.get(f"/gradio_api/file={path}").status_code == 200
        assert nobody.get(f"/gradio_api/file={path}").status_code == 401
        tried = [path.replace(folder, "0" * 64), path.replace(folder, ".."), str(data / "records.db"), str(data / "web"),
                 f"{path}/../../../records.db", "/etc/passwd"]  # fmt: skip
        assert all(teacher.get(f"/gradio_api/file={p}").status_code in (403, 404) for p in tried)
        for client in (head, teacher, nobody):
            client.close()
    assert len(new_folder(data, "draft").name) == len("draft-") + 32


@pytest.mark.parametrize(
    ("address", "kept"), [("https://lingxue.test", True), ("http://lingxue.test", False)]
)
def test_a_page_that_came_by_tls_tells_the_browser_to_keep_to_it(school, address, kept):
    app = app_of(school)
    app.add_middleware(Guard)
    headers = TestClient(app, base_url=address).get("/login").headers
    assert ("Strict-Transport-Security" in headers) is kept


def test_one_client_that_asks_without_end_is_told_to_wait_and_others_are_not(school):
    client = TestClient(app_of(school))
    loop, other = (school.records.tokens.make(name, "试") for name in ("王老师", "校长"))
    replies = [
        client.get("/v1/models", headers={"Authorization": f"Bearer {loop}"}) for _ in range(BURST + 40)
    ]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert replies[0].status_code == 200 and refused and "请等" in refused[0].json()["detail"]
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert client.get("/v1/models", headers={"Authorization": f"Bearer {other}"}).status_code == 200


def test_a_bucket_fills_again_with_time():
    now = [0.0]
    limit = Limit(lambda: now[0])
    assert [limit.wait_s("甲") for _ in range(BURST)] == [0] * BURST and limit.wait_s("甲") >= 1
    now[0] += 1.0
    assert [limit.wait_s("甲") for _ in range(5)] == [0] * 5 and limit.wait_s("甲") >= 1
