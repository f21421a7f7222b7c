"""Two replicas behind a real nginx with TLS, a real Chroma server, a real PostgreSQL: what docs/deploy.md promises."""

import http.server
import json
import shutil
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from eval.bench.crowd import Person, Seen
from eval.bench.installation import ADMIN, PASSWORD, caddy, certificate, installed, nginx
from eval.bench.services import CannotStart, program, until

if not sys.platform.startswith("linux"):
    pytest.skip("the installation is described for Debian", allow_module_level=True)
ROOT = Path(__file__).resolve().parents[2]
QUORUM, CHAIR = "党组织会议要多少人到会才能开？", "校长办公会议谁主持？"
BADGE = "# 校徽佩戴办法\n\n校徽由德育处统一发放。\n\n校徽佩戴在左胸上方，每周一检查一次。\n"


def needs(*names):
    missing = []
    for name in names:
        try:
            program(name)
        except CannotStart:
            missing.append(name)
    return pytest.mark.skipif(
        bool(missing),
        reason=f"not installed: {', '.join(missing)} (apt-get install nginx-light caddy postgresql openssl)",
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory, knowledge_base):
    """The whole installation, over a copy of the knowledge base whose vectors are known already."""
    folder = tmp_path_factory.mktemp("installation")
    knowledge_base.store.checkpoint()
    (folder / "data").mkdir()
    shutil.copy(knowledge_base.settings.data_dir / "lingxue.db", folder / "data")
    with installed(folder) as running:
        yield running


@contextmanager
def person(site, *, at=None):
    """Somebody logged in, through nginx or at one of the replicas."""
    if at is None:
        someone = Person(site.address, name=ADMIN, password=PASSWORD, trust=site.trust)
    else:
        someone = Person(f"http://127.0.0.1:{at.port}", name=ADMIN, password=PASSWORD)
    try:
        yield someone
    finally:
        someone.close()


def ask(someone, question):
    seen = Seen()
    answer = someone.ask(question, seen)
    assert not seen.errors
    return answer


def state(replica):
    return httpx.get(f"http://127.0.0.1:{replica.port}/readyz").json()


@needs("nginx", "initdb", "openssl")
def test_one_login_holds_on_both_replicas_and_what_is_asked_on_one_is_in_the_history_of_the_other(site):
    one, other = site.replicas
    with person(site, at=one) as here:
        assert "半数以上" in ask(here, QUORUM)
        session = here.client.cookies["lingxue_session"]
        with httpx.Client(
            base_url=f"http://127.0.0.1:{other.port}", cookies={"lingxue_session": session}
        ) as client:
            assert client.get("/config").status_code == 200
            assert client.get(f"/conversation/{here.conversation}.docx").status_code == 200
        with person(site, at=other) as there:
            there.conversation = here.conversation
            assert "三分之二" in ask(there, "那定干部呢？"), (
                "the follow-up is understood by the other replica"
            )
            assert there.listed[0] == QUORUM


@needs("nginx", "initdb", "openssl")
def test_answers_over_the_chroma_server_are_those_of_the_embedded_one(site, knowledge_base):
    lines = (ROOT / "eval" / "sets" / "knowledge.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines[::4]]
    with site.assistant() as served:
        for question in questions:
            one, other = knowledge_base.answer(question), served.answer(question)
            assert (one.status, one.answer, one.citations) == (other.status, other.answer, other.citations)
        assert served.search_index.current().searched_by == "chroma"


@needs("nginx", "initdb", "openssl")
def test_wrong_passwords_are_counted_across_the_replicas(site):
    with site.assistant() as assistant:
        assistant.records.accounts.add("王老师", PASSWORD)
    said = []
    for number in range(6):
        replica = site.replicas[number % 2]
        wrong = {"name": "王老师", "password": f"猜的密码{number}"}
        said.append(httpx.post(f"http://127.0.0.1:{replica.port}/login", data=wrong).text)
    assert all("不对" in text for text in said[:5]) and "暂停登录" in said[5]


@needs("nginx", "initdb", "openssl")
def test_document_uploaded_to_one_replica_is_answered_from_by_both_with_vectors_from_the_chroma_server(site):
    one, other = site.replicas
    with person(site, at=one) as here:
        kept = here.client.post("/library/files", files={"file": ("校徽.md", BADGE.encode())})
        assert kept.json()["name"] == "校徽.md"
        here.client.post("/library/jobs", data={"work": "add"})
        assert until(lambda: "校徽" in here.client.get("/library").text)
        for replica in (one, other):
            with person(site, at=replica) as someone:
                assert until(lambda: "德育处" in ask(someone, "校徽由谁发放？"))  # noqa: B023
            assert until(lambda: state(replica)["dense"] == "chroma")  # noqa: B023
        assert state(one)["fresh"] and state(one)["chunks"] == state(other)["chunks"]


@pytest.mark.parametrize(
    "proxy", [pytest.param(proxy, marks=needs(proxy.__name__, "openssl")) for proxy in (nginx, caddy)]
)
def test_answer_passes_the_proxy_piece_by_piece(proxy, tmp_path):
    received = threading.Event()

    class Streams(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(b"data: first\n\n")
            self.wfile.write(b"data: second\n\n" if received.wait(20) else b"data: held back\n\n")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Streams) as behind:
        threading.Thread(target=behind.serve_forever, daemon=True).start()
        pem, trust = certificate(tmp_path)
        before = proxy(tmp_path, [behind.server_port], pem).start().ready()
        try:
            with httpx.stream("GET", f"https://127.0.0.1:{before.port}/", verify=trust, timeout=30) as reply:
                pieces = reply.iter_text()
                assert "first" in next(pieces)
                received.set()
                assert "second" in "".join(pieces)
        finally:
            before.stop()
            behind.shutdown()


def keeps_to_tls(address, trust, http_port):
    with httpx.Client(base_url=address, verify=trust) as client:
        given = client.post("/login", data={"name": ADMIN, "password": PASSWORD})
        assert "Secure" in given.headers["set-cookie"] and "HttpOnly" in given.headers["set-cookie"]
        assert "max-age" in given.headers["strict-transport-security"]
        assert client.get("/config").json()["root"] == address
        assert client.get("/metrics").status_code == 404 == client.get("/readyz").status_code
        assert client.post("/login", headers={"Origin": "https://evil.example"}).status_code == 403
    plain = httpx.get(f"http://127.0.0.1:{http_port}/library?x=1")
    assert plain.is_redirect and plain.headers["location"].startswith("https://127.0.0.1")
    assert plain.headers["location"].endswith("/library?x=1")


@needs("nginx", "initdb", "openssl")
def test_behind_tls_the_cookie_is_secure_plain_http_is_sent_on_and_the_inside_stays_inside(site):
    keeps_to_tls(site.address, site.trust, site.nginx.http_port)


@needs("nginx", "caddy", "initdb", "openssl")
def test_caddy_in_its_place_keeps_a_person_at_one_replica_and_goes_on_with_the_other(site, tmp_path):
    pem, trust = certificate(tmp_path)
    proxy = caddy(tmp_path, [replica.port for replica in site.replicas], pem).start().ready()
    address = f"https://127.0.0.1:{proxy.port}"
    try:
        keeps_to_tls(address, trust, proxy.http_port)
        someone = Person(address, name=ADMIN, password=PASSWORD, trust=trust)
        assert "半数以上" in ask(someone, QUORUM)
        assert "三分之二" in ask(someone, "那定干部呢？")
        for replica in site.replicas:
            replica.kill()
            assert until(lambda: "校长" in someone.ask(CHAIR, Seen()), 10)  # noqa: B023
            replica.start().ready()
        someone.close()
    finally:
        proxy.stop()


@needs("nginx", "initdb", "openssl")
def test_killed_servers_are_done_without_and_used_again_without_a_restart_of_the_app(site):
    with person(site) as someone:
        conversation = ask(someone, QUORUM) and someone.conversation
        site.chroma.kill()
        assert "校长" in ask(someone, CHAIR)
        with person(site, at=site.replicas[0]) as here, person(site, at=site.replicas[1]) as there:
            ask(here, CHAIR), ask(there, CHAIR)
        assert {state(replica)["dense"] for replica in site.replicas} == {"exact"}
        site.chroma.start().ready()

        site.postgres.stop()
        refused = someone.client.get("/library")
        assert refused.status_code == 503 and "数据库" in refused.text
        assert not any(state(replica)["ready"] for replica in site.replicas)
        site.postgres.start().ready()
        assert until(lambda: someone.client.get("/library").status_code == 200)

        serving = site.replicas[0]
        serving.kill()  # one of the two had this person
        assert "半数以上" in ask(someone, QUORUM) and someone.conversation == conversation
        serving.start().ready()
        site.replicas[1].kill()  # nginx leaves one that failed alone for two seconds
        assert until(lambda: "校长" in someone.ask(CHAIR, Seen()), 10)
        assert someone.conversation == conversation
        assert QUORUM in someone.listed

        def back():
            ask(someone, CHAIR)
            return state(serving)["dense"] == "chroma"

        assert until(back), "the vectors come from the Chroma server again"
    assert "Traceback" not in serving.said
