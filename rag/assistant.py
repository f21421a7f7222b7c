"""The one public door: index, ask, draft, and the sources behind the citations.

The composition root: builds the parts from the settings, each when it is
first needed, so that a question costs no import it does not use. Knows every
part and decides nothing of its own.
"""

from __future__ import annotations

import logging
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
from rag.errors import DataDirBusy, DataDirUnusable, NothingIndexed
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
        self._read_source = lru_cache(maxsize=SOURCES_KEPT)(lambda source_id: self.store.source(source_id))

    @cached_property
    def store(self) -> Store:
        """The durable record; raise DataDirUnusable or StoreDamaged."""
        return Store(self.settings.data_dir / "lingxue.db")

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of the settings; raise EncoderNotFound."""
        return load_encoder(self.settings.encoder)

    @cached_property
    def search_index(self) -> Index:
        """The generations of the search index."""
        return Index(self.settings.data_dir / "index", self.store, self.encoder)

    @cached_property
    def retriever(self) -> HybridRetriever:
        """The retriever over the current index; raise RerankerNotFound."""
        if not self.settings.reranker:
            return HybridRetriever(self.search_index, self.encoder)
        from rag.crossencoder import CrossEncoderReranker

        return HybridRetriever(
            self.search_index, self.encoder, CrossEncoderReranker(self.settings.reranker)
        )

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
            if paths:
                files = ingest.add_paths(self.store, paths, on_progress)
            else:
                files = ingest.sync_folder(self.store, self.settings.knowledge_dir, on_progress)
                self.store.set_meta("knowledge_dir", str(self.settings.knowledge_dir.resolve()))
            generation = self.search_index.refresh(on_progress)
        self._read_source.cache_clear()
        return IndexReport(tuple(files), len(generation.chunks))

    def ready(self, *, on_progress: ProgressCallback | None = None) -> IndexReport | None:
        """Index where that is due: nothing indexed, another folder asked for, index lost or stale.

        Returns: the report of the run, or None where there was nothing to do.
        """
        asked = str(self.settings.knowledge_dir.resolve())
        moved = (
            "knowledge_dir" in self.settings.model_fields_set and self.store.meta("knowledge_dir") != asked
        )
        if moved or not self.store.stamps():
            return self.index(on_progress=on_progress)
        if self.search_index.current() is None:
            with self._locked():
                return IndexReport((), len(self.search_index.refresh(on_progress).chunks))
        return None

    def ask(self, question: str, history: Sequence[Turn] = (), *, use_model: bool = True) -> Iterator[Event]:
        """Answer a question as events; the last one is the `Answer`.

        Raises: BadRequest, NothingIndexed, and what opening the parts raises.
        """
        self.ready()
        generation = self.search_index.current()
        if generation is None or not generation.chunks:
            raise NothingIndexed(path=self.settings.knowledge_dir)
        library = answer.Library(
            retriever=self.retriever,
            reader=self,
            lexical=generation.lexical,
            stamps=self.store.stamps(),
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

        self.ready()
        model = self.model if use_model else None
        return compose(request, retriever=self.retriever, reader=self, model=model)

    def as_langchain(self, *, k: int = 8) -> BaseRetriever:
        """Return the retriever as a LangChain `BaseRetriever`."""
        from rag.langchain_retriever import LingxueRetriever

        return LingxueRetriever(hybrid=self.retriever, k=k)

    def source(self, source_id: str) -> Source:
        """Return a stored source; raise SourceNotFound."""
        return self._read_source(source_id)

    def stamps(self) -> list[Stamp]:
        """Return what is stored, a line a file."""
        return self.store.stamps()

    def close(self) -> None:
        """Close what was opened."""
        if "search_index" in self.__dict__:
            self.search_index.close()
        if "store" in self.__dict__:
            self.store.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the data directory for writing; raise DataDirBusy or DataDirUnusable."""
        folder = self.settings.data_dir
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / "writing.lock")
            lock.acquire(timeout=LOCK_WAIT_S)
        except Timeout as err:
            raise DataDirBusy(path=folder) from err
        except OSError as err:
            raise DataDirUnusable(path=folder, reason=err.strerror or err) from err
        try:
            yield
        finally:
            lock.release()
