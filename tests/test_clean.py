"""Repairs: each finds its fault, leaves what only looks like it, and leads back to the original."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.clean import repair

BLOCKS = "".join(f"{n}、" + "字" * 300 + "\n" for n in range(1, 6))
UNEVEN = "".join(f"{n}、" + "字" * (300 + n) + "\n" for n in range(1, 6))


def kinds(text):
    return [fault.kind for fault in repair(text).repairs]


def test_numbers_before_blocks_of_one_length_are_block_markers_and_the_line_ends_go_too():
    cleaned = repair(BLOCKS)
    assert cleaned.text == "字" * 1500 + "\n" and kinds(BLOCKS) == ["切块序号"] * 5


@pytest.mark.parametrize(
    "text",
    [
        UNEVEN,
        "1、买菜。\n2、做饭。\n",
        "2、第二。\n3、第三。\n4、第四。\n",
        "十二生肖有十二种，第二种是牛。“甲”和“乙”。",
        "价格是1.5元，见图2.1。",
        "他说“好”，又说“二是不行”。",
        "《花园》由学校印发。",
    ],
)
def test_what_only_looks_like_a_fault_is_left(text):
    assert repair(text).text == text and kinds(text) == []


def test_a_sharing_sites_sentence_goes_whole():
    text = "《心得体会13篇.docx》由会员分享，可在线阅读，更多相关《心得体会》请在某文库上搜索。正文在此。"
    assert repair(text).text == "正文在此。"


def test_a_blank_between_number_and_dot_goes():
    assert repair("1 .加强学习。2 ．检查。").text == "1.加强学习。2．检查。"


def test_a_lost_closing_quote_read_as_two_is_put_back():
    cleaned = repair("要克服“不作为二“三优先”是原则。")
    assert cleaned.text == "要克服“不作为”。“三优先”是原则。"
    fault = cleaned.repairs[0]
    assert (fault.kind, fault.after) == ("引号误识", "”。")


@given(st.text(alphabet="一二字“”1 .、\n《》由会员分享", max_size=300))
def test_every_kept_piece_leads_to_itself_in_the_original(text):
    cleaned = repair(text)
    rebuilt, position = [], 0
    for run in cleaned.runs:
        assert (
            cleaned.text[run.clean : run.clean + run.length] == text[run.original : run.original + run.length]
        )
        rebuilt.append(cleaned.text[position : run.clean])
        position = run.clean + run.length
    assert sum(run.length for run in cleaned.runs) + sum(len(r.after) for r in cleaned.repairs) == len(
        cleaned.text
    )
    assert sum(run.length for run in cleaned.runs) + sum(r.end - r.start for r in cleaned.repairs) == len(
        text
    )
