"""More than three hundred files that should not exist, made when they are needed: name and content.

Each is to be read or refused with a reason. SECRET stands in a file beside them, which some try to have read;
HOME is an address that some try to have called (set by the test to one that it listens at).
"""

import base64
import io
import random
import struct
import zipfile
import zlib

from parsers import made_files as made

SECRET = "校长办公室的机密内容"
HOME = "http://127.0.0.1:9/called"
TEXT = "第一条 学校应当建立健全安全工作责任制。\n第二条 食堂由总务处管理，每学期公示一次账目。\n"
ENCODINGS = {  # what each must come out as: the text itself, or at least no crash where it is not ours
    "ours": ("utf-8", "utf-8-sig", "utf-16", "utf-32", "gbk", "gb2312", "gb18030"),
    "guessed": ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "hz", "big5hkscs", "cp950", "iso2022_jp",
                "shift_jis", "euc_jp", "euc_kr", "johab", "utf-7", "cp037", "koi8-r", "cp1251", "latin-1", "mac_roman",
                "iso2022_kr"),
}  # fmt: skip
W = made._SPACES
MB = 2**20


def packed(members, *, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=1) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def blown(members, size):
    """An archive whose members each expand to `size` blanks; made from one piece packed a megabyte at a time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in members:
            with archive.open(name, "w") as member:
                for _ in range(size // MB):
                    member.write(b" " * MB)
    return out.getvalue()


def word(body, *, head="", rels="", **parts):
    """A .docx of raw XML, `head` before the document's root."""
    xml = f"{head}<w:document {W}><w:body>{body}</w:body></w:document>"
    members = [("[Content_Types].xml", made._TYPES), ("_rels/.rels", made._relations("word/document.xml")),
               ("word/document.xml", xml), ("word/_rels/document.xml.rels", made._wrapped(rels))]  # fmt: skip
    return packed([*members, *((f"word/{name}.xml", text) for name, text in parts.items())])


def sheet(xml, *, head="", strings=""):
    """An .xlsx of one raw sheet."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
    book = f'<workbook xmlns="{space}" xmlns:r="{made._RELATION[:-1]}"><sheets><sheet name="一" sheetId="1" r:id="r1"/></sheets></workbook>'
    types = made._TYPES.replace(
        made._WORD + "document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    types = types.replace("/word/document.xml", "/xl/workbook.xml")
    return packed([
        ("[Content_Types].xml", types), ("_rels/.rels", made._relations("xl/workbook.xml")), ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", made._wrapped(f'<Relationship Id="r1" Type="{kind}" Target="worksheets/sheet1.xml"/>')),
        ("xl/worksheets/sheet1.xml", f'{head}<worksheet xmlns="{space}">{xml}</worksheet>'),
        ("xl/sharedStrings.xml", f'<sst xmlns="{space}">{strings}</sst>'),
    ])  # fmt: skip


def whole(maker):
    """What a maker of good files writes."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        maker(path)
        return path.read_bytes()


def with_members(data, more):
    """An office file with further members."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in more:
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def pdf_of(*objects, trailer="/Root 1 0 R"):
    """A PDF of these objects, its table of places right."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += (
            f"{number} 0 obj\n".encode()
            + (body if isinstance(body, bytes) else body.encode())
            + b"\nendobj\n"
        )
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer <</Size {len(objects) + 1} {trailer}>>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)


def stream(data, more="", length=None):
    head = f"<<{more} /Length {len(data) if length is None else length}>>\nstream\n".encode()
    return head + data + b"\nendstream"


def bombs():
    """Archives that expand to far more than they are."""
    for suffix, member in (
        (".docx", "word/document.xml"),
        (".xlsx", "xl/workbook.xml"),
        (".pptx", "ppt/presentation.xml"),
    ):
        base = [
            ("[Content_Types].xml", made._TYPES.encode()),
            ("_rels/.rels", made._relations(member).encode()),
        ]
        for size in (30, 299, 350):
            yield (
                f"炸弹{size}M{suffix}",
                lambda base=base, member=member, size=size: with_members(blown([member], size * MB), base),
            )
        yield f"炸弹1G{suffix}", lambda member=member: blown([member], 1024 * MB)
        yield (
            f"分成多份的炸弹{suffix}",
            lambda member=member: blown([member, *(f"x/{n}.xml" for n in range(40))], 20 * MB),
        )
        yield (
            f"成员过多{suffix}",
            lambda member=member: packed([(member, "")] + [(f"x/{n}", "") for n in range(20_500)]),
        )
        yield f"谎报大小{suffix}", lambda member=member: lying(blown([member], 30 * MB))
        yield f"重叠{suffix}", lambda member=member: overlapping(packed([(member, "<a/>" * 9000)]))
        for depth in (1, 3, 9):
            yield f"套{depth}层{suffix}", lambda member=member, depth=depth: nested(member, depth)
    for suffix in (".zip", ".txt", ".md", ".html", ".pdf", ".odt", ".jar"):
        yield f"炸弹{suffix}", lambda: blown(["a.txt"], 64 * MB)


def lying(data):
    """The archive with its directory saying that every member is 10 bytes."""
    place = data.rfind(b"PK\x01\x02")
    changed = bytearray(data)
    struct.pack_into("<I", changed, place + 24, 10)
    return bytes(changed)


def overlapping(data):
    """The archive with its one member listed five hundred times."""
    place, end = data.rfind(b"PK\x01\x02"), data.rfind(b"PK\x05\x06")
    entry, tail = data[place:end], bytearray(data[end:])
    struct.pack_into("<HHI", tail, 8, 500, 500, 500 * len(entry))
    return data[:place] + entry * 500 + bytes(tail)


def nested(member, depth):
    data = packed([(member, "<a/>")])
    for _ in range(depth):
        data = packed([("[Content_Types].xml", made._TYPES), (member, data), ("内层.docx", data)])
    return data


ENTITIES = {
    "外部实体": '<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]>',
    "网络实体": '<!DOCTYPE a [<!ENTITY x SYSTEM "{home}">]>',
    "参数实体": '<!DOCTYPE a [<!ENTITY % p SYSTEM "{home}"> %p; <!ENTITY x "y">]>',
    "外部声明": '<!DOCTYPE a SYSTEM "{home}" [<!ENTITY x "y">]>',
    "十亿笑": '<!DOCTYPE a [<!ENTITY a "哈哈哈哈哈哈哈哈哈哈">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + '<!ENTITY x "&j;">]>',
    "平方膨胀": f'<!DOCTYPE a [<!ENTITY x "{"啊" * 50_000}">]>',
    "自引实体": '<!DOCTYPE a [<!ENTITY x "&y;"><!ENTITY y "&x;">]>',
}


def entities(secret):
    """Documents whose XML names entities: of files, of addresses, of more and more of themselves."""
    for name, dtd in ENTITIES.items():
        head = dtd.replace("{secret}", secret).replace("{home}", HOME)
        yield f"{name}.docx", lambda head=head: word(made.p("&x;甲"), head=head)
        yield (
            f"{name}.xlsx",
            lambda head=head: sheet(
                '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&x;</t></is></c></row></sheetData>',
                head=head,
            ),
        )
        yield f"{name}16.docx", lambda head=head: packed([
            ("[Content_Types].xml", made._TYPES), ("_rels/.rels", made._relations("word/document.xml")),
            ("word/document.xml", f'<?xml version="1.0" encoding="utf-16"?>{head}<w:document {W}><w:body>{made.p("&x;甲")}</w:body></w:document>'.encode("utf-16")),
        ])  # fmt: skip
        yield f"{name}.html", lambda head=head: f"{head}<html><body><p>&x;甲乙</p></body></html>".encode()
        yield f"{name}.md", lambda head=head: f"{head}\n\n&x;甲乙\n".encode()
        yield f"{name}.mht", lambda head=head: made.mht(f"{head}<p>&x;甲乙</p>")
    yield (
        "引入.docx",
        lambda: word(
            f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{secret}" parse="text"/>'
        ),
    )
    field = f'<w:r><w:instrText>INCLUDETEXT "{secret}"</w:instrText></w:r>'
    yield "域.docx", lambda: word(f"<w:p>{field}{made.r('甲')}</w:p>")
    linked = f'<Relationship Id="r9" Type="{made._RELATION}aFChunk" Target="file://{secret}" TargetMode="External"/>'
    yield "外部块.docx", lambda: word(made.p("甲") + '<w:altChunk r:id="r9"/>', rels=linked)
    image = f'<Relationship Id="r9" Type="{made._RELATION}image" Target="{HOME}" TargetMode="External"/>'
    yield "外部图.docx", lambda: word(made.p("甲"), rels=image)
    template = f'<Relationship Id="r9" Type="{made._RELATION}attachedTemplate" Target="{HOME}" TargetMode="External"/>'
    yield "外部模板.docx", lambda: word(made.p("甲"), rels=template)
    yield "页内引用.html", lambda: (f'<html><head><base href="{HOME}"><meta http-equiv=refresh content="0;url={HOME}">'
        f'<link rel=stylesheet href="{HOME}"></head><body><iframe src="file://{secret}"></iframe><object data="{HOME}"></object>'
        f'<img src="{HOME}"><embed src="{HOME}"><p>甲乙丙</p></body></html>').encode()  # fmt: skip


def macros():
    """Files with programs in them; their texts may be read, nothing is run."""
    project = made.OLE + random.Random(2).randbytes(4000)
    docs = {".docx": made.word_document(made.with_furniture), ".xlsx": made.workbook, ".pptx": made.slides}
    for suffix, maker in docs.items():
        folder = {".docx": "word", ".xlsx": "xl", ".pptx": "ppt"}[suffix]
        for name in (suffix, suffix.replace("x", "m") if suffix != ".xlsx" else ".xlsm", f".宏{suffix}"):
            yield (
                f"带宏{name}",
                lambda maker=maker, folder=folder: with_members(
                    whole(maker), [(f"{folder}/vbaProject.bin", project)]
                ),
            )
    yield (
        "自动运行.docm",
        lambda: word(
            '<w:p><w:r><w:instrText> DDEAUTO c:\\\\windows\\\\cmd.exe "/k calc" </w:instrText></w:r></w:p>'
            + made.p("甲")
        ),
    )
    yield (
        "公式.xlsx",
        lambda: sheet(
            '<sheetData><row r="1"><c r="A1"><f>HYPERLINK("'
            + HOME
            + '")</f><v>1</v></c><c r="B1" t="inlineStr"><is><t>=cmd|\' /C calc\'!A0</t></is></c></row></sheetData>'
        ),
    )
    yield "老宏.doc", lambda: project
    yield "老宏.xls", lambda: project
    yield (
        "脚本.html",
        lambda: b"<html><script>" + b"while(1){}" * 1000 + b"</script><body>\xe7\x94\xb2</body></html>",
    )
    yield "脚本.pdf", lambda: pdf_of("<</Type/Catalog/Pages 2 0 R/OpenAction<</S/JavaScript/JS(app.launchURL('x'))>>>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/AA<</O<</S/Launch/F(cmd.exe)>>>>>>")  # fmt: skip


def deep():
    """Things inside things inside things."""
    for depth in (300, 5_000, 50_000):
        yield (
            f"深段{depth}.docx",
            lambda depth=depth: word(
                "<w:sdt><w:sdtContent>" * depth + made.p("甲") + "</w:sdtContent></w:sdt>" * depth
            ),
        )
        yield (
            f"深表{depth}.docx",
            lambda depth=depth: word(
                "<w:tbl><w:tr><w:tc>" * depth + made.p("甲") + "</w:tc></w:tr></w:tbl>" * depth
            ),
        )
        yield (
            f"深层{depth}.xlsx",
            lambda depth=depth: sheet(
                "<sheetData><row r='1'><c r='A1' t='inlineStr'><is>"
                + "<r>" * depth
                + "<t>甲</t>"
                + "</r>" * depth
                + "</is></c></row></sheetData>"
            ),
        )
        for tag in ("div", "table", "ul", "blockquote", "b", "font"):
            yield (
                f"深{tag}{depth}.html",
                lambda depth=depth, tag=tag: (f"<{tag}>" * depth + "甲乙丙" + f"</{tag}>" * depth).encode(),
            )
        yield f"不闭合{depth}.html", lambda depth=depth: ("<div><p>甲" * depth).encode()
        yield f"深引{depth}.md", lambda depth=depth: (">" * depth + " 甲乙\n").encode()
        yield (
            f"深列{depth}.md",
            lambda depth=depth: "".join(" " * (n % 2000) + "- 甲\n" for n in range(depth)).encode(),
        )
        yield f"深括{depth}.md", lambda depth=depth: ("[" * depth + "甲乙" + "](x)" * depth).encode()
        yield (
            f"深组{depth}.rtf",
            lambda depth=depth: (r"{\rtf1" + "{" * depth + "a" + "}" * depth + "}").encode(),
        )
        yield (
            f"深数组{depth}.pdf",
            lambda depth=depth: pdf_of(
                "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>", "[" * depth + "]" * depth
            ),
        )


def pdfs():
    """Broken PDFs: cut, looping, lying, swollen."""
    good = whole(made.pdf(made.five_pages))
    for share in (0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99):
        yield f"截断{share}.pdf", lambda share=share: good[: int(len(good) * share)]
        yield f"缺头{share}.pdf", lambda share=share: good[int(len(good) * share) :]
    page, pages = (
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    )
    root = "<</Type/Catalog/Pages 2 0 R>>"
    bomb = zlib.compress(bytes(200 * MB), 1)
    kinds = {
        "自引页树": (root, "<</Type/Pages/Kids[2 0 R]/Count 1>>"),
        "互引页树": (root, "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>"),
        "父为子": (root, pages, "<</Type/Page/Parent 3 0 R>>"),
        "百万页": (root, "<</Type/Pages/Kids[3 0 R]/Count 1000000>>", page, stream(b"")),
        "负页数": (root, "<</Type/Pages/Kids[3 0 R]/Count -5>>", page, stream(b"")),
        "无页": (root, "<</Type/Pages/Kids[]/Count 0>>"),
        "无目录": ("<<>>",),
        "目录自引": ("1 0 R",),
        "巨页": (root, pages, page.replace("595 842", "99999999 99999999"), stream(b"")),
        "负页框": (root, pages, page.replace("595 842", "-5 -5"), stream(b"")),
        "流长谎报": (root, pages, page, stream(b"BT (a) Tj ET", length=10**9)),
        "流长为负": (root, pages, page, stream(b"BT (a) Tj ET", length=-1)),
        "流炸弹": (root, pages, page, stream(bomb, "/Filter/FlateDecode")),
        "双层炸弹": (root, pages, page, stream(zlib.compress(bomb), "/Filter[/FlateDecode/FlateDecode]")),
        "乱压缩": (root, pages, page, stream(made.OLE * 50, "/Filter/FlateDecode")),
        "乱LZW": (root, pages, page, stream(bytes(range(256)) * 9, "/Filter/LZWDecode")),
        "未知过滤": (root, pages, page, stream(b"x", "/Filter/Nonsense")),
        "过滤自引": (root, pages, page, stream(b"x", "/Filter 4 0 R")),
        "未知加密": (root, pages, page, stream(b"")),
        "无字体": (root, pages, page, stream(b"BT /F1 12 Tf (abc) Tj ET " * 5000)),
        "不收尾": (root, pages, page, stream(b"BT " * 20_000 + b"q " * 20_000)),
        "自引图": (root, pages, page.replace("/Contents", "/Resources<</XObject<</X 5 0 R>>>>/Contents"), stream(b"/X Do"),
                stream(b"/X Do", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>")),
        "百万字": (root, pages, page, stream(b"BT (" + b"a" * MB + b") Tj ET")),
    }  # fmt: skip
    for name, objects in kinds.items():
        trailer = "/Root 1 0 R /Encrypt<</Filter/Alien/V 9>>" if name == "未知加密" else "/Root 1 0 R"
        yield f"{name}.pdf", lambda objects=objects, trailer=trailer: pdf_of(*objects, trailer=trailer)
    yield "表不对.pdf", lambda: good.replace(b"startxref", b"startxref\n99999999\n")
    yield "前有垃圾.pdf", lambda: b"\0" * 2000 + good
    yield "后有垃圾.pdf", lambda: good + random.Random(3).randbytes(5000)
    yield "两份.pdf", lambda: good + good
    yield "版本.pdf", lambda: good.replace(b"%PDF-1", b"%PDF-9")
    yield "只有头.pdf", lambda: b"%PDF-1.7\n"
    yield "加密.pdf", lambda: whole(lambda path: made.locked_pdf(path))


def codes():
    """A text in every encoding, also those that it should not be in."""
    for code in [*ENCODINGS["ours"], *ENCODINGS["guessed"]]:
        for suffix in (".txt", ".md", ".html"):
            text = TEXT if suffix != ".html" else f"<html><body><p>{TEXT}</p></body></html>"
            yield f"{code}{suffix}", lambda code=code, text=text: text.encode(code, "replace")
    yield "混编.txt", lambda: TEXT.encode("gbk") + TEXT.encode("utf-8") + TEXT.encode("utf-16")
    yield "声明不符.html", lambda: f'<meta charset="big5"><p>{TEXT}</p>'.encode("gbk")
    yield "两声明.html", lambda: f'<meta charset="utf-8"><meta charset="gbk"><p>{TEXT}</p>'.encode("gbk")
    yield "假声明.html", lambda: f'<meta charset="no-such-code"><p>{TEXT}</p>'.encode()


TEN = {
    ("数字", ".txt"),
    ("字母", ".md"),
    ("汉字", ".txt"),
    ("竖线", ".txt"),
    ("句号", ".md"),
    ("星号", ".html"),
}


def long():
    """One megabyte in one line, and ten."""
    for name, unit in (("数字", "1"), ("字母", "a"), ("汉字", "书"), ("句号", "。"), ("条", "第一条"), ("空格", " x"), ("左括号", "（"),
                       ("引号", "“"), ("星号", "*"), ("竖线", "|a"), ("文号", "教〔2022〕1号"), ("制表", "\ta")):  # fmt: skip
        for suffix in (".txt", ".md", ".html"):
            size = (10 if (name, suffix) in TEN else 1) * MB
            yield (
                f"一行{name}{suffix}",
                lambda unit=unit, size=size: (unit * (size // len(unit.encode())) + "\n").encode(),
            )
    yield "一行.docx", lambda: word(made.p("书" * (10 * MB // 3)))
    yield (
        "一格.xlsx",
        lambda: sheet(
            '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>'
            + "书" * (10 * MB // 3)
            + "</t></is></c></row></sheetData>"
        ),
    )
    yield "一属性.html", lambda: ("<p title='" + "a" * 5 * MB + "'>甲乙</p>").encode()
    yield "万标签.html", lambda: ("<b>甲</b>" * 300_000).encode()
    yield "万段.docx", lambda: word(made.p("甲乙丙") * 60_000)
    yield "万片.docx", lambda: word(f"<w:p>{made.r('甲') * 100_000}</w:p>")
    yield "不闭注释.html", lambda: ("<!--" * 500_000 + "甲").encode()
    yield "不闭数据.html", lambda: ("<![CDATA[" * 200_000 + "甲").encode()


def surrogates():
    """Half characters, forbidden characters, references to them."""
    half = b"\xed\xa0\x80"
    for suffix in (".txt", ".md", ".html"):
        yield f"半字{suffix}", lambda: TEXT.encode() + half + TEXT.encode()
        yield f"半字多{suffix}", lambda: half * 500 + TEXT.encode()
        yield f"空字符{suffix}", lambda: TEXT.replace("条", "\0").encode()
        yield f"控制{suffix}", lambda: (TEXT + "".join(map(chr, [*range(1, 32), 127, 0x85, 0x9F]))).encode()
        yield f"双向{suffix}", lambda: ("\u202e" + TEXT + "\u2066" * 900).encode()
        yield f"非字符{suffix}", lambda: (TEXT + "\ufffe\uffff\U0010ffff").encode()
        yield f"组合{suffix}", lambda: ("第" + "\u0301" * 100_000 + TEXT).encode()
        yield f"半字16{suffix}", lambda: b"\xff\xfe" + TEXT.encode("utf-16-le") + b"\x00\xd8" * 50
    for code in ("&#xD800;", "&#0;", "&#xFFFF;", "&#x1F;", "&#99999999;", "&unknown;"):
        name = code.strip("&#;")
        yield f"引用{name}.docx", lambda code=code: word(made.p(f"甲{code}乙"))
        yield f"引用{name}.html", lambda code=code: f"<p>甲{code}乙</p>".encode()
        yield (
            f"引用{name}.xlsx",
            lambda code=code: sheet(
                f'<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>甲{code}</t></is></c></row></sheetData>'
            ),
        )


TRICKS = ("../../越界.xml", "/etc/越界.xml", "C:\\越界.xml", "..\\..\\越界.xml", "word/../../越界.xml", "CON", "a\nb.xml", "‮fdp.xml", "word/document.xml ",
          "词" * 200)  # fmt: skip


def names():
    """Paths that climb out of an archive, and file names that would be paths, commands or markup."""
    docs = {".docx": made.word_document(made.with_furniture), ".xlsx": made.workbook, ".pptx": made.slides}
    for number, trick in enumerate(TRICKS):
        for suffix, maker in docs.items():
            yield (
                f"名{number}{suffix}",
                lambda maker=maker, trick=trick: with_members(whole(maker), [(trick, b"<a/>")]),
            )
        rel = f'<Relationship Id="r9" Type="{made._RELATION}footnotes" Target="{trick.strip()}"/>'.replace(
            "\n", ""
        )
        yield f"指{number}.docx", lambda rel=rel: word(made.p("甲"), rels=rel)
    for name in ("-rf.txt", "$(touch 越界).txt", "`id`.txt", "; rm x.txt", "%2e%2e%2f越界.txt", "<img src=x onerror=alert(1)>.md", "' OR 1=1 --.txt",
                 "{{7*7}}.txt", "\u202egpj.txt", "a\nb.txt", "词" * 60 + ".txt", " .txt", "a.txt.exe", "a.PDF.txt", "nul.txt", "\U0001f600.txt", "甲\u200b.txt"):  # fmt: skip
        yield name, lambda name=name: f"{TEXT}这一份叫{len(name)}{name[:1]!r}。\n".encode()


def sheets():
    """Tables that claim to be endless, refer to nothing or to themselves."""
    cell = '<c r="{}" t="inlineStr"><is><t>甲</t></is></c>'
    yield (
        "最远格.xlsx",
        lambda: sheet(
            '<dimension ref="A1:XFD1048576"/><sheetData><row r="1">'
            + cell.format("A1")
            + '</row><row r="1048576">'
            + cell.format("XFD1048576")
            + "</row></sheetData>"
        ),
    )
    yield (
        "假尺寸.xlsx",
        lambda: sheet(
            '<dimension ref="A1:XFD1048576"/><sheetData><row r="1">'
            + cell.format("A1")
            + "</row></sheetData>"
        ),
    )
    yield (
        "缺字串.xlsx",
        lambda: sheet('<sheetData><row r="1"><c r="A1" t="s"><v>99999</v></c></row></sheetData>'),
    )
    yield (
        "负字串.xlsx",
        lambda: sheet(
            '<sheetData><row r="1"><c r="A1" t="s"><v>-1</v></c></row></sheetData>',
            strings="<si><t>甲</t></si>",
        ),
    )
    yield (
        "大合并.xlsx",
        lambda: sheet(
            '<sheetData><row r="1">'
            + cell.format("A1")
            + '</row></sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>'
        ),
    )
    yield (
        "万合并.xlsx",
        lambda: sheet(
            '<sheetData><row r="1">'
            + cell.format("A1")
            + "</row></sheetData><mergeCells>"
            + "".join(f'<mergeCell ref="A{n}:C{n}"/>' for n in range(1, 20_000))
            + "</mergeCells>"
        ),
    )
    yield (
        "坏日期.xlsx",
        lambda: sheet(
            '<sheetData><row r="1"><c r="A1" t="d"><v>99999-99-99</v></c><c r="B1"><v>1e308</v></c><c r="C1"><v>nan</v></c></row></sheetData>'
        ),
    )
    yield (
        "坏格名.xlsx",
        lambda: sheet(
            '<sheetData><row r="1">'
            + cell.format("ZZZZZZ99999999999")
            + cell.format("??")
            + "</row></sheetData>"
        ),
    )
    yield (
        "坏样式.xlsx",
        lambda: sheet('<sheetData><row r="1"><c r="A1" s="9999"><v>1</v></c></row></sheetData>'),
    )
    yield "空表.xlsx", lambda: sheet("<sheetData/>")
    yield (
        "万行.xlsx",
        lambda: sheet(
            "<sheetData>"
            + "".join(f'<row r="{n}">{cell.format(f"A{n}")}</row>' for n in range(1, 40_000))
            + "</sheetData>"
        ),
    )
    loop = "".join(
        f'<w:style w:type="paragraph" w:styleId="s{n}"><w:basedOn w:val="s{1 - n}"/></w:style>'
        for n in (0, 1)
    )
    relation = f'<Relationship Id="r1" Type="{made._RELATION}styles" Target="styles.xml"/>'
    yield (
        "样式循环.docx",
        lambda: word(
            '<w:p><w:pPr><w:pStyle w:val="s0"/></w:pPr>' + made.r("甲") + "</w:p>",
            rels=relation,
            styles=f"<w:styles {W}>{loop}</w:styles>",
        ),
    )
    yield (
        "缺脚注.docx",
        lambda: word('<w:p><w:r><w:footnoteReference w:id="77"/></w:r>' + made.r("甲") + "</w:p>"),
    )
    yield "缺编号.docx", lambda: word(made.item("甲", level=99, number=12345))
    yield (
        "跨行无限.docx",
        lambda: word(
            '<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="99999999"/></w:tcPr>'
            + made.p("甲")
            + "</w:tc></w:tr></w:tbl>"
        ),
    )
    yield (
        "跨列无限.html",
        lambda: '<table><tr><td colspan="99999999" rowspan="99999999">甲<td>乙</table>'.encode(),
    )
    yield (
        "无正文.docx",
        lambda: packed(
            [("[Content_Types].xml", made._TYPES), ("_rels/.rels", made._relations("word/none.xml"))]
        ),
    )
    yield (
        "关系循环.docx",
        lambda: packed(
            [("[Content_Types].xml", made._TYPES), ("_rels/.rels", made._relations("_rels/.rels"))]
        ),
    )
    yield "类型缺.docx", lambda: packed([("word/document.xml", f"<w:document {W}/>")])


def pictures():
    """Pictures that are none, or claim to be as large as a town."""

    def png(width, height, data):
        def part(kind, body):
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

        return (
            b"\x89PNG\r\n\x1a\n"
            + part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + part(b"IDAT", data)
            + part(b"IEND", b"")
        )

    yield "巨图.png", lambda: png(60_000, 60_000, zlib.compress(bytes(MB), 9))
    yield "零图.png", lambda: png(0, 0, b"")
    yield "坏图.png", lambda: png(100, 100, b"garbage")
    yield "截图.jpg", lambda: b"\xff\xd8\xff\xe0" + bytes(30)
    yield "循环.gif", lambda: b"GIF89a" + b"\xff" * 900
    yield "坏.tif", lambda: b"II*\0\x08\0\0\0\xff\xff" + b"\xff" * 90
    yield "坏.bmp", lambda: b"BM" + b"\xff" * 200
    yield (
        "矢量.svg",
        lambda: (
            f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{HOME}"/><script>1</script></svg>'.encode()
        ),
    )
    for name, depth in (("浅", 3), ("深", 400)):
        body = b"".join(
            b"--b%d\r\nContent-Type: multipart/related; boundary=b%d\r\n\r\n" % (n, n + 1)
            for n in range(depth)
        )
        yield (
            f"{name}信.mht",
            lambda body=body: (
                b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b0\r\n\r\n" + body
            ),
        )
    yield (
        "坏信.mht",
        lambda: (
            b"MIME-Version: 1.0\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.b64encode(b"<p>")
            + b"!!!" * 99
        ),
    )


def cheap(secret):
    """All that take little time and memory."""
    for kind in (entities(secret), macros(), pdfs(), codes(), surrogates(), names(), sheets(), pictures()):
        yield from kind


def all_of(secret):
    """Every file: (name, maker of its content)."""
    for kind in (bombs(), cheap(secret), deep(), long()):
        yield from kind
