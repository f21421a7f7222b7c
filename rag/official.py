"""The catalogue of official texts, and the copies of those that a user had fetched.

Nothing is fetched unasked. A copy is kept with its address, the day and the
SHA-256 of what came, beside a manifest, so that indexing takes it like any
file. Knows the catalogue and its folder; fetching is `fetch`'s business.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rag import authority
from rag.errors import BadFile, BadRequest, BadSettings, FetchFailed
from rag.fetch import Fetcher
from rag.lexical import fold
from rag.manifest import NAME as MANIFEST
from rag.parsers.sandbox import ParserProcess

CATALOGUE = "official.toml"
FOLDER = "official"
RECORDS = "retrieved.json"
_SUFFIXES = {
    "application/pdf": ".pdf",
    "application/msword": ".doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "text/plain": ".txt",
}


@dataclass(frozen=True, slots=True)
class Text:
    """An official text of the catalogue; `verified` says whether its address was opened and compared."""

    id: str
    title: str
    issuer: str = ""
    issued_on: str = ""
    status: str = ""
    url: str = ""
    verified: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """How a copy came: where from, when (ISO date), and the SHA-256 of its bytes."""

    file: str
    url: str
    retrieved_on: str
    sha256: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts there are, and the only hosts that are asked for them."""

    texts: tuple[Text, ...]
    hosts: tuple[str, ...]

    def chosen(self, wanted: Sequence[str]) -> list[Text]:
        """Return the texts of these ids; `id=address` sets the address, 全部 takes all that have one.

        Raises: BadRequest: an id that is not in the catalogue.
        """
        if list(wanted) in (["全部"], ["all"]):
            return [text for text in self.texts if text.url]
        by_id = {text.id: text for text in self.texts}
        found = []
        for entry in wanted:
            name, _, url = entry.partition("=")
            if name not in by_id:
                raise BadRequest(
                    reason=f"官方文本目录里没有“{name}”。请用 lingxue index --official 查看编号。"
                )
            text = by_id[name]
            given = {"url": url, "verified": False} if url else {}
            found.append(Text(**{**asdict(text), **given}))
        return found


def load_catalogue(folder: Path) -> Catalogue:
    """Read a knowledge folder's catalogue.

    Raises: BadSettings: it is missing, not TOML, or an entry lacks its id or title.
    """
    path = folder / CATALOGUE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        texts = tuple(_text(entry) for entry in content.get("text", []))
    except FileNotFoundError as err:
        raise BadSettings(name=CATALOGUE, value=folder, reason="资料文件夹里没有官方文本目录") from err
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, KeyError) as err:
        raise BadSettings(name=CATALOGUE, value=path.name, reason=f"读不懂这个文件：{err}") from err
    return Catalogue(texts, tuple(str(host) for host in content.get("hosts", [])))


def _text(entry: dict[str, Any]) -> Text:
    values = {key: value.isoformat() if isinstance(value, date) else value for key, value in entry.items()}
    return Text(**{"id": entry["id"], "title": entry["title"], **values})


def records(folder: Path) -> dict[str, Record]:
    """Return how each kept copy came, by the text's id."""
    path = folder / RECORDS
    if not path.is_file():
        return {}
    try:
        return {key: Record(**value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError) as err:
        raise BadSettings(name=RECORDS, value=path, reason="读不懂取得记录，请移走这个文件") from err


def retrieve(text: Text, folder: Path, fetcher: Fetcher) -> Path:
    """Fetch a text and keep it; return its file.

    Raises: FetchFailed, also where the page that came does not name the text.
    """
    if not text.url:
        raise FetchFailed(
            url=f"《{text.title}》",
            reason=f"目录里没有地址。查到后用 --official {text.id}=地址，或下载后用 lingxue index 文件 加入",
        )
    page = fetcher.get(text.url)
    folder.mkdir(parents=True, exist_ok=True)
    suffix = _SUFFIXES.get(page.media_type, ".html")
    fresh = folder / f"{text.id}.new{suffix}"
    fresh.write_bytes(page.content)
    try:
        _check_title(text, fresh)
        kept = fresh.replace(folder / f"{text.id}{suffix}")
    finally:
        fresh.unlink(missing_ok=True)
    digest = hashlib.sha256(page.content).hexdigest()
    record = Record(kept.name, page.url, date.today().isoformat(), digest, text.verified)
    _remember(folder, text, record)
    return kept


def _check_title(text: Text, path: Path) -> None:
    """Refuse a page that does not hold the text's title: sites answer moved pages with others."""
    try:
        with ParserProcess() as parser:
            found = parser.parse(path)
    except BadFile as err:
        raise FetchFailed(
            url=text.url, reason=f"取回的内容读不出文字：{err.values.get('reason', err)}"
        ) from err
    wanted = re.sub(r"\(.{1,20}\)$", "", _squeezed(text.title))
    if wanted not in _squeezed(found.title + found.text):
        raise FetchFailed(url=text.url, reason=f"取回的页面里没有“{text.title}”，地址可能变了")


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", fold(text))


def _remember(folder: Path, text: Text, record: Record) -> None:
    known = records(folder)
    before = known.get(text.id)
    if before and before.file != record.file:
        (folder / before.file).unlink(missing_ok=True)
    known[text.id] = record
    table = {key: asdict(value) for key, value in known.items()}
    (folder / RECORDS).write_text(json.dumps(table, ensure_ascii=False, indent=1), encoding="utf-8")
    _describe(folder, text, record)


def _describe(folder: Path, text: Text, record: Record) -> None:
    """Write the text's entry into the folder's manifest, in place of an older one."""
    path = folder / MANIFEST
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("document", []) if path.is_file() else []
    fields = {
        "file": record.file,
        "title": text.title,
        "issuer": text.issuer,
        "issued_on": text.issued_on,
        "status": text.status,
        "authority": authority.infer(text.title) or (authority.infer(text.issuer) if text.issuer else ""),
        "url": record.url,
    }
    kept = [entry for entry in entries if entry.get("title") != text.title]
    tables = (
        "\n".join(f"{key} = {_quoted(str(value))}" for key, value in entry.items())
        for entry in [*kept, fields]
    )
    path.write_text("".join(f"[[document]]\n{table}\n\n" for table in tables), encoding="utf-8")


def _quoted(value: str) -> str:
    """Write a TOML basic string; JSON's escapes are TOML's as well."""
    return json.dumps(value, ensure_ascii=False)
