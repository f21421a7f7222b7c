"""Files damaged at random: each gives text or one of our errors, never anything else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from parsers import made_files as made

from rag.errors import BadFile
from rag.parsers import parse_file
from rag.parsers.glyphs import repaired

SOURCES = {
    "a.docx": made.word_document(made.with_merged_cells),
    "a.pdf": made.pdf(made.five_pages),
    "a.xlsx": made.workbook,
    "a.html": made.content("<html><body>" + "<p>第一条 应当做到。</p><table><tr><td>一<td>二</table>" * 9),
    "a.txt": made.content(("第一条 学校应当做到。\n" * 30).encode("gbk")),
    "a.mht": made.content(made.mht("<p>你好，世界。</p>" * 9)),
}


def damaged(data: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.3:
        return data[: chance.randrange(1, len(data))]
    changed = bytearray(data)
    for _ in range(chance.choice([1, 3, 20])):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_damage_gives_text_or_a_bad_file_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    SOURCES[name](path)
    whole = path.read_bytes()
    chance = random.Random(name)
    for _ in range(25):
        path.write_bytes(damaged(whole, chance))
        try:
            parsed = parse_file(path)
        except BadFile as err:
            assert str(err).startswith(f"{name}：")
        else:
            parsed.text.encode("utf-8")
            assert parsed.text.strip()


def test_radicals_and_ligatures_become_ordinary_characters() -> None:
    assert repaired("⼀切⼯作 ⻓期 ⺠主 oﬃce 豈") == "一切工作 长期 民主 office 豈"


def test_repair_of_glyphs_leaves_ordinary_text_alone() -> None:
    text = "（一）“学校”……100％ Ａ㎡①—"
    assert repaired(text) == text
