"""Pictures of text (.png .jpg .tif …), read where the extra `ocr` is installed.

Knows the marks of picture formats; recognising is `ocr`'s business.
"""

from __future__ import annotations

from pathlib import Path

from rag.errors import NoTextFound, NothingRecognised
from rag.parsers import ocr
from rag.parsers.pdf_layout import paragraphs
from rag.types import Parsed

SUFFIXES: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
NAME = "图片"

_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*")


def accepts(head: bytes, suffix: str) -> bool:
    """Take what starts as a picture does."""
    if suffix in (".txt", ".md"):
        return False
    webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    return head.startswith(_MARKS) or webp or (head.startswith(b"BM") and suffix == ".bmp")


def parse(path: Path) -> Parsed:
    """Recognise a picture's text.

    Raises: NoTextFound where the extra is not installed; NothingRecognised; BrokenFile.
    """
    if not ocr.available():
        raise NoTextFound(name=path.name)
    pages = ocr.read_pictures(path)
    parsed = paragraphs(pages)
    if not parsed.text.strip():
        raise NothingRecognised(name=path.name)
    return Parsed(parsed.text, parsed.blocks, parsed.title, (ocr.REMARK,))
