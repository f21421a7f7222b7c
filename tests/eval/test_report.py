"""The report as its readers use it: opened from a file in a real Chromium, with nothing from outside."""

import csv
import json
import re
from types import SimpleNamespace

import lxml.html
import pytest
from eval_support import SENTENCES, Echo, answer
from web_support import needs_chromium, opened

from eval.main import evaluate
from eval.metrics import METRICS
from eval.plots import kinds_svg, metrics_svg
from eval.report_cases import marked
from rag.errors import ModelFailed

A, B, C = SENTENCES[:3]
HOSTILE = '<script>alert(1)</script><img src="http://evil.example/x.png" onerror=alert(1)>'
LINES = [
    {"id": "right", "kind": "factoid", "question": "谁召集？", "answerable": True, "answer_points": ["书记"], "gold_quotes": [A]},
    {"id": "wrong", "kind": "why", "question": f"为什么？{HOSTILE}", "answerable": True, "answer_points": ["校长"], "gold_quotes": [B]},
    {"id": "none", "kind": "unanswerable", "question": "多少钱？", "answerable": False},
    {"id": "bare", "kind": "list", "question": "哪些？", "answerable": True},
    {"id": "broken", "kind": "procedure", "question": "坏了？", "answerable": True},
    {"id": HOSTILE[:90], "kind": "multi-turn", "question": "那呢？", "answerable": True, "gold_quotes": [C],
     "history": [{"role": "user", "content": HOSTILE}]},
]  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    answers = {
        "谁召集？": answer(quotes=(A, C)),
        LINES[1]["question"]: answer(f"因为{HOSTILE}[1]", quotes=(A,)),
        "多少钱？": answer("资料里没有。", status="no_evidence", sentences=[]),
        "哪些？": answer(quotes=(B,)),
        "坏了？": ModelFailed(reason=HOSTILE),
        "那呢？": answer(quotes=(C,)),
    }
    cases = folder / "题.jsonl"
    cases.write_text("\n".join(map(json.dumps, LINES)), encoding="utf-8")
    echo = Echo(answers, settings=SimpleNamespace(data_dir=folder))
    evaluate([cases], assistant=echo, out=folder / "out")
    return folder / "out" / "report.html"


@pytest.fixture
def page(browser, report):
    with opened(browser, report.as_uri(), ready="main") as page:
        yield page


def test_file_names_nothing_outside_and_lets_nothing_in(report):
    text = report.read_text(encoding="utf-8")
    page = lxml.html.fromstring(text)
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
    assert not page.xpath("//@src | //@href | //@action | //@style | //img | //link | //iframe")
    assert len(page.xpath("//script")) == len(page.xpath("//style")) == 1
    assert HOSTILE in page.xpath("string(//*[@class='question'][contains(., 'alert')])")  # shown as text


@needs_chromium
def test_summary_says_every_metric_with_its_interval_and_draws_it(page):
    rows = page.locator("section").first.locator(".row")
    shown = [m for m in METRICS.values() if not m.optional]
    assert rows.count() == len(shown)
    assert [rows.nth(i).locator(".name").inner_text().split("（")[0] for i in range(3)] == [
        m.label for m in shown[:3]
    ]
    first = rows.nth(0)
    assert first.locator(".value").inner_text() == "60.0%" and "–" in first.locator(".ends").inner_text()
    bar, track = first.locator("rect.bar").bounding_box(), first.locator("rect.track").bounding_box()
    assert bar["width"] / track["width"] == pytest.approx(0.6, abs=0.01)
    whiskers = first.locator("line.whisker").first.bounding_box()
    assert track["x"] <= whiskers["x"] and whiskers["width"] > 0


@needs_chromium
def test_kinds_are_drawn_and_definitions_and_conditions_given(page):
    assert page.locator(".kinds .row").count() == 6
    assert set(page.locator(".legend").inner_text().split()) == {"通过", "未通过", "出错", "缺标准"}
    text = page.inner_text("main")
    for metric in METRICS.values():
        assert metric.label in text and metric.source in text and metric.range in text
    page.get_by_text("展开").click()
    assert "SHA-256" in page.inner_text("main")


@needs_chromium
def test_case_shows_answer_evidence_and_gold_beside_each_other_highlighted(page):
    case = page.locator(".case").first
    case.locator("summary").first.click()
    columns = case.locator(".columns > div")
    boxes = [columns.nth(i).bounding_box() for i in range(3)]
    assert boxes[0]["y"] == boxes[1]["y"] == boxes[2]["y"] and boxes[0]["x"] < boxes[1]["x"] < boxes[2]["x"]
    assert columns.nth(0).locator("mark").first.inner_text() == "书记"
    assert (
        columns.nth(1).locator("mark").first.inner_text()
        == columns.nth(2).locator("mark").first.inner_text()
        == A
    )
    assert columns.nth(1).locator(".chip").all_inner_texts() == ["相符", "不在标准出处内"]
    assert columns.nth(2).locator("li.said").count() == 2


@needs_chromium
def test_filters_and_search_leave_the_cases_that_fit(page):
    def shown():
        return page.locator(".case:visible").count()

    assert shown() == 6 and page.inner_text("#count") == "显示 6 / 6 题"
    page.select_option("#verdict", "failed")
    assert shown() == 1 and "为什么" in page.locator(".case:visible .question").inner_text()
    page.select_option("#verdict", "")
    page.select_option("#kind", "unanswerable")
    assert shown() == 1
    page.select_option("#kind", "")
    page.fill("#search", "broken")
    assert shown() == 1
    page.fill("#search", "没有这样的字")
    assert shown() == 0 and page.locator("#nothing").is_visible()


@needs_chromium
def test_remarks_are_exported_as_a_table(page, tmp_path):
    page.click("#export")
    assert "还没有批注" in page.inner_text("#count")
    case = page.locator(".case").nth(1)
    case.locator("summary").first.click()
    case.locator("textarea").fill('=1+1，"引号"，\n第二行')
    with page.expect_download() as waiting:
        page.click("#export")
    waiting.value.save_as(tmp_path / "批注.csv")
    with (tmp_path / "批注.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1][0] == "wrong" and rows[1][2] == "未通过" and rows[1][3] == '\'=1+1，"引号"，\n第二行'


@needs_chromium
def test_report_fits_a_phone_and_the_dark_and_can_be_used_with_the_keyboard(browser, report):
    with opened(
        browser, report.as_uri(), ready="main", viewport={"width": 390, "height": 844}, color_scheme="dark"
    ) as page:
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        background = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert sum(map(int, re.findall(r"\d+", background)[:3])) < 150
        page.locator(".case summary").first.focus()
        page.keyboard.press("Enter")
        assert page.locator(".case").first.locator("textarea").is_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    ("text", "spans", "html"),
    [
        ("甲<乙>[1]", [], "甲&lt;乙&gt;<sup>[1]</sup>"),
        ("甲乙丙", [(0, 1), (2, 3)], "<mark>甲</mark>乙<mark>丙</mark>"),
        ("甲&乙", [(0, 2)], "<mark>甲&amp;</mark>乙"),
    ],
)
def test_marks_are_put_around_escaped_text(text, spans, html):
    assert marked(text, spans) == html


def test_plots_stand_alone_and_say_their_numbers(report):
    results = json.loads((report.parent / "results.json").read_text(encoding="utf-8"))
    for drawn in (metrics_svg(results), kinds_svg(results)):
        assert drawn.startswith("<svg xmlns") and "<script" not in drawn and drawn.count("http") == 1
    assert "60.0%　5 题" in metrics_svg(results) and "资料未载" in kinds_svg(results)
    assert (report.parent / "metrics.svg").read_text(encoding="utf-8") == metrics_svg(results)
