"""A knowledge folder's manifest.toml: what people say of each file.

Without a manifest everything still works. Knows TOML and the fields of
`Metadata`; not what is done with them.
"""

from __future__ import annotations

import tomllib
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, get_args

from rag.errors import BadSettings
from rag.types import Authority, Metadata

NAME = "manifest.toml"
_FIELDS = {field.name for field in fields(Metadata)}
_LISTS = {"supersedes", "basis"}
STATUSES = ("", "现行", "试行", "废止")


def load_manifest(folder: Path) -> dict[str, Metadata]:
    """Read {file name relative to the folder: metadata}; empty where there is no manifest.

    Raises: BadSettings: the file is not TOML or a value cannot be used.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("document", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as err:
        raise BadSettings(name=NAME, value=path.name, reason=f"读不懂这个文件：{err}") from err
    return dict(_entry(table) for table in tables)


def _entry(table: dict[str, Any]) -> tuple[str, Metadata]:
    name = str(table.get("file", ""))
    if not name:
        raise BadSettings(name=NAME, value=table.get("title", ""), reason="每个 [[document]] 都要有 file")
    unknown = set(table) - _FIELDS - {"file"}
    if unknown:
        raise BadSettings(name=f"{NAME} 的 {name}", value="、".join(sorted(unknown)), reason="不认识的字段")
    values = {key: _value(key, value) for key, value in table.items() if key != "file"}
    for key, allowed in (("authority", get_args(Authority)), ("status", STATUSES)):
        if values.get(key, "") not in allowed:
            known = "、".join(filter(None, allowed))
            raise BadSettings(name=f"{NAME} 的 {name}：{key}", value=values[key], reason=f"只能是 {known}")
    return name.replace("\\", "/"), Metadata(**values)


def _value(key: str, value: object) -> Any:
    if key in _LISTS:
        return tuple(str(item) for item in value) if isinstance(value, list) else (str(value),)
    return value.isoformat() if isinstance(value, date) else str(value)
