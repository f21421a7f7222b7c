"""A conversation as a Word file: questions, answers with their markers, and every quote in full."""

from __future__ import annotations

import io
import re
from typing import Any

from rag.docx_page import lay_out
from rag.outline_text import reference
from rag.records.conversations import Conversation, Message

BODY, NOTE = 16, 14  # points: 3号 and 4号, as in official documents
SONG, HEI, FANG = "方正小标宋简体", "黑体", "仿宋"
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_MARKUP = re.compile(r"\*\*|^>\s?|^\s*[-+]\s+", re.MULTILINE)
_FLAGS = {"no_evidence": "（资料里没有依据，以下不是回答）", "refused": "（这个要求不能照办）"}


def conversation_docx(conversation: Conversation) -> bytes:
    """Return the conversation as a .docx file."""
    from docx import Document

    document = Document()
    lay_out(document, title=_legal(conversation.title), size=2 * BODY)
    _add(document, conversation.title, SONG, 22)
    for message in conversation.messages:
        if message.kind == "question":
            _add(document, f"问：{message.text}", HEI)
        elif message.answer:
            _answer(document, message)
        else:
            _add(document, message.text, FANG, NOTE)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _answer(document: Any, message: Message) -> None:
    answer = message.answer
    if answer is None:
        return
    if flag := _FLAGS.get(answer.status):
        _add(document, flag, HEI, NOTE)
    for line in _MARKUP.sub("", answer.answer).splitlines():
        if line.strip():
            _add(document, line.strip(), FANG)
    for citation in answer.citations:
        _add(document, f"[{citation.marker}] {reference(citation)}", FANG, NOTE)


def _add(document: Any, text: str, font: str, size: int = BODY) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt

    run = document.add_paragraph().add_run(_legal(text))
    run.font.size = Pt(size)
    run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _legal(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _ILLEGAL.sub("", text)
