"""Real footnotes for a Word file, which python-docx cannot make.

Word needs three things: the part with the notes and their two separators, a
relationship to it, and the separators named in the settings. Knows XML, not
what a note says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SIZE = 21  # half-points: 五号; the standard knows no footnotes, this is what papers use
_FIRST = 1  # Word keeps -1 and 0 for the separators
_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"


class Footnotes:
    """Collects the notes of one document; `write` puts a note's text into its paragraph."""

    def __init__(self, document: Any, write: Callable[[Any, str], None]) -> None:
        self._document = document
        self._write = write
        self._root = _element("footnotes")
        for number, kind in ((-1, "separator"), (0, "continuationSeparator")):
            note = _element("footnote", type=kind, id=str(number))
            paragraph, run = _element("p"), _element("r")
            paragraph.append(_spacing())
            run.append(_element(kind))
            paragraph.append(run)
            note.append(paragraph)
            self._root.append(note)
        self._count = 0

    def add(self, paragraph: Any, text: str) -> None:
        """Add a note and its number at the end of a paragraph."""
        number = str(_FIRST + self._count)
        self._count += 1
        paragraph._p.append(_reference("footnoteReference", id=number))
        note, body = _element("footnote", id=number), _element("p")
        body.append(_spacing())
        body.append(_reference("footnoteRef", size=SIZE))
        self._write(body, f" {text}")
        note.append(body)
        self._root.append(note)

    def close(self) -> None:
        """Put the notes into the document's package; without notes, nothing."""
        if not self._count:
            return
        from docx.opc.constants import RELATIONSHIP_TYPE
        from docx.opc.packuri import PackURI
        from docx.opc.part import Part
        from lxml import etree

        blob = etree.tostring(self._root, xml_declaration=True, encoding="UTF-8", standalone=True)
        package = self._document.part.package
        part = Part(PackURI("/word/footnotes.xml"), _CONTENT_TYPE, blob, package)
        self._document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
        listed = _element("footnotePr")
        for number in ("-1", "0"):
            listed.append(_element("footnote", id=number))
        settings = self._document.settings.element
        # The schema fixes the order: footnotePr stands before endnotePr and compat.
        followers = ("endnotePr", "compat", "docVars", "rsids", "mathPr", "themeFontLang", "clrSchemeMapping",
                     "shapeDefaults", "decimalSymbol", "listSeparator")  # fmt: skip
        place = next((child for child in settings if child.tag.split("}")[1] in followers), None)
        if place is None:
            settings.append(listed)
        else:
            place.addprevious(listed)


def _reference(tag: str, *, size: int = 0, **attributes: str) -> Any:
    run, properties = _element("r"), _element("rPr")
    if size:
        properties.append(_element("sz", val=str(size)))
        properties.append(_element("szCs", val=str(size)))
    properties.append(_element("vertAlign", val="superscript"))
    run.append(properties)
    run.append(_element(tag, **attributes))
    return run


def _spacing() -> Any:
    """Notes keep to no grid and to single lines."""
    properties = _element("pPr")
    properties.append(_element("snapToGrid", val="0"))
    properties.append(_element("spacing", before="0", after="0", line="240", lineRule="auto"))
    return properties


def _element(tag: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        element.set(qn(f"w:{name}"), value)
    return element
