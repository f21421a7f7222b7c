"""Files to stored sources: parse, repair, structure, chunk, keep.

Brings the store in line with a knowledge folder, or adds files to it. A file
that cannot be taken in never stops the others, and what was stored of it
before stays. Knows the stages before the index; not the index, not questions.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rag import authority, manifest, neardup, tokens
from rag.chunk import chunk
from rag.clean import Cleaned, repair
from rag.errors import FolderNotFound, LingxueError
from rag.parsers.sandbox import ParserProcess
from rag.reasons import why
from rag.store import Entry, Stamp, Store
from rag.structure import MAX_NAME, structure
from rag.types import Block, Metadata, Parsed, Source

PIPELINE = 4  # raise when parsing, repair, structure or chunking changes: files are then read again
AHEAD = 4  # files read while one is cut
WRITTEN_AT_ONCE = 500_000  # characters that are stored together
ADDED = "added"  # the origin of files named one by one
_PASSED_OVER = {manifest.NAME, "official.toml", "readme.md", "desktop.ini", "thumbs.db"}
QUESTIONS = ".questions.toml"  # what people ask of the document beside, see `phrasings`
ProgressCallback = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file: 新增, 更新, 未变, 删除, 重复 or 失败; `detail` says more."""

    name: str
    outcome: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    name: str
    origin: str
    metadata: Metadata


def sync_folder(store: Store, folder: Path, on_progress: ProgressCallback | None = None) -> list[FileReport]:
    """Bring the store in line with a folder: add, replace, and drop what is gone.

    Files added by name stay. Raises: FolderNotFound; BadSettings for a manifest that cannot be read.
    """
    if not folder.is_dir():
        raise FolderNotFound(path=folder)
    origin = str(folder.resolve())
    found = _walk(folder, origin)
    present = {file.name for file in found}
    removed = store.hidden_names(origin)
    found = [file for file in found if file.name not in removed]
    reports = _take_in(store, found, on_progress)
    # Only now: the same file from another folder has the same id, and was taken over from there.
    gone = [s for s in store.stamps() if s.origin != ADDED and (s.origin != origin or s.name not in present)]
    store.delete(stamp.id for stamp in gone)
    return [*reports, *(FileReport(stamp.name, "删除", "文件夹里已没有这个文件") for stamp in gone)]


def add_paths(
    store: Store, paths: Sequence[Path], on_progress: ProgressCallback | None = None
) -> list[FileReport]:
    """Add files, and folders with all in them, to the store."""
    found: list[_Found] = []
    for path in paths:
        if path.is_dir():
            found += [replace(file, origin=ADDED) for file in _walk(path, ADDED)]
        elif path.exists():
            entries = manifest.load_manifest(path.parent)
            found.append(_Found(path, path.name, ADDED, entries.get(path.name, Metadata())))
        else:
            raise FolderNotFound(path=path)
    return _take_in(store, found, on_progress)


def _walk(folder: Path, origin: str) -> list[_Found]:
    entries = manifest.load_manifest(folder)
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith((".", "~$")) for part in path.relative_to(folder).parts)
        told = path.name.lower() in _PASSED_OVER or path.name.lower().endswith(QUESTIONS)
        if path.is_file() and not hidden and not told:
            found.append(_Found(path, name, origin, entries.get(name, Metadata())))
    return found


def _take_in(store: Store, found: Sequence[_Found], on_progress: ProgressCallback | None) -> list[FileReport]:
    reports: list[FileReport] = []
    with ParserProcess() as parser:
        intake = _Intake(store, parser)
        for number, (file, read) in enumerate(intake.ahead(found), 1):
            reports.append(intake.take_in(file, read, number - 1))
            intake.write(reports, least=WRITTEN_AT_ONCE)
            if on_progress:
                on_progress("读取资料", number, len(found))
        intake.write(reports)
    return reports


@dataclass(frozen=True, slots=True)
class _Read:
    """A file's content, the hash that decides what is stored of it, its text where it is not stored yet."""

    content: bytes
    stamp: str
    parsed: Parsed | None


class _Intake:
    """Files on their way into the store: the next are parsed meanwhile, several are written at once."""

    def __init__(self, store: Store, parser: ParserProcess) -> None:
        self._store = store
        self._parser = parser
        self._stored = {(stamp.origin, stamp.name): stamp for stamp in store.stamps()}
        self._marks = neardup.Marks(store.signatures())
        self._edits = store.edits()
        self._waiting: list[tuple[int, Entry]] = []

    def ahead(self, found: Sequence[_Found]) -> Iterator[tuple[_Found, Future[_Read]]]:
        """Yield the files, with what people said of them, and what is read of each."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            begun: deque[tuple[_Found, Future[_Read]]] = deque()
            for file in found:
                if edit := self._edits.get((file.origin, file.name)):  # what people said last holds
                    file = replace(file, metadata=edit.said(file.metadata))
                begun.append((file, pool.submit(self._read, file)))
                if len(begun) > AHEAD:
                    yield begun.popleft()
            yield from begun

    def _read(self, file: _Found) -> _Read:
        content = file.path.read_bytes()
        stamp, before = _stamp(content, file.metadata), self._stored.get((file.origin, file.name))
        unchanged = before is not None and before.stamp == stamp
        return _Read(content, stamp, None if unchanged else self._parser.parse(file.path))

    def take_in(self, file: _Found, reading: Future[_Read], number: int) -> FileReport:
        """Cut a file into what is stored of it, the `number`th of all; say what became of it."""
        try:
            read = reading.result()
            before = self._stored.get((file.origin, file.name))
            if read.parsed is None or (before and before.stamp == read.stamp):
                return FileReport(file.name, "未变")
            others = (s for s in self._stored.values() if s.stamp == read.stamp and s.name != file.name)
            twin = next(others, None)
            if twin and twin.origin == file.origin:
                return FileReport(file.name, "重复", f"内容与 {twin.name} 相同，已跳过")
            source = make_source(file.name, read.content, read.parsed, file.metadata)
            mark = neardup.signature(source.clean)
            if before:
                self._marks.discard(before.id)
            alike = self._alike(mark)
            chunks = chunk(source, count=tokens.counts)
            self._waiting.append((number, Entry(source, chunks, file.origin, read.stamp, mark)))
            made = Stamp(source.id, file.name, file.origin, read.stamp, source.metadata)
            self._stored[file.origin, file.name] = made
            self._marks.add(source.id, mark)
            return FileReport(
                file.name, "更新" if before else "新增", _detail(source, read.parsed.remarks) + alike
            )
        except OSError as err:
            return FileReport(file.name, "失败", f"{file.name}：无法读取（{why(err)}）。请检查文件权限。")
        except LingxueError as err:
            return FileReport(file.name, "失败", str(err))

    def _alike(self, mark: bytes) -> str:
        """Say which stored file is nearly the same text; both are kept, the user decides."""
        found = self._marks.nearest(mark)
        name = next((s.name for s in self._stored.values() if found and s.id == found[0]), "")
        return f"；与 {name} 内容相近（约 {found[1]:.0%}），请确认是否重复" if found and name else ""

    def write(self, reports: list[FileReport], *, least: int = 0) -> None:
        """Store what waits, once it has `least` characters; where that fails, the files' reports say so."""
        if sum(len(entry.source.original) for _, entry in self._waiting) < least:
            return
        try:
            self._store.put_all([entry for _, entry in self._waiting])
        except LingxueError as err:
            for number, entry in self._waiting:
                reports[number] = FileReport(entry.source.name, "失败", str(err))
        self._waiting = []


def _stamp(content: bytes, metadata: Metadata) -> str:
    """A hash of all that decides what is stored of a file."""
    digest = hashlib.sha256(content)
    digest.update(repr((PIPELINE, sorted(asdict(metadata).items()))).encode())
    return digest.hexdigest()


def make_source(name: str, content: bytes, parsed: Parsed, metadata: Metadata) -> Source:
    """Repair and structure a parsed file; its id follows from its name and content."""
    cleaned = repair(parsed.text)
    found = structure(cleaned.text, list(_to_clean(parsed.blocks, cleaned)))
    title = metadata.title or parsed.title.strip()[:MAX_NAME] or found.title or Path(name).stem
    return Source(
        id=hashlib.sha256(name.encode() + b"\0" + content).hexdigest()[:16],
        name=name,
        original=parsed.text,
        clean=cleaned.text,
        runs=cleaned.runs,
        repairs=cleaned.repairs,
        sections=found.sections,
        metadata=replace(
            metadata, title=title, authority=metadata.authority or authority.infer(title, cleaned.text)
        ),
    )


def _to_clean(blocks: Sequence[Block], cleaned: Cleaned) -> Iterator[Block]:
    """Move blocks from original to clean offsets; blocks cut away whole are dropped."""
    origins = [run.original for run in cleaned.runs]

    def moved(position: int) -> int:
        run = cleaned.runs[max(0, bisect_right(origins, position) - 1)]
        return run.clean + min(max(0, position - run.original), run.length)

    for block in blocks:
        start, end = moved(block.start), moved(block.end)
        if start < end:
            yield replace(block, start=start, end=end)


def _detail(source: Source, remarks: Sequence[str]) -> str:
    kinds: dict[str, int] = {}
    for fault in source.repairs:
        kinds[fault.kind] = kinds.get(fault.kind, 0) + 1
    repairs = "，".join(f"{kind} {count} 处" for kind, count in kinds.items())
    told = [f"{len(source.original)} 字", *([f"已修复：{repairs}"] if repairs else []), *remarks]
    return "；".join(told)
