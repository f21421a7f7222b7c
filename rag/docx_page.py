"""The page of GB/T 9704-2012 for Word: paper, margins, grid, base style, page numbers, fonts.

Everything is set where Word reads it first and no theme font is left to win
over a named one. Knows nothing of what is written on the page.
"""

from __future__ import annotations

from typing import Any

# Twips. Paper A4; margins 37, 28, 35, 26 mm leave the 156 x 225 mm type area (5.2.1, 5.2.2).
WIDTH, HEIGHT = 11906, 16838
TOP, LEFT, BOTTOM, RIGHT = 2098, 1587, 1984, 1474
LINE = 579  # 28.95 pt: 22 lines fill 225 mm (5.2.4)
# 28 characters fill 156 mm when they stand 0.25 pt closer than 16 pt (5.2.4). A character grid would
# do the same in Word, but LibreOffice gives each character two of its cells.
CHAR_SPACING = -5
FOOTER = 1287  # puts the number 7 mm below the type area (7.5)
NUMBER_SIZE, NUMBER_LINE = 28, 320  # half-points; twips
# Stand-ins, best first, where a font is not installed; nothing is embedded.
FONTS = {
    "仿宋": ("仿宋_GB2312,FangSong,朱雀仿宋", "roman"),
    "楷体": ("楷体_GB2312,KaiTi,霞鹜文楷", "roman"),
    "黑体": ("SimHei,Noto Sans CJK SC", "swiss"),
    "方正小标宋简体": ("小标宋,方正小标宋_GBK,Noto Serif CJK SC,宋体", "roman"),
    "宋体": ("SimSun,Noto Serif CJK SC", "roman"),
}
_XML = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def lay_out(document: Any, *, title: str, size: int) -> None:
    """Give a new python-docx document the page, base style, footers and fonts; `size` in half-points."""
    _base_style(document, size)
    _page(document.sections[0])
    _drop_parts(document)
    _drop_theme_fonts(document)
    _footers(document)
    _font_table(document)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = title, "", ""
    properties.language = "zh-CN"


def _page(section: Any) -> None:
    from docx.oxml.ns import qn

    margins = {"top": TOP, "right": RIGHT, "bottom": BOTTOM, "left": LEFT}
    sizes = {
        "pgSz": {"w": WIDTH, "h": HEIGHT},
        "pgMar": {**margins, "header": 851, "footer": FOOTER, "gutter": 0},
    }
    for tag, values in sizes.items():
        element = section._sectPr.find(qn(f"w:{tag}"))
        for name, value in values.items():
            element.set(qn(f"w:{name}"), str(value))
    for grid in section._sectPr.findall(qn("w:docGrid")):
        section._sectPr.remove(grid)
    section._sectPr.append(_element("docGrid", type="lines", linePitch=str(LINE)))


def _base_style(document: Any, size: int) -> None:
    from docx.oxml.ns import qn

    style = document.styles["Normal"].element
    properties = style.get_or_add_rPr()
    for child in list(properties):
        properties.remove(child)
    latin = {"ascii": "Times New Roman", "hAnsi": "Times New Roman", "cs": "Times New Roman"}
    properties.append(_element("rFonts", **latin, eastAsia="仿宋"))
    properties.append(_element("spacing", val=str(CHAR_SPACING)))
    properties.append(_element("sz", val=str(size)))
    properties.append(_element("szCs", val=str(size)))
    properties.append(_element("lang", val="en-US", eastAsia="zh-CN"))
    paragraph = style.get_or_add_pPr()
    for child in list(paragraph):
        paragraph.remove(child)
    paragraph.append(_element("widowControl", val="0"))
    paragraph.append(_element("overflowPunct", val="0"))
    paragraph.append(_element("autoSpaceDE", val="0"))
    paragraph.append(_element("autoSpaceDN", val="0"))
    paragraph.append(_element("spacing", before="0", after="0", line=str(LINE), lineRule="exact"))
    paragraph.append(_element("jc", val="both"))
    for tag in ("rPrDefault", "pPrDefault"):
        for default in list(document.styles.element.iter(qn(f"w:{tag}"))):
            for child in list(default):
                default.remove(child)


def _drop_theme_fonts(document: Any) -> None:
    """Theme font attributes win over named fonts, and WPS then misses the font: remove them all."""
    for fonts in document.styles.element.iter(f"{{{_XML}}}rFonts"):
        for name in [name for name in fonts.attrib if name.endswith("Theme")]:
            del fonts.attrib[name]


def _drop_parts(document: Any) -> None:
    """Leave out what python-docx's template brings along: a second copy of its styles, its picture."""
    for relations in (document.part.rels, document.part.package.rels):
        for place, relation in list(relations.items()):
            if relation.reltype.endswith(("/stylesWithEffects", "/thumbnail")):
                del relations[place]


def _footers(document: Any) -> None:
    """Number pages — 1 —: odd ones right, even ones left, one character in (7.5)."""
    section = document.sections[0]
    document.settings.odd_and_even_pages_header_footer = True
    for footer, side, indent in (
        (section.footer, "right", "rightChars"),
        (section.even_page_footer, "left", "leftChars"),
    ):
        footer.is_linked_to_previous = False
        paragraph = footer.paragraphs[0]
        paragraph.style = document.styles["Normal"]
        properties = paragraph._p.get_or_add_pPr()
        properties.append(_element("spacing", before="0", after="0", line=str(NUMBER_LINE), lineRule="exact"))
        properties.append(_element("ind", **{indent: "100", indent.removesuffix("Chars"): "280"}))
        properties.append(_element("jc", val=side))
        for kind, text in (("text", "— "), ("begin", ""), ("code", " PAGE "), ("separate", ""), ("text", "1"),
                           ("end", ""), ("text", " —")):  # fmt: skip
            paragraph._p.append(_field_run(kind, text))


def _field_run(kind: str, text: str) -> Any:
    run = _element("r")
    properties = _element("rPr")
    names = dict.fromkeys(("ascii", "hAnsi", "eastAsia"), "宋体")
    properties.append(_element("rFonts", **names, hint="eastAsia"))
    properties.append(_element("sz", val=str(NUMBER_SIZE)))
    properties.append(_element("szCs", val=str(NUMBER_SIZE)))
    run.append(properties)
    if kind in ("begin", "separate", "end"):
        run.append(_element("fldChar", fldCharType=kind))
        return run
    content = _element("instrText" if kind == "code" else "t")
    content.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    content.text = text
    run.append(content)
    return run


def _font_table(document: Any) -> None:
    """Name the fonts and their stand-ins."""
    from lxml import etree

    table = etree.Element(f"{{{_XML}}}fonts", nsmap={"w": _XML})
    for name, (others, family) in FONTS.items():
        font = etree.SubElement(table, f"{{{_XML}}}font")
        font.set(f"{{{_XML}}}name", name)
        for tag, value in (("altName", others), ("charset", "86"), ("family", family), ("pitch", "variable")):
            etree.SubElement(font, f"{{{_XML}}}{tag}").set(f"{{{_XML}}}val", value)
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/fontTable"):
            relation.target_part._blob = etree.tostring(
                table, xml_declaration=True, encoding="UTF-8", standalone=True
            )


def _element(tag: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        element.set(qn(f"w:{name}"), value)
    return element
