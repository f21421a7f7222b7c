"""Chunks: the source rebuilt exactly, within the budget, lists and tables whole, headings beside the text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import tokens
from rag.chunk import MAX_TOKENS, TARGET_TOKENS, chunk, is_evidence
from rag.ingest import make_source
from rag.types import Metadata, Parsed

PIECES = st.sampled_from([
    "第一章 总则\n", "第一条 学校应当保障安全。", "第二条\n", "一、", "（一）加强教育。每周一次。", "1.", "1 .", "篇一、", "目录", "\n", "\n\n",
    "一是落实；二是检查；", "科目 | 课时\n语文 | 7\n", "| 甲 | 乙 |\n|---|---|\n", "下列事项：", "。", "，", "；", " ", "\u3000", "“引文", "”",
    "食堂由总务处管理", "𠮷", "\t", "- 项目\n", "《意见》由会员分享，可在线阅读", "A" * 50, "字" * 400, "，字" * 300, "第五条第二款", "3、",
])  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=200)


def source_of(text, title="办法"):
    return make_source("a.txt", text.encode("utf-8", "replace"), Parsed(text), Metadata(title=title))


def chunks_of(text):
    return chunk(source_of(text), count=tokens.counts)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_chunks_in_order_are_the_text_exactly_and_within_the_budget(text):
    source = source_of(text)
    chunks = chunk(source, count=tokens.counts)
    assert "".join(c.text for c in chunks) == source.clean
    position = 0
    for number, one in enumerate(chunks):
        assert (one.start, one.ordinal, one.text) == (position, number, source.clean[one.start : one.end])
        assert one.end > one.start
        position = one.end
    assert all(size <= MAX_TOKENS + 8 for size in tokens.counts([c.text.strip() for c in chunks]))


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_every_section_lies_in_its_parent_and_every_quote_leads_back(text):
    """Sections nest, and any clean span that was not replaced maps to itself in the original."""
    source = source_of(text)
    trail = []
    for section in source.sections:
        assert 0 <= section.start <= section.body <= section.end <= len(source.clean)
        while trail and trail[-1].end <= section.start:
            trail.pop()
        if section.kind == "body" and trail and trail[-1].kind == "body":
            assert section.end <= trail[-1].end
        trail.append(section)
    for run in source.runs:
        clean = source.clean[run.clean : run.clean + run.length]
        assert clean == source.original[run.original : run.original + run.length]
        if run.length:
            assert source.to_original(run.clean, run.clean + run.length) == (
                run.original, run.original + run.length,
            )  # fmt: skip


def test_a_list_stays_with_the_sentence_that_opens_it():
    filler = "学校每天都要检查食堂和宿舍的安全情况并作记录。" * 8
    opening = "值班教师要做下列事情：\n"
    listed = "".join(f"（{n}）检查第{n}号楼的门窗、用电和消防设施。\n" for n in "一二三四五六七八")
    holding = [c for c in chunks_of(filler + "\n" + opening + listed) if "下列事情" in c.text]
    assert len(holding) == 1 and "第八号楼" in holding[0].text
    assert tokens.count(filler + opening + listed) > TARGET_TOKENS, "packing had to choose"


@pytest.mark.parametrize("mark", ["{0}是", "{0}、", "（{0}）"])
def test_a_short_list_in_one_paragraph_is_one_chunk(mark):
    text = "会议有三项任务：" + "".join(mark.format(n) + "研究学校的重要事项；" for n in "一二三")
    assert len(chunks_of(text)) == 1


def test_a_table_within_the_budget_is_not_cut():
    filler = "学校每天都要检查食堂和宿舍的安全情况并作记录。" * 7 + "\n"
    table = "科目 | 年级 | 课时\n" + "".join(f"语文 | {n}年级 | {n}节\n" for n in range(1, 12))
    holding = [c for c in chunks_of(filler + "表1 课时安排\n" + table) if " | " in c.text]
    assert len(holding) == 1


def test_what_continues_a_long_table_is_indexed_with_its_title_and_header_row():
    rows = "".join(f"第{n}周 | 语文组 | 集体备课第{n}单元 | 三楼会议室\n" for n in range(1, 60))
    table = "表2 教研活动安排\n周次 | 教研组 | 内容 | 地点\n" + rows
    chunks = [c for c in chunks_of(table) if " | " in c.text]
    assert len(chunks) > 2
    assert "周次 教研组 内容 地点" not in chunks[0].heading
    for later in chunks[1:]:
        assert later.heading == "办法 表2 教研活动安排 周次 教研组 内容 地点"
        assert "周次" not in later.text, "what is indexed with a chunk is not part of its quote"


def test_title_and_heading_path_are_indexed_and_not_quoted():
    chunks = chunks_of("第一章 总则\n第一条 学校应当保障安全。\n第二条 教师应当值班。\n")
    last = chunks[-1]
    assert last.heading == "办法 第一章总则 第二条" and last.text == "第二条 教师应当值班。\n"
    assert last.locator == "第二条"


def test_a_sentence_past_the_budget_is_cut_and_nothing_is_lost():
    text = "甲" * 3000
    chunks = chunks_of(text)
    assert "".join(c.text for c in chunks) == text
    assert max(tokens.counts([c.text for c in chunks])) <= MAX_TOKENS


def test_blank_chunks_and_tables_of_contents_are_no_evidence():
    text = "目录\n第一章 总则……1\n第二章 会议……5\n第三章 附则……9\n\n第一章 总则\n第一条 学校应当保障安全。\n"
    chunks = chunks_of(text)
    assert [c for c in chunks if "……5" in c.text and is_evidence(c)] == []
    assert any(is_evidence(c) and "保障安全" in c.text for c in chunks)


def test_a_line_without_end_is_no_header_that_every_chunk_repeats():
    text = "|甲" * 40_000 + "\n"
    source = source_of(text)
    chunks = chunk(source, count=tokens.counts)
    assert "".join(c.text for c in chunks) == source.clean and max(len(c.heading) for c in chunks) < 100
