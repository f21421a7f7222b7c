"""Damaged files: a hundred bad ones each refused with its reason, and damage at random that never crashes."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest
from parsers import made_files as made

from rag.errors import BadFile, BrokenFile, EmptyFile
from rag.parsers import parse_file
from rag.parsers.glyphs import repaired
from rag.parsers.sandbox import ParserProcess

SOURCES = {
    "a.docx": made.word_document(made.with_merged_cells),
    "a.pdf": made.pdf(made.five_pages),
    "a.xlsx": made.workbook,
    "a.pptx": made.slides,
    "a.html": made.content("<html><body>" + "<p>第一条 应当做到。</p><table><tr><td>一<td>二</table>" * 9),
    "a.txt": made.content(("第一条 学校应当做到。\n" * 30).encode("gbk")),
    "a.mht": made.content(made.mht("<p>你好，世界。</p>" * 9)),
}


SUFFIXES = (
    *(".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pdf", ".html", ".mht", ".txt", ".md"),
    *(".doc", ".wps", ".rtf", ".odt", ".xls", ".ppt", ".png", ".jpg", ".tif", ".bin", ""),
)
NOISE = random.Random(1).randbytes(3000)
FAULTS = {
    "nothing": b"",
    "blanks": b" \r\n\t" * 20,
    "noise": b"\0" + NOISE,
    "zeros": bytes(2000),
    "program": b"MZ\x90\0" + NOISE,
    "music": b"ID3\x03\0\0\0\0" + NOISE,
}
# Whole files of packed formats, and what is cut off or put out of order in them.
PACKED = ("a.docx", "a.pdf", "a.xlsx", "a.pptx")
SHARES = (0.02, 0.2, 0.5, 0.8)


def bad_files():
    """Name and content of files that no program could read."""
    for suffix in SUFFIXES:
        for fault, data in FAULTS.items():
            if not (fault == "blanks" and suffix in (".mht", ".html")):
                yield f"{fault}{suffix}", data


def test_a_hundred_bad_files_are_each_refused_with_a_reason_and_a_remedy(tmp_path: Path) -> None:
    told: dict[str, str] = {}
    files = dict(bad_files())
    with ParserProcess(timeout_s=60) as parser:
        for name, data in files.items():
            path = tmp_path / name
            path.write_bytes(data)
            with pytest.raises(BadFile) as caught:
                parser.parse(path)
            told[name] = str(caught.value)
            if not data:
                assert type(caught.value) is EmptyFile
    assert len(told) >= 100
    for name, message in told.items():
        assert message.startswith(f"{name}：") and "请" in message and "\n" not in message
        assert "解析程序异常退出" not in message, "a crash is no reason"


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("share", SHARES)
def test_a_packed_file_that_is_cut_is_broken_or_read_in_part(name: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / name
    made.first(share, SOURCES[name])(path)
    if name == "a.pdf" and share > 0.5:
        return  # enough of it may be left for a reader that repairs
    with pytest.raises(BrokenFile, match="请重新获取"):
        parse_file(path)


def shaken(data: bytes, chance: random.Random) -> bytes:
    """Damage one XML part inside an archive whose checksums stay right: what a broken writer leaves."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as archive,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        names = [name for name in archive.namelist() if name.endswith((".xml", ".rels"))]
        struck = chance.choice(names)
        for name in archive.namelist():
            content = archive.read(name)
            if name == struck:
                if chance.random() < 0.2:
                    continue
                text = bytearray(content)
                for _ in range(chance.choice([1, 5])):
                    text[chance.randrange(len(text))] = ord(chance.choice('<>"/0a&=z'))
                content = bytes(text)
            copy.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.pptx"])
def test_damage_inside_an_archive_gives_text_or_a_bad_file_error(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    SOURCES[name](path)
    whole = path.read_bytes()
    chance = random.Random(name)
    for _ in range(25):
        path.write_bytes(shaken(whole, chance))
        try:
            parse_file(path)
        except BadFile as err:
            assert str(err).startswith(f"{name}：")


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
