"""Real laws rendered to files and read back: how many articles return whole.

    python -m eval.bench.laws [--laws laws.jsonl.gz] [--count 200]

Each law is written as .txt, .html, .docx, .docx with Word's automatic
numbers, and .pdf with running headers and page numbers; then parsed, repaired
and structured as at indexing. `text` counts articles whose number stands at a
line's start with their whole text up to the next one; `structure` those whose
section has their number, their text and their chapter in its path.
The corpus of laws is not part of the project; without it the command says so.
"""

from __future__ import annotations

import argparse
import gzip
import html
import json
import random
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.headings import chinese_number

LAWS = Path(__file__).parents[2].parent / "shared" / "data" / "laws.jsonl.gz"
COUNT = 200
MAX_ARTICLES = 60
_LINE_STARTS = re.compile(r"^第[零一二三四五六七八九十百千]+条", re.MULTILINE)
_NUMBERING = (
    '<w:abstractNum xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'w:abstractNumId="900"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCountingThousand"/>'
    '<w:suff w:val="space"/><w:lvlText w:val="第%1条"/></w:lvl></w:abstractNum>'
)
_LIST = (
    '<w:num xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" w:numId="900">'
    '<w:abstractNumId w:val="900"/></w:num>'
)


@dataclass(frozen=True, slots=True)
class Law:
    """A law's name and its articles: number, chapter heading, text."""

    name: str
    articles: tuple[tuple[str, str, str], ...]


def read_laws(count: int, seed: int = 0, path: Path = LAWS) -> list[Law]:
    """Choose laws at random, of each the first articles in order."""
    by_name: dict[str, list[tuple[str, str, str]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            by_name.setdefault(row["law"], []).append((row["article"], row["heading"], row["text"]))
    names = sorted(name for name, articles in by_name.items() if len(articles) >= 10)
    chosen = random.Random(seed).sample(names, min(count, len(names)))
    return [Law(name, tuple(by_name[name][:MAX_ARTICLES])) for name in chosen]


def lines(law: Law) -> Iterator[tuple[str, str]]:
    """Yield a law's lines, each with what it is: title, heading, article or paragraph."""
    yield "title", law.name
    before = ""
    for number, heading, text in law.articles:
        if heading != before:
            yield "heading", heading
            before = heading
        first, *rest = text.split("\n")
        yield "article", f"{number}\u3000{first}"
        for line in rest:
            yield "paragraph", line


def to_txt(law: Law, path: Path) -> None:
    """Write plain lines."""
    path.write_text("\n".join(line for _, line in lines(law)), "utf-8")


def to_html(law: Law, path: Path) -> None:
    """Write a page in GBK."""
    tags = {"title": "h1", "heading": "h2"}
    body = "\n".join(
        f"<{tags.get(kind, 'p')}>{html.escape(line)}</{tags.get(kind, 'p')}>" for kind, line in lines(law)
    )
    page = f"<!doctype html><meta charset=gbk><title>{law.name}</title><body>{body}</body>"
    path.write_bytes(page.encode("gb18030"))


def to_docx(law: Law, path: Path) -> None:
    """Write a Word file with the numbers as text."""
    import docx

    document = docx.Document()
    for kind, line in lines(law):
        _add(document, kind, line)
    document.save(str(path))


def to_numbered_docx(law: Law, path: Path) -> None:
    """Write a Word file whose article numbers are Word's own automatic ones, where they run from one."""
    import docx
    from docx.oxml import parse_xml

    document = docx.Document()
    numbering = document.part.numbering_part.element
    numbering.insert(0, parse_xml(_NUMBERING))
    numbering.append(parse_xml(_LIST))
    expected = 1
    for kind, line in lines(law):
        number, _, text = line.partition("\u3000")
        if kind == "article" and _is_number(number, expected):
            paragraph = document.add_paragraph(text)
            properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
            properties.get_or_add_ilvl().val = 0
            properties.get_or_add_numId().val = 900
            expected += 1
        else:
            _add(document, kind, line)
    document.save(str(path))


def _is_number(text: str, expected: int) -> bool:
    match = re.fullmatch("第([零一二三四五六七八九十百千]+)条", text)
    return match is not None and chinese_number(match[1]) == expected


def _add(document: Any, kind: str, line: str) -> None:
    if kind in ("title", "heading"):
        document.add_heading(line, 0 if kind == "title" else 1)
    else:
        document.add_paragraph(line)


def to_pdf(law: Law, path: Path) -> None:
    """Write a PDF with a running header, page numbers and indented paragraphs."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

    def furniture(canvas: Any, document: Any) -> None:
        canvas.setFont("STSong-Light", 9)
        canvas.drawCentredString(A4[0] / 2, A4[1] - 40, f"{law.name}汇编")
        canvas.drawCentredString(A4[0] / 2, 30, f"- {document.page} -")

    body = ParagraphStyle(
        "body", fontName="STSong-Light", fontSize=12, leading=20, wordWrap="CJK", firstLineIndent=24
    )
    head = ParagraphStyle("head", parent=body, fontSize=16, leading=28, alignment=1, firstLineIndent=0)
    story = [
        Paragraph(html.escape(line), head if kind in ("title", "heading") else body)
        for kind, line in lines(law)
    ]
    SimpleDocTemplate(str(path)).build(story, onFirstPage=furniture, onLaterPages=furniture)


RENDERERS: dict[str, Callable[[Law, Path], None]] = {
    ".txt": to_txt,
    ".html": to_html,
    ".docx": to_docx,
    ".numbered.docx": to_numbered_docx,
    ".pdf": to_pdf,
}


def squeezed(text: str) -> str:
    """Drop all white space."""
    return re.sub(r"\s+", "", text)


def in_text(law: Law, text: str) -> int:
    """Count the articles found whole, number at the start of a line and text up to the next one."""
    starts = [*(match.start() for match in _LINE_STARTS.finditer(text)), len(text)]
    found = [squeezed(text[a:b]) for a, b in zip(starts, starts[1:], strict=False)]
    position = good = 0
    for number, _, body in law.articles:
        wanted = squeezed(number + body)
        for index in range(position, len(found)):
            rest = found[index].removeprefix(wanted)
            if rest != found[index] and (not rest or _is_heading(law, rest)):
                good += 1
                position = index + 1
                break
    return good


def _is_heading(law: Law, text: str) -> bool:
    return any(text == squeezed(heading) for _, heading, _ in law.articles)


def in_structure(law: Law, path: Path) -> int:
    """Count the articles whose section has their number, their chapter in its path and their text."""
    from rag.ingest import make_source
    from rag.parsers import parse_file
    from rag.types import Metadata, Section

    source = make_source(path.name, path.read_bytes(), parse_file(path), Metadata())
    found: dict[str, list[Section]] = {}
    for section in source.sections:  # a law may hold two versions of an article
        found.setdefault(section.label, []).append(section)
    return sum(
        any(
            squeezed(source.clean[section.body : section.end]) == squeezed(text)
            and (not heading or squeezed(heading) in squeezed("".join(section.path[:-1])))
            for section in found.get(number, [])
        )
        for number, heading, text in law.articles
    )


def measure(laws: list[Law], folder: Path) -> Iterator[tuple[str, int, int, int]]:
    """Yield per format: articles rendered, recovered in the text, recovered in the structure."""
    from rag.parsers import parse_file

    wanted = sum(len(law.articles) for law in laws)
    for suffix, render in RENDERERS.items():
        text = structure = 0
        for number, law in enumerate(laws):
            path = folder / f"{number}{suffix}"
            render(law, path)
            text += in_text(law, parse_file(path).text)
            structure += in_structure(law, path)
        yield suffix, wanted, text, structure


def main() -> None:
    """Print a table of the shares recovered."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--laws", type=Path, default=LAWS)
    options.add_argument("--count", type=int, default=COUNT)
    given = options.parse_args()
    if not given.laws.is_file():
        print(f"no corpus of laws at {given.laws.name}: give one with --laws")
        return
    laws = read_laws(given.count, path=given.laws)
    print(f"{len(laws)} laws\n| format | articles | in the text | in the structure |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for suffix, wanted, text, structure in measure(laws, Path(folder)):
            shares = f"{text} ({text / wanted:.2%}) | {structure} ({structure / wanted:.2%})"
            print(f"| {suffix} | {wanted} | {shares} |")


if __name__ == "__main__":
    main()
