"""Keeps store and index in step: reads files in, renews the index, one process at a time.

An index that is behind goes on serving while it is renewed, in this process
or another. What was added or removed is searched or hidden within about a
second; that all is then built into one again is the work of a thread, which
gives way to whoever wants to change something. Knows store, index and the
lock; not questions or answers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from rag import ingest
from rag.errors import DataDirBusy, DataDirUnusable, LingxueError, SourceDamaged, StoreLost
from rag.index import Index, Stopped
from rag.reasons import why
from rag.store import Store

if TYPE_CHECKING:
    from rag.config import Settings
    from rag.ingest import FileReport

logger = logging.getLogger(__name__)

LOCK_WAIT_S = 2.0
ProgressCallback = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an indexing run did: a report per file, and the chunks now searchable."""

    files: tuple[FileReport, ...]
    chunks: int


class Upkeep:
    """The store and the index of one data directory, kept in step."""

    def __init__(self, settings: Settings, store: Store, index: Index) -> None:
        self._settings = settings
        self._store = store
        self._index = index
        self._renewal: threading.Thread | None = None
        self._settling: threading.Thread | None = None
        self._give_way = threading.Event()

    def index(self, paths: Sequence[Path], on_progress: ProgressCallback | None) -> IndexReport:
        """Bring the index up to date with the knowledge folder, or add files and folders."""
        with self._locked():
            damaged = self._store.damaged()
            if damaged:  # their files are read again, where they are still there
                self._store.forget_stamps(damaged)
            if paths:
                files = ingest.add_paths(self._store, paths, on_progress)
            else:
                files = ingest.sync_folder(self._store, self._settings.knowledge_dir, on_progress)
                self._store.set_meta("knowledge_dir", str(self._settings.knowledge_dir.resolve()))
            left = damaged & self._store.damaged() if damaged else damaged
            files += [
                ingest.FileReport(stamp.name, "失败", str(SourceDamaged(name=stamp.name)))
                for stamp in self._store.stamps()
                if stamp.id in left
            ]
            generation = self._index.refresh(on_progress)
        self._settle_later()
        return IndexReport(tuple(files), len(generation.positions))

    def refresh(self, on_progress: ProgressCallback | None) -> None:
        """Bring the index up to date with the store."""
        with self._locked():
            self._index.refresh(on_progress)
        self._settle_later()

    def ready(self, on_progress: ProgressCallback | None = None) -> IndexReport | None:
        """Index where that is due; return the report of the run, or None where there was nothing to do."""
        if self._unread():
            return self.index((), on_progress)
        if self._index.fresh():
            return None
        serving = self._index.current() is not None
        try:
            with self._locked(0 if serving else LOCK_WAIT_S):
                return IndexReport((), len(self._index.refresh(on_progress).positions))
        except (DataDirBusy, DataDirUnusable) as err:
            if not serving:
                raise
            logger.info("the index goes on as it is: %s", err)
            return None

    def renew(self) -> None:
        """Before a question: index what is due; an index that can serve is renewed beside it."""
        generation = self._index.current()
        if self._unread() or generation is None or not generation.positions:  # all that it held is gone
            self.ready()
        elif not self._index.fresh() and not (self._renewal and self._renewal.is_alive()):
            self._renewal = threading.Thread(target=self._renew_quietly, daemon=True)
            self._renewal.start()

    def wait(self) -> None:
        """Wait for a renewal under way; the building into one is given up, the next change begins it anew."""
        if self._renewal:
            self._renewal.join()
        self._give_way.set()
        self.settle()

    def settle(self) -> None:
        """Wait until all is built into one."""
        if self._settling:
            self._settling.join()

    def _settle_later(self) -> None:
        """Begin to build all into one, where that is due, in a thread of its own."""
        if not self._index.settled() and not (self._settling and self._settling.is_alive()):
            self._give_way.clear()
            self._settling = threading.Thread(target=self._settle, daemon=True)
            self._settling.start()

    def _settle(self) -> None:
        def go_on(stage: str, done: int, total: int) -> None:
            if self._give_way.is_set():
                raise Stopped

        try:
            with writing(self._settings.data_dir, 0):
                self._index.refresh(go_on, whole=True)
        except LingxueError as err:
            logger.info("the index stays in two parts: %s", err)
        except Stopped:
            logger.info("building the index into one gives way to a change")

    def _renew_quietly(self) -> None:
        try:
            self.ready()
        except LingxueError as err:
            logger.warning("the index was not renewed: %s", err)

    def _unread(self) -> bool:
        """Tell whether the folder was never read, or another one is asked for than was."""
        asked = str(self._settings.knowledge_dir.resolve())
        read = self._store.meta("knowledge_dir")
        return not read or ("knowledge_dir" in self._settings.model_fields_set and read != asked)

    @contextmanager
    def _locked(self, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
        self._give_way.set()
        if self._settling and self._settling is not threading.current_thread():
            self._settling.join()
        with writing(self._settings.data_dir, wait_s):
            if self._store.read_only:
                raise DataDirUnusable(path=self._settings.data_dir, reason="只读，不能写入")
            yield


def open_store(data_dir: Path) -> Store:
    """Open the store of a data directory; raise StoreLost where only the index built from it is left."""
    path = data_dir / "lingxue.db"
    if (data_dir / "index" / "CURRENT").exists() and not (path.exists() and path.stat().st_size):
        raise StoreLost(path=path)
    return Store(path)


def missed_records(store: Store, path: Path) -> None:
    """Before the records of people are opened: note, for `doctor`, that a file of them has vanished."""
    if store.meta("records") and not (path.exists() and path.stat().st_size):
        logger.error("the records of conversations and accounts are gone: %s", path)
        with suppress(DataDirUnusable):  # what cannot be noted now is noted at the next start
            store.set_meta("records_lost", time.strftime("%Y-%m-%d %H:%M"))


def note_records(store: Store, *, accounts: bool = False) -> None:
    """After the records of people were opened: remember that there are some, and accounts among them."""
    for name in ("records", "accounts") if accounts else ("records",):
        if not store.meta(name):
            with suppress(DataDirUnusable):
                store.set_meta(name, "1")


@contextmanager
def writing(folder: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold a data directory for writing; raise DataDirBusy or DataDirUnusable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "writing.lock")
        lock.acquire(timeout=wait_s)
    except Timeout as err:
        raise DataDirBusy(path=folder) from err
    except OSError as err:
        raise DataDirUnusable(path=folder, reason=why(err)) from err
    try:
        yield
    finally:
        lock.release()
