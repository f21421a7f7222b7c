"""Index generations over real Chroma: built, verified, swapped, rebuilt when damaged."""

import shutil

import numpy as np
import pytest

from rag import collection as collection_module
from rag.chunk import chunk
from rag.index import Index, Stopped, indexed_text
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


def test_without_chroma_the_stored_vectors_are_searched_exactly(tmp_path, store):
    folder = tmp_path / "index"
    index = Index(folder, store, HashEncoder())
    query = HashEncoder().encode_query("书记")
    expected = index.refresh().neighbours(query, 3)
    index.close()
    shutil.rmtree(folder / "gen-000001" / "chroma")
    generation = Index(folder, store, HashEncoder()).current()
    found = generation.neighbours(query, 3)
    assert generation.searched_by == "exact" and generation.broken
    assert np.allclose([s for _, s in found], [s for _, s in expected], atol=1e-5)


def test_without_any_vectors_words_still_find_and_the_reason_is_kept(tmp_path, store, monkeypatch):
    folder = tmp_path / "index"
    index = Index(folder, store, HashEncoder())
    index.refresh()
    index.close()
    shutil.rmtree(folder / "gen-000001" / "chroma")
    monkeypatch.setattr(store, "vectors", lambda *_: {})
    generation = Index(folder, store, HashEncoder()).current()
    assert generation.neighbours(HashEncoder().encode_query("书记"), 3) == []
    assert generation.dense_failed
    assert generation.lexical.scores("书记召集").max() > 0


def test_a_collection_that_fails_verification_is_not_used_and_exact_search_is(tmp_path, store, monkeypatch):
    monkeypatch.setattr(collection_module, "lost", lambda *_: [0])
    index = Index(tmp_path / "index", store, HashEncoder())
    generation = index.refresh()
    assert generation.neighbours(HashEncoder().encode_query("书记"), 1)
    assert generation.searched_by == "exact" and index.fresh()


def folders(tmp_path):
    return sorted(p.name for p in (tmp_path / "index").glob("gen-*"))


def test_old_generations_are_deleted_when_a_new_one_is_in_use(tmp_path, store):
    """The one in use stays, and the one that it adds to: here until what was added outgrows it."""
    index, kept = Index(tmp_path / "index", store, HashEncoder()), []
    for number in range(4):
        put(store, f"{number}.txt", f"第{number}份规定。由部门负责。")
        index.refresh()
        kept.append(folders(tmp_path))
    assert kept[:3] == [["gen-000001"], ["gen-000001", "gen-000002"], ["gen-000001", "gen-000003"]]
    assert kept[3] == ["gen-000004"] and index.current().added == 0


def searched(index, encoder):
    """What three questions find, by words and by vectors: {chunk id: score}, half-precision vectors allowed for."""
    generation = index.current()
    found = []
    for question in ("校长办公会议谁召集", "新增的规定由谁负责", "书记"):
        scores = generation.lexical.scores(question)
        found.append({generation.chunks[i].id: float(scores[i]) for i in np.flatnonzero(scores)})
        near = generation.neighbours(encoder.encode_query(question), 200)
        found.append({generation.chunks[i].id: score for i, score in near})
        assert generation.searched_by == "chroma"
        positions = np.array(sorted(position for position, _ in near))
        cosines = generation.cosines(encoder.encode_query(question), positions)
        assert np.allclose(cosines, [dict(near)[p] for p in positions], atol=2e-3)
    return [pytest.approx(scores, abs=1e-3) for scores in found]


def alike(first, second):
    return all(one == other.expected for one, other in zip(first, second, strict=True))


def test_what_is_added_replaced_and_deleted_beside_a_base_is_found_as_in_an_index_built_anew(tmp_path, store):
    encoder = HashEncoder()
    sources = [put(store, f"{n}.txt", f"第一条 编号{n}的规定由部门{n * 7}负责。\n" * 3) for n in range(30)]
    index = Index(tmp_path / "index", store, encoder)
    index.refresh()
    put(store, "新.txt", "新增的规定由新部门负责。\n校长办公会议另有规定。")
    put(store, "3.txt", "编号3的规定改由校长负责。")
    store.delete([sources[5].id, sources[6].id])
    encoded = encoder.encoded
    generation = index.refresh()
    assert generation.base.folder.name == "gen-000001" and generation.added == encoder.encoded - encoded == 2
    assert index.fresh() and not index.settled() and generation.left == 3 * 3
    beside = searched(index, encoder)
    again = Index(tmp_path / "index", store, encoder)
    assert again.fresh() is True
    index.close()
    whole = Index(tmp_path / "whole", store, encoder)
    whole.refresh()
    assert alike(beside, searched(whole, encoder))
    assert folders(tmp_path) == ["gen-000001", "gen-000002"]
    index.refresh(whole=True)
    assert folders(tmp_path) == ["gen-000003"] and index.settled() and alike(beside, searched(index, encoder))


def test_a_document_that_comes_back_is_found_again_in_the_base(tmp_path, store):
    for number in range(20):
        put(store, f"{number}.txt", f"第一条 编号{number}的规定由部门负责。")
    index, encoder = Index(tmp_path / "index", store, HashEncoder()), HashEncoder()
    before = len(index.refresh().positions)
    kept = searched(index, encoder)
    gone = store.stamps()[3]
    store.hide(gone.id)
    assert len(index.refresh().positions) < before
    store.unhide(gone.id)
    assert (
        len(index.refresh().positions) == before and index.settled() and alike(kept, searched(index, encoder))
    )


@pytest.mark.parametrize("lost", ["gen-000001", "gen-000001/key.json", "gen-000002", "gen-000001/chroma"])
def test_a_base_or_what_was_added_that_is_damaged_is_found_out_and_all_is_built_again(tmp_path, store, lost):
    for number in range(20):
        put(store, f"{number}.txt", f"第一条 编号{number}的规定由部门负责。")
    index = Index(tmp_path / "index", store, HashEncoder())
    index.refresh()
    put(store, "新.txt", "新增的规定由新部门负责。")
    expected = searched(index, HashEncoder()) if index.refresh().added else None
    index.close()
    path = tmp_path / "index" / lost
    shutil.rmtree(path) if path.is_dir() else path.write_bytes(b"\x00")
    index = Index(tmp_path / "index", store, HashEncoder())
    assert not index.fresh()
    index.refresh()
    assert index.fresh() and alike(expected, searched(index, HashEncoder()))


def test_a_build_that_is_stopped_leaves_the_index_as_it_was(tmp_path, store):
    for number in range(20):
        put(store, f"{number}.txt", f"第一条 编号{number}的规定由部门负责。")
    index = Index(tmp_path / "index", store, HashEncoder())
    index.refresh()
    store.delete([store.stamps()[0].id])
    kept, before = index.refresh(), folders(tmp_path)

    def stop(stage, done, total):
        raise Stopped

    with pytest.raises(Stopped):
        index.refresh(stop, whole=True)
    assert index.current() is kept and folders(tmp_path) == before and index.fresh()


def test_the_few_records_that_the_graph_does_not_lead_to_are_searched_exactly(tmp_path, store, monkeypatch):
    for number in range(20):
        put(store, f"{number}.txt", f"第一条 编号{number}的规定由部门负责。")
    monkeypatch.setattr(collection_module, "MOST_STRAY", 0.2)
    monkeypatch.setattr(collection_module, "lost", lambda *_: [0, 4])
    encoder = HashEncoder()
    index = Index(tmp_path / "index", store, encoder)
    stray = index.refresh().key.stray
    assert len(stray) == 2
    generation = Index(tmp_path / "index", store, encoder).current()
    monkeypatch.setattr(generation.dense, "_opened", Without)
    found = generation.neighbours(encoder.encode_query("规定"), 9)
    assert {position for position, _ in found} == set(stray) and generation.searched_by == "chroma"


class Without:
    """A collection whose graph leads nowhere."""

    def query(self, queries, k):
        return [[]], np.zeros((1, 0), dtype=np.float32)


def test_what_is_left_of_a_build_that_was_cut_short_is_deleted_by_the_next(tmp_path, store):
    index = Index(tmp_path / "index", store, HashEncoder())
    index.refresh()
    (tmp_path / "index" / "gen-000009" / "lexical").mkdir(parents=True)
    index.refresh()
    assert [p.name for p in (tmp_path / "index").glob("gen-*")] == ["gen-000001"]


def test_while_the_store_is_ahead_the_old_generation_answers(tmp_path, store):
    """Added, replaced and deleted since: what was indexed and is still there is found, nothing else."""
    other = put(store, "旧.txt", "旧规定由旧部门负责。")
    index = Index(tmp_path / "index", store, HashEncoder())
    before = index.refresh()
    put(store, "新.txt", "新增的规定由新部门负责。")
    replaced = put(store, "规则.txt", TEXT.replace("校长", "院长"))
    reader = Index(tmp_path / "index", Store(tmp_path / "lingxue.db"), HashEncoder())
    generation = reader.current()
    assert generation.folder == before.folder and not reader.fresh()
    assert "校长" in generation.chunks[int(np.argmax(generation.lexical.scores("校长办公会议")))].text
    store.delete([other.id])
    generation = reader.current()
    assert generation.lexical.scores("旧部门").max() == 0
    assert all(
        generation.chunks[p].source_id != other.id
        for p, _ in generation.neighbours(HashEncoder().encode_query("旧规定由旧部门负责"), 9)
    )
    index.refresh()
    assert reader.current().folder != before.folder and reader.fresh()
    assert {c.source_id for c in reader.current().chunks} >= {replaced.id}


def test_two_processes_may_search_one_index_only_the_first_opens_chroma(tmp_path, store):
    query = HashEncoder().encode_query("书记")
    first = Index(tmp_path / "index", store, HashEncoder()).refresh()
    second = Index(tmp_path / "index", Store(tmp_path / "lingxue.db"), HashEncoder()).current()
    assert first.neighbours(query, 2)[0][0] == second.neighbours(query, 2)[0][0]
    assert (first.searched_by, second.searched_by) == ("chroma", "exact") and not second.broken


@pytest.mark.parametrize("how", ["flip", "cut", "empty"])
def test_damaged_chroma_files_are_found_before_they_are_opened_and_rebuilt(tmp_path, store, how):
    index = Index(tmp_path / "index", store, HashEncoder())
    index.refresh()
    index.close()
    for path in (tmp_path / "index" / "gen-000001" / "chroma").rglob("*"):
        if path.is_file() and path.stat().st_size:
            content = bytearray(path.read_bytes())
            content[::997] = bytes(b ^ 0xFF for b in content[::997])
            path.write_bytes({"flip": bytes(content), "cut": content[: len(content) // 2], "empty": b""}[how])
    index = Index(tmp_path / "index", store, HashEncoder())
    assert not index.fresh() and index.current().neighbours(HashEncoder().encode_query("书记"), 1)
    assert index.refresh().folder.name == "gen-000002" and index.fresh()


def test_a_text_without_known_tokens_has_no_neighbours_and_breaks_nothing(tmp_path, store):
    class Blind(HashEncoder):
        def _vector(self, text):
            return np.zeros(64, np.float32) if "☆" in text else super()._vector(text)

    put(store, "符号.txt", "☆☆☆☆☆☆")
    generation = Index(tmp_path / "index", store, Blind()).refresh()
    assert generation.key.dense and len(generation.neighbours(HashEncoder().encode_query("书记"), 9)) == 3


def test_a_stored_vector_that_is_damaged_is_not_searched_and_is_made_again(tmp_path, store, monkeypatch):
    encoder = HashEncoder()
    monkeypatch.setattr(collection_module, "lost", lambda *_: [0])  # Chroma is not used
    first = Index(tmp_path / "index", store, encoder).refresh()
    ids = [c.id for c in first.chunks]
    store.put_vectors(ids[:1], np.full((1, 64), 7, dtype=np.float32), fingerprint=encoder.fingerprint)
    found = first.neighbours(encoder.encode_query("书记"), 9)
    assert first.searched_by == "exact" and max(score for _, score in found) <= 1.001
    put(store, "新.txt", "新增的规定由新部门负责。")
    Index(tmp_path / "index", store, encoder).refresh()
    assert np.linalg.norm(np.frombuffer(store.vectors(encoder.fingerprint)[ids[0]], np.float32)) == (
        pytest.approx(1, abs=1e-3)
    )


def test_tables_of_contents_are_kept_but_not_searched(tmp_path, store):
    listed = "目录\n一、总则………… 1\n二、职责………… 3\n三、附则………… 9\n一、总则\n本规则由校务会解释。\n"
    source = put(store, "目录.txt", listed)
    generation = Index(tmp_path / "index", store, HashEncoder()).refresh()
    texts = [found.text for found in generation.chunks if found.source_id == source.id]
    assert not any("…" in text for text in texts) and any("校务会解释" in text for text in texts)
    assert "".join(found.text for found in store.chunks(source.id)) == source.clean
