"""Whole ways through the app in a real Chromium: conversations, documents, settings, two people at once."""

import io
import json
import re
import urllib.request

import docx
import pytest
from loopback_model import loopback_model
from web_support import (
    PASSWORD,
    add_user,
    ask,
    free_port,
    log_in,
    needs_chromium,
    opened,
    own_address,
    serving,
)

pytestmark = needs_chromium
QUESTION = "党组织会议要多少人到会才能开？"


def tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()


def listed(page):
    return page.locator("#history-list label")


def test_conversation_with_its_citations_comes_back_after_a_reload_and_in_another_tab(page, browser, site):
    answer = ask(page, QUESTION)
    words = answer.locator(".lx-text").inner_text()
    page.wait_for_url(re.compile(r"\?c=[0-9a-f]{16}"))
    page.reload()
    again = page.locator("#chat .lx-answered")
    again.wait_for()
    assert again.locator(".lx-text").inner_text() == words
    quote = again.locator("a.lx-chip").first.get_attribute("title")
    again.locator("a.lx-chip").first.click()
    page.locator("#panel mark#quote").wait_for()
    assert page.locator("#panel mark#quote").text_content() == quote
    with opened(browser, page.url) as other:
        other.locator("#chat .lx-answered").wait_for()
        follow = ask(other, "那定干部呢？")
        assert "三分之二" in follow.inner_text()


def test_conversations_are_found_renamed_removed_and_brought_back(page):
    ask(page, "三重一大包括哪些？")
    page.fill("#history-title textarea, #history-title input", "重大事项")
    page.click("#history-rename")
    page.locator("#history-list label", has_text="重大事项").wait_for()
    page.click("#new")
    page.locator("#chat .lx-answer").wait_for(state="detached")
    ask(page, "六项领导职责是哪六个？")
    page.fill("#history-search textarea, #history-search input", "重大事项")
    page.wait_for_function("() => document.querySelectorAll('#history-list label').length === 1")
    listed(page).first.click()
    page.locator("#chat .lx-question", has_text="三重一大").wait_for()
    page.click("#history-remove")
    page.locator("#history-undo").wait_for()
    page.wait_for_function("() => document.querySelectorAll('#history-list label').length === 0")
    page.click("#history-undo")
    page.locator("#chat .lx-question", has_text="三重一大").wait_for()
    assert listed(page).first.inner_text() == "重大事项"


def test_question_is_changed_in_its_place_and_answered_again(page):
    ask(page, "六项领导职责是哪六个？")
    page.click("#edit")
    box = page.locator("#question textarea")
    page.wait_for_function("() => document.querySelector('#question textarea').value.includes('六项')")
    box.fill(QUESTION)
    page.keyboard.press("Enter")
    page.locator("#chat .lx-question", has_text="多少人到会").wait_for()
    page.locator("#chat .lx-answered").wait_for()
    assert page.locator("#chat .lx-question").count() == 1
    page.click("#again")
    page.locator("#chat .lx-working").wait_for(state="detached")
    page.locator("#chat .lx-answered", has_text="半数以上").wait_for()
    assert page.locator("#chat .lx-question").count() == 1


def test_opinion_with_its_reason_is_kept_and_becomes_a_case(page, site):
    answer = ask(page, "书记和校长意见谈不拢，还上不上会？")
    answer.locator(".lx-down").click()
    page.get_by_label("漏了内容").check()
    page.get_by_role("button", name="提交").click()
    page.locator("#chat .lx-down.lx-given").wait_for()
    page.reload()
    page.locator("#chat .lx-down.lx-given").wait_for()
    with urllib.request.urlopen(f"{site}settings/feedback.jsonl") as reply:
        cases = [json.loads(line) for line in reply.read().decode().splitlines()]
    assert any(case["question"] == "书记和校长意见谈不拢，还上不上会？" for case in cases)


def test_conversation_is_taken_away_as_a_word_file(page):
    ask(page, QUESTION)
    with page.expect_download() as waiting:
        page.get_by_text("导出 Word").click()
    assert waiting.value.suggested_filename.endswith(".docx")
    text = "\n".join(p.text for p in docx.Document(io.BytesIO(waiting.value.path().read_bytes())).paragraphs)
    assert QUESTION in text and "半数以上" in text and "[1] 《" in text


def test_files_are_uploaded_told_one_by_one_and_answered_from(page):
    tab(page, "资料库")
    page.locator("#at-library table.lx-list").first.wait_for()
    good = {
        "name": "值周.txt",
        "mimeType": "text/plain",
        "buffer": "值周办法\n\n值周教师早上七点到岗。\n".encode(),
    }
    empty = {"name": "空.txt", "mimeType": "text/plain", "buffer": b""}
    wrong = {"name": "<img src=x onerror=alert(1)>.exe", "mimeType": "text/plain", "buffer": b"MZ"}
    page.locator("#at-library .lx-upload input").set_input_files([good, empty, wrong])
    page.get_by_text("读完了").wait_for()
    told = page.inner_text("#at-library")
    assert "新增" in told and "空.txt" in told and "文件是空的" in told and "不支持这种格式" in told
    tab(page, "问答")
    assert "七点" in ask(page, "值周教师早上几点到岗？").inner_text()
    tab(page, "资料库")
    row = page.locator("#at-library tr", has_text="值周.txt")
    row.get_by_role("button", name="删除").click()
    page.get_by_role("button", name="撤销删除").wait_for()
    assert row.count() == 0
    page.get_by_role("button", name="撤销删除").click()
    page.get_by_text("已恢复").wait_for()
    row.get_by_role("button", name="删除").click()
    page.get_by_role("button", name="撤销删除").wait_for()


def test_document_is_previewed_and_what_is_known_of_it_corrected(page):
    tab(page, "资料库")
    page.locator("#at-library a", has_text="党支部组织生活").click()
    page.locator("#at-library .lx-beside").wait_for()
    assert page.locator("#at-library .lx-tree a").count() > 3
    page.locator("#at-library summary", has_text="修改资料信息").click()
    page.fill("#f-collection", "党建")
    page.locator("#at-library button", has_text="保存").click()
    page.get_by_text("已保存").wait_for()
    page.reload()
    page.locator("#collection").wait_for()
    page.locator("#collection input").click()
    page.get_by_role("option", name="党建").click()
    assert "资料里没有依据" in ask(page, "六项领导职责是哪六个？").inner_text()


def test_model_is_set_tried_and_used_without_showing_its_key(browser, knowledge, tmp_path):
    with (
        loopback_model("开党组织会议，到会的党组织班子成员要达到半数以上。[1]", "slow") as (_, address),
        serving(tmp_path / "data", knowledge=knowledge) as site,
        opened(browser, site) as page,
    ):
        tab(page, "设置")
        page.fill("#f-llm_base_url", address)
        page.fill("#f-llm_model", "m")
        page.fill("#f-llm_api_key", "sk-geheim")
        page.get_by_role("button", name="保存并试一下").click()
        page.get_by_text("有回应：").wait_for()
        assert "sk-geheim" not in page.content()
        page.reload()
        page.locator("#no-model").wait_for()
        assert "已逐句核对" in ask(page, QUESTION).inner_text()


def test_personal_numbers_are_asked_about_before_they_leave_this_computer(browser, knowledge, tmp_path):
    reply = "开党组织会议，到会的党组织班子成员要达到半数以上。[1]"
    private = f"{QUESTION}我的身份证号是11010519491231002X"
    with loopback_model(reply, host="0.0.0.0") as (model, address):
        outside = address.replace("127.0.0.1", own_address())
        settings = {"llm_base_url": outside, "llm_model": "m"}
        with (
            serving(tmp_path / "data", knowledge=knowledge, **settings) as site,
            opened(browser, site) as page,
        ):
            held = ask(page, private).inner_text()
            assert "还没有发送" in held and "身份证号 110*************2X" in held and own_address() in held
            page.reload()  # the choice is still there
            page.locator("#held-send").wait_for(timeout=30_000)
            page.click("#held-extract")
            page.locator("#chat .lx-answered", has_text="未用大模型").wait_for(timeout=30_000)
            assert page.locator("#held-send").is_hidden() and not model.requests
            page.click("#new")
            page.locator("#chat .lx-answer").wait_for(state="detached")
            ask(page, private)
            page.click("#held-send")
            page.locator("#chat .lx-answered", has_text="已逐句核对").wait_for(timeout=30_000)
            assert (
                "11010519491231002X" in str(model.requests)
                and page.locator("#chat .lx-question").count() == 1
            )


@pytest.fixture(scope="module")
def shared_data(knowledge, tmp_path_factory):
    data = tmp_path_factory.mktemp("shared") / "data"
    add_user(data, "校长", admin=True)
    add_user(data, "王老师")
    return data


def test_two_people_at_once_see_only_their_own_and_stay_logged_in_over_a_restart(
    browser, knowledge, shared_data
):
    port = free_port()
    settings = {"knowledge": knowledge, "port": port, "host": "0.0.0.0"}
    with (
        serving(shared_data, **settings) as site,
        opened(browser, site, ready="#name") as head,
        opened(browser, site, ready="#name") as teacher,
    ):
        log_in(head, "校长", PASSWORD)
        log_in(teacher, "王老师", PASSWORD)
        ask(head, QUESTION)
        ask(teacher, "三重一大包括哪些？")
        assert listed(head).all_inner_texts() == [QUESTION]
        assert listed(teacher).all_inner_texts() == ["三重一大包括哪些？"]
        stolen = re.search(r"c=[0-9a-f]+", head.url)[0]
        teacher.goto(f"{site}?{stolen}")
        teacher.locator("button.lx-suggestion").first.wait_for()
        assert teacher.locator("#chat .lx-answer").count() == 0
        tab(teacher, "资料库")
        teacher.locator("#at-library table.lx-list").wait_for()
        assert teacher.locator("#at-library .lx-upload").count() == 0
        tab(teacher, "设置")
        teacher.get_by_text("我的账号").wait_for()
        assert teacher.locator("#f-llm_model").count() == 0
        state = head.context.storage_state()
    with serving(shared_data, **settings) as site, opened(browser, site, storage_state=state) as head:
        listed(head).first.wait_for()
        assert listed(head).all_inner_texts() == [QUESTION]
        tab(head, "设置")
        head.get_by_role("button", name="退出登录").click()
        head.locator("#name").wait_for()
        head.goto(site)
        assert head.url.endswith("/login")
