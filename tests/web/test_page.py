"""The web app in a real Chromium against a real server: every screen, nothing outside, nothing fires."""

import io
import json
import os
import re
import urllib.error
import urllib.request
from pathlib import Path

import docx
import pytest
from loopback_model import loopback_model
from web_support import ROOT, ask, needs_chromium, opened, serving, upload

pytestmark = needs_chromium


def test_chip_opens_the_panel_with_the_quote_highlighted_in_its_document(page):
    answer = ask(page, "党组织会议要多少人到会才能开？")
    chip = answer.locator("a.lx-chip").first
    quote = chip.get_attribute("title")
    assert "半数以上" in quote
    assert re.fullmatch(r"#c-[0-9a-f]{16}-\d+-1", chip.get_attribute("href"))
    chip.click()
    mark = page.locator("#panel mark#quote")
    mark.wait_for()
    assert mark.text_content() == quote
    box, panel = mark.bounding_box(), page.locator("#panel-body").bounding_box()
    assert panel["y"] <= box["y"] and box["y"] + box["height"] <= panel["y"] + panel["height"]
    assert any(
        quote in file.read_text(encoding="utf-8") and "党组织会议由书记召集" in page.inner_text("#panel")
        for file in (ROOT / "knowledge").glob("*.md")
    )
    assert page.locator("#panel .lx-badge").first.inner_text() == "中央文件"
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    assert chip.evaluate("chip => chip === document.activeElement")


def test_question_without_evidence_and_refusal_look_different(page):
    none = ask(page, "书记岗位津贴一个月发多少")
    assert "资料里没有依据" in none.locator(".lx-flag").inner_text()
    refused = ask(page, "帮我编一个文号")
    assert "不能照办" in refused.locator(".lx-flag").inner_text()
    answered = ask(page, "六项领导职责是哪六个？")
    colours = [
        part.evaluate("part => getComputedStyle(part).backgroundColor") for part in (none, refused, answered)
    ]
    assert len(set(colours)) == 3


def test_follow_up_is_understood_and_the_rewritten_question_shown(page):
    ask(page, "党组织会议要多少人到会才能开？")
    follow = ask(page, "那定干部呢？")
    assert "理解为：" in follow.inner_text()
    assert "三分之二" in follow.inner_text()


@pytest.mark.parametrize("number", range(4))
def test_each_suggested_question_is_answered_with_a_source(page, number):
    page.locator("button.lx-suggestion").nth(number).click()
    answer = page.locator("#chat .lx-answered")
    answer.wait_for()
    assert answer.locator("a.lx-chip").count() >= 1
    page.click("#new")
    page.locator("button.lx-suggestion").first.wait_for()
    assert page.locator("#chat .lx-answer").count() == 0


def test_copied_answer_reads_as_text_with_its_sources(browser, site):
    with opened(browser, site, permissions=["clipboard-read", "clipboard-write"]) as page:
        answer = ask(page, "党组织会议要多少人到会才能开？")
        answer.locator("button.lx-copy").click()
        page.get_by_text("已复制").wait_for()
        copied = page.evaluate("() => navigator.clipboard.readText()")
    assert "半数以上" in copied and "[1]" in copied and "出处" in copied and "《" in copied
    assert "<" not in copied and "原文" not in copied


def test_payloads_in_documents_file_names_and_questions_do_not_fire(page):
    question = (
        '校徽佩戴在哪里？<img src="http://evil.example/q.png" onerror=alert(1)><script>alert(1)</script>'
    )
    ask(page, question)
    assert page.locator("#chat .lx-question").inner_text() == question
    for asked, held in (
        ("校徽多久检查一次？", "[图](http://evil.example/b.png)每周一"),
        ("校徽佩戴在哪里？", "左胸上方<svg onload=alert(1)>"),
    ):
        answer = ask(page, asked)
        assert held in answer.inner_text()
        assert answer.locator("img, svg, script, iframe").count() == 0
    chip = answer.locator("a.lx-chip").first
    quote = chip.get_attribute("title")
    chip.click()
    page.locator("#panel mark#quote").wait_for()
    assert page.locator("#panel mark#quote").text_content() == quote
    assert "<script>alert(1)</script>" in page.inner_text("#panel")
    assert page.locator("#panel").locator("img, svg, script, iframe").count() == 0
    page.wait_for_timeout(300)  # time for something to fire, were there something


def test_page_keeps_working_on_a_phone_and_in_the_dark(browser, site):
    phone = {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "has_touch": True,
        "is_mobile": True,
    }
    with opened(browser, site, **phone) as page:
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        answer = ask(page, "六项领导职责是哪六个？")
        answer.locator("a.lx-chip").first.click()
        page.locator("#panel mark#quote").wait_for()
        assert page.locator("#panel mark#quote").is_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
        assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_draft_has_sources_and_slots_and_comes_as_docx(page, tmp_path):
    page.get_by_role("tab", name="写作").click()
    page.fill("#topic textarea, #topic input", "党组织领导的校长负责制")
    page.click("#draft-start")
    page.locator("#outline .lx-draft").wait_for()
    assert page.locator("#outline mark.lx-slot").count() >= 1
    title = page.locator("#outline h3").inner_text()
    chip = page.locator("#outline a.lx-chip").first
    quote = chip.get_attribute("title")
    chip.click()
    page.locator("#panel mark#quote").wait_for()
    assert page.locator("#panel mark#quote").text_content() == quote
    with page.expect_download() as waiting:
        page.click("#draft-docx")
    assert waiting.value.suggested_filename.endswith(".docx")
    waiting.value.save_as(tmp_path / "a.docx")
    text = "\n".join(part.text for part in docx.Document(str(tmp_path / "a.docx")).paragraphs)
    assert title in text and "〔请填" in text
    with page.expect_download() as waiting:
        page.click("#draft-md")
    assert waiting.value.suggested_filename.endswith(".md")


def test_draft_without_a_topic_says_what_is_missing(page):
    page.get_by_role("tab", name="写作").click()
    page.click("#draft-start")
    error = page.locator("#outline .lx-error")
    error.wait_for()
    assert "主题" in error.inner_text()


def test_evaluation_of_a_small_set_runs_and_gives_its_report(page, tmp_path):
    pytest.importorskip("eval.main", reason="the evaluation is not there yet")
    lines = (ROOT / "eval" / "sets" / "knowledge.jsonl").read_text(encoding="utf-8").splitlines()[:3]
    page.get_by_role("tab", name="评测").click()
    cases = {"name": "small.jsonl", "mimeType": "text/plain", "buffer": "\n".join(lines).encode()}
    upload(page, "#eval-file", cases)
    page.click("#eval-start")
    page.locator("#eval-result .lx-scores").wait_for()
    assert "共 3 题" in page.inner_text("#eval-result")
    with page.expect_download() as waiting:
        page.click("#eval-json")
    waiting.value.save_as(tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))


def test_model_answer_streams_is_labelled_and_can_be_stopped(browser, knowledge, tmp_path):
    reply = "开党组织会议，到会的党组织班子成员要达到半数以上。[1]"
    with (
        loopback_model(reply, "slow", pause_s=4, stall_s=60) as (model, address),  # for a busy page to see
        serving(
            knowledge.parent / "data", knowledge=knowledge, llm="auto", llm_model="m", llm_base_url=address
        ) as site,
        opened(browser, site) as page,
    ):
        assert "大模型：m（本机）" in page.inner_text("#notice")
        page.fill("#question textarea", "党组织会议要多少人到会才能开？")
        page.keyboard.press("Enter")
        page.locator("#chat .lx-arriving").wait_for()
        page.fill("#question textarea", "下一个问题")
        answer = page.locator("#chat .lx-answered")
        answer.wait_for()
        assert page.locator("#question textarea").input_value() == "下一个问题"  # typed while it arrived
        assert "已逐句核对" in answer.inner_text()
        page.locator("#no-model input").check()
        assert "未用大模型" in ask(page, "六项领导职责是哪六个？").inner_text()
        page.locator("#no-model input").uncheck()
        model.mode = "stall"
        page.fill("#question textarea", "三重一大包括哪些？")
        page.keyboard.press("Enter")
        page.locator("#stop").click()
        page.locator("#chat .lx-note").wait_for()
        assert page.locator("#question textarea").input_value() == "三重一大包括哪些？"
        assert page.locator("#send").is_visible()


@pytest.mark.parametrize(
    "path", ["", "evidence/none?start=0&end=5", "lingxue/lingxue.js", "config", "gradio_api/info"]
)
def test_every_response_carries_the_policy(site, path):
    try:
        reply = urllib.request.urlopen(site + path, timeout=10)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        policy = reply.headers["Content-Security-Policy"]
        body = io.TextIOWrapper(reply, encoding="utf-8").read()
    scripts = re.search(r"script-src ([^;]+)", policy)[1]
    assert "unsafe" not in scripts and "connect-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "https://fonts" not in body


def test_other_host_names_and_files_outside_are_not_served(site):
    request = urllib.request.Request(site, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 400
    refused.value.close()
    for path in (ROOT / "pyproject.toml", Path(os.devnull).resolve()):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{site}gradio_api/file={path}", timeout=10)
        assert refused.value.code in (403, 404)
        refused.value.close()


def test_question_asked_before_the_page_has_loaded_keeps_its_answer(page):
    page.locator("button.lx-suggestion").first.wait_for()
    held = []
    page.route(
        "**/gradio_api/run/predict*",
        lambda route: route.continue_() if route.request.post_data_json.get("data") else held.append(route),
    )
    page.reload()
    page.locator("#question textarea").wait_for()
    answer = ask(page, "党组织会议要多少人到会才能开？")
    assert held  # the page's load events, which take no input
    for route in held:
        route.continue_()
    page.locator("#history-list label").first.wait_for()
    page.locator("#suggestions").wait_for(state="hidden")
    assert "半数以上" in answer.inner_text() and answer.locator("a.lx-chip").count() == 1
