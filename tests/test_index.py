"""Index generations over real Chroma: built, verified, swapped, rebuilt when damaged."""

import shutil

import numpy as np
import pytest

from rag import index as index_module
from rag.chunk import chunk
from rag.errors import DataDirUnusable
from rag.index import Index, indexed_text
from rag.ingest import make_source
from rag.store import Store
from rag.types import Metadata, Parsed

TEXT = "第一条 党组织会议由书记召集。\n第二条 校长办公会议由校长召集。\n第三条 教职工大会每年召开一次。\n"


class HashEncoder:
    """Unit vectors that depend only on the characters; a real encoder in the small."""

    def __init__(self, fingerprint="hash-1"):
        self.fingerprint = fingerprint
        self.encoded = 0

    def _vector(self, text):
        vector = np.zeros(64, dtype=np.float32)
        for character in text:
            vector[ord(character) % 64] += 1
        return vector / (np.linalg.norm(vector) or 1)

    def encode_query(self, text):
        return self._vector(text)[None]

    def encode_documents(self, texts):
        self.encoded += len(texts)
        return np.stack([self._vector(text) for text in texts]).astype(np.float32)


def put(store, name="规则.txt", text=TEXT):
    source = make_source(name, text.encode(), Parsed(text), Metadata())
    store.put(source, chunk(source, count=lambda texts: [len(t) for t in texts]), origin="o", stamp=name)
    return source


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "lingxue.db")
    put(made)
    yield made
    made.close()


def test_a_built_index_finds_the_chunk_by_its_own_vector_and_by_its_words(tmp_path, store):
    encoder = HashEncoder()
    generation = Index(tmp_path / "index", store, encoder).refresh()
    for position, found in enumerate(generation.chunks):
        vector = encoder.encode_documents([indexed_text(found)])
        assert generation.neighbours(vector, 1) == [(position, pytest.approx(1.0, abs=1e-4))]
    best = int(np.argmax(generation.lexical.scores("校长办公会议谁召集")))
    assert "校长办公会议由校长召集" in generation.chunks[best].text


def test_dense_neighbours_agree_with_exact_search(tmp_path, store):
    encoder = HashEncoder()
    for number in range(30):
        put(store, f"{number}.txt", f"第一条 编号{number}的规定由部门{number * 7}负责。\n" * 3)
    generation = Index(tmp_path / "index", store, encoder).refresh()
    matrix = encoder.encode_documents([indexed_text(found) for found in generation.chunks])
    query = encoder.encode_query("部门49负责什么")
    exact = np.sort(matrix @ query[0])[::-1][:5]
    found = [similarity for _, similarity in generation.neighbours(query, 5)]
    assert np.allclose(found, exact, atol=1e-4)


def test_an_index_that_is_up_to_date_is_not_built_again(tmp_path, store):
    encoder = HashEncoder()
    first = Index(tmp_path / "index", store, encoder).refresh()
    again = Index(tmp_path / "index", store, encoder).refresh()
    assert again.folder == first.folder and encoder.encoded == len(first.chunks)


def test_only_new_chunks_are_encoded_when_a_file_is_added(tmp_path, store):
    encoder = HashEncoder()
    index = Index(tmp_path / "index", store, encoder)
    before = len(index.refresh().chunks)
    put(store, "新.txt", "新增的规定由新部门负责。")
    after = len(index.refresh().chunks)
    assert encoder.encoded == after > before


def test_another_encoder_makes_another_index(tmp_path, store):
    first = Index(tmp_path / "index", store, HashEncoder("hash-1")).refresh()
    index = Index(tmp_path / "index", store, HashEncoder("hash-2"))
    assert index.current() is None
    assert index.refresh().folder != first.folder


@pytest.mark.parametrize("lost", ["CURRENT", "gen-000001/key.json", "gen-000001/lexical", "gen-000001"])
def test_a_damaged_index_is_not_used_and_is_built_again_from_the_store(tmp_path, store, lost):
    folder = tmp_path / "index"
    Index(folder, store, HashEncoder()).refresh()
    path = folder / lost
    shutil.rmtree(path) if path.is_dir() else path.write_bytes(b"\x00")
    index = Index(folder, store, HashEncoder())
    rebuilt = index.refresh()
    assert rebuilt.lexical.size == len(rebuilt.chunks) > 0
    assert rebuilt.neighbours(HashEncoder().encode_query("书记"), 1)


def test_without_chroma_words_still_find_and_the_reason_is_kept(tmp_path, store):
    folder = tmp_path / "index"
    index = Index(folder, store, HashEncoder())
    index.refresh()
    index.close()
    shutil.rmtree(folder / "gen-000001" / "chroma")
    generation = Index(folder, store, HashEncoder()).current()
    assert generation.neighbours(HashEncoder().encode_query("书记"), 3) == []
    assert generation.dense_failed
    assert generation.lexical.scores("书记召集").max() > 0


def test_a_build_that_fails_verification_leaves_the_old_index_in_use(tmp_path, store, monkeypatch):
    folder = tmp_path / "index"
    index = Index(folder, store, HashEncoder())
    old = index.refresh()
    put(store, "新.txt", "新增的规定由新部门负责。")

    def fail(*_):
        raise OSError("索引校验失败")

    monkeypatch.setattr(index_module, "_verify", fail)
    with pytest.raises(DataDirUnusable, match="索引校验失败"):
        index.refresh()
    assert index.current().folder == old.folder and old.neighbours(HashEncoder().encode_query("书记"), 1)


def test_old_generations_are_collected_but_the_last_one(tmp_path, store):
    index = Index(tmp_path / "index", store, HashEncoder())
    for number in range(4):
        put(store, f"{number}.txt", f"第{number}份规定。由部门负责。")
        index.refresh()
    assert sorted(p.name for p in (tmp_path / "index").glob("gen-*")) == ["gen-000003", "gen-000004"]


def test_tables_of_contents_are_kept_but_not_searched(tmp_path, store):
    listed = "目录\n一、总则………… 1\n二、职责………… 3\n三、附则………… 9\n一、总则\n本规则由校务会解释。\n"
    source = put(store, "目录.txt", listed)
    generation = Index(tmp_path / "index", store, HashEncoder()).refresh()
    texts = [found.text for found in generation.chunks if found.source_id == source.id]
    assert not any("…" in text for text in texts) and any("校务会解释" in text for text in texts)
    assert "".join(found.text for found in store.chunks(source.id)) == source.clean
