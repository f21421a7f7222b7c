"""What is extracted of every format and fault: one table drives all."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from parsers import made_files as made
from parsers.made_files import content, item, levels, p, pdf, r, word, word_document

from rag import errors
from rag.parsers import parse_file
from rag.types import Parsed

NOTICE = "关于做好开学工作的通知，请各学校认真落实。\n第一条 学校应当保障学生安全。\n"
TRADITIONAL = "關於做好開學工作的通知，請各學校認真落實。\n第一條 學校應當保障學生的安全。\n"
PAGE = (
    "<html><head><meta charset={charset}><title>开学通知 - 某市教育局</title></head><body>"
    "<nav>首页 新闻</nav><h2>第一章 总则</h2><p>第一条 学校应当保障学生安全，<b>不得</b>推诿。</p><script>var a=1;</script>"
    "<table><tr><th>科目</th><th>课时</th></tr><tr><td>语文</td><td>7</td></tr></table>"
    "<ul><li>一项要求，应当做到。</li></ul><footer>版权所有</footer></body></html>"
)
PAGE_TEXT = (
    "第一章 总则\n第一条 学校应当保障学生安全，不得推诿。\n科目 | 课时\n语文 | 7\n一项要求，应当做到。"
)
TEXT_BOX = (
    '<w:p><w:r><w:t>正文</w:t></w:r><w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>'
    "<w:txbxContent>{0}</w:txbxContent></wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>"
    "<w:txbxContent>{0}</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
)
STYLED = (
    '<w:style w:type="paragraph" w:styleId="T"><w:name w:val="条"/><w:pPr><w:numPr><w:numId w:val="1"/>'
    '</w:numPr></w:pPr></w:style><w:style w:type="paragraph" w:styleId="H"><w:name w:val="章标题"/>'
    '<w:pPr><w:outlineLvl w:val="1"/></w:pPr></w:style>'
)
BILLION = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "笑"><!ENTITY b "&a;&a;">]><d>&b;</d>'
OUTSIDE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><d>&x;</d>'


@dataclass(frozen=True)
class Vector:
    """A file and what must come of it: the exact text, or pieces present and absent, or an error."""

    name: str
    file: str
    make: made.Maker
    text: str | None = None
    holds: Sequence[str] = ()
    lacks: Sequence[str] = ()
    kinds: str | None = None  # first letters of the blocks' kinds: p h l t f
    title: str | None = None
    remark: str = ""
    error: type[errors.BadFile] | None = None
    says: str = ""


TEXT_VECTORS = [
    Vector("utf-8", "a.txt", content(NOTICE), NOTICE, kinds="pp"),
    Vector("utf-8 with mark", "a.txt", content(NOTICE.encode("utf-8-sig")), NOTICE),
    Vector("gbk", "a.txt", content(NOTICE.encode("gbk")), NOTICE),
    Vector("gb18030 beyond gbk", "a.txt", content((NOTICE + "㐂𠮷").encode("gb18030")), NOTICE + "㐂𠮷"),
    Vector("big5", "a.txt", content(TRADITIONAL.encode("big5")), TRADITIONAL),
    Vector("utf-16 with mark", "a.txt", content(NOTICE.encode("utf-16")), NOTICE),
    Vector("utf-16 little end first, no mark", "a.txt", content(NOTICE.encode("utf-16-le")), NOTICE),
    Vector("utf-16 big end first, no mark", "a.txt", content(NOTICE.encode("utf-16-be")), NOTICE),
    Vector("short gbk", "a.txt", content("安全第一".encode("gbk")), "安全第一"),
    Vector("short big5", "a.txt", content("學校的安全，請注意".encode("big5")), "學校的安全，請注意"),
    Vector("gbk that is also utf-8", "a.txt", content("学校".encode("gbk")), "学校"),
    Vector("accented letters", "a.txt", content("café · naïve"), "café · naïve"),
    Vector("text that starts as music does", "a.txt", content("ID3 决策树"), "ID3 决策树"),
    Vector("sound", "a.txt", content(b"ID3\x03\0\0\0\0" + bytes(90)), error=errors.NotText),
    Vector("line ends", "a.txt", content("一\r\n二\r三\n".encode()), "一\n二\n三\n"),
    Vector(
        "nothing else is changed",
        "a.txt",
        content("　　一\t二 \n\n\n“三”……（四）\f"),
        "　　一\t二 \n\n\n“三”……（四）\f",
    ),
    Vector(
        "cut within a character", "a.txt", content(NOTICE.encode()[:-2]), holds=["第一条 学校"], remark="字节"
    ),
    Vector("no bytes", "a.txt", content(b""), error=errors.EmptyFile),
    Vector("white space", "a.txt", content(" \n\t　\r\n"), error=errors.EmptyFile),
    Vector("mark only", "a.txt", content(b"\xff\xfe"), error=errors.EmptyFile),
    Vector("picture named as text", "a.txt", content(b"\x89PNG\r\n\x1a\n" + bytes(99)), error=errors.NotText),
    Vector("archive named as text", "a.txt", made.zipped({"a": b"b"}), error=errors.NotText),
    Vector("pdf named as text", "a.txt", pdf(made.scanned), error=errors.NotText),
    Vector("random bytes", "a.txt", content(bytes(range(256)) * 9), error=errors.NotText),
    Vector("control characters", "a.md", content(b"abc" + bytes([1, 2, 3, 4]) * 50), error=errors.NotText),
    Vector(
        "markdown",
        "a.md",
        content(
            "# 通知\n\n正文\n\n| 科目 | 课时 |\n|---|---|\n| 语文 | 7 |\n\n- 其一\n1. 其二\n```\n# 码\n```\n"
        ),
        holds=["# 通知\n\n正文", "|---|"],
        kinds="hptllppp",
        title="通知",
    ),
    Vector(
        "markdown with front matter",
        "a.md",
        content('---\ntitle: "开学"\n---\n## 一、要求\n做到。\n'),
        holds=["---\ntitle"],
        kinds="hp",
        title="开学",
        remark="元数据",
    ),
]

WORD_VECTORS = [
    Vector(
        "headings, no header, no footer",
        "a.docx",
        word_document(made.with_furniture),
        "学校安全工作办法\n第一章 总则\n第一条 为了学校安全，制定本办法。",
        kinds="hhp",
        title="学校安全工作办法",
    ),
    Vector(
        "merged cells",
        "a.docx",
        word_document(made.with_merged_cells),
        "表1 课时安排\n科目 | 年级 | 课时\n语文 | 三 | 7\n语文 | 四 | 6\n合计 |  | 13",
        kinds="pt",
    ),
    Vector(
        "chinese numbering",
        "a.docx",
        word(
            item("总则")
            + item("目的")
            + item("适用", 1)
            + item("细则", 1)
            + item("依据", 2)
            + item("附则")
            + item("甲", 1),
            numbering=levels(("japaneseCounting", "%1、"), ("chineseCounting", "（%2）"), ("decimal", "%3.")),
        ),
        "一、总则\n二、目的\n（一）适用\n（二）细则\n1. 依据\n三、附则\n（一）甲",
    ),
    Vector(
        "articles in decimals and circles",
        "a.docx",
        word(
            item("甲") + item("乙", 1) + item("丙", 1) + item("丁", 2) + item("戊"),
            numbering=levels(
                ("chineseCountingThousand", "第%1条"), ("decimal", "%1.%2"), ("decimalEnclosedCircle", "%3")
            ),
        ),
        "第一条 甲\n一.1 乙\n一.2 丙\n① 丁\n第二条 戊",
        kinds="plllp",
    ),
    Vector(
        "number from the style, level from the outline",
        "a.docx",
        word(
            p("总则", '<w:pStyle w:val="H"/>')
            + p("目的", '<w:pStyle w:val="T"/>')
            + p("范围", '<w:pStyle w:val="T"/>'),
            styles=STYLED,
            numbering=levels(("chineseCounting", "第%1条")),
        ),
        "总则\n第一条 目的\n第二条 范围",
        kinds="hpp",
    ),
    Vector(
        "restarted and continued lists",
        "a.docx",
        word(
            item("甲") + item("乙") + item("丙", number=2) + item("丁", number=2) + item("戊", number=3),
            numbering=levels(
                ("decimal", "%1."),
                extra='<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0">'
                '<w:startOverride w:val="5"/></w:lvlOverride></w:num>'
                '<w:num w:numId="3"><w:abstractNumId w:val="0"/></w:num>',
            ),
        ),
        "1. 甲\n2. 乙\n5. 丙\n6. 丁\n7. 戊",
    ),
    Vector(
        "text box once",
        "a.docx",
        word(TEXT_BOX.format(p("框中文字")) + p("后文")),
        "正文\n框中文字\n后文",
    ),
    Vector(
        "footnotes and endnotes",
        "a.docx",
        word(
            '<w:p><w:r><w:t>依据</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r>'
            '<w:r><w:t>规定</w:t></w:r><w:r><w:endnoteReference w:id="5"/></w:r></w:p>' + p("末段"),
            footnotes='<w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'
            f'<w:footnote w:id="2">{p("见教育法")}</w:footnote>'
            f'<w:footnote w:id="3">{p("无人引用")}</w:footnote>',
            endnotes=f'<w:endnote w:id="5">{p("见附表")}</w:endnote>',
        ),
        "依据（注1）规定（尾注1）\n末段\n注1：见教育法\n尾注1：见附表",
        kinds="ppff",
    ),
    Vector(
        "tracked changes",
        "a.docx",
        word(
            f"<w:p>{r('学校')}<w:del w:id='1'><w:r><w:delText>可以</w:delText></w:r></w:del>"
            f"<w:ins w:id='2'>{r('应当')}</w:ins>{r('做到。')}</w:p>"
            f"<w:p><w:pPr><w:rPr><w:del w:id='3'/></w:rPr></w:pPr>{r('前半')}</w:p>{p('后半')}"
        ),
        "学校应当做到。\n前半后半",
    ),
    Vector(
        "hidden text",
        "a.docx",
        word(
            "<w:p>"
            + r("看得见")
            + r("看不见", "<w:vanish/>")
            + r("也看得见", '<w:vanish w:val="0"/>')
            + "</w:p>"
        ),
        "看得见也看得见",
        remark="隐藏",
    ),
    Vector(
        "breaks, tabs, boxes to tick, content controls, pinyin",
        "a.docx",
        word(
            "<w:p><w:r><w:t>姓名</w:t><w:tab/><w:t>年级</w:t><w:br/>"
            '<w:sym w:font="Wingdings" w:char="F0A8"/></w:r>'
            f"<w:sdt><w:sdtContent>{r('选项')}</w:sdtContent></w:sdt><w:r><w:ruby><w:rt>{r('xué')}</w:rt>"
            f"<w:rubyBase>{r('学')}</w:rubyBase></w:ruby></w:r></w:p>"
        ),
        "姓名\t年级\n□选项学",
    ),
    Vector(
        "frame of one cell is no table",
        "a.docx",
        word(f"<w:tbl><w:tr><w:tc>{p('其一。')}{p('其二。')}</w:tc></w:tr></w:tbl>"),
        "其一。\n其二。",
        kinds="pp",
    ),
    Vector(
        "table of contents",
        "a.docx",
        word(
            "<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/></w:docPartObj>"
            f"</w:sdtPr><w:sdtContent>{p('第一章 总则 1')}</w:sdtContent></w:sdt>{p('第一章 总则')}"
        ),
        "第一章 总则",
        remark="目录",
    ),
    Vector("macros are ignored", "a.docm", word(p("正文"), vbaProject=""), "正文", remark="宏"),
    Vector("word named as doc", "a.doc", word(p("正文")), "正文", remark="后缀 .doc"),
    Vector("locked", "a.docx", content(made.encrypted_container()), error=errors.EncryptedFile),
    Vector(
        "cut in half", "a.docx", made.first(0.5, word_document(made.with_furniture)), error=errors.BrokenFile
    ),
    Vector("zip bomb", "a.docx", made.bomb, error=errors.ParseLimit, says="解压后 350 MB"),
    Vector(
        "entities",
        "a.docx",
        made.zipped({"word/document.xml": BILLION.encode(), "[Content_Types].xml": b"<a/>"}),
        error=errors.BrokenFile,
        says="实体",
    ),
    Vector(
        "outside entity in another encoding",
        "a.docx",
        made.zipped({"word/document.xml": OUTSIDE.encode("utf-16")}),
        error=errors.BrokenFile,
    ),
    Vector(
        "xml of endless depth",
        "a.docx",
        word("<w:tbl><w:tr><w:tc>" * 5000 + "</w:tc></w:tr></w:tbl>" * 5000),
        error=errors.BrokenFile,
        says="嵌套",
    ),
    Vector("archive without a document", "a.docx", made.zipped({"x.xml": b"<a/>"}), error=errors.BrokenFile),
    Vector("text named as word", "a.docx", content(NOTICE), error=errors.BrokenFile, says="内容不是"),
    Vector("no text", "a.docx", word(""), error=errors.EmptyFile),
]

PDF_VECTORS = [
    Vector(
        "headers, footers, page numbers",
        "a.pdf",
        pdf(made.five_pages),
        "\n".join(f"第{n}条 这一页的内容说的是第{i}件事情。" for i, n in enumerate("一二三四五", 1)),
    ),
    Vector(
        "wrapped lines",
        "a.pdf",
        pdf(made.wrapped_lines),
        "第一条 学校应当建立健全安全工作责任制和各项管理制度并且认"
        "学校应当建立健全安全工作责任制和各项管理制度并且认真落实到每一个岗位。\n第二条 依照本办法学校应当建立健全安全工作责任制和各项管第一条的规定执行。",
    ),
    Vector(
        "two columns",
        "a.pdf",
        pdf(made.two_columns),
        holds=["左栏第五行文字写满一整栏的宽度左栏第六行", "右栏第一行文字写满一整栏的宽度右栏第二行"],
        lacks=["左栏第一行文字写满一整栏的宽度右栏", "左栏第一行文字写满一整栏的宽度 右栏"],
    ),
    Vector(
        "watermark", "a.pdf", pdf(made.watermarked), "第一条 教师应当为人师表，关心爱护学生，不断提高水平。"
    ),
    Vector("locked", "a.pdf", made.locked_pdf, error=errors.EncryptedFile),
    Vector("scanned", "a.pdf", pdf(made.scanned), error=errors.NoTextFound),
    Vector("cut in half", "a.pdf", made.first(0.4, pdf(made.five_pages)), error=errors.BrokenFile),
    Vector("only the mark", "a.pdf", content(b"%PDF-1.7\n"), error=errors.BrokenFile),
    Vector("pdf named as word", "a.docx", pdf(made.five_pages), holds=["第三条"], remark="后缀 .docx"),
]

PAGE_VECTORS = [
    Vector(
        "utf-8", "a.html", content(PAGE.format(charset="utf-8")), PAGE_TEXT, kinds="hptl", title="开学通知"
    ),
    Vector("gb2312", "a.htm", content(PAGE.format(charset="gb2312").encode("gbk")), PAGE_TEXT),
    Vector("wrong declaration", "a.html", content(PAGE.format(charset="utf-8").encode("gbk")), PAGE_TEXT),
    Vector("utf-16 with mark", "a.html", content(PAGE.format(charset="utf-8").encode("utf-16")), PAGE_TEXT),
    Vector("archive", "a.mht", content(made.mht(PAGE.format(charset="utf-8"))), PAGE_TEXT),
    Vector(
        "page named as doc", "a.doc", content(PAGE.format(charset="utf-8")), PAGE_TEXT, remark="后缀 .doc"
    ),
    Vector("deep nesting", "a.html", content("<html>" + "<div>" * 1500 + "深处的文字"), holds=["深处的文字"]),
    Vector(
        "endless nesting",
        "a.html",
        content("<div>" * 9000 + "深处"),
        error=errors.BrokenFile,
        says="嵌套过深",
    ),
    Vector(
        "government page",
        "a.html",
        content(
            '<html><head><meta name="ArticleTitle" content="关于开学的通知"><title>公开</title></head><body>'
            '<h1>某市人民政府</h1><div class="nav-bar"><a href="/">首页</a></div><ul><li><a>政务</a></li></ul>'
            '<div class="content"><p>各学校：<br>　　现将要求通知如下。</p><div style="display:none">看不见</div></div>'
            '<div id="footer"><p>版权所有，不得转载。</p></div></body></html>'
        ),
        "某市人民政府\n各学校：\n现将要求通知如下。",
        title="关于开学的通知",
    ),
    Vector("nothing to see", "a.html", content("<html><script>a</script></html>"), error=errors.EmptyFile),
]

OTHER_VECTORS = [
    Vector(
        "workbook",
        "a.xlsx",
        made.workbook,
        "三年级\n2022学年课程表\n科目 | 课时 | 占比\n语文 | 7 | 35%\n备注 | 另行通知\n"
        "说明\n第二张表 | 也要读",
        kinds="httht",
        title="2022学年课程表",
        remark="隐藏的工作表",
    ),
    Vector("cut workbook", "a.xlsx", made.first(0.7, made.workbook), error=errors.BrokenFile),
    Vector(
        "slides",
        "a.pptx",
        made.slides,
        "家长会议程\n学校工作介绍\n班级情况说明\n备注：先放校歌",
        kinds="hppf",
        title="家长会议程",
    ),
    Vector("program", "a.exe", content(b"MZ" + bytes(99)), error=errors.UnsupportedFile, says=".docx"),
    Vector("no suffix", "a", content(NOTICE), error=errors.UnsupportedFile, says="没有后缀"),
    Vector("empty word", "a.docx", content(b""), error=errors.EmptyFile),
]

ALL = [
    pytest.param(vector, id=f"{group}: {vector.name}")
    for group, vectors in (
        ("text", TEXT_VECTORS),
        ("word", WORD_VECTORS),
        ("pdf", PDF_VECTORS),
        ("page", PAGE_VECTORS),
        ("other", OTHER_VECTORS),
    )
    for vector in vectors
]


@pytest.mark.parametrize("vector", ALL)
def test_file_gives_its_text_or_its_error(vector: Vector, tmp_path: Path) -> None:
    path = tmp_path / vector.file
    vector.make(path)
    if vector.error:
        with pytest.raises(vector.error) as caught:
            parse_file(path)
        assert type(caught.value) is vector.error
        assert str(caught.value).startswith(f"{path.name}：") and "\n" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
        assert vector.says in str(caught.value)
        return
    parsed = parse_file(path)
    check_text(vector, parsed)
    check_blocks(parsed)
    if vector.kinds is not None:
        assert "".join(block.kind[0] for block in parsed.blocks) == vector.kinds
    if vector.title is not None:
        assert parsed.title == vector.title
    assert vector.remark in "；".join(parsed.remarks)
    if not vector.remark:
        assert parsed.remarks == ()


def check_text(vector: Vector, parsed: Parsed) -> None:
    if vector.text is not None:
        assert parsed.text == vector.text
    assert [piece for piece in vector.holds if piece not in parsed.text] == []
    assert [piece for piece in vector.lacks if piece in parsed.text] == []


def check_blocks(parsed: Parsed) -> None:
    """Blocks stand in order, do not overlap, and begin and end on text."""
    parsed.text.encode("utf-8")
    position = 0
    for block in parsed.blocks:
        assert position <= block.start < block.end <= len(parsed.text)
        assert parsed.text[block.start : block.end].strip()
        assert (block.kind == "heading") == (1 <= block.level <= 9)
        position = block.end


def test_a_pdf_that_pdfium_cannot_read_is_read_by_pypdf(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("rag.parsers.pdf._pages", lambda path: None)
    path = tmp_path / "a.pdf"
    pdf(made.five_pages)(path)
    parsed = parse_file(path)
    assert "第三条" in parsed.text and "这一页的内容说的是第5件事情。" in parsed.text
    assert any("备用程序" in remark for remark in parsed.remarks)


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("name", ["a.rtf", "a.doc"])
def test_legacy_file_is_converted(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(made.rich_text())
    assert parse_file(path).text == "第一条 本办法自发布之日起施行。"


def test_legacy_file_without_libreoffice_names_the_remedy(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("rag.parsers.legacy.find_office", lambda: None)
    path = tmp_path / "a.rtf"
    path.write_bytes(made.rich_text())
    with pytest.raises(errors.UnsupportedFile, match="另存为 .docx"):
        parse_file(path)


def test_missing_file_is_the_systems_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        parse_file(tmp_path / "nothing.txt")
