"""Laws rendered to files, and how much of them a parser gives back."""

from __future__ import annotations

import gzip
import html
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docx
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate

LAWS = Path(__file__).parents[2].parent / "shared" / "data" / "laws.jsonl.gz"
MAX_ARTICLES = 60
_LINE_STARTS = re.compile(r"^第[零一二三四五六七八九十百千]+条", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Law:
    """A law's name and its articles: number, chapter heading, text."""

    name: str
    articles: tuple[tuple[str, str, str], ...]


def read_laws(count: int, seed: int = 0) -> list[Law]:
    """Choose laws at random, of each the first articles in order."""
    by_name: dict[str, list[tuple[str, str, str]]] = {}
    with gzip.open(LAWS, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            by_name.setdefault(row["law"], []).append((row["article"], row["heading"], row["text"]))
    names = sorted(name for name, articles in by_name.items() if len(articles) >= 10)
    chosen = random.Random(seed).sample(names, count)
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
    path.write_text("\n".join(line for _, line in lines(law)), "utf-8")


def to_html(law: Law, path: Path) -> None:
    tags = {"title": "h1", "heading": "h2"}
    body = "\n".join(
        f"<{tags.get(kind, 'p')}>{html.escape(line)}</{tags.get(kind, 'p')}>" for kind, line in lines(law)
    )
    page = f"<!doctype html><meta charset=gbk><title>{law.name}</title><body>{body}</body>"
    path.write_bytes(page.encode("gb18030"))


def to_docx(law: Law, path: Path) -> None:
    document = docx.Document()
    for kind, line in lines(law):
        if kind in ("title", "heading"):
            document.add_heading(line, 0 if kind == "title" else 1)
        else:
            document.add_paragraph(line)
    document.save(str(path))


def to_pdf(law: Law, path: Path) -> None:
    """Render with a running header, page numbers and indented paragraphs."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

    def furniture(canvas, document):
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
    ".pdf": to_pdf,
}


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def recovered(law: Law, text: str) -> tuple[int, int]:
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
    return good, len(law.articles)


def _is_heading(law: Law, text: str) -> bool:
    return any(text == squeezed(heading) for _, heading, _ in law.articles)
