"""Real laws rendered to files, read, repaired and structured: each article with its number, heading and text."""

import pytest
from parsers.law_files import LAWS, RENDERERS, read_laws, squeezed

from rag.ingest import make_source
from rag.parsers import parse_file
from rag.types import Metadata

COUNT = 12  # 200 by hand: see docs/design/0004-documents.md
AT_LEAST = {".txt": 0.99, ".html": 0.99, ".docx": 0.99, ".pdf": 0.97}


def articles_recovered(law, path):
    """Count the articles whose section has their number, their chapter in its path and their text."""
    source = make_source(path.name, path.read_bytes(), parse_file(path), Metadata())
    found = {}
    for section in source.sections:  # a law in this corpus may hold two versions of an article
        found.setdefault(section.label, []).append(section)
    good = 0
    for number, heading, text in law.articles:
        good += any(
            squeezed(source.clean[section.body : section.end]) == squeezed(text)
            and (not heading or squeezed(heading) in squeezed("".join(section.path[:-1])))
            for section in found.get(number, [])
        )
    return good, len(law.articles)


@pytest.mark.skipif(not LAWS.exists(), reason="the shared corpus of laws is not beside this checkout")
@pytest.mark.parametrize("suffix", sorted(RENDERERS))
def test_articles_come_back_with_number_heading_and_text(suffix, tmp_path):
    good = total = 0
    for number, law in enumerate(read_laws(COUNT)):
        path = tmp_path / f"{number}{suffix}"
        RENDERERS[suffix](law, path)
        recovered, articles = articles_recovered(law, path)
        good, total = good + recovered, total + articles
    assert total > 150 and good / total >= AT_LEAST[suffix]
