"""Health, readiness, metrics, request ids and logs, over real HTTP semantics and a real knowledge base."""

import json
import logging

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from rag.assistant import Assistant
from rag.config import Settings
from rag.web.operations import JsonLines, Operations


def client_over(assistant):
    async def page(request):
        return PlainTextResponse("page")

    async def broken(request):
        raise RuntimeError("秘密的问题")

    app = Starlette(routes=[Route("/evidence/{any}", page), Route("/api/broken", broken)])
    app.add_middleware(Operations, assistant=assistant)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(knowledge_base):
    return client_over(knowledge_base)


def test_a_server_with_documents_is_healthy_and_ready(client):
    assert client.get("/healthz").text == "ok\n"
    ready = client.get("/readyz")
    assert ready.status_code == 200 and ready.json()["ready"] and ready.json()["chunks"] > 0


def test_a_server_without_documents_is_healthy_but_not_ready(tmp_path):
    (tmp_path / "k").mkdir()
    assistant = Assistant(Settings(data_dir=tmp_path / "d", knowledge_dir=tmp_path / "k", llm="off"))
    client = client_over(assistant)
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    assistant.close()


def test_metrics_count_requests_by_kind_and_hold_no_ids_or_queries(client):
    client.get("/evidence/0123456789abcdef?start=1&token=geheim")
    client.get("/wp-admin/x.php")
    text = client.get("/metrics").text
    assert 'lingxue_requests_total{method="GET",path="/evidence",status="200"} 1.0' in text
    assert 'path="other"' in text and "lingxue_index_chunks" in text
    assert "0123456789abcdef" not in text and "geheim" not in text and "wp-admin" not in text


def test_every_reply_carries_a_request_id_and_only_a_plain_one_is_taken_over(client):
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
    for bad in ("a b", "x" * 65, "<script>"):
        assert client.get("/healthz", headers={"X-Request-ID": bad}).headers["X-Request-ID"] != bad


def test_log_lines_are_json_with_the_request_and_without_what_was_asked(client, caplog):
    caplog.set_level(logging.INFO, logger="lingxue.requests")
    client.get("/evidence/abc?question=谁是校长", headers={"X-Request-ID": "r-7"})
    formatted = [JsonLines().format(record) for record in caplog.records if record.name == "lingxue.requests"]
    line = json.loads(formatted[-1])
    assert line["path"] == "/evidence" and line["status"] == 200 and line["ms"] >= 0
    assert "谁是校长" not in formatted[-1] and "abc" not in formatted[-1]


def test_an_exception_is_logged_by_kind_and_place_never_with_its_text():
    try:
        raise RuntimeError("秘密的问题 sk-123")
    except RuntimeError:
        record = logging.getLogger("x").makeRecord(
            "x", logging.ERROR, "f", 1, "answering failed", (), __import__("sys").exc_info()
        )
    line = JsonLines().format(record)
    assert json.loads(line)["exception"] == "RuntimeError" and "sk-123" not in line and "秘密" not in line
