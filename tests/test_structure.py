"""Sections and locators: every numbering, what is a heading and what is not, where a place stands."""

import pytest

from rag.headings import find_headings
from rag.structure import Locator, structure
from rag.types import Block

CHARTER = """花园中学章程

第一编 总则

第一章 办学宗旨

第一节 一般规定

第一条 为了办好学校，制定本章程。

第二条 学校应当：
（一）保障安全；
（二）依照第五条（三）的规定办事：
1.写明事项；
2.写明时间。
校长负责落实。

第二节 其他规定

第十二条之一 依照本章程第二条办理。

第二编 分则
第二章 会议
第20条 会议每月召开。
第五条所称会议，是指校务会议。
"""
NOTICE = """关于做好安全工作的通知

各学校：
现将有关事项通知如下。
一、总体要求
坚持安全第一。
二、主要任务
（一）加强教育。每周上一次安全课，由班主任负责，学校检查落实情况。
（二）开展检查
1.教室检查
每周一次。
（1）看门窗
坏了就修。
三、怎么落实？
一是落实责任；二是加强督查；三是及时报告。
"""


def outline(text):
    return [(section.label, section.title, section.locator) for section in structure(text).sections]


def test_parts_chapters_sections_and_articles_nest_and_articles_stand_alone_in_locators():
    assert outline(CHARTER) == [
        ("第一编", "总则", "第一编"),
        ("第一章", "办学宗旨", "第一编·第一章"),
        ("第一节", "一般规定", "第一编·第一章·第一节"),
        ("第一条", "", "第一条"),
        ("第二条", "", "第二条"),
        ("第二节", "其他规定", "第一编·第一章·第二节"),
        ("第十二条之一", "", "第十二条之一"),
        ("第二编", "分则", "第二编"),
        ("第二章", "会议", "第二编·第二章"),
        ("第20条", "", "第20条"),
    ]
    assert structure(CHARTER).title == "花园中学章程"


@pytest.mark.parametrize(
    ("place", "locator"),
    [
        ("学校应当", "第二条第一款"),
        ("保障安全", "第二条第一款（一）"),
        ("规定办事", "第二条第一款（二）"),
        ("写明事项", "第二条第一款（二）1."),
        ("写明时间", "第二条第一款（二）2."),
        ("校长负责", "第二条第二款"),
        ("为了办好", "第一条"),
    ],
)
def test_a_place_in_an_article_is_told_by_paragraph_item_and_point(place, locator):
    position = CHARTER.index(place)
    section = [s for s in structure(CHARTER).sections if s.start <= position < s.end][-1]
    assert Locator(CHARTER, section).at(position) == locator


def test_items_within_one_line_are_told_too_and_references_are_no_items():
    text = "办法\n\n第三条 学校应当：（一）依照第九条（四）办理；（二）每月报告。\n"
    section = next(s for s in structure(text).sections if s.label == "第三条")
    assert Locator(text, section).at(text.index("办理")) == "第三条（一）"
    assert Locator(text, section).at(text.index("每月")) == "第三条（二）"


def test_the_numberings_of_notices_nest_with_their_titles():
    assert outline(NOTICE) == [
        ("一、", "总体要求", "一、"),
        ("二、", "主要任务", "二、"),
        ("（一）", "加强教育", "二、（一）"),
        ("（二）", "开展检查", "二、（二）"),
        ("1.", "教室检查", "二、（二）1."),
        ("（1）", "看门窗", "二、（二）1.（1）"),
        ("三、", "怎么落实？", "三、"),
    ]


def test_a_heading_glued_to_its_paragraph_leaves_the_paragraph_as_body():
    section = next(s for s in structure(NOTICE).sections if s.title == "加强教育")
    assert NOTICE[section.body : section.end].strip().startswith("每周上一次安全课")


@pytest.mark.parametrize(
    "line",
    [
        "依照第五条的规定办理。",
        "第五条的规定不适用。",
        "第五条第二款规定的除外。",
        "第五条至第七条适用于教师。",
        "第五条另有规定的除外。",
        "第五条中所说的会议，每月召开。",
    ],
)
def test_a_cross_reference_is_no_heading(line):
    assert find_headings(f"第一条 甲。\n{line}\n")[1:] == []


def test_a_list_opened_by_a_colon_is_no_row_of_headings():
    text = "值班教师要做三件事：\n（一）看门。\n（二）看灯。\n（三）看水。\n"
    assert structure(text).sections == ()


def test_run_on_text_is_parted_where_numbers_ascend_from_one():
    body = "各校要把安全工作摆在首位，落实到人，检查到位，不留死角。" * 6
    text = f"一、为什么要检查？{body}二、谁来检查？由书记和校长负责，依照第五条的规定报告。三、其他事项{body}"
    found = structure(text).sections
    assert [s.label for s in found] == ["一、", "二、", "三、"]
    assert [s.title for s in found][:2] == ["为什么要检查？", "谁来检查？"]
    assert text[found[1].body :].startswith("由书记和校长负责")


def test_a_year_or_a_decimal_at_a_lines_start_is_no_number_of_a_heading():
    assert structure("2023年工作\n3.5元一份。\n1.2 米以下免票。\n").sections == ()


def test_a_heading_that_the_format_declares_counts_whatever_it_says():
    text = "总说明\n正文。\n第二条 另一条。\n"
    found = structure(text, [Block(0, 3, "heading", 1)]).sections
    assert [(s.label, s.title) for s in found] == [("", "总说明"), ("第二条", "")]


def test_lines_with_leaders_and_page_numbers_are_a_table_of_contents_and_no_sections():
    text = "目录\n第一章 总则……1\n第二章 会议……5\n第三章 附则……9\n\n第一章 总则\n第一条 甲。\n"
    kinds = [(s.kind, s.label) for s in structure(text).sections]
    assert kinds == [("toc", ""), ("body", "第一章"), ("body", "第一条")]
