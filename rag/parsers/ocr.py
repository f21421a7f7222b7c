"""Text recognised in pictures, by RapidOCR where the extra `ocr` is installed.

Its models ship in the package: nothing is downloaded. What it finds is put
into lines with their places, so that scanned pages are laid out like printed
ones. The only user of rapidocr and OpenCV. Knows pixels, not files' formats.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import BrokenFile
from rag.parsers.pdf_lines import Line, Page, in_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]  # (height, width, 3), blue first

DPI = 200  # resolution that pages are drawn at; characters of body text are then about 30 pixels high
REMARK = "扫描件：文字由机器识别，可能有错字，引用前请核对原件"
_POINTS = 72 / DPI
_MIN_SCORE = 0.6  # below it, RapidOCR's readings of stamps and stains are seldom words
_SAME_SIZE = 0.25  # boxes of one type size differ by up to this share: their height follows the strokes
_MAX_THREADS = 4
_TIFF = (b"II*\0", b"MM\0*")

# A page takes seconds; the parsing process says after each that it is alive.
on_page: Callable[[], None] = lambda: None  # noqa: E731


def available() -> bool:
    """Tell whether the extra `ocr` is installed."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None


def read_pictures(path: Path) -> list[Page]:
    """Recognise the text of a picture file, page by page.

    Raises: BrokenFile: the picture cannot be decoded.
    """
    pages = [recognise(picture) for picture in _decoded(path)]
    if not pages:
        raise BrokenFile(name=path.name, reason="图片打不开")
    return pages


def recognise(picture: Picture) -> Page:
    """Recognise one page; lengths in points as if it were scanned at DPI, y upwards."""
    height, width = picture.shape[:2]
    found = _engine()(picture)
    on_page()
    lines = (
        [
            _line(box, text, height)
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
            if score >= _MIN_SCORE and text.strip()
        ]
        if found.boxes is not None
        else []
    )
    return Page(tuple(in_order(_evened(lines))), width * _POINTS, height * _POINTS)


@cache
def _engine() -> Any:
    import cv2
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    threads = min(_MAX_THREADS, os.cpu_count() or 1)  # each takes address space, which is limited
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _decoded(path: Path) -> list[Picture]:
    import cv2
    import numpy as np

    content = path.read_bytes()
    data = np.frombuffer(content, dtype=np.uint8)
    pictures: list[Any]
    try:
        if content.startswith(_TIFF):
            pictures = list(cv2.imdecodemulti(data, cv2.IMREAD_COLOR)[1])
        else:
            pictures = [cv2.imdecode(data, cv2.IMREAD_COLOR)]
    except cv2.error as err:
        raise BrokenFile(name=path.name, reason="图片打不开或太大") from err
    return [picture for picture in pictures if picture is not None]


def _line(box: Any, text: str, height: int) -> Line:
    """Turn a box of four corners in pixels into a line; its lower edge stands for the baseline."""
    left, top = box.min(axis=0)
    right, bottom = box.max(axis=0)
    return Line(
        text.strip(),
        float(left) * _POINTS,
        float(right) * _POINTS,
        float(height - bottom) * _POINTS,
        float(bottom - top) * _POINTS,
    )


def _evened(lines: Sequence[Line]) -> list[Line]:
    """Give lines of about the usual size that size, so that they can be one paragraph."""
    if not lines:
        return []
    usual = statistics.median(line.size for line in lines)
    return [
        replace(line, size=usual) if abs(line.size - usual) <= _SAME_SIZE * usual else line for line in lines
    ]
