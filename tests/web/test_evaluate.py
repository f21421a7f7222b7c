"""The 评测 screen in a real Chromium: run, watch, stop, open the report, compare, look into retrieval."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

import openpyxl
import pytest
from web_support import ROOT, ask, needs_chromium, opened
from web_support import upload as give

from rag.web.evaluate import TITLES, bundled_sets

CASES = (ROOT / "eval" / "sets" / "knowledge.jsonl").read_text(encoding="utf-8").splitlines()
pytestmark = needs_chromium


def test_every_bundled_set_is_offered_under_a_name_for_teachers():
    assert set(bundled_sets()) == set(TITLES)


@contextmanager
def screen(browser, site, part="评测"):
    with opened(browser, site) as page:
        page.get_by_role("tab", name="评测").first.click()
        if part != "评测":
            page.get_by_role("tab", name=part).click()
        yield page


def upload(page, name, lines):
    give(page, "#eval-file", {"name": name, "mimeType": "text/plain", "buffer": "\n".join(lines).encode()})


def numbered(count):
    """The bundled cases, as many as are wanted, under other ids."""
    return [json.dumps({**json.loads(CASES[i % len(CASES)]), "id": str(i)}) for i in range(count)]


def started(page):
    page.click("#eval-start")
    page.locator("#eval-result .lx-progress, #eval-result .lx-scores").first.wait_for()


def test_run_shows_its_plots_and_opens_its_report(browser, site):
    with screen(browser, site) as page:
        upload(page, "small.jsonl", CASES[1:4])
        started(page)
        page.locator("#eval-result .lx-scores").wait_for()
        assert "共 3 题" in page.inner_text("#eval-result")
        plots = page.locator("#eval-result img.lx-plot")
        page.wait_for_function(
            "() => [...document.querySelectorAll('#eval-result img')].every(i => i.naturalWidth > 300)"
        )
        assert plots.count() == 2 and "95% 区间" in plots.first.get_attribute("alt")
        with page.context.expect_page() as waiting:
            page.click("#eval-html")
        report = waiting.value
        report.locator("h1", has_text="领学评测报告").wait_for()
        report.locator(".case summary").first.click()
        assert report.locator(".case").first.locator("mark").count() >= 1
        assert report.inner_text("#count") == "显示 3 / 3 题"  # its own script runs under its own policy


def test_running_set_tells_the_time_left_and_can_be_stopped_and_continued(browser, site):
    with screen(browser, site) as page:
        upload(page, "long.jsonl", numbered(3000))
        page.click("#eval-start")
        page.get_by_text(re.compile(r"评测：[1-9]\d* / 3000　还要约 \d+ [分秒]")).wait_for()
        page.click("#eval-stop")
        page.locator("#eval-result .lx-scores").wait_for()
        told = page.inner_text("#eval-result")
        done = int(re.search(r"共 (\d+) 题", told)[1])
        assert "已停止" in told and 0 < done < 3000
        page.click("#eval-start")
        progress = page.get_by_text(re.compile(r"评测：\d+ / 3000"))
        progress.wait_for()
        assert (
            int(re.search(r"评测：(\d+)", progress.inner_text())[1]) >= done
        )  # what was done is not done again
        page.click("#eval-stop")
        page.locator("#eval-result .lx-scores").wait_for()


def test_two_runs_are_compared_with_a_plot(browser, site):
    for _ in range(2):
        with screen(browser, site) as page:
            upload(page, "two.jsonl", CASES[:12])
            page.click("#eval-start")
            page.get_by_text("共 12 题").wait_for()
    with screen(browser, site) as page:
        page.get_by_role("tab", name="比较两次").click()
        page.wait_for_function(
            "() => document.querySelector('#compare-after input').value.includes('two.jsonl')"
        )
        page.click("#compare-start")
        page.locator("#compare-result .lx-scores").wait_for()
        told = page.inner_text("#compare-result")
        assert "共同的题 12 道" in told and "变坏的题：0 道" in told and "显著变坏" not in told
        page.wait_for_function("() => document.querySelector('#compare-result img').naturalWidth > 300")


def test_faulty_set_is_told_by_row_and_nothing_is_run(browser, site):
    with screen(browser, site) as page:
        upload(page, "bad.jsonl", [CASES[0], '{"id": 1}', "no"])
        page.click("#eval-start")
        error = page.locator("#eval-result .lx-error")
        error.wait_for()
        assert "bad.jsonl 第 2 行有误" in error.inner_text() and "第 3 行" in error.inner_text()
        assert page.locator("#eval-start").is_visible()


def test_template_is_downloaded_and_what_was_marked_in_the_chat_becomes_a_set(browser, site, tmp_path):
    with screen(browser, site) as page:
        with page.expect_download() as waiting:
            page.get_by_text("下载题集模板").click()
        waiting.value.save_as(tmp_path / "t.xlsx")
        assert openpyxl.load_workbook(tmp_path / "t.xlsx").worksheets[0]["A1"].value == "id"
        page.get_by_role("tab", name="问答").click()
        answer = ask(page, "六项领导职责是哪六个？")
        answer.locator("button.lx-up").click()
        page.locator("#chat .lx-given").wait_for()
        page.get_by_role("tab", name="评测").first.click()
        with page.expect_download() as waiting:
            page.get_by_text("导出问答里赞、踩过的题").click()
        waiting.value.save_as(tmp_path / "c.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "c.xlsx").worksheets[0]
    rows = {row[3]: row[5] for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert "领导职责" in rows["六项领导职责是哪六个？"]
    with screen(browser, site) as page:
        page.locator("#eval-set input").click()
        page.get_by_text(re.compile(r"问答里收集的题（\d+ 题）")).click()
        started(page)
        page.locator("#eval-result .lx-scores").wait_for()
        assert f"共 {len(rows)} 题" in page.inner_text("#eval-result")


def test_lab_shows_every_stage_with_ranks_scores_and_the_reason(browser, site):
    with screen(browser, site, "检索台") as page:
        page.fill("#lab-question textarea, #lab-question input", "党组织会议要多少人到会才能开？")
        page.click("#lab-start")
        page.locator("#lab-result .lx-scores").wait_for()
        told = page.inner_text("#lab-result")
        for part in ("问的是：多少", "会回答", "能答的把握", "挑出的句子", "字词", "语义", "第 1"):
            assert part in told, part
        page.fill("#lab-question textarea, #lab-question input", "书记岗位津贴一个月发多少？")
        page.click("#lab-start")
        page.get_by_text("不回答，说“资料里没有依据”").wait_for()
        page.fill("#lab-question textarea, #lab-question input", " ")
        page.click("#lab-start")
        page.locator("#lab-result .lx-error").wait_for()


def serious(page):
    """The serious violations of what is shown now, as axe-core tells them."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing"
    )
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    worst = [violation for violation in found if violation["impact"] in ("serious", "critical")]
    return [f"{v['id']}: {node['target']} {node['failureSummary']}" for v in worst for node in v["nodes"]]


@pytest.mark.parametrize(
    "look", [{}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}, "is_mobile": True}],
    ids=["light", "dark", "phone"],
)  # fmt: skip
def test_evaluation_comparison_lab_and_report_can_be_read_by_everybody(browser, site, look):
    found = {}
    with opened(browser, site, bypass_csp=True, **look) as page:
        page.get_by_role("tab", name="评测").first.click()
        upload(page, "axe.jsonl", CASES[:4])
        page.click("#eval-start")
        page.locator("#eval-result .lx-scores").wait_for()
        page.locator("#eval-result summary").click()
        page.wait_for_timeout(400)
        found["run"] = serious(page)
        report = page.get_attribute("#eval-html", "href")
        page.get_by_role("tab", name="比较两次").click()
        page.wait_for_function(
            "() => document.querySelector('#compare-after input').value.includes('axe.jsonl')"
        )
        page.click("#compare-start")
        page.locator("#compare-result .lx-answer").wait_for()
        found["compare"] = serious(page)
        page.get_by_role("tab", name="检索台").click()
        page.fill("#lab-question textarea, #lab-question input", "三重一大包括哪些？")
        page.click("#lab-start")
        page.locator("#lab-result .lx-scores").wait_for()
        found["lab"] = serious(page)
        assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
        page.goto(f"{site}{report}")
        page.locator(".case summary").first.click()
        found["report"] = serious(page)
    assert not any(found.values()), "\n".join(
        f"{name}: {one}" for name, all_ in found.items() for one in all_
    )


@pytest.mark.parametrize(
    "path",
    ["evaluation/runs/none/report.html", "evaluation/runs/..%2F..%2Fx/run.json", "evaluation/compare.svg?before=a&after=b",
     "evaluation/runs/RUN/run.jsonl", "evaluation/runs/RUN/..%2Frun.json"],
)  # fmt: skip
def test_only_known_files_of_filed_runs_are_served(site, knowledge, path):
    runs = sorted((knowledge.parent / "data" / "evaluations").glob("20*"))
    path = path.replace("RUN", urllib.parse.quote(runs[0].name) if runs else "none")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(site + path, timeout=10)
    assert refused.value.code == 404
    refused.value.close()
