"""A generation as if some of its documents were all there is: searched whole, not sifted afterwards.

The other documents' chunks are hidden from counting as from finding, so a
question limited to a small collection is answered as well beside a large
library as alone. Dense search is exact here: what is left is few, and an
approximate graph over everything may not reach it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from rag.lexical import top
from rag.types import Hit

if TYPE_CHECKING:
    from rag.generation import Generation
    from rag.matching import Places
    from rag.retrieve import HybridRetriever
    from rag.types import Matrix

KEPT = 8  # views at hand: hiding takes a tenth of a second where chunks are many


class View:
    """Some documents of a generation, as `rag.retrieve.Searchable`; positions are the generation's."""

    def __init__(self, generation: Generation, source_ids: Collection[str]) -> None:
        wanted = frozenset(source_ids)
        kept = [generation.chunks[i].source_id in wanted for i in range(len(generation.chunks))]
        self.chunks = generation.chunks
        self.groups = generation.groups
        self.lexical = generation.lexical.without(np.flatnonzero(~np.array(kept, dtype=bool)))
        self._places = np.flatnonzero(kept)
        self._generation = generation

    def neighbours(self, query: Matrix, k: int) -> list[tuple[int, float]]:
        """Return (position, cosine similarity) of the k chunks nearest to a (1, dim) vector."""
        similar = self.cosines(query, self._places)
        return [(int(self._places[i]), float(similar[i])) for i in top(similar, k)]

    def cosines(self, query: Matrix, positions: Places) -> Matrix:
        """Return the similarities of chunks with a (1, dim) vector; positions rise."""
        return self._generation.cosines(query, positions)


class Limited:
    """A retriever that keeps to a view."""

    def __init__(self, retriever: HybridRetriever, view: View) -> None:
        self._retriever, self._view = retriever, view

    def retrieve(self, question: str, *, k: int = 8) -> list[Hit]:
        """Return the k best chunks of the view's documents, best first."""
        return self._retriever.find(self._view, question, k=k)


class Views:
    """The views of the generation in use that were asked for last."""

    def __init__(self) -> None:
        self._generation: Generation | None = None
        self._views: OrderedDict[frozenset[str], View] = OrderedDict()
        self._making = threading.Lock()

    def of(self, generation: Generation, source_ids: Collection[str]) -> View:
        """Return the view of these sources."""
        wanted = frozenset(source_ids)
        with self._making:
            if generation is not self._generation:
                self._generation = generation
                self._views.clear()
            view = self._views.pop(wanted, None) or View(generation, wanted)
            self._views[wanted] = view
            if len(self._views) > KEPT:
                self._views.popitem(last=False)
            return view
