"""Real laws rendered to files and read back: each article with its number, heading and text.

A sample; `python -m eval.bench.laws` runs 200, with the results in docs/benchmarks.md.
"""

import pytest

from eval.bench.laws import LAWS, measure, read_laws

COUNT = 12
AT_LEAST = {".txt": 0.99, ".html": 0.99, ".docx": 0.99, ".numbered.docx": 0.99, ".pdf": 0.97}


@pytest.mark.skipif(not LAWS.exists(), reason="the shared corpus of laws is not beside this checkout")
def test_articles_come_back_with_number_heading_and_text(tmp_path):
    seen = set()
    for suffix, wanted, text, structure in measure(read_laws(COUNT), tmp_path):
        assert wanted > 150
        assert text / wanted >= AT_LEAST[suffix], suffix
        assert structure / wanted >= AT_LEAST[suffix], suffix
        seen.add(suffix)
    assert seen == set(AT_LEAST)
