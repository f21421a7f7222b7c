"""Ranking and answerability: the parts against outside oracles, the whole on the bundled knowledge."""

import difflib
import random
import subprocess
import sys

import numpy as np
import pytest

from eval.bench import measures
from eval.bench.corpora import passages
from eval.train.questions import questions
from eval.train.ranking_sets import Asking, Corpus, Without
from rag import answerability
from rag.embed import load_encoder
from rag.errors import RerankerNotFound
from rag.features import Groups, score
from rag.lexical import LexicalIndex
from rag.matching import SENTENCE_ENDS, Texts, code_points, longest_runs
from rag.retrieve import search
from rag.types import Chunk

TEXTS = [
    "党组织会议由书记召集并主持，须有三分之二以上班子成员到会方可举行。",
    "校长办公会议由校长召集并主持，成员一般为学校行政班子成员。",
    "教职工代表大会每学年至少召开一次，遇有重大事项可临时召开。",
    "学校食堂实行校长陪餐制度，陪餐时间每周不少于一次。",
]


@pytest.fixture(scope="module")
def corpus():
    chunks = [Chunk(f"c{i}", f"s{i}", 0, 0, len(text), text, f"规则{i}") for i, text in enumerate(TEXTS)]
    return Corpus("rules", chunks, [Asking("谁召集校长办公会议？", {1: None}, 0)], load_encoder())


def test_the_chunk_that_answers_comes_first_with_scores_that_fall_from_one_to_zero(corpus):
    hits = search(corpus, load_encoder(), "教职工代表大会多久开一次？", k=4)
    scores = [hit.score for hit in hits]
    assert hits[0].chunk.text == TEXTS[2]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)


def test_a_hit_returns_with_its_sentence_and_its_section(knowledge_base):
    for question in ("党组织会议要多少人到会才能开？", "校长办公会议的议题由谁确定？"):
        for hit in knowledge_base.retriever.retrieve(question, k=5):
            chunk, clean = hit.chunk, knowledge_base.source(hit.chunk.source_id).clean
            assert chunk.start <= hit.sentence[0] < hit.sentence[1] <= chunk.end
            assert hit.section[0] <= chunk.start and chunk.end <= hit.section[1] <= len(clean)


@pytest.mark.parametrize("question", ["？？？", " 。", "会", "\U0001f600\U0001f600", "a", "召" * 900])
def test_questions_without_words_and_odd_ones_are_survived(corpus, question):
    assert all(0 <= hit.score <= 1 for hit in search(corpus, load_encoder(), question, k=4))


def test_chunks_taken_out_are_not_found_and_the_rest_is(corpus):
    found = search(Without(corpus, [1]), load_encoder(), "谁召集校长办公会议？", k=4)
    assert {hit.chunk.id for hit in found} == {"c0", "c2", "c3"}


def test_a_chunk_taken_out_does_not_come_back_with_its_document_nor_leave_a_hole_in_it():
    text = [
        "党组织会议由书记召集并主持。",
        "党组织会议须有三分之二以上成员到会。",
        "党组织会议的决定要及时传达。",
    ]
    chunks = [Chunk(f"c{i}", "s", i, 0, len(line), line) for i, line in enumerate(text)]
    whole, never = (Corpus("", kept, [], load_encoder()) for kept in (chunks, [chunks[0], chunks[2]]))
    question = "党组织会议要多少人到会？"
    left, apart = (search(c, load_encoder(), question, k=4) for c in (Without(whole, [1]), never))
    assert {hit.chunk.id for hit in left} == {hit.chunk.id for hit in apart} == {"c0", "c2"}
    assert all(hit.features["source_count"] == 2 and hit.features["before"] + hit.features["after"] > 0
               for hit in left)  # fmt: skip


def test_a_reranker_has_the_last_word(corpus):
    class ShortestFirst:
        def score(self, question, texts):
            return np.array([1 / len(text) for text in texts], dtype=np.float32)

    found = search(corpus, load_encoder(), "谁召集校长办公会议？", k=4, reranker=ShortestFirst())
    assert [len(hit.chunk.text) for hit in found] == sorted(map(len, TEXTS))


def test_without_ranking_hits_stay_in_the_order_of_the_first_score(corpus):
    found = search(corpus, load_encoder(), "谁召集校长办公会议？", k=4, ranked=False)
    first = [hit.features["fused"] for hit in found]
    assert first == sorted(first, reverse=True) and all(0 <= hit.score <= 1 for hit in found)
    ranked = search(corpus, load_encoder(), "谁召集校长办公会议？", k=4)
    assert [hit.score for hit in ranked] == [hit.features["ranked"] for hit in ranked]


def test_a_cross_encoder_on_disk_is_used_by_its_setting_and_one_that_is_missing_is_named(tmp_path):
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    from rag.crossencoder import CrossEncoderReranker

    characters = sorted({character for text in TEXTS for character in text})
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]), encoding="utf-8"
    )
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=len(characters) + 5, num_labels=1, **size)
    BertForSequenceClassification(config).save_pretrained(tmp_path / "model")
    BertTokenizer(str(vocabulary)).save_pretrained(tmp_path / "model")
    scores = CrossEncoderReranker(str(tmp_path / "model")).score("谁召集？", TEXTS)
    assert scores.shape == (4,) and ((scores > 0) & (scores < 1)).all() and len(set(scores.tolist())) > 1
    with pytest.raises(RerankerNotFound, match="LINGXUE_RERANKER"):
        CrossEncoderReranker(str(tmp_path / "missing"))


def test_trees_in_numpy_agree_with_lightgbm(tmp_path):
    try:
        import lightgbm
    except (ImportError, OSError):
        pytest.skip("LightGBM or the system's libgomp is not there: only training needs it")
    from eval.train import trees

    draw = np.random.default_rng(0)
    rows = draw.normal(size=(400, 5)).astype(np.float32)
    labels = (rows[:, 0] * rows[:, 1] + rows[:, 2] > 0).astype(int)
    names = [f"f{i}" for i in range(5)]
    data = lightgbm.Dataset(rows, labels, feature_name=names)
    booster = lightgbm.train(
        {"objective": "binary", "num_leaves": 15, "verbose": -1, "num_threads": 1}, data, 30
    )
    plain = trees.save([booster], tmp_path / "trees.npz")
    fresh = draw.normal(size=(300, 5)).astype(np.float32)
    ours = plain.total({name: fresh[:, i] for i, name in enumerate(names)})
    assert np.allclose(ours, booster.predict(fresh, raw_score=True), atol=1e-4)


def test_a_question_imports_neither_torch_nor_lightgbm_nor_scikit_learn():
    code = (
        "import sys; from rag.rerank import ranker, sentence_model; from rag import retrieve, answerability\n"
        "ranker(), sentence_model(), answerability.model()\n"
        "bad = {'torch', 'lightgbm', 'sklearn', 'scipy', 'sentence_transformers'} & set(sys.modules)\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_group_scores_take_each_token_where_the_group_has_it_best():
    """Against the definition in plain Python, to the bit."""
    draw = random.Random(3)
    chunks = [
        Chunk(f"c{i}", f"s{i // 7}", i, 0, 9, "".join(draw.choices("党组织会议书记校长", k=9)), "", "", path)
        for i in range(40)
        for path in [(f"章{i // 3}", "条")]
    ]
    lexical, groups = LexicalIndex.build(chunk.text for chunk in chunks), Groups.of(chunks)
    lexical.hide([5, 21])
    weights = {"组织": 0.7, "党": 0.3, "会议": 0.9, "书": 0.2, "没有": 1.0}
    found = score(weights, lexical, groups)
    for made, group in ((found.source, groups.source), (found.section, groups.section)):
        totals = [np.float32(0)] * 40
        for token, weight in weights.items():
            values = dict(zip(*map(np.ndarray.tolist, lexical.postings(token)), strict=True))
            for number in set(group.tolist()):
                mine = [np.float32(weight) * np.float32(v) for i, v in values.items() if group[i] == number]
                totals[number] += max(mine, default=np.float32(0))
        assert made.tolist() == [float(totals[number]) for number in group]
    assert groups.section[-1] > groups.source[-1] > 3


def test_longest_runs_agree_with_difflib():
    draw = random.Random(0)
    for _ in range(50):
        question = "".join(draw.choices("甲乙丙丁", k=draw.randint(1, 8)))
        texts = Texts(["".join(draw.choices("甲乙丙丁", k=draw.randint(0, 12))) for _ in range(4)])
        ours = longest_runs(code_points(question), texts.points, texts.starts).max(axis=0)
        for text, run in zip(texts.joined.split("\n"), ours, strict=False):
            matcher = difflib.SequenceMatcher(None, question, text, autojunk=False)
            assert run == matcher.find_longest_match().size


def test_texts_are_cut_into_sentences_that_join_to_the_whole():
    texts = Texts(["甲。乙丙！", "", "丁"])
    pieces = texts.cut(SENTENCE_ENDS)
    cut = [texts.joined[a:b] for a, b in zip(pieces.starts, pieces.ends, strict=True)]
    assert cut == ["甲。", "乙丙！", "\n", "\n", "丁\n"] and pieces.owner.tolist() == [0, 0, 0, 1, 2]


def test_measures_agree_with_ir_measures():
    import ir_measures

    draw = random.Random(0)
    qrels, runs, ours = [], [], []
    for query in range(60):
        gold = set(draw.sample(range(30), draw.randint(1, 4)))
        ranked = draw.sample(range(30), 10)
        qrels += [ir_measures.Qrel(str(query), str(passage), 1) for passage in gold]
        runs += [ir_measures.ScoredDoc(str(query), str(p), 1 / (i + 1)) for i, p in enumerate(ranked)]
        ours.append(measures.measure(ranked, gold))
    wanted = [ir_measures.parse_measure(name) for name in measures.NAMES]
    theirs = {str(m): value for m, value in ir_measures.calc_aggregate(wanted, qrels, runs).items()}
    assert theirs == pytest.approx(measures.mean(ours), abs=1e-9)


def test_made_questions_ask_for_what_their_sentence_says():
    text = "本条例所称校外培训机构，是指面向中小学生开展培训的机构。\n设立校外培训机构应当具备下列条件：有固定场所。"
    for seed in range(20):
        made = list(questions("某省校外培训管理条例", text, random.Random(seed)))
        assert made and all("校外培训" in text[start:end] for _, start, end in made)
        assert all("下列" not in question and len(question) <= 60 for question, _, _ in made)


def test_what_the_documents_answer_is_likelier_answered_than_what_they_do_not(knowledge_base):
    held = ["党组织会议要多少人到会才能开？", "校长办公会议由谁召集？", "教职工代表大会有什么职权？"]
    absent = ["火星的一年有多少天？", "怎样给水稻施肥？", "2019年高考语文作文题目是什么？"]

    def probability(question):
        return answerability.probability(question, knowledge_base.retriever.retrieve(question))

    assert min(map(probability, held)) > max(map(probability, absent))
    assert answerability.probability("党组织会议由谁召集？", []) == 0.0


def test_policy_questions_find_their_chunk_more_often_than_bm25_does(seed_file):
    path = seed_file.parents[1] / "data" / "dev" / "covid-policy-first300.json.gz"
    policy = passages("policy", path).sampled(120)
    chunks = list(policy.chunks)
    searched = Corpus("policy", chunks, [], load_encoder())
    ours = [
        chunks.index(search(searched, load_encoder(), q, k=1)[0].chunk) in gold
        for q, gold in policy.questions
    ]
    bm25 = [int(searched.lexical.scores(q).argmax()) in gold for q, gold in policy.questions]
    assert sum(ours) > sum(bm25) + 5
