"""Pictures and scans: read where text recognition is installed, told what to do where it is not."""

import importlib.util
from pathlib import Path

import pytest
from parsers import made_files as made
from PIL import Image, ImageDraw, ImageFont

from rag import errors
from rag.parsers import ocr, parse_file
from rag.parsers.sandbox import ParserProcess

FONTS = [
    *(Path("/usr/share/fonts").rglob("Noto*CJK*Regular*") if Path("/usr/share/fonts").is_dir() else ()),
    *(
        path
        for path in (Path(r"C:\Windows\Fonts\simsun.ttc"), Path("/System/Library/Fonts/PingFang.ttc"))
        if path.exists()
    ),
]
LINES = [
    "第一条　为了加强学校安全工作，保障师生人身安全，根据有关规",
    "定，结合本校实际，制定本办法。",
    "第二条　各年级组应当每周检查一次，发现问题及时报告。",
]
TEXT = (
    "第一条 为了加强学校安全工作，保障师生人身安全，根据有关规定，结合本校实际，制定本办法。\n"
    "第二条 各年级组应当每周检查一次，发现问题及时报告。"
)
installed = pytest.mark.skipif(
    importlib.util.find_spec("rapidocr") is None, reason="the extra `ocr` is not installed"
)
chinese = pytest.mark.skipif(not FONTS, reason="no Chinese font to draw the test's pages with")


def drawn(page="- 3 -"):
    """A scanned page at 200 dpi: two articles, the first over two lines, and a page number."""
    picture = Image.new("RGB", (1654, 1100), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(str(FONTS[0]), 40)
    for number, line in enumerate(LINES):
        indent = 80 if line.startswith("第") else 0
        draw.text((150 + indent, 220 + 80 * number), line, font=font, fill="black")
    draw.text((800, 1030), page, font=font, fill="black")
    return picture


@pytest.fixture(scope="module")
def parser():
    """One process for all: the models load once."""
    with ParserProcess(timeout_s=120) as parser:
        yield parser


@installed
@chinese
def test_a_picture_of_a_page_gives_its_articles_without_the_page_number(parser, tmp_path):
    path = tmp_path / "通知.png"
    drawn().save(path)
    parsed = parser.parse(path)
    assert parsed.text == TEXT
    assert parsed.remarks == (ocr.REMARK,)


@installed
@chinese
def test_the_scanned_page_of_a_pdf_is_read_between_its_printed_pages(parser, tmp_path):
    """Page 1 has a text layer, page 2 is a picture; both in order, the blank page 3 costs nothing."""
    image, path = tmp_path / "scan.png", tmp_path / "a.pdf"
    drawn().save(image)

    def draw(canvas):
        made.pdf_page(canvas, ["总则：本办法适用于全校各年级和各部门。"])
        canvas.showPage()
        canvas.drawImage(str(image), 0, 0, width=595, height=396)
        canvas.showPage()
        canvas.showPage()

    made.pdf(draw)(path)
    parsed = parser.parse(path)
    assert parsed.text == f"总则：本办法适用于全校各年级和各部门。\n{TEXT}"
    assert ocr.REMARK in parsed.remarks


@installed
def test_latin_text_needs_no_font_of_the_system(parser, tmp_path):
    path = tmp_path / "a.jpg"
    picture = Image.new("RGB", (1200, 300), "white")
    ImageDraw.Draw(picture).text(
        (60, 100), "SCHOOL SAFETY 2026", font=ImageFont.load_default(60), fill="black"
    )
    picture.save(path, quality=90)
    assert parser.parse(path).text.replace(" ", "") == "SCHOOLSAFETY2026"


@installed
def test_a_picture_without_text_says_so(parser, tmp_path):
    path = tmp_path / "空白.png"
    Image.new("RGB", (800, 800), "white").save(path)
    with pytest.raises(errors.NothingRecognised, match="未提取到文字.*300 dpi"):
        parser.parse(path)


@installed
def test_a_cut_picture_is_broken_or_read_but_never_a_crash(parser, tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (400, 400), "white").save(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(errors.BadFile):
        parser.parse(path)


@pytest.mark.parametrize("name", ["扫描.pdf", "照片.png"])
def test_without_the_extra_the_remedy_is_named(name, tmp_path, monkeypatch):
    monkeypatch.setattr(ocr, "available", lambda: False)
    path = tmp_path / name
    if name.endswith("pdf"):
        made.pdf(made.scanned)(path)
    else:
        Image.new("RGB", (100, 100)).save(path)
    with pytest.raises(errors.NoTextFound, match=r"未提取到文字.*\[ocr\]"):
        parse_file(path)
