"""Word's automatic numbers, against the examples of ECMA-376."""

from __future__ import annotations

from pathlib import Path

import pytest
from parsers.made_files import item, levels, word

from rag.parsers import parse_file
from rag.parsers.docx_numbering import written


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("decimal", {1: "1", 100: "100"}),
        ("decimalZero", {1: "01", 12: "12"}),
        ("chineseCounting", {1: "一", 10: "十", 11: "十一", 21: "二十一", 99: "九十九", 101: "一〇一"}),
        (
            "chineseCountingThousand",
            {10: "十", 20: "二十", 101: "一百零一", 110: "一百一十", 1009: "一千零九"},
        ),
        ("japaneseCounting", {3: "三", 12: "十二", 105: "一百零五"}),
        ("ideographDigital", {1: "一", 10: "一〇", 21: "二一"}),
        ("chineseLegalSimplified", {1: "壹", 10: "壹拾", 12: "壹拾贰", 105: "壹佰零伍"}),
        ("ideographTraditional", {1: "甲", 10: "癸", 11: "11"}),
        ("ideographZodiac", {1: "子", 12: "亥"}),
        ("decimalEnclosedCircle", {1: "①", 20: "⑳", 21: "21"}),
        ("decimalEnclosedParen", {1: "⑴", 2: "⑵"}),
        ("decimalFullWidth", {12: "１２"}),
        ("upperRoman", {4: "IV", 1999: "MCMXCIX"}),
        ("lowerRoman", {9: "ix"}),
        ("upperLetter", {1: "A", 26: "Z", 27: "AA", 53: "AAA"}),
        ("bullet", {1: ""}),
        ("none", {1: ""}),
        ("aFormatOfTheFuture", {7: "7"}),
    ],
)
def test_number_is_written_in_its_format(form: str, shown: dict[int, str]) -> None:
    assert {number: written(number, form) for number in shown} == shown


def extracted(tmp_path: Path, body: str, numbering: str) -> list[str]:
    path = tmp_path / "a.docx"
    word(body, numbering=numbering)(path)
    return parse_file(path).text.split("\n")


def test_deeper_levels_restart_under_each_number(tmp_path: Path) -> None:
    numbering = levels(("decimal", "%1."), ("decimal", "%1.%2"))
    body = "".join(item("文", level) for level in (0, 1, 1, 0, 1))
    assert extracted(tmp_path, body, numbering) == ["1. 文", "1.1 文", "1.2 文", "2. 文", "2.1 文"]


def test_level_that_never_restarts_counts_on(tmp_path: Path) -> None:
    numbering = levels(("chineseCounting", "第%1章"), ("chineseCounting", "第%2条")).replace(
        '<w:lvl w:ilvl="1">', '<w:lvl w:ilvl="1"><w:lvlRestart w:val="0"/>'
    )
    body = "".join(item("文", level) for level in (0, 1, 1, 0, 1))
    assert extracted(tmp_path, body, numbering) == [
        "第一章 文",
        "第一条 文",
        "第二条 文",
        "第二章 文",
        "第三条 文",
    ]


def test_number_of_an_empty_paragraph_is_counted_and_not_shown(tmp_path: Path) -> None:
    assert extracted(tmp_path, item("甲") + item("") + item("乙"), levels(("decimal", "%1."))) == [
        "1. 甲",
        "3. 乙",
    ]


def test_legal_level_shows_digits_throughout(tmp_path: Path) -> None:
    numbering = levels(("chineseCounting", "%1、"), ("chineseCounting", "%1.%2")).replace(
        '<w:lvl w:ilvl="1">', '<w:lvl w:ilvl="1"><w:isLgl/>'
    )
    assert extracted(tmp_path, item("甲") + item("乙", 1), numbering) == ["一、甲", "1.1 乙"]


def test_list_number_zero_takes_a_paragraph_out_of_its_list(tmp_path: Path) -> None:
    assert extracted(tmp_path, item("甲", number=0), levels(("decimal", "%1."))) == ["甲"]


def test_unknown_list_gives_the_text_alone(tmp_path: Path) -> None:
    assert extracted(tmp_path, item("甲", number=9), levels(("decimal", "%1."))) == ["甲"]


def test_numbers_in_table_cells_are_counted(tmp_path: Path) -> None:
    cells = "".join(f"<w:tc>{item(text)}</w:tc>" for text in ("甲", "乙"))
    body = f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>" + item("丙")
    assert extracted(tmp_path, body, levels(("decimal", "%1."))) == ["1. 甲 | 2. 乙", "3. 丙"]


def test_more_than_a_hundred_articles_are_read_as_they_are_cited(tmp_path: Path) -> None:
    body = "".join(item("文") for _ in range(112))
    lines = extracted(tmp_path, body, levels(("japaneseCounting", "第%1条")))
    assert (lines[9], lines[99], lines[100], lines[111]) == (
        "第十条 文",
        "第一百条 文",
        "第一百零一条 文",
        "第一百一十二条 文",
    )
