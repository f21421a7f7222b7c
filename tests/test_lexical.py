"""BM25 against the package bm25s, and what adding and hiding texts does to its scores."""

import random

import bm25s
import numpy as np
import pytest

from rag.lexical import K1, B, LexicalIndex, fold, tokenize
from rag.postings import Postings

TEXTS = [
    "党组织会议由书记召集并主持，须有三分之二以上班子成员到会方可举行。",
    "校长办公会议由校长召集；校长 A4 office365 A4。",
    "",
    "𠀀𠀁𠀀𠀁 ＡＢＣ ㍿ … 会",
    "会" * 700,
    "2024年 no chinese: x1 x1 x1",
]


def drawn(count, seed):
    draw = random.Random(seed)
    alphabet = "党组织会议校长书记a1 b，。召集\n"
    return ["".join(draw.choices(alphabet, k=draw.randint(0, 60))) for _ in range(count)]


def oracle(texts):
    """Return {token: (places, scores)} as bm25s makes them."""
    vocabulary = {}
    rows = [[vocabulary.setdefault(t, len(vocabulary)) for t in tokenize(text)] for text in texts]
    bm25 = bm25s.BM25(k1=K1, b=B)
    bm25.index((rows, vocabulary), create_empty_token=False, show_progress=False)
    starts = bm25.scores["indptr"]
    return {
        token: (
            bm25.scores["indices"][starts[n] : starts[n + 1]],
            bm25.scores["data"][starts[n] : starts[n + 1]],
        )
        for token, n in vocabulary.items()
    }


def same(index, expected, places):
    """Compare to the bit; `places` are the positions in the index of the texts that the oracle saw."""
    for token, (wanted, scores) in expected.items():
        found, values = index.postings(token)
        assert index.known(token) and np.array_equal(found, np.array(places)[wanted]), token
        assert np.array_equal(values, scores), token


@pytest.mark.parametrize("texts", [TEXTS, drawn(300, 1)])
def test_scores_are_those_of_bm25s_to_the_bit(texts):
    same(LexicalIndex.build(texts), oracle(texts), range(len(texts)))


def test_added_and_hidden_texts_score_as_in_an_index_built_anew(tmp_path):
    first, second = drawn(200, 2), drawn(50, 3)
    parts = [Postings.of(map(fold, texts)) for texts in (first, second)]
    for number, part in enumerate(parts):
        part.save(tmp_path / str(number))
    index = LexicalIndex([Postings.load(tmp_path / str(number)) for number in range(2)])
    same(index, oracle(first + second), range(250))
    hidden = random.Random(4).sample(range(250), 60)
    index.hide(hidden)
    kept = [place for place in range(250) if place not in hidden]
    left = [(first + second)[place] for place in kept]
    same(index, oracle(left), kept)
    assert index.idf("会议") == LexicalIndex.build(left).idf("会议")
    assert index.scores("书记召集会议")[hidden].max() == 0


def test_a_token_is_known_only_while_a_text_that_is_shown_holds_it():
    index = LexicalIndex.build(["食堂", "教务处"])
    index.hide([0])
    assert not index.known("食堂") and index.known("教务") and not index.known("") and not index.known("zz")
    index.hide([0, 1])
    assert index.scores("教务处食堂").tolist() == [0, 0]


def test_an_index_over_nothing_finds_nothing():
    for texts in ([], [""], ["，。"]):
        index = LexicalIndex.build(texts)
        assert index.size == len(texts) and not index.scores("会议").any() and not index.known("会")
