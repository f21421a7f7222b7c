"""Answers to JSON and back, so that citations live with the message they belong to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from rag.types import Answer, Citation, Sentence

T = TypeVar("T")


def to_json(answer: Answer) -> str:
    """Return an answer as JSON text."""
    return json.dumps(answer.to_dict(), ensure_ascii=False)


def from_json(text: str) -> Answer:
    """Return the answer that was kept; fields this version does not know are left out."""
    kept = json.loads(text)
    kept["sentences"] = tuple(_made(Sentence, s, "citations") for s in kept.get("sentences", ()))
    kept["citations"] = tuple(_made(Citation, c, "section_path") for c in kept.get("citations", ()))
    return _made(Answer, kept)


def _made(kind: type[T], values: Mapping[str, Any], *tuples: str) -> T:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{k: tuple(v) if k in tuples else v for k, v in values.items() if k in known})
