"""PDF files with a text layer.

pdfium gives characters with their boxes; `pdf_lines` makes lines in reading
order of them and `pdf_layout` paragraphs without headers, footers and page
numbers. pypdf reads what pdfium cannot. Knows nothing of what the text says.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BrokenFile, EncryptedFile, NoTextFound
from rag.parsers.build import usable
from rag.parsers.glyphs import UNREADABLE, repaired
from rag.parsers.pdf_layout import paragraphs, plain_paragraphs
from rag.types import Parsed

if TYPE_CHECKING:
    from rag.parsers.pdf_lines import Page

SUFFIXES: tuple[str, ...] = (".pdf",)
NAME = "PDF 文件"

_MAX_UNREADABLE = 0.3  # share of characters without a meaning beyond which the text layer is of no use
_MIN_CHARACTERS = 10  # a page number or a stamp is no text


def accepts(head: bytes, suffix: str) -> bool:
    """Take what starts with PDF's mark; readers allow some bytes before it."""
    return b"%PDF-" in head[:1024] and suffix not in (".txt", ".md")


def parse(path: Path) -> Parsed:
    """Extract a PDF's text, paragraph by paragraph.

    Raises: EncryptedFile where a password is needed to open it; NoTextFound
    for scans; BrokenFile.
    """
    pages = _pages(path)
    parsed = plain_paragraphs(_with_pypdf(path)) if pages is None else paragraphs(pages)
    readable = parsed.text.replace("\n", "")
    if len(readable) < _MIN_CHARACTERS or _unreadable(readable) > _MAX_UNREADABLE:
        raise NoTextFound(name=path.name)
    return parsed


def _unreadable(text: str) -> float:
    return len(UNREADABLE.findall(text)) / max(1, len(text))


def _pages(path: Path) -> list[Page] | None:
    """Read with pdfium; None where it cannot."""
    try:
        import pypdfium2
        import pypdfium2.raw as raw
    except (ImportError, OSError):  # no build of the library for this system
        return None
    from rag.parsers.pdf_lines import Page, read_page

    def page(number: int) -> Page | None:
        try:
            return read_page(document, number)
        except pypdfium2.PdfiumError:  # one damaged page must not cost the others
            return None

    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as err:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD or "assword" in str(err):
            raise EncryptedFile(name=path.name) from err
        return None
    with document:
        read = [page(number) for number in range(len(document))]
    blank = Page((), 0.0, 0.0)
    return [found or blank for found in read] if any(read) else None


def _with_pypdf(path: Path) -> list[list[str]]:
    """Read lines page by page with pypdf."""
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PdfReadError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of every fault it repairs
    try:
        reader = PdfReader(path)
        if reader.is_encrypted and not reader.decrypt(""):
            raise EncryptedFile(name=path.name)
        return [usable(repaired(page.extract_text())).splitlines() for page in reader.pages]
    except (PdfReadError, ValueError, KeyError, TypeError, IndexError, RecursionError) as err:
        raise BrokenFile(name=path.name, reason="不是完整的 PDF") from err
