"""PDF files: their text layer, or what is recognised in scanned pages.

pdfium gives characters with their boxes; `pdf_lines` makes lines in reading
order of them and `pdf_layout` paragraphs without headers, footers and page
numbers. pypdf reads what pdfium cannot; scanned pages are recognised by `ocr`
where it is installed. Knows nothing of what the text says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BrokenFile, EncryptedFile, NoTextFound, NothingRecognised, ParseLimit
from rag.parsers import ocr
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
_MAX_SCANS = 300  # pages; at a few seconds each this is some twenty minutes
_MAX_PIXELS = 4000  # of a page's longer side


def accepts(head: bytes, suffix: str) -> bool:
    """Take what starts with PDF's mark; readers allow some bytes before it."""
    return b"%PDF-" in head[:1024] and suffix not in (".txt", ".md")


def parse(path: Path) -> Parsed:
    """Extract a PDF's text, paragraph by paragraph.

    Raises: EncryptedFile where a password is needed to open it; NoTextFound
    for scans that cannot be recognised; ParseLimit; BrokenFile.
    """
    pages = _pages(path)
    scans: list[int] = []
    if pages is None:
        parsed = plain_paragraphs(_with_pypdf(path))
    else:
        if ocr.available():
            scans = _scans(path, pages)
            for number, page in _recognised(path, scans):
                pages[number] = page
        parsed = paragraphs(pages)
    readable = parsed.text.replace("\n", "")
    if len(readable) < _MIN_CHARACTERS or _unreadable(readable) > _MAX_UNREADABLE:
        raise NothingRecognised(name=path.name) if scans else NoTextFound(name=path.name)
    return replace(parsed, remarks=(*parsed.remarks, ocr.REMARK)) if scans else parsed


def _scans(path: Path, pages: Sequence[Page]) -> list[int]:
    """Return the numbers of pages that are pictures, or whose text layer has no meaning."""
    import pypdfium2
    import pypdfium2.raw as raw

    scans = []
    with pypdfium2.PdfDocument(path) as document:
        for number, page in enumerate(pages):
            text = "".join(line.text for line in page.lines)
            bare = len(text) < _MIN_CHARACTERS and any(
                document[number].get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])
            )
            if bare or _unreadable(text) > _MAX_UNREADABLE:
                scans.append(number)
    if len(scans) > _MAX_SCANS:
        raise ParseLimit(name=path.name, reason=f"扫描页 {len(scans)} 页，上限 {_MAX_SCANS} 页")
    return scans


def _recognised(path: Path, numbers: Sequence[int]) -> Iterator[tuple[int, Page]]:
    """Draw pages and recognise their text."""
    import pypdfium2

    with pypdfium2.PdfDocument(path) as document:
        for number in numbers:
            page = document[number]
            inches = max(page.get_size()) / 72
            dpi = min(ocr.DPI, _MAX_PIXELS / max(inches, 0.1))  # posters are drawn coarser
            yield number, ocr.recognise(page.render(scale=dpi / 72).to_numpy())


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
