"""Word files: every value of the layout in the XML, reading back, faults of the disk, a rendering."""

import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from docx import Document
from lxml import etree
from outline_support import Library, request

from rag.docx import TITLE_WIDTH, title_lines, write_docx
from rag.errors import BadRequest
from rag.outline import compose
from rag.types import Citation, Outline, OutlineSection, Point

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
LIBRARY = Library()
QUOTED = "他说“要实”……于是——办了"


def draft(**given):
    return compose(request(**given), retriever=LIBRARY, reader=LIBRARY)


def part(path, name):
    with zipfile.ZipFile(path) as archive:
        return etree.fromstring(archive.read(f"word/{name}.xml"))


def value(element, name):
    return element.get(f"{W}{name}")


@pytest.fixture(scope="module")
def outline():
    return draft(role="党员教师", event=f"上周三听课，{QUOTED}，后来改了。")


@pytest.fixture(scope="module")
def written(tmp_path_factory, outline):
    path = tmp_path_factory.mktemp("docx") / "提纲 一.docx"
    write_docx(outline, path)
    return path


@pytest.fixture(scope="module")
def body(written):
    return part(written, "document")


def paragraphs(body):
    return [("".join(p.itertext(f"{W}t")), p) for p in body.iter(f"{W}p")]


def runs(paragraph):
    for run in paragraph.iter(f"{W}r"):
        yield "".join(run.itertext(f"{W}t")), run.find(f"{W}rPr")


def font_of(properties):
    return value(properties.find(f"{W}rFonts"), "eastAsia"), value(properties.find(f"{W}sz"), "val")


def test_paper_and_margins_are_those_of_the_standard(body):
    size, margins = body.find(f".//{W}pgSz"), body.find(f".//{W}pgMar")
    assert (value(size, "w"), value(size, "h")) == ("11906", "16838")
    found = [int(value(margins, side)) for side in ("top", "left", "bottom", "right")]
    assert found == [round(mm / 25.4 * 1440) for mm in (37, 28, 35, 26)] == [2098, 1587, 1984, 1474]
    grid = body.find(f".//{W}docGrid")
    assert (value(grid, "type"), value(grid, "linePitch")) == ("lines", "579")
    assert len(body.findall(f".//{W}docGrid")) == 1


def test_twenty_two_lines_of_twenty_eight_characters_fit_the_type_area(written):
    style = part(written, "styles").find(f".//{W}style[@{W}styleId='Normal']")
    spacing = style.find(f"{W}pPr/{W}spacing")
    assert (value(spacing, "line"), value(spacing, "lineRule")) == ("579", "exact")
    assert (value(spacing, "before"), value(spacing, "after")) == ("0", "0")
    assert 22 * 579 <= 225 / 25.4 * 1440 < 23 * 579
    pitch = 16 * 20 + int(value(style.find(f"{W}rPr/{W}spacing"), "val"))
    assert 28 * pitch <= 156 / 25.4 * 1440 < 29 * pitch


def test_the_title_is_no_2_song_centred(body, outline):
    text, paragraph = paragraphs(body)[0]
    assert text == outline.title
    assert value(paragraph.find(f"{W}pPr/{W}jc"), "val") == "center"
    assert paragraph.find(f"{W}pPr/{W}ind") is None
    assert {font_of(properties) for _, properties in runs(paragraph)} == {("方正小标宋简体", "44")}
    assert paragraphs(body)[1][0] == ""


@pytest.mark.parametrize(
    "title",
    ["短", "关于党组织领导的校长负责制的研讨交流发言提纲", "学习《关于建立中小学校党组织领导的校长负责制的意见（试行）》心得体会", "长" * 21,
     "先把议题和程序管住：关于党组织领导的校长负责制的典型经验（提纲）", "字" * 250, "的" * 63],
)  # fmt: skip
def test_long_titles_break_into_lines_that_fit_and_lose_nothing(title):
    lines = title_lines(title)
    assert "".join(lines) == title and all(0 < len(line) <= TITLE_WIDTH for line in lines)
    assert len(lines) == -(-len(title) // TITLE_WIDTH)


def test_a_title_breaks_where_words_end():
    assert title_lines("关于党组织领导的校长负责制的研讨交流发言提纲") == [
        "关于党组织领导的校长负责制的",
        "研讨交流发言提纲",
    ]
    assert title_lines("学习《关于建立中小学校党组织领导的校长负责制的意见（试行）》心得体会")[-1].endswith(
        "心得体会"
    )


def test_headings_are_hei_then_kai_and_the_text_fang_song_all_no_3(body):
    first = [p for text, p in paragraphs(body) if re.match(r"[一二三四]、", text)]
    second = [p for text, p in paragraphs(body) if re.match(r"（[一二三四五]）", text)]
    assert len(first) == 4 and len(second) >= 6
    for paragraph in first:
        assert {font_of(properties) for _, properties in runs(paragraph)} == {("黑体", "32")}
        assert paragraph.find(f"{W}pPr/{W}keepNext") is not None
    for paragraph in second:
        fonts = [font_of(properties) for _, properties in runs(paragraph)]
        assert fonts[0] == ("楷体", "32") and set(fonts[1:]) <= {("仿宋", "32")}


def test_nothing_is_bold_and_everything_but_title_and_blank_is_indented_by_two_characters(body):
    assert not list(body.iter(f"{W}b"))
    for _, paragraph in paragraphs(body)[2:]:
        assert value(paragraph.find(f"{W}pPr/{W}ind"), "firstLineChars") == "200"


def test_no_theme_font_is_left_anywhere(written):
    with zipfile.ZipFile(written) as archive:
        for name in archive.namelist():
            if name.startswith("word/") and name.endswith(".xml") and "/theme/" not in name:
                assert b"Theme=" not in archive.read(name), name


def test_every_run_names_its_east_asian_font_and_hints_to_it(body):
    for _, paragraph in paragraphs(body):
        for text, properties in runs(paragraph):
            fonts = properties.find(f"{W}rFonts")
            assert value(fonts, "hint") == "eastAsia" and value(fonts, "eastAsia")
            latin = value(fonts, "ascii")
            assert latin == value(fonts, "hAnsi")
            shared = re.search(r"[“”‘’…—·]", text)
            assert latin == (value(fonts, "eastAsia") if shared else "Times New Roman")


def test_curly_quotes_dots_and_dashes_stand_in_runs_of_the_east_asian_font(body):
    found = [text for _, p in paragraphs(body) for text, properties in runs(p)
             if value(properties.find(f"{W}rFonts"), "ascii") == "仿宋"]  # fmt: skip
    assert {"“", "”……", "——"} <= set(found)


def test_every_slot_is_yellow_and_nothing_else(body, outline):
    marked, plain = "", ""
    for _, paragraph in paragraphs(body):
        for text, properties in runs(paragraph):
            highlight = properties.find(f"{W}highlight")
            if highlight is not None:
                assert value(highlight, "val") == "yellow"
                marked += text
            else:
                plain += text
    assert "〔请填" not in plain
    assert set(re.findall(r"〔请填：[^〔〕]+〕", marked)) == set(outline.placeholders)
    assert re.sub(r"〔请填：[^〔〕]+〕", "", marked) == ""


def test_every_citation_is_in_the_list_with_title_place_and_quote(body, outline):
    texts = [text for text, _ in paragraphs(body)]
    listed = texts[texts.index("依据") + 1 :]
    assert outline.citations
    for number, citation in enumerate(outline.citations):
        assert listed[number].startswith(f"[{citation.marker}] 《{citation.title}》")
        assert citation.locator in listed[number]
        assert re.sub(r"\s+", " ", citation.quote).strip() in listed[number]
    raised = [
        text for _, p in paragraphs(body) for text, pr in runs(p) if pr.find(f"{W}vertAlign") is not None
    ]
    assert raised == [f"[{m}]" for s in outline.sections for p in s.points for m in p.citations]


def test_pages_are_numbered_between_dashes_odd_right_even_left(written, body):
    assert part(written, "settings").find(f"{W}evenAndOddHeaders") is not None
    references = {value(r, "type") for r in body.iter(f"{W}footerReference")}
    assert references == {"default", "even"}
    with zipfile.ZipFile(written) as archive:
        names = [n for n in archive.namelist() if re.fullmatch(r"word/footer\d\.xml", n)]
        footers = [etree.fromstring(archive.read(name)) for name in names]
    sides = {}
    for footer in footers:
        paragraph = footer.find(f"{W}p")
        assert "".join(paragraph.itertext(f"{W}t")) == "— 1 —"
        assert "".join(paragraph.itertext(f"{W}instrText")).strip() == "PAGE"
        assert {font_of(properties) for _, properties in runs(paragraph)} == {("宋体", "28")}
        indent = paragraph.find(f"{W}pPr/{W}ind")
        sides[value(paragraph.find(f"{W}pPr/{W}jc"), "val")] = {
            k.split("}")[1]: v for k, v in indent.attrib.items()
        }
    assert sides == {
        "right": {"rightChars": "100", "right": "280"},
        "left": {"leftChars": "100", "left": "280"},
    }


def test_the_number_stands_seven_millimetres_below_the_type_area(body):
    margins = body.find(f".//{W}pgMar")
    below = (
        int(value(margins, "bottom")) - int(value(margins, "footer")) - 300
    )  # 300: middle of a 14 pt line of 16
    assert below / 1440 * 25.4 == pytest.approx(7, abs=0.5)


def test_fonts_are_named_with_stand_ins_and_none_is_embedded(written):
    table = part(written, "fontTable")
    names = {value(font, "name"): value(font.find(f"{W}altName"), "val") for font in table}
    assert set(names) == {"仿宋", "楷体", "黑体", "方正小标宋简体", "宋体"} and all(names.values())
    with zipfile.ZipFile(written) as archive:
        assert not [
            n
            for n in archive.namelist()
            if "font" in n.lower() and not n.endswith(("fontTable.xml", ".rels"))
        ]


def test_children_stand_in_the_order_of_the_schema(written, body):
    """Word refuses or ignores properties out of order; the order is that of ISO/IEC 29500-1, 17.3."""
    paragraph = [
        "pStyle",
        "keepNext",
        "keepLines",
        "pageBreakBefore",
        "widowControl",
        "overflowPunct",
        "autoSpaceDE",
        "autoSpaceDN",
        "snapToGrid",
        "spacing",
        "ind",
        "jc",
    ]
    run = ["rStyle", "rFonts", "b", "i", "spacing", "sz", "szCs", "highlight", "vertAlign", "lang"]
    roots = [body, part(written, "styles").find(f".//{W}style[@{W}styleId='Normal']")]
    with zipfile.ZipFile(written) as archive:
        roots += [etree.fromstring(archive.read(n)) for n in archive.namelist() if "word/footer" in n]
    for root in roots:
        for tag, order in (("pPr", paragraph), ("rPr", run)):
            for properties in root.iter(f"{W}{tag}"):
                names = [child.tag.removeprefix(W) for child in properties]
                assert names == sorted(names, key=order.index)
    last = [child.tag.removeprefix(W) for child in body.find(f".//{W}sectPr")]
    order = ["footerReference", "pgSz", "pgMar", "cols", "docGrid"]
    assert last == sorted(last, key=order.index)


def test_no_red_head_number_or_seal_and_no_author(written, body):
    assert not list(body.iter(f"{W}color")) and not list(body.iter(f"{W}drawing"))
    properties = Document(written).core_properties
    assert properties.author == "" and properties.comments == ""
    assert "号" not in paragraphs(body)[0][0]


def test_python_docx_reads_back_every_word(written, outline):
    text = "\n".join(paragraph.text for paragraph in Document(written).paragraphs)
    assert outline.title in text.replace("\n", "") and outline.thesis in text and QUOTED in text
    for section in outline.sections:
        assert section.heading in text and all(point.text in text for point in section.points)
    assert all(warning in text for warning in outline.warnings)


def test_text_that_xml_cannot_hold_is_left_out_and_markup_stays_text(tmp_path):
    bad = Outline("文种", "身份", "题", "题\x00目<w:b/>", "立\x0b论&", (
        OutlineSection("甲\ufffe", (Point("]]></w:t>乙\x1f\ud800", "own"),), 100),
    ), (), (Citation(1, "s", "《意见》解读", "一、", (), "引\x0c文", 0, 3),), ("提示\x07",))  # fmt: skip
    write_docx(bad, tmp_path / "a.docx")
    texts = [p.text for p in Document(tmp_path / "a.docx").paragraphs]
    assert texts[0] == "题目<w:b/>" and any("]]></w:t>乙" in text for text in texts)
    assert any("《〈意见〉解读》（见“一、”）：引 文" in text for text in texts)


def test_an_outline_with_nothing_in_it_is_still_a_document(tmp_path):
    write_docx(Outline("甲", "乙", "丙", "丁", "戊", ()), tmp_path / "a.docx")
    assert [p.text for p in Document(tmp_path / "a.docx").paragraphs] == ["丁", "", "立论：戊"]


def test_the_same_outline_gives_the_same_text_over_an_old_file(tmp_path, outline, written):
    target = tmp_path / "a.docx"
    target.write_bytes(b"old")
    write_docx(outline, target)
    assert etree.tostring(part(target, "document")) == etree.tostring(part(written, "document"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.docx"]


def test_a_folder_that_is_not_there_or_cannot_be_written_is_said_in_one_line(tmp_path, outline):
    with pytest.raises(BadRequest) as caught:
        write_docx(outline, tmp_path / "没有" / "a.docx")
    assert "写不了文件" in str(caught.value) and "\n" not in str(caught.value)
    (tmp_path / "a.docx").mkdir()
    with pytest.raises(BadRequest):
        write_docx(outline, tmp_path / "a.docx")
    assert [path.name for path in tmp_path.iterdir()] == ["a.docx"]


@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere"
)
def test_a_folder_without_permission_is_said_in_one_line(tmp_path, outline):
    tmp_path.chmod(0o500)
    with pytest.raises(BadRequest):
        write_docx(outline, tmp_path / "a.docx")
    tmp_path.chmod(0o700)


def test_the_file_may_be_read_like_any_other_that_is_made_there(tmp_path, outline):
    (tmp_path / "usual").touch()
    write_docx(outline, tmp_path / "a.docx")
    assert (tmp_path / "a.docx").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_failed_write_leaves_the_old_file_whole(tmp_path, outline, monkeypatch):
    target = tmp_path / "a.docx"
    target.write_bytes(b"old")
    monkeypatch.setattr(
        "docx.document.Document.save", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    with pytest.raises(BadRequest, match="磁盘空间不足"):
        write_docx(outline, target)
    assert target.read_bytes() == b"old" and [path.name for path in tmp_path.iterdir()] == ["a.docx"]


def as_pdf(path, folder):
    """Convert a Word file with LibreOffice; return the PDF's path."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        pytest.skip("LibreOffice is not installed here")
    profile = (folder / "profile").as_uri()
    subprocess.run(
        [office, f"-env:UserInstallation={profile}", "--headless", "--convert-to", "pdf", "--outdir", str(folder),
         str(path)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    return folder / f"{path.stem}.pdf"


def as_pdf_text(path, folder):
    import pypdfium2

    with pypdfium2.PdfDocument(as_pdf(path, folder)) as pdf:
        return "".join(page.get_textpage().get_text_bounded() for page in pdf)


def test_libreoffice_makes_pages_of_twenty_two_lines_of_it(tmp_path):
    path = tmp_path / "a.docx"
    write_docx(draft(genre="实施办法"), path)
    as_pdf(path, tmp_path)
    import pypdfium2

    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as pdf:
        width, height = pdf[0].get_size()
        assert (round(width / 72 * 25.4), round(height / 72 * 25.4)) == (210, 297)
        pages = [page.get_textpage().get_text_bounded() for page in pdf]
    assert len(pages) >= 3
    lines = [[line for line in page.splitlines() if line.strip()] for page in pages]
    assert all(f"— {number} —" in page for number, page in enumerate(pages, 1))
    assert len(lines[1]) - 1 in (21, 22)  # the number's line apart; a heading may move to the next page
    assert max(len(line) for line in lines[1]) <= 30
    assert max(len(line) for line in lines[1]) >= 27


@pytest.fixture(scope="module")
def noted(tmp_path_factory, outline):
    path = tmp_path_factory.mktemp("notes") / "脚注.docx"
    write_docx(outline, path, footnotes=True)
    return path


def test_citations_can_be_real_footnotes(noted, outline):
    notes, body = part(noted, "footnotes"), part(noted, "document")
    kinds = [(value(note, "id"), value(note, "type")) for note in notes]
    assert kinds[:2] == [("-1", "separator"), ("0", "continuationSeparator")]
    told = {value(note, "id"): "".join(note.itertext(f"{W}t")) for note in notes[2:]}
    called = [value(mark, "id") for mark in body.iter(f"{W}footnoteReference")]
    assert called == list(told) == [str(n) for n in range(1, len(outline.citations) + 1)]
    for citation, text in zip(outline.citations, told.values(), strict=True):
        assert re.sub(r"\s+", " ", citation.quote) in text
    assert not any(text == "依据" for text, _ in paragraphs(body))
    listed = part(noted, "settings").find(f"{W}footnotePr")
    assert [value(note, "id") for note in listed] == ["-1", "0"]


def test_settings_keep_the_order_of_the_schema(noted):
    names = [child.tag.removeprefix(W) for child in part(noted, "settings")]
    assert names.index("footnotePr") < names.index("compat")
    with zipfile.ZipFile(noted) as archive:
        assert b"/word/footnotes.xml" in archive.read("[Content_Types].xml")
        assert b"footnotes.xml" in archive.read("word/_rels/document.xml.rels")


def test_footnotes_survive_a_round_through_python_docx_and_libreoffice(noted, outline, tmp_path):
    Document(noted).save(tmp_path / "again.docx")
    assert len(part(tmp_path / "again.docx", "footnotes")) == len(outline.citations) + 2
    text = as_pdf_text(tmp_path / "again.docx", tmp_path)
    for citation in outline.citations:
        assert re.sub(r"\s", "", citation.quote)[:12] in re.sub(r"\s", "", text)


def test_a_text_written_out_keeps_its_markers_and_slots(tmp_path, outline):
    path = tmp_path / "全文.docx"
    text = [("第一节", ["上周三听课[1]，后来改了〔请填：哪里〕。", "没有[99]这个。"]), ("第二节", ["完。"])]
    write_docx(outline, path, text=text)
    body = part(path, "document")
    said = [words for words, _ in paragraphs(body)]
    assert said[2:7] == [
        "一、第一节",
        "上周三听课[1]，后来改了〔请填：哪里〕。",
        "没有[99]这个。",
        "二、第二节",
        "完。",
    ]
    raised = [
        words
        for _, p in paragraphs(body)
        for words, look in runs(p)
        if look.find(f"{W}vertAlign") is not None
    ]
    marked = [
        words
        for _, p in paragraphs(body)
        for words, look in runs(p)
        if look.find(f"{W}highlight") is not None
    ]
    assert raised == ["[1]"] and marked[0] == "〔请填：哪里〕"
