"""Makers of the files that the format tests read: each writes one file to a path."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import docx
import openpyxl
import pypdf
from pptx import Presentation
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

Maker = Callable[[Path], None]
FONT = "STSong-Light"
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_SPACES = (
    f'{_W} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    ' xmlns:v="urn:schemas-microsoft-com:vml"'
)
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_WORD}document.main+xml"/>'
    f'<Override PartName="/word/numbering.xml" ContentType="{_WORD}numbering+xml"/></Types>'
)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def content(data: bytes | str) -> Maker:
    """A file of just these bytes; text is written as UTF-8."""
    return lambda path: path.write_bytes(data if isinstance(data, bytes) else data.encode()) and None


def first(share: float, maker: Maker) -> Maker:
    """The first part of what another maker writes."""

    def cut(path: Path) -> None:
        maker(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return cut


def word(body: str, **parts: str) -> Maker:
    """A .docx of raw XML: the body's content, and further parts (numbering, styles, footnotes …) by name."""

    def write(path: Path) -> None:
        relations = "".join(
            f'<Relationship Id="r{n}" Type="{_RELATION}{name}" Target="{name}.xml"/>'
            for n, name in enumerate(parts)
        )
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("[Content_Types].xml", _TYPES)
            archive.writestr("_rels/.rels", _relations("word/document.xml"))
            archive.writestr(
                "word/document.xml", f"<w:document {_SPACES}><w:body>{body}</w:body></w:document>"
            )
            archive.writestr("word/_rels/document.xml.rels", _wrapped(relations))
            for name, xml in parts.items():
                archive.writestr(f"word/{name}.xml", f"<w:{name} {_SPACES}>{xml}</w:{name}>")

    return write


def _relations(target: str) -> str:
    return _wrapped(f'<Relationship Id="r1" Type="{_RELATION}officeDocument" Target="{target}"/>')


def _wrapped(relations: str) -> str:
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{relations}</Relationships>'


def p(text: str, properties: str = "") -> str:
    """A Word paragraph."""
    return f"<w:p><w:pPr>{properties}</w:pPr>{r(text)}</w:p>"


def r(text: str, properties: str = "") -> str:
    """A Word run."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def item(text: str, level: int = 0, number: int = 1) -> str:
    """A numbered Word paragraph."""
    return p(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def levels(*specs: tuple[str, str], extra: str = "") -> str:
    """Numbering with list 1 of these (format, pattern) levels."""
    made = "".join(
        f'<w:lvl w:ilvl="{n}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
        f'<w:lvlText w:val="{pattern}"/></w:lvl>'
        for n, (form, pattern) in enumerate(specs)
    )
    lists = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    return f'<w:abstractNum w:abstractNumId="0">{made}</w:abstractNum>{lists}{extra}'


def word_document(build: Callable[[docx.document.Document], object]) -> Maker:
    """A .docx that python-docx writes."""

    def write(path: Path) -> None:
        document = docx.Document()
        build(document)
        document.save(str(path))

    return write


def with_furniture(document: docx.document.Document) -> None:
    document.add_heading("学校安全工作办法", 0)
    document.add_heading("第一章 总则", 1)
    document.add_paragraph("第一条 为了学校安全，制定本办法。")
    document.sections[0].header.paragraphs[0].text = "页眉文字"
    document.sections[0].footer.paragraphs[0].text = "页脚文字"


def with_merged_cells(document: docx.document.Document) -> None:
    document.add_paragraph("表1 课时安排")
    table = document.add_table(4, 3)
    for row, cells in enumerate(
        (("科目", "年级", "课时"), ("语文", "三", "7"), ("", "四", "6"), ("合计", "", "13"))
    ):
        for column, text in enumerate(cells):
            if text:
                table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 0).merge(table.cell(3, 1))


def zipped(members: dict[str, bytes]) -> Maker:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)

    return write


def pdf(draw: Callable[[Canvas], object]) -> Maker:
    """A PDF that reportlab draws."""

    def write(path: Path) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        canvas = Canvas(str(path), pagesize=A4)
        draw(canvas)
        canvas.save()

    return write


def pdf_page(
    canvas: Canvas, lines: Sequence[str], left: float = 90, top: float = 740, size: float = 12
) -> None:
    canvas.setFont(FONT, size)
    for number, line in enumerate(lines):
        canvas.drawString(left, top - 20 * number, line)


def two_columns(canvas: Canvas) -> None:
    pdf_page(canvas, ["学校通讯总第十二期全体教师阅读材料供教研组学习讨论之用"], left=120)
    for left, side in ((72, "左栏"), (310, "右栏")):
        pdf_page(canvas, [f"{side}第{n}行文字写满一整栏的宽度" for n in "一二三四五六"], left=left, top=700)


def five_pages(canvas: Canvas) -> None:
    for number in range(1, 6):
        pdf_page(canvas, ["某某学校规章制度汇编"], top=810, size=9)
        pdf_page(canvas, [f"　　第{'零一二三四五'[number]}条　这一页的内容说的是第{number}件事情。"])
        pdf_page(canvas, [f"- {number} -"], left=290, top=30, size=9)
        canvas.showPage()


def wrapped_lines(canvas: Canvas) -> None:
    line = "学校应当建立健全安全工作责任制和各项管理制度并且认真落实"
    pdf_page(
        canvas,
        [
            "　　第一条　" + line[:-3],
            line + "到每",
            "一个岗位。",
            "　　第二条　依照本办法" + line[:-9],
            "第一条的规定执行。",
        ],
    )


def scanned(canvas: Canvas) -> None:
    for _ in range(2):
        canvas.rect(100, 100, 300, 500, fill=1)
        canvas.showPage()


def quotes_last(canvas: Canvas) -> None:
    """A line as some programs draw it: the quotation marks after all the rest."""
    pdf_page(canvas, ["学校安全工作要落实　一岗双责　的要求"])
    for mark, place in (("“", 9), ("”", 14)):
        pdf_page(canvas, [mark], left=90 + 12 * place)


def grid(canvas: Canvas) -> None:
    """A table of two columns: short cells, read row by row."""
    for left, cells in ((90, "科目 语文 数学 英语 体育 音乐"), (330, "课时 七节 六节 三节 四节 二节")):
        pdf_page(canvas, cells.split(), left=left)


def titled(canvas: Canvas) -> None:
    pdf_page(canvas, ["关于进一步加强全市中小学校安全管理", "工作的若干意见"], left=80, top=780, size=24)
    pdf_page(canvas, ["　　一、总体要求", "　　各学校应当建立健全安全工作责任制并且认真落实到位。"], top=700)


def sideways(canvas: Canvas) -> None:
    """A landscape page: drawn sideways and turned for viewing."""
    canvas.setPageRotation(90)
    canvas.translate(A4[0], 0)
    canvas.rotate(90)
    pdf_page(canvas, ["附表　各校安全检查安排", "第一中学　三月一日", "第二中学　三月二日"], left=90, top=400)


def watermarked(canvas: Canvas) -> None:
    pdf_page(canvas, ["第一条　教师应当为人师表，关心爱护学生，不断提高水平。"])
    canvas.saveState()
    canvas.rotate(45)
    pdf_page(canvas, ["内部资料禁止外传"], left=400, top=300, size=40)
    canvas.restoreState()


def locked_pdf(path: Path) -> None:
    five = path.with_suffix(".plain")
    pdf(five_pages)(five)
    writer = pypdf.PdfWriter(clone_from=str(five))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(str(path))


def workbook(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "三年级"
    for row in (["2022学年课程表"], ["科目", "课时", "占比"], ["语文", 7.0, 0.35], [], ["备注", "另行通知"]):
        sheet.append(row)
    sheet.merge_cells("A1:C1")
    sheet["C3"].number_format = "0%"
    book.create_sheet("说明").append(["第二张表", "也要读"])
    hidden = book.create_sheet("草稿")
    hidden.append(["不给人看"])
    hidden.sheet_state = "hidden"
    book.save(path)


def slides(path: Path) -> None:
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "家长会议程"
    slide.placeholders[1].text = "学校工作介绍\n班级情况说明"
    slide.notes_slide.notes_text_frame.text = "先放校歌"
    deck.slides.add_slide(deck.slide_layouts[6])
    deck.save(str(path))


def bomb(path: Path) -> None:
    """350 MB of blanks in a document of a few hundred KB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        with archive.open("word/document.xml", "w") as member:
            for _ in range(350):
                member.write(b" " * 2**20)


def mht(page: str) -> bytes:
    from email.message import EmailMessage
    from email.policy import SMTP

    message = EmailMessage(policy=SMTP)
    message["Subject"] = "saved"
    message["MIME-Version"] = "1.0"
    message.set_content(page, subtype="html", charset="utf-8", cte="quoted-printable")
    message.make_related()
    return message.as_bytes()


def encrypted_container() -> bytes:
    """The outline of an encrypted Office file: an OLE container that names its one stream."""
    return OLE + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(600)


def rich_text() -> bytes:
    text = "".join(f"\\u{ord(c)}?" for c in "第一条 本办法自发布之日起施行。")
    return io.BytesIO(f"{{\\rtf1\\ansi {text}\\par}}".encode("ascii")).getvalue()
