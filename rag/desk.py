"""Work on an outline or a draft that is there: composed anew in part, written out in full, checked.

Knows how the parts fit, as the assistant does; decides nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.config import Settings, shipped_dir
from rag.errors import BadRequest
from rag.protocols import ChatModel, Retriever, SourceReader
from rag.store import Store
from rag.types import Delta, DraftRequest, Outline, Source

if TYPE_CHECKING:
    from rag.outline_expand import Written
    from rag.review import Draft, Report


class Parts(SourceReader, Protocol):
    """What the desk needs of the assistant."""

    settings: Settings

    @property
    def store(self) -> Store:
        """The durable record."""
        ...

    @property
    def retriever(self) -> Retriever:
        """The retriever over the current index."""
        ...

    @property
    def model(self) -> ChatModel | None:
        """The configured language model, or None."""
        ...

    def ready(self) -> object:
        """Index where that is due."""
        ...


class Desk:
    """What can be done with an outline or a draft."""

    def __init__(self, parts: Parts) -> None:
        """Keep the parts; open none."""
        self._parts = parts

    def redo_section(self, request: DraftRequest, outline: Outline, section: int, *, turn: int) -> Outline:
        """Compose one section of an outline anew; raise BadRequest for one that is the writer's own."""
        from rag.outline_again import redo_section

        parts = self._parts
        parts.ready()
        return redo_section(request, outline, section, turn=turn, retriever=parts.retriever, reader=parts)

    def other_evidence(
        self, request: DraftRequest, outline: Outline, section: int, point: int, *, turn: int
    ) -> Outline:
        """Put other evidence in the place of one point's; raise BadRequest where there is none."""
        from rag.outline_again import other_evidence

        parts = self._parts
        parts.ready()
        return other_evidence(
            request, outline, section, point, turn=turn, retriever=parts.retriever, reader=parts
        )

    def expand(
        self, request: DraftRequest, outline: Outline, written: Sequence[Written] = ()
    ) -> Iterator[Delta | Written]:
        """Write an outline out, going on behind what is written; raise BadRequest, ModelFailed."""
        from rag.outline_expand import expand

        return expand(request, outline, self._parts.model, written)

    def review(self, drafts: Sequence[Draft], siblings: Sequence[Draft] = (), *, role: str = "") -> Report:
        """Check drafts against the knowledge base, the catalogue, each other and their siblings.

        Raises: BadRequest: no such role.
        """
        from rag.prompting import named, roles
        from rag.review import review_all
        from rag.review_facts import Library
        from rag.review_rules import load_rules

        chosen = named(known := roles(), role) if role.strip() else None
        if role.strip() and chosen is None:
            raise BadRequest(reason=f"没有这个身份：{role[:20]}。可选：{'、'.join(known)}。")
        library = Library([(source.title, source.clean) for source in self._sources()], self._titles())
        return review_all(drafts, siblings, rules=load_rules(), library=library, role=chosen)

    def _sources(self) -> Iterator[Source]:
        self._parts.ready()
        store = self._parts.store
        return (store.source(stamp.id) for stamp in store.stamps())

    def _titles(self) -> list[str]:
        from rag.review_files import official_titles

        folders: tuple[Path, ...] = (shipped_dir("knowledge"), self._parts.settings.knowledge_dir)
        return official_titles(*folders)
