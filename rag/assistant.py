"""The one public door: index, ask, draft, and the sources behind the citations.

The composition root: builds the parts from the settings, each when it is
first needed, so that a question costs no import it does not use. Knows every
part and decides nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag import answer, ingest, official
from rag.config import Settings, shipped_dir
from rag.documents import Documents
from rag.embed import bundled, load_encoder
from rag.errors import FetchFailed, HeldBack, NothingIndexed, SourceNotFound
from rag.fetch import Fetcher
from rag.index import Index
from rag.limited import Limited, Views
from rag.lookup import Library
from rag.notices import Notices, with_notice
from rag.phrasings import Shelf
from rag.privacy import Guarded, OnPrivate, let_through
from rag.protocols import ChatModel, Encoder
from rag.retrieve import HybridRetriever, make_retriever
from rag.store import Stamp, Store
from rag.types import Answer, DraftRequest, Event, Outline, Source, Turn
from rag.upkeep import IndexReport, ProgressCallback, Upkeep, missed_records, note_records, open_store

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

    from rag.desk import Desk
    from rag.ingest import FileReport
    from rag.official import Record, Text
    from rag.records.records import Records
    from rag.review import Draft, Report
    from rag.trace import Trace

SOURCES_KEPT = 32  # sources held in memory for quoting


class Assistant:
    """Everything Lingxue does, over one data directory."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; open nothing yet."""
        self.settings = settings
        self._views = Views()
        self.shelf = Shelf(settings.knowledge_dir, bundled, self)
        self._read_source = lru_cache(maxsize=SOURCES_KEPT)(lambda key: self.store.source(key[0]))

    @cached_property
    def store(self) -> Store:
        """The durable record; raise DataDirUnusable, StoreDamaged or StoreLost."""
        return open_store(self.settings.data_dir)

    @cached_property
    def documents(self) -> Documents:
        """The stored documents as people see and change them."""
        return Documents(self.store)

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
    def upkeep(self) -> Upkeep:
        """What keeps store and index in step."""
        return Upkeep(self.settings, self.store, self.search_index)

    @cached_property
    def retriever(self) -> HybridRetriever:
        """The retriever over the current index; raise RerankerNotFound."""
        return make_retriever(self.search_index, self.encoder, self.settings.reranker)

    @cached_property
    def records(self) -> Records:
        """Conversations, feedback, accounts; raise DataDirUnusable or BadSettings."""
        from rag.records.records import Records

        url = self.settings.database_url.get_secret_value()
        if url:
            return Records(self.settings.data_dir, url)
        missed_records(self.store, self.settings.data_dir / "records.db")
        made = Records(self.settings.data_dir)
        note_records(self.store)
        return made

    @cached_property
    def notices(self) -> Notices:
        """What the program says in its own words."""
        return Notices.load(shipped_dir("prompts") / "notices.toml")

    @cached_property
    def model(self) -> ChatModel | None:
        """The configured language model, or None; raise ModelFailed for one that cannot be built."""
        if not self.settings.model_configured:
            return None
        from rag.llm import configured_model

        return configured_model(self.settings)

    def use_model(self, settings: Settings) -> None:
        """Take over other settings of the language model; what is under way goes on with the old ones."""
        self.settings = settings
        self.__dict__.pop("model", None)

    def index(
        self, paths: Sequence[Path] = (), *, on_progress: ProgressCallback | None = None
    ) -> IndexReport:
        """Bring the index up to date with the knowledge folder, or add files and folders.

        Raises: FolderNotFound, BadSettings (a manifest), DataDirUnusable, DataDirBusy, EncoderNotFound.
        """
        return self.upkeep.index(paths, on_progress)

    def official(self) -> list[tuple[Text, Record | None]]:
        """Return the catalogue of official texts, each with how its copy came, where there is one."""
        kept = official.records(self.settings.data_dir / official.FOLDER)
        listed = official.load_catalogue(self.settings.knowledge_dir).texts
        return [(text, kept.get(text.id)) for text in listed]

    def index_official(
        self,
        wanted: Sequence[str],
        *,
        fetcher: Fetcher | None = None,
        on_progress: ProgressCallback | None = None,
    ) -> IndexReport:
        """Fetch official texts that the user picked and add them; what cannot be had is a failed file.

        Raises: BadRequest, BadSettings, and what `index` raises.
        """
        catalogue = official.load_catalogue(self.settings.knowledge_dir)
        chosen = catalogue.chosen(wanted)
        paths: list[Path] = []
        failed: list[FileReport] = []
        for number, text in enumerate(chosen, 1):
            try:
                folder = self.settings.data_dir / official.FOLDER
                paths.append(official.retrieve(text, folder, fetcher or Fetcher(catalogue.hosts)))
            except FetchFailed as err:
                failed.append(ingest.FileReport(text.title, "失败", str(err)))
            if on_progress:
                on_progress("取官方文本", number, len(chosen))
        report = self.index(paths, on_progress=on_progress) if paths else IndexReport((), 0)
        return IndexReport((*report.files, *failed), report.chunks)

    def refresh(self, *, on_progress: ProgressCallback | None = None) -> None:
        """Bring the search index up to date with the store, after documents were changed or removed."""
        self.upkeep.refresh(on_progress)

    def settle(self) -> None:
        """Wait until what was added or removed is built into one index; searching does not need that."""
        self.upkeep.settle()

    def ready(self, *, on_progress: ProgressCallback | None = None) -> IndexReport | None:
        """Index where that is due: the folder never read, another one asked for, index lost or stale.

        A stale index goes on serving where it cannot be renewed just now: another
        process is at it, or the folder cannot be written.

        Returns: the report of the run, or None where there was nothing to do.
        """
        return self.upkeep.ready(on_progress)

    def ask(
        self, question: str, history: Sequence[Turn] = (), *,
        use_model: bool = True, collection: str = "", private: OnPrivate = "extract",
    ) -> Iterator[Event]:  # fmt: skip
        """Answer a question as events, the last one the `Answer`; from one collection only, where named.

        `private` says what to do where personal numbers would go to an outside model.

        Raises: BadRequest, NothingIndexed, HeldBack ("hold"), and what opening the parts raises.
        """
        self.upkeep.renew()
        model = let_through(self.model, private) if use_model else None
        try:
            if isinstance(model, Guarded):  # told at once, and also where the answer would need no model
                model.check(question)
            try:
                yield from self._ask(question, history, model, collection)
            except SourceNotFound:  # replaced between search and quoting: the new index has its successor
                yield from self._ask(question, history, model, collection)
        except HeldBack as held:
            if private == "hold":
                raise
            for event in self._ask(question, history, None, collection):
                yield with_notice(event, held.notice) if isinstance(event, Answer) else event

    def _ask(
        self, question: str, history: Sequence[Turn], model: ChatModel | None, collection: str
    ) -> Iterator[Event]:
        library = self.library(collection)
        system = rewrite = ""
        if model:
            folder = shipped_dir("prompts")
            system, rewrite = ((folder / f"{name}.md").read_text("utf-8") for name in ("answer", "rewrite"))
        yield from answer.ask(
            question, history, library=library, notices=self.notices,
            model=model, system=system, rewrite=rewrite,
        )  # fmt: skip

    def library(self, collection: str = "") -> Library:
        """Return what answering needs, of one collection only where named; raise NothingIndexed."""
        generation = self.search_index.current()
        if generation is None or not generation.chunks:
            raise NothingIndexed(path=self.settings.knowledge_dir)
        stamps = self.documents.stamps(collection)
        view = self._views.of(generation, [stamp.id for stamp in stamps]) if collection else None
        return Library(
            retriever=Limited(self.retriever, view) if view else self.retriever,
            reader=self,
            lexical=(view or generation).lexical,
            stamps=stamps,
            phrasings=self.shelf.of(stamps),
            impaired=lambda: bool(generation.dense_failed),
        )

    def answer(
        self, question: str, history: Sequence[Turn] = (), *,
        use_model: bool = True, collection: str = "", private: OnPrivate = "extract",
    ) -> Answer:  # fmt: skip
        """Answer a question in one piece."""
        *_, last = self.ask(question, history, use_model=use_model, collection=collection, private=private)
        if not isinstance(last, Answer):
            raise TypeError(f"the last event is {type(last).__name__}, not an Answer")
        return last

    def trace(self, question: str) -> Trace:
        """Follow a question through the stages of retrieval; raise BadRequest or NothingIndexed."""
        from rag.trace import trace

        self.upkeep.renew()
        return trace(question, self.library())

    def draft(
        self, request: DraftRequest, *, use_model: bool = True, private: OnPrivate = "extract"
    ) -> Outline:
        """Draft an outline; raise BadRequest for a genre, role or topic that cannot be worked on.

        Personal numbers that would go to an outside model are named in its warnings; "send" sends them.
        """
        from rag.outline import compose

        self.upkeep.renew()
        model = let_through(self.model, private) if use_model else None
        return compose(request, retriever=self.retriever, reader=self, model=model)

    @cached_property
    def desk(self) -> Desk:
        """Work on an outline or a draft that is there: redo, expand, review."""
        from rag.desk import Desk

        return Desk(self)

    def review(self, drafts: Sequence[Draft], siblings: Sequence[Draft] = (), *, role: str = "") -> Report:
        """Check drafts against what is known, each other and their siblings; raise BadRequest."""
        return self.desk.review(drafts, siblings, role=role)

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
        if "upkeep" in self.__dict__:
            self.upkeep.wait()
        if "search_index" in self.__dict__:
            self.search_index.close()
        if "store" in self.__dict__:
            self.store.close()
        if "records" in self.__dict__:
            self.records.close()
