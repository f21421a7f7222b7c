"""What a reader must know of the documents an answer quotes: repealed, replaced, at odds.

Knows what manifests say; not how answers are found.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.notices import Notices
from rag.store import Stamp
from rag.types import Citation


def warnings(citations: Sequence[Citation], stamps: Sequence[Stamp], notices: Notices) -> list[str]:
    """Return a line for each quoted document that is repealed or that another stored one replaces."""
    by_id = {stamp.id: stamp for stamp in stamps}
    quoted = dict.fromkeys(citation.source_id for citation in citations)
    lines = []
    for stamp in (by_id[source_id] for source_id in quoted if source_id in by_id):
        newer = [other.title for other in stamps if stamp.title in other.metadata.supersedes]
        if newer:
            lines.append(notices.text("superseded", title=stamp.title, newer="》《".join(newer)))
        elif stamp.metadata.status == "废止":
            lines.append(notices.text("repealed", title=stamp.title))
    return lines
