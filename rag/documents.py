"""What is on the shelf: the stored documents as people see and change them.

Corrections, collections and removals made here outlive the next reading of
the folder. Knows the store; not the index, which follows, and not screens.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import get_args

from rag import neardup, tokens
from rag.chunk import chunk
from rag.errors import BadRequest, SourceNotFound
from rag.manifest import STATUSES
from rag.store import Edit, Stamp, Store
from rag.types import Authority, Metadata

MAX_FIELD = 200  # characters of a field


@dataclass(frozen=True, slots=True)
class Document:
    """A document in the list; `faults` counts repairs by kind, `similar` names its near-duplicate."""

    id: str
    name: str
    origin: str
    metadata: Metadata
    characters: int
    chunks: int
    faults: Mapping[str, int] = field(default_factory=dict)
    collection: str = ""
    similar: str = ""

    @property
    def title(self) -> str:
        """The document's title, or its file name where none is known."""
        return self.metadata.title or self.name


class Documents:
    """The documents of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._alike = lru_cache(maxsize=4)(_alike)

    def stamps(self, collection: str = "") -> list[Stamp]:
        """Return what is stored, of one collection where one is named."""
        stamps = self._store.stamps()
        if not collection:
            return stamps
        edits = self._store.edits()
        return [s for s in stamps if edits.get((s.origin, s.name), Edit()).collection == collection]

    def listed(self) -> list[Document]:
        """Return every document, by title."""
        edits, facts = self._store.edits(), self._store.facts()
        stamps = self._store.stamps()
        names = {stamp.id: stamp.title for stamp in stamps}
        marks = {key: mark for key, mark in self._store.signatures().items() if key in names}
        alike = self._alike(tuple(sorted(marks.items())))
        found = []
        for stamp in stamps:
            characters, chunks, repairs = facts[stamp.id]
            found.append(
                Document(
                    stamp.id, stamp.name, stamp.origin, stamp.metadata, characters, chunks,
                    Counter(str(repair["kind"]) for repair in json.loads(repairs)),
                    edits.get((stamp.origin, stamp.name), Edit()).collection,
                    names.get(alike.get(stamp.id, ""), ""),
                )
            )  # fmt: skip
        return sorted(found, key=lambda document: (document.collection, document.title))

    def collections(self) -> list[str]:
        """Return the names of the collections that hold a document."""
        edits = self._store.edits()
        names = {edits.get((s.origin, s.name), Edit()).collection for s in self._store.stamps()}
        return sorted(names - {""})

    def get(self, source_id: str) -> Stamp:
        """Return a document's stamp; raise SourceNotFound."""
        found = next((stamp for stamp in self._store.stamps() if stamp.id == source_id), None)
        if found is None:
            raise SourceNotFound(source_id=source_id)
        return found

    def correct(self, source_id: str, *, collection: str, **said: str) -> None:
        """Say what is known of a document: fields of `Metadata` that are text, and its collection.

        Headings hold the title and are searched, so the document is divided again.

        Raises: SourceNotFound; BadRequest for a value that cannot be used.
        """
        stamp = self.get(source_id)
        given = {name: " ".join(value.split()) for name, value in said.items()}
        collection = " ".join(collection.split())
        _check(given, collection)
        source = self._store.source(source_id)
        changed = replace(source, metadata=replace(source.metadata, **given))  # type: ignore[arg-type]
        mark = self._store.signatures().get(source_id, b"")
        # No stamp: the next reading of the file then keeps what is said here and makes a true one.
        self._store.put(
            changed, chunk(changed, count=tokens.counts), origin=stamp.origin, stamp="", signature=mark
        )
        self._store.set_edit(stamp.origin, stamp.name, Edit(asdict(changed.metadata), collection))

    def remove(self, source_id: str) -> Stamp:
        """Take a document off the shelf; the file itself stays. Raise SourceNotFound."""
        stamp = self.get(source_id)
        self._store.hide(source_id)
        return stamp

    def restore(self, source_id: str) -> None:
        """Undo `remove`."""
        self._store.unhide(source_id)

    def removed(self) -> list[tuple[str, str]]:
        """Return (id, name) of what was removed and can come back."""
        return self._store.hidden()


def _check(given: Mapping[str, str], collection: str) -> None:
    for value in (*given.values(), collection):
        if len(value) > MAX_FIELD:
            raise BadRequest(reason=f"内容太长（{len(value)} 字），请缩短到 {MAX_FIELD} 字以内。")
    if given.get("status", "") not in STATUSES:
        raise BadRequest(reason=f"效力只能是 {'、'.join(filter(None, STATUSES))}：{given['status']}。")
    if given.get("authority", "") not in get_args(Authority):
        raise BadRequest(reason=f"来源级别不认识：{given['authority']}。请从列出的里选。")


def _alike(signatures: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """Return {id: the id of the stored document most like it}, for those that have one."""
    marks = neardup.Marks(dict(signatures))
    near = {source_id: marks.nearest(mark, but=source_id) for source_id, mark in signatures}
    return {source_id: found[0] for source_id, found in near.items() if found}
