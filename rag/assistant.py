"""The one public door: index, ask, draft, and the sources behind the citations.

The composition root: builds the parts from the settings, each when it is
first needed, so that a question costs no import it does not use. Knows every
part and decides nothing of its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from rag import answer, ingest
from rag.config import Settings, shipped_dir
from rag.embed import load_encoder
from rag.errors import (
    DataDirBusy,
    DataDirUnusable,
    LingxueError,
    NothingIndexed,
    SourceDamaged,
    SourceNotFound,
    StoreLost,
)
from rag.index import Index
from rag.notices import Notices
from rag.protocols import ChatModel, Encoder
from rag.retrieve import HybridRetriever
from rag.store import Stamp, Store
from rag.types import Answer, DraftRequest, Event, Outline, Source, Turn

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

    from rag.ingest import FileReport

logger = logging.getLogger(__name__)

LOCK_WAIT_S = 2.0
SOURCES_KEPT = 32  # sources held in memory for quoting
ProgressCallback = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an indexing run did: a report per file, and the chunks now searchable."""

    files: tuple[FileReport, ...]
    chunks: int


class Assistant:
    """Everything Lingxue does, over one data directory."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; open nothing yet."""
        self.settings = settings
        self._read_source = lru_cache(maxsize=SOURCES_KEPT)(lambda key: self.store.source(key[0]))
        self._refreshing: threading.Thread | None = None

    @cached_property
    def store(self) -> Store:
        """The durable record; raise DataDirUnusable, StoreDamaged or StoreLost."""
        path = self.settings.data_dir / "lingxue.db"
        index = self.settings.data_dir / "index"
        if (index / "CURRENT").exists() and not (path.exists() and path.stat().st_size):
            raise StoreLost(path=path)
        return Store(path)

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of the settings; raise EncoderNotFound."""
        return load_encoder(self.settings.encoder)

    @cached_property
    def search_index(self) -> Index:
        """The generations of the search index."""
        return Index(
            self.settings.data_dir / "index", self.store, self.encoder, chroma_url=self.settings.chroma_url
        )

    @cached_property
    def retriever(self) -> HybridRetriever:
        """The retriever over the current index."""
        return HybridRetriever(self.search_index, self.encoder)

    @cached_property
    def notices(self) -> Notices:
        """What the program says in its own words."""
        return Notices.load(shipped_dir("prompts") / "notices.toml")

    @cached_property
    def model(self) -> ChatModel | None:
        """The configured language model, or None; raise ModelFailed for one that cannot be built."""
        settings = self.settings
        if not settings.model_configured:
            return None
        from rag.llm import make_model

        return make_model(
            provider=settings.llm_provider,
            model=settings.llm_model,
            base_url=settings.llm_base_url,
            api_key=settings.llm_api_key.get_secret_value(),
            timeout_s=settings.llm_timeout_s,
            max_tokens=settings.llm_max_tokens,
        )

    def index(
        self, paths: Sequence[Path] = (), *, on_progress: ProgressCallback | None = None
    ) -> IndexReport:
        """Bring the index up to date with the knowledge folder, or add files and folders.

        Raises: FolderNotFound, BadSettings (a manifest), DataDirUnusable, DataDirBusy, EncoderNotFound.
        """
        with self._locked():
            damaged = self.store.damaged()
            self.store.forget_stamps(damaged)
            if paths:
                files = ingest.add_paths(self.store, paths, on_progress)
            else:
                files = ingest.sync_folder(self.store, self.settings.knowledge_dir, on_progress)
                self.store.set_meta("knowledge_dir", str(self.settings.knowledge_dir.resolve()))
            left = damaged & self.store.damaged()
            files += [
                ingest.FileReport(stamp.name, "失败", str(SourceDamaged(name=stamp.name)))
                for stamp in self.store.stamps()
                if stamp.id in left
            ]
            generation = self.search_index.refresh(on_progress)
        return IndexReport(tuple(files), len(generation.chunks))

    def ready(self, *, on_progress: ProgressCallback | None = None) -> IndexReport | None:
        """Index where that is due: nothing indexed, another folder asked for, index lost or stale.

        A stale index goes on serving where it cannot be renewed just now: another
        process is at it, or the folder cannot be written.

        Returns: the report of the run, or None where there was nothing to do.
        """
        if self._to_index():
            return self.index(on_progress=on_progress)
        if self.search_index.fresh():
            return None
        serving = self.search_index.current() is not None
        try:
            with self._locked(0 if serving else LOCK_WAIT_S):
                return IndexReport((), len(self.search_index.refresh(on_progress).chunks))
        except (DataDirBusy, DataDirUnusable) as err:
            if not serving:
                raise
            logger.info("the index goes on as it is: %s", err)
            return None

    def _to_index(self) -> bool:
        """Tell whether there is nothing yet, or another folder is asked for than was indexed."""
        asked = str(self.settings.knowledge_dir.resolve())
        named = "knowledge_dir" in self.settings.model_fields_set
        return not self.store.stamps() or (named and self.store.meta("knowledge_dir") != asked)

    def _renew(self) -> None:
        """Before a question: index what is due; a generation that can serve is renewed meanwhile."""
        if self._to_index() or self.search_index.current() is None:
            self.ready()
        elif not self.search_index.fresh() and not (self._refreshing and self._refreshing.is_alive()):
            self._refreshing = threading.Thread(target=self._renew_quietly, daemon=True)
            self._refreshing.start()

    def _renew_quietly(self) -> None:
        try:
            self.ready()
        except LingxueError as err:
            logger.warning("the index was not renewed: %s", err)

    def ask(self, question: str, history: Sequence[Turn] = (), *, use_model: bool = True) -> Iterator[Event]:
        """Answer a question as events; the last one is the `Answer`.

        Raises: BadRequest, NothingIndexed, and what opening the parts raises.
        """
        self._renew()
        try:
            yield from self._ask(question, history, use_model=use_model)
        except SourceNotFound:  # replaced between search and quoting: the new index has its successor
            yield from self._ask(question, history, use_model=use_model)

    def _ask(self, question: str, history: Sequence[Turn], *, use_model: bool) -> Iterator[Event]:
        generation = self.search_index.current()
        if generation is None or not generation.chunks:
            raise NothingIndexed(path=self.settings.knowledge_dir)
        library = answer.Library(
            retriever=self.retriever,
            reader=self,
            lexical=generation.lexical,
            stamps=self.store.stamps(),
            impaired=lambda: bool(generation.dense_failed),
        )
        model = self.model if use_model else None
        system = (shipped_dir("prompts") / "answer.md").read_text(encoding="utf-8") if model else ""
        yield from answer.ask(
            question, history, library=library, notices=self.notices, model=model, system=system
        )

    def answer(self, question: str, history: Sequence[Turn] = (), *, use_model: bool = True) -> Answer:
        """Answer a question in one piece."""
        *_, last = self.ask(question, history, use_model=use_model)
        if not isinstance(last, Answer):
            raise TypeError(f"the last event is {type(last).__name__}, not an Answer")
        return last

    def draft(self, request: DraftRequest, *, use_model: bool = True) -> Outline:
        """Draft an outline; raise BadRequest for a genre, role or topic that cannot be worked on."""
        from rag.outline import compose

        self._renew()
        model = self.model if use_model else None
        return compose(request, retriever=self.retriever, reader=self, model=model)

    def as_langchain(self, *, k: int = 8) -> BaseRetriever:
        """Return the retriever as a LangChain `BaseRetriever`."""
        from rag.langchain_retriever import LingxueRetriever

        return LingxueRetriever(hybrid=self.retriever, k=k)

    def source(self, source_id: str) -> Source:
        """Return a stored source; raise SourceNotFound."""
        return self._read_source((source_id, self.store.removals))

    def stamps(self) -> list[Stamp]:
        """Return what is stored, a line a file."""
        return self.store.stamps()

    def close(self) -> None:
        """Close what was opened; a renewal of the index under way is waited for."""
        if self._refreshing:
            self._refreshing.join()
        if "search_index" in self.__dict__:
            self.search_index.close()
        if "store" in self.__dict__:
            self.store.close()

    @contextmanager
    def _locked(self, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
        with writing(self.settings.data_dir, wait_s):
            if self.store.read_only:
                raise DataDirUnusable(path=self.settings.data_dir, reason="只读，不能写入")
            yield


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
        raise DataDirUnusable(path=folder, reason=err.strerror or err) from err
    try:
        yield
    finally:
        lock.release()
