"""The encoders against sentence-transformers itself, which is the oracle."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rag.embed import BUNDLED, SentenceTransformerEncoder, StaticEncoder, load_encoder
from rag.errors import EncoderNotFound

ROOT = Path(__file__).parents[1]
TEXTS = [
    "学校实行校长负责制，教职工依法参与民主管理。",
    "乡村教师的职称评审有哪些倾斜政策？",
    "ＡＢＣ全角字符与 ABC 半角字符",
    "2022年4月，教育部等八部门印发《新时代基础教育强师计划》。",
    "😀🎓",
    "",
    " \n\t",
    "龘靐齉爩",
    "学前教育、义务教育和高中阶段教育。" * 4000,
]


@pytest.fixture(scope="module")
def bundled():
    return StaticEncoder(BUNDLED)


def _save_static(folder, *, seed, dim=16, prompts=None, texts=("学", "校", "师", "生", "问", "答", "：")):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {"[UNK]": 0, **{character: i for i, character in enumerate(texts, 1)}}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    vectors = np.random.default_rng(seed).standard_normal((len(vocabulary), dim)).astype(np.float32)
    model = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=vectors)], device="cpu", prompts=prompts
    )
    model.save(str(folder), create_model_card=False)
    return folder


def _reference(folder):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def _agree(ours, theirs):
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
    present = np.linalg.norm(theirs, axis=1) > 0
    assert np.all((ours * theirs).sum(axis=1)[present] > 1 - 1e-3)


def test_static_encoder_agrees_with_sentence_transformers_on_the_bundled_model(bundled):
    model = _reference(BUNDLED)
    _agree(bundled.encode_documents(TEXTS), model.encode_document(TEXTS, normalize_embeddings=True))
    _agree(bundled.encode_query(TEXTS[1]), model.encode_query([TEXTS[1]], normalize_embeddings=True))


def test_rows_are_float32_of_unit_length_and_zero_only_without_tokens(bundled):
    rows = bundled.encode_documents(TEXTS)
    lengths = np.linalg.norm(rows, axis=1)
    empty = np.array([not text.strip() for text in TEXTS])
    speaking = np.array([any("一" <= c <= "鿿" for c in text) and "龘" not in text for text in TEXTS])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(lengths[speaking], 1, atol=1e-5)
    np.testing.assert_array_equal(lengths[empty], 0)
    assert np.isfinite(rows).all()


def test_no_texts_give_no_rows(bundled):
    assert bundled.encode_documents([]).shape == (0, bundled.encode_query("问").shape[1])


def test_a_text_has_the_same_vector_alone_and_in_any_batch(bundled):
    texts = [f"第{i}条 教师享有下列权利" for i in range(600)]
    rows = bundled.encode_documents(texts)
    for index in (0, 255, 256, 599):
        np.testing.assert_allclose(rows[index], bundled.encode_documents([texts[index]])[0], atol=1e-6)


def test_a_paraphrase_is_nearer_than_another_subject(bundled):
    query = bundled.encode_query("教师怎么评职称")
    documents = bundled.encode_documents(["教师职称评审办法和条件", "食品生产许可证的申请与延续"])
    near, far = (query @ documents.T)[0]
    assert near > far + 0.2


def test_width_and_case_do_not_change_a_vector(bundled):
    rows = bundled.encode_documents(["ABC教育２０２２", "abc教育2022"])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)


def test_bundled_package_stays_small():
    files = [path for path in BUNDLED.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 20 * 1024 * 1024


def test_bundled_model_encodes_half_a_million_characters_a_cpu_second(bundled):
    texts = ["各级人民政府应当加强教师队伍建设，保障教师待遇，改善工作和生活条件。" * 6] * 2000
    bundled.encode_documents(texts[:50])
    # Processor time, because tests share their machine.
    began = time.process_time()
    bundled.encode_documents(texts)
    assert sum(map(len, texts)) / (time.process_time() - began) > 500_000


def test_a_query_imports_neither_torch_nor_sentence_transformers():
    code = (
        "import sys; from rag.embed import load_encoder; load_encoder('').encode_query('学校');"
        "print([m for m in ('torch', 'sentence_transformers', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_missing_folder_is_encoder_not_found(tmp_path):
    with pytest.raises(EncoderNotFound, match="LINGXUE_ENCODER"):
        StaticEncoder(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "modules.json"])
def test_a_missing_or_cut_file_is_encoder_not_found(tmp_path, name):
    folder = shutil.copytree(BUNDLED, tmp_path / "model")
    damaged = folder / name
    damaged.write_bytes(damaged.read_bytes()[:40])
    with pytest.raises(EncoderNotFound):
        StaticEncoder(folder)
    damaged.unlink()
    with pytest.raises(EncoderNotFound):
        StaticEncoder(folder)


def test_an_unknown_name_offline_is_encoder_not_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderNotFound):
        load_encoder(str(tmp_path / "no-such-model"))


def test_the_empty_setting_is_the_bundled_model(bundled):
    assert load_encoder("").fingerprint == bundled.fingerprint


def test_a_static_model_named_in_the_setting_replaces_the_bundled_one(tmp_path, bundled):
    folder = _save_static(tmp_path / "other", seed=1)
    encoder = load_encoder(str(folder))
    assert isinstance(encoder, StaticEncoder)
    assert encoder.encode_query("学校").shape == (1, 16)
    assert encoder.fingerprint != bundled.fingerprint


def test_fingerprint_follows_weights_and_prompts_and_not_the_folder(tmp_path):
    first = StaticEncoder(_save_static(tmp_path / "a", seed=1))
    same = StaticEncoder(shutil.copytree(tmp_path / "a", tmp_path / "moved"))
    other_weights = StaticEncoder(_save_static(tmp_path / "b", seed=2))
    other_prompts = StaticEncoder(_save_static(tmp_path / "c", seed=1, prompts={"query": "问："}))
    assert first.fingerprint == same.fingerprint
    assert len({first.fingerprint, other_weights.fingerprint, other_prompts.fingerprint}) == 3


@pytest.mark.parametrize(
    "prompts", [None, {"query": "问：", "document": "答："}, {"query": "问："}, {"passage": "答："}]
)
def test_prompts_are_those_sentence_transformers_puts_before_queries_and_documents(tmp_path, prompts):
    folder = _save_static(tmp_path / "prompted", seed=3, prompts=prompts)
    model = _reference(folder)
    for encoder in (StaticEncoder(folder), SentenceTransformerEncoder(str(folder))):
        _agree(encoder.encode_query("学校"), model.encode_query(["学校"], normalize_embeddings=True))
        _agree(
            encoder.encode_documents(["师生", "学"]),
            model.encode_document(["师生", "学"], normalize_embeddings=True),
        )


def test_a_model_with_further_modules_goes_through_sentence_transformers(tmp_path):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense

    base = _reference(_save_static(tmp_path / "base", seed=4))
    dense = Dense(in_features=16, out_features=8)
    SentenceTransformer(modules=[base[0], dense], device="cpu").save(
        str(tmp_path / "dense"), create_model_card=False
    )
    encoder = load_encoder(str(tmp_path / "dense"))
    assert isinstance(encoder, SentenceTransformerEncoder)
    rows = encoder.encode_documents(["学校", "师生"])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert encoder.encode_documents([]).shape == (0, 8)
    assert encoder.fingerprint != load_encoder(str(tmp_path / "base")).fingerprint


def test_loading_and_hashing_the_bundled_model_take_under_a_cpu_second():
    began = time.process_time()
    assert StaticEncoder(BUNDLED).fingerprint
    assert time.process_time() - began < 1.0
