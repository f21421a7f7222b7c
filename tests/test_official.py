"""Official texts fetched from a server on this machine: kept with date and hash, and what is refused."""

import hashlib
import http.server
import json
import threading
import time
from datetime import date

import pytest

from rag import official
from rag.assistant import Assistant
from rag.cli import main
from rag.config import Settings
from rag.errors import BadRequest, BadSettings, FetchFailed
from rag.fetch import MAX_REDIRECTIONS, Fetcher, is_public

LAW = (
    "<html><head><meta charset=utf-8><title>花园教育法 - 某站</title></head><body><h1>花园教育法</h1>"
    + "".join(f"<p>第{n}条　学校应当办好第{n}号花园，教师和学生一起浇水。</p>" for n in "一二三四五六七八")
    + "</body></html>"
)


MOVED = {
    "/moved": "/law",
    "/round": "/round",
    "/away": "http://inside.example/secret",
    "/file": "file:///etc/hostname",
}
PAGES = {
    "/law": (200, LAW.encode(), {}),
    "/other": (
        200,
        "<html><body><p>页面不存在，三秒后回到首页，请您稍候片刻。</p></body></html>".encode(),
        {},
    ),
    "/large": (200, b"x" * 300_000, {}),
    "/packed": (200, b"\x1f\x8b", {"Content-Encoding": "gzip"}),
    "/cut": (200, b"<html>", {"Content-Length": "5000"}),
}


class Handler(http.server.BaseHTTPRequestHandler):
    """What a site may do: answer, move, vanish, pour without end, drip, answer with another page."""

    def do_GET(self):
        self.server.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path in MOVED:
            self.reply(302, b"", Location=MOVED[path])
        elif path == "/drip":
            self.drip()
        else:
            status, body, headers = PAGES.get(path, (404, b"", {}))
            self.reply(status, body, **headers)

    def reply(self, status, body, **headers):
        self.send_response(status)
        fields = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), **headers}
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self):
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            return

    def log_message(self, *_):
        return


@pytest.fixture(scope="module")
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.name = f"law.example:{server.server_port}"
    server.url = f"http://{server.name}"
    yield server
    server.shutdown()
    server.server_close()


def resolve(host, port):
    return {"law.example": ["127.0.0.1"], "inside.example": ["10.0.0.8"]}[host]


def fetcher(site, **options):
    """The site's name leads to this machine, which is allowed here; nothing else that is not public is."""
    settings = {
        "hosts": [site.name],
        "resolve": resolve,
        "allowed": lambda a: a == "127.0.0.1" or is_public(a),
    }
    return Fetcher(**{**settings, **options})


@pytest.fixture
def assistant(tmp_path, site):
    folder = tmp_path / "资料"
    folder.mkdir()
    (folder / "校内.txt").write_text("食堂由总务处管理。", encoding="utf-8")
    (folder / "official.toml").write_text(
        f'hosts = ["{site.name}"]\n[[text]]\nid = "garden"\ntitle = "花园教育法（试行）"\nissuer = "教育部"\n'
        f'issued_on = 2020-05-01\nstatus = "试行"\nurl = "{site.url}/law"\nverified = false\n'
        f'[[text]]\nid = "checked"\ntitle = "花园教育法"\nurl = "{site.url}/moved"\nverified = true\n'
        '[[text]]\nid = "nowhere"\ntitle = "园长办法"\nurl = ""\n',
        encoding="utf-8",
    )
    made = Assistant(Settings(data_dir=tmp_path / "data", knowledge_dir=folder, llm="off"))
    yield made
    made.close()


def test_a_picked_text_is_fetched_kept_with_date_and_hash_and_answered_from(assistant, site):
    report = assistant.index_official(["garden"], fetcher=fetcher(site))
    assert [file.outcome for file in report.files] == ["新增"]
    text, record = assistant.official()[0]
    kept = assistant.settings.data_dir / official.FOLDER / record.file
    assert kept.read_bytes() == LAW.encode()
    assert record.sha256 == hashlib.sha256(LAW.encode()).hexdigest()
    assert record.retrieved_on == date.today().isoformat() and record.url == text.url and not record.verified
    answer = assistant.answer("花园教育法第三条讲什么？")
    assert answer.citations[0].quote == "学校应当办好第三号花园，教师和学生一起浇水。"
    assert answer.citations[0].title == "花园教育法（试行）" and answer.citations[0].status == "试行"
    stamp = next(s for s in assistant.stamps() if s.title == text.title)
    assert (stamp.metadata.issuer, stamp.metadata.issued_on) == ("教育部", "2020-05-01")
    assert stamp.metadata.url == text.url and stamp.metadata.authority == "ministry"
    assert assistant.answer("食堂由谁管理？").status == "answered", "the knowledge folder is indexed too"


def test_fetching_again_replaces_the_copy(assistant, site):
    assistant.index_official(["garden", "checked"], fetcher=fetcher(site))
    report = assistant.index_official(["garden"], fetcher=fetcher(site))
    assert [file.outcome for file in report.files] == ["未变"]
    assert len([record for _, record in assistant.official() if record]) == 2


def test_nothing_is_fetched_unasked(assistant, site):
    site.asked.clear()
    assistant.index()
    assistant.official()
    assert site.asked == []


def test_the_user_may_give_the_address_of_a_text_that_has_none_and_it_counts_as_unverified(assistant, site):
    refused = assistant.index_official(["nowhere"], fetcher=fetcher(site)).files[0]
    assert refused.outcome == "失败" and "没有地址" in refused.detail
    given = assistant.index_official([f"checked={site.url}/law?x=1"], fetcher=fetcher(site))
    assert given.files[0].outcome == "新增"
    assert not official.records(assistant.settings.data_dir / official.FOLDER)["checked"].verified


def test_all_takes_those_with_an_address(assistant, site):
    report = assistant.index_official(["全部"], fetcher=fetcher(site))
    assert len(report.files) == 2


def test_an_unknown_id_is_told(assistant):
    with pytest.raises(BadRequest, match="没有“gardens”"):
        assistant.index_official(["gardens"])


def test_a_page_that_is_not_the_text_is_not_kept(assistant, site):
    report = assistant.index_official([f"garden={site.url}/other"], fetcher=fetcher(site))
    assert "没有“花园教育法（试行）”" in report.files[0].detail
    folder = assistant.settings.data_dir / official.FOLDER
    assert official.records(folder) == {} and list(folder.iterdir()) == []


REFUSED = [
    ("/gone", "网站答复 404"),
    ("/round", f"转了 {MAX_REDIRECTIONS} 次"),
    ("/away", "inside.example 不在目录列出的网站里"),
    ("/file", "只取 http、https"),
    ("/packed", "压缩内容"),
    ("/cut", "没有收完|连接不上"),
]


@pytest.mark.parametrize(("path", "reason"), REFUSED)
def test_what_is_refused_is_told_with_its_reason(site, path, reason):
    with pytest.raises(FetchFailed, match=reason):
        fetcher(site).get(site.url + path)


def test_a_redirection_to_a_private_address_is_refused_even_on_a_listed_host(site):
    listed = fetcher(site, hosts=[site.name, "inside.example"])
    with pytest.raises(FetchFailed, match=r"本机或内网地址 10\.0\.0\.8"):
        listed.get(f"{site.url}/away")


def test_by_default_this_machine_is_not_asked(site):
    site.asked.clear()
    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1"):
        Fetcher([site.name], resolve=resolve).get(f"{site.url}/law")
    assert site.asked == []


def test_a_page_past_the_size_limit_is_refused(site):
    with pytest.raises(FetchFailed, match="超过"):
        fetcher(site, max_bytes=100_000).get(f"{site.url}/large")


def test_a_page_that_drips_is_given_up_when_the_time_is_over(site):
    begun = time.monotonic()
    with pytest.raises(FetchFailed, match="用时超过 0.5 秒"):
        fetcher(site, timeout_s=0.5).get(f"{site.url}/drip")
    assert time.monotonic() - begun < 5  # the whole page would take ten


@pytest.mark.parametrize(
    "url", ["ftp://law.example/a", "http://user@law.example/", "http://law.example:99999/", "law.example", ""]
)
def test_only_plain_web_addresses_are_asked(site, url):
    with pytest.raises(FetchFailed):
        fetcher(site).get(url)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.1.1", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("::1", False), ("fe80::1", False), ("fd00::1", False), ("0.0.0.0", False),
        ("::ffff:10.0.0.1", False), ("224.0.0.1", False), ("8.8.8.8", True), ("2001:4860:4860::8888", True),
    ],
)  # fmt: skip
def test_private_addresses_are_told_from_public_ones(address, public):
    assert is_public(address) is public


def test_the_command_lists_the_catalogue_and_says_which_addresses_are_unverified(tmp_path, capsys):
    assert main(["--data-dir", str(tmp_path), "index", "--official"]) == 0
    listed = {line.split("　")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "没有地址" in listed["opinion-2022"]
    assert "地址未核实" in listed["education-law"] and "2021-04-29" in listed["education-law"]


def test_the_command_says_what_could_not_be_fetched(tmp_path, capsys):
    assert main(["--data-dir", str(tmp_path), "index", "--official", "opinion-2022"]) == 1
    assert "没有地址" in capsys.readouterr().out
    assert main(["--data-dir", str(tmp_path), "index", "--official", "nothing"]) == 1


def test_a_folder_without_a_catalogue_says_so(tmp_path):
    with pytest.raises(BadSettings, match="没有官方文本目录"):
        official.load_catalogue(tmp_path)


def test_a_damaged_record_says_so(tmp_path):
    (tmp_path / official.RECORDS).write_text("{", encoding="utf-8")
    with pytest.raises(BadSettings, match="取得记录"):
        official.records(tmp_path)


def test_every_address_of_the_shipped_catalogue_is_on_one_of_its_hosts(knowledge_base):
    catalogue = official.load_catalogue(knowledge_base.settings.knowledge_dir)
    shipped = Fetcher(catalogue.hosts)
    for text in catalogue.texts:
        if text.url:
            assert shipped._checked(text.url).hostname in catalogue.hosts
    assert json.dumps([text.id for text in catalogue.texts]).isascii()
    assert len({text.id for text in catalogue.texts}) == len(catalogue.texts)
