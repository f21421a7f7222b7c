"""Files to stored sources: parse, repair, structure, chunk, keep.

Brings the store in line with a knowledge folder, or adds files to it. A file
that cannot be taken in never stops the others, and what was stored of it
before stays. Knows the stages before the index; not the index, not questions.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rag import authority, manifest, neardup, tokens
from rag.chunk import chunk
from rag.clean import Cleaned, repair
from rag.errors import FolderNotFound, LingxueError
from rag.parsers.sandbox import ParserProcess
from rag.reasons import why
from rag.store import Stamp, Store
from rag.structure import structure
from rag.types import Block, Metadata, Parsed, Source

PIPELINE = 3  # raise when parsing, repair, structure or chunking changes: files are then read again
ADDED = "added"  # the origin of files named one by one
_PASSED_OVER = {manifest.NAME, "official.toml", "readme.md", "desktop.ini", "thumbs.db"}
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
    gone = [s for s in store.stamps() if s.origin != ADDED and (s.origin != origin or s.name not in present)]
    reports = _take_in(store, found, on_progress)
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
        if path.is_file() and not hidden and path.name.lower() not in _PASSED_OVER:
            found.append(_Found(path, name, origin, entries.get(name, Metadata())))
    return found


def _take_in(store: Store, found: Sequence[_Found], on_progress: ProgressCallback | None) -> list[FileReport]:
    stored = {(stamp.origin, stamp.name): stamp for stamp in store.stamps()}
    edits = store.edits()
    reports = []
    with ParserProcess() as parser:
        for number, file in enumerate(found, 1):
            if edit := edits.get((file.origin, file.name)):  # what people said last holds
                file = replace(file, metadata=edit.said(file.metadata))
            reports.append(_take_in_one(store, file, stored, parser))
            if on_progress:
                on_progress("读取资料", number, len(found))
    return reports


def _take_in_one(
    store: Store, file: _Found, stored: dict[tuple[str, str], Stamp], parser: ParserProcess
) -> FileReport:
    try:
        content = file.path.read_bytes()
        stamp = _stamp(content, file.metadata)
        before = stored.get((file.origin, file.name))
        if before and before.stamp == stamp:
            return FileReport(file.name, "未变")
        twin = next((s for s in stored.values() if s.stamp == stamp and s.name != file.name), None)
        if twin and twin.origin == file.origin:
            return FileReport(file.name, "重复", f"内容与 {twin.name} 相同，已跳过")
        parsed = parser.parse(file.path)
        source = make_source(file.name, content, parsed, file.metadata)
        mark = neardup.signature(source.clean)
        alike = _alike(store, mark, stored.values(), file)
        chunks = chunk(source, count=tokens.counts)
        store.put(source, chunks, origin=file.origin, stamp=stamp, signature=mark)
        stored[file.origin, file.name] = Stamp(source.id, file.name, file.origin, stamp, source.metadata)
        detail = _detail(source, parsed.remarks) + alike
        return FileReport(file.name, "更新" if before else "新增", detail)
    except OSError as err:
        return FileReport(file.name, "失败", f"{file.name}：无法读取（{why(err)}）。请检查文件权限。")
    except LingxueError as err:
        return FileReport(file.name, "失败", str(err))


def _alike(store: Store, mark: bytes, stored: Iterable[Stamp], file: _Found) -> str:
    """Say which stored file is nearly the same text; both are kept, the user decides."""
    names = {
        stamp.id: stamp.name for stamp in stored if (stamp.origin, stamp.name) != (file.origin, file.name)
    }
    others = {source_id: other for source_id, other in store.signatures().items() if source_id in names}
    found = neardup.nearest(mark, others)
    return f"；与 {names[found[0]]} 内容相近（约 {found[1]:.0%}），请确认是否重复" if found else ""


def _stamp(content: bytes, metadata: Metadata) -> str:
    """A hash of all that decides what is stored of a file."""
    digest = hashlib.sha256(content)
    digest.update(repr((PIPELINE, sorted(asdict(metadata).items()))).encode())
    return digest.hexdigest()


def make_source(name: str, content: bytes, parsed: Parsed, metadata: Metadata) -> Source:
    """Repair and structure a parsed file; its id follows from its name and content."""
    cleaned = repair(parsed.text)
    found = structure(cleaned.text, list(_to_clean(parsed.blocks, cleaned)))
    title = metadata.title or parsed.title.strip() or found.title or Path(name).stem
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
