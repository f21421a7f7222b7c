"""The 写作 screen in a real browser: five questions, evidence, edits with undo, kept drafts, full text, the check."""

import re

import docx
from loopback_model import loopback_model
from web_support import needs_chromium, opened, serving, upload

pytestmark = needs_chromium
EVENT = "上周三党组织会议前我和校长谈了半小时，方案改了两处。"


def write(page, topic="党组织领导的校长负责制", event=""):
    page.get_by_role("tab", name="写作").click()
    page.fill("#topic textarea, #topic input", topic)
    if event:
        page.fill("#event textarea", event)
    page.click("#draft-start")
    page.locator("#outline .lx-draft").wait_for()


def choose(page, name):
    page.locator("#draft-place input").click()
    page.get_by_role("option", name=name).first.click()


def headings(page):
    return [re.sub(r"^.+?、|\s*约.*", "", text) for text in page.locator("#outline h4").all_inner_texts()]


def test_an_outline_is_edited_undone_kept_and_opened_again(page):
    write(page)
    before = headings(page)
    for number, name in (("二", before[1]), ("一", before[0])):  # each choice has arrived before one types
        choose(page, f"{number}、{name}")
        page.wait_for_function(
            "name => document.querySelector('#draft-words textarea').value === name", arg=name
        )
    page.fill("#draft-words textarea", "我换的标题")
    page.click("#draft-reword")
    page.locator("#outline h4", has_text="我换的标题").wait_for()
    page.click("#draft-down")
    page.wait_for_function(
        "() => document.querySelectorAll('#outline h4')[1].innerText.includes('我换的标题')"
    )
    page.click("#draft-undo")
    page.wait_for_function(
        "() => document.querySelectorAll('#outline h4')[0].innerText.includes('我换的标题')"
    )
    page.click("#draft-undo")
    page.wait_for_function(
        "name => document.querySelectorAll('#outline h4')[0].innerText.includes(name)", arg=before[0]
    )
    page.click("#draft-redo")
    page.locator("#outline h4", has_text="我换的标题").wait_for()
    page.reload()
    page.get_by_role("tab", name="写作").click()
    page.locator("#draft-kept input").click()
    page.get_by_role("option").first.click()
    page.locator("#outline h4", has_text="我换的标题").wait_for()
    page.click("#draft-remove")
    page.locator("#outline", has_text="已删除").wait_for()


def test_evidence_stands_beside_its_point_and_can_be_changed(page):
    write(page)
    point = page.locator("#outline .lx-point", has=page.locator(".lx-policy")).first
    point.locator("summary").click()
    quote = point.locator("blockquote").inner_text()
    assert quote == point.locator("a.lx-chip").get_attribute("title")
    page.locator("#draft-place input").click()
    page.get_by_role("option", name="依据｜").first.click()
    page.click("#draft-evidence")
    page.wait_for_function(
        "old => document.querySelector('#outline .lx-point blockquote').textContent !== old", arg=quote
    )


def test_without_an_event_it_says_that_only_an_outline_is_made_and_bad_input_is_told(page):
    write(page)
    assert "只出提纲" in page.locator("#outline .lx-warnings").inner_text()
    page.fill("#length textarea, #length input", "很长")
    page.click("#draft-start")
    page.locator("#outline .lx-error", has_text="看不懂篇幅").wait_for()


def test_footnotes_and_plain_text_come_as_files(page, tmp_path):
    write(page, event=EVENT)
    for key, suffix in (("draft-notes", ".docx"), ("draft-txt", ".txt")):
        with page.expect_download() as waiting:
            page.click(f"#{key}")
        waiting.value.save_as(tmp_path / f"a{suffix}")
    assert EVENT in (tmp_path / "a.txt").read_text(encoding="utf-8")
    assert any(EVENT in p.text for p in docx.Document(str(tmp_path / "a.docx")).paragraphs)


def test_a_pasted_draft_is_checked_with_places_reasons_and_suggestions(page):
    page.get_by_role("tab", name="写作").click()
    page.get_by_role("tab", name="查稿").click()
    page.locator("#check-role input").click()
    page.get_by_role("option", name="普通教师").click()
    page.fill(
        "#check-text textarea",
        "<img src=x onerror=alert(1)>\n作为一名共产党员，我认为党组织对校长负责。\n要进一步提高认识，狠抓落实。",
    )
    page.click("#check-start")
    page.locator("#check-result .lx-check").wait_for()
    said = page.inner_text("#check-result")
    assert "第 2 行" in said and "领导关系写反" in said and "空话" in said and "建议" in said
    assert "不保证通过" in said


def test_drafts_that_are_alike_are_named(page, tmp_path):
    page.get_by_role("tab", name="写作").click()
    page.get_by_role("tab", name="查稿").click()
    same = "我在办公室门口挂了一块小黑板，谁有不会的题就写上去，第一周只有两道，第三周写满了。"
    for name in ("甲.txt", "乙.md"):
        (tmp_path / name).write_text(f"{name}的开头不一样。\n{same}", encoding="utf-8")
    upload(page, "#check-files", [tmp_path / "甲.txt", tmp_path / "乙.md"], count=2)
    page.click("#check-start")
    page.locator("#check-result", has_text="雷同的稿件").wait_for()
    assert "甲.txt 与 乙.md" in page.inner_text("#check-result")


def test_an_outline_is_written_out_stopped_and_gone_on_with(browser, knowledge, tmp_path):
    reply = "我和校长谈了半小时，方案改了两处。"
    with (
        loopback_model(reply, "slow", pause_s=4) as (model, address),
        serving(
            tmp_path / "data", knowledge=knowledge, llm_provider="openai", llm_model="m",
            llm_base_url=address, llm_api_key="k",
        ) as home,
        opened(browser, home) as page,
    ):  # fmt: skip
        page.get_by_role("tab", name="写作").click()
        page.get_by_label("只用资料摘录").last.check()
        write(page, event=EVENT)
        page.locator("#draft-full button").first.click()
        page.click("#draft-expand")
        page.locator("#draft-text h4", has_text="正在写").wait_for()
        page.locator("#draft-text p", has_text="方案改了两处").first.wait_for()
        page.click("#draft-stop")
        page.locator("#draft-note", has_text="已停").wait_for()
        assert page.locator("#draft-text h4").count() in (1, 2) and "正在写" not in page.inner_text(
            "#draft-text"
        )
        asked = len(model.requests)
        page.click("#draft-expand")
        count = len(headings(page))
        page.wait_for_function(
            "n => document.querySelectorAll('#draft-text h4').length === n"
            " && !document.querySelector('#draft-text').innerText.includes('正在写')",
            arg=count,
        )  # fmt: skip
        assert len(model.requests) < asked + count  # what was written is not written again
