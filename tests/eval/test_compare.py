"""Comparing runs: a planted regression is found significant, the same thing again is not."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from eval_support import SENTENCES, answer, case, outcome, reader

from eval.cases import load_cases
from eval.compare import compare, describe, load_results, regressions
from eval.metrics import METRICS, score_outcome
from eval.plots import comparison_svg
from eval.run import System, run
from eval.summary import summarise
from eval.train.corpus import read_passages
from rag import answer as answering
from rag.assistant import Assistant
from rag.config import Settings
from rag.errors import BadRequest, FolderNotFound
from rag.retrieve import HybridRetriever
from rag.types import Answer

ROOT = Path(__file__).resolve().parents[2]
A, B = SENTENCES[:2]


def results(*outcomes):
    from dataclasses import replace

    return summarise([replace(o, scores=score_outcome(o, reader)) for o in outcomes])


def right(name):
    return outcome(case(name, points=("书记",), golds=(A,)), answer(quotes=(A,)))


def wrong(name):
    return outcome(case(name, points=("书记",), golds=(A,)), answer(quotes=(B,)))


@dataclass
class LosesTheBest:
    """The product's retriever that no longer finds the two best passages: the planted regression."""

    inner: object

    def retrieve(self, question, *, k=8):
        return self.inner.retrieve(question, k=k + 2)[2:]


def system(assistant, retriever):
    generation = assistant.search_index.current()
    library = answering.Library(retriever, assistant, generation.lexical, assistant.store.stamps())

    def answerer(question, history):
        *_, last = answering.ask(question, history, library=library, notices=assistant.notices)
        assert isinstance(last, Answer)
        return last

    return System(
        answerer,
        reader=assistant.source,
        searcher=lambda q: [h.chunk.text for h in retriever.retrieve(q, k=10)],
    )


@pytest.fixture(scope="module")
def bundled(knowledge_base):
    cases = load_cases([ROOT / "eval" / "sets" / "knowledge.jsonl"])[::2]  # enough for what was planted
    whole = summarise(run(cases, system(knowledge_base, knowledge_base.retriever)).outcomes)
    again = summarise(run(cases, system(knowledge_base, knowledge_base.retriever)).outcomes)
    worse = summarise(run(cases, system(knowledge_base, LosesTheBest(knowledge_base.retriever))).outcomes)
    return whole, again, worse


def test_planted_regression_is_significant_and_the_broken_cases_named(bundled):
    whole, _, worse = bundled
    found = compare(whole, worse)
    assert {"pass_rate", "rr", "ndcg@5", "passage_rr", "passage_recall@1"} <= set(regressions(found))
    assert found["broken"] and len(found["broken"]) > len(found["fixed"])
    assert "显著变坏" in describe(found)
    back = compare(worse, whole)
    assert not regressions(back) and "显著变好" in describe(back)
    assert back["fixed"] == found["broken"]


def assert_same(before, after):
    found = compare(before, after)
    assert not regressions(found) and not found["fixed"] and not found["broken"]
    assert all(not row["significant"] for row in found["metrics"].values())
    assert all(
        row["difference"] == 0
        for name, row in found["metrics"].items()
        if "latency" not in name and row["difference"] is not None
    )


def test_the_same_again_is_no_difference(bundled):
    whole, again, _ = bundled
    assert_same(whole, again)


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """Every other question on 300 policy documents, with the assistant that has them."""
    data = ROOT.parent / "shared" / "data" / "dev" / "covid-policy-first300.json.gz"
    if not data.is_file():
        pytest.skip("the policy documents are not here")
    folder = tmp_path_factory.mktemp("policy")
    cases = []
    for number, document in enumerate(read_passages(data)):
        name = folder / "documents" / f"{number:04d}.txt"
        name.parent.mkdir(exist_ok=True)
        name.write_text(document["text"], encoding="utf-8")
        for asked in document["qas"]:
            golds = [g for g in (document["text"][a:b] for a, b in asked["ans"]) if len(g) >= 6]
            cases.append(case(f"{len(cases)}", question=asked["q"], golds=golds[:1]))
    assistant = Assistant(Settings(data_dir=folder / "data", knowledge_dir=folder / "documents", llm="off"))
    assistant.index()
    yield [one for one in cases if one.gold_quotes][::2], assistant
    assistant.close()


def test_ranker_switched_off_is_significant_and_left_on_is_not(policy):
    cases, assistant = policy
    unranked = HybridRetriever(assistant.search_index, assistant.encoder, ranked=False)
    whole, again, off = (
        summarise(run(cases, system(assistant, retriever)).outcomes)
        for retriever in (assistant.retriever, assistant.retriever, unranked)
    )
    assert {"passage_rr", "passage_ndcg@5"} <= set(regressions(compare(whole, off)))
    assert_same(whole, again)


def test_fixed_and_broken_cases_come_with_both_answers():
    found = compare(
        results(right("a"), wrong("b"), right("c"), right("only-before")),
        results(wrong("a"), right("b"), right("c"), wrong("only-after")),
    )
    assert (found["n"], found["fixed"], found["broken"]) == (3, ["b"], ["a"])
    assert (found["only_before"], found["only_after"]) == (["only-before"], ["only-after"])
    assert {one["id"]: (one["before"], one["after"]) for one in found["changed"]}["a"] == (
        f"{A}[1]",
        f"{B}[1]",
    )


def test_case_that_has_nothing_to_check_by_is_neither_fixed_nor_broken():
    bare = case("a")
    found = compare(
        results(outcome(bare, answer(quotes=(A,)))),
        results(outcome(bare, answer("没有", status="no_evidence", sentences=[]))),
    )
    assert not found["fixed"] and not found["broken"]
    assert found["status_changed"] == [{"id": "a", "before": "answered", "after": "no_evidence"}]


def test_one_case_that_changes_is_not_significant_but_twelve_are():
    few = compare(results(*map(right, "abcdefgh")), results(wrong("a"), *map(right, "bcdefgh")))
    assert not few["metrics"]["pass_rate"]["significant"]
    names = [str(i) for i in range(40)]
    many = compare(results(*map(right, names)), results(*map(wrong, names[:12]), *map(right, names[12:])))
    row = many["metrics"]["pass_rate"]
    assert row["significant"] and row["difference"] == pytest.approx(-0.3) and row["ci95"][1] < 0
    # 12 cases all the same way: p = 2 / 2^12 by signs, of 10,000 draws about 5
    assert row["p"] < 0.003 and row["p"] <= row["p_adjusted"] <= row["p"] * len(METRICS)


def test_slower_computer_is_no_regression():
    slow = [outcome(case(str(i), golds=(A,)), answer(quotes=(A,)), latency_ms=500) for i in range(40)]
    fast = [outcome(case(str(i), golds=(A,)), answer(quotes=(A,)), latency_ms=5) for i in range(40)]
    found = compare(results(*fast), results(*slow))
    assert found["metrics"]["latency_p50_ms"]["after"] == 500 and not regressions(found)
    assert "随电脑忙闲变化" in describe(found)


def test_runs_without_a_common_case_and_files_that_are_none(tmp_path):
    with pytest.raises(BadRequest, match="没有相同的题"):
        compare(results(right("a")), results(right("b")))
    with pytest.raises(FolderNotFound):
        load_results(tmp_path)
    for text in ("", "[]", '{"cases": [{"id": 1}]}', '{"cases": 3}'):
        (tmp_path / "results.json").write_text(text, encoding="utf-8")
        with pytest.raises(BadRequest, match="不是评测结果"):
            load_results(tmp_path)
    (tmp_path / "results.json").write_text(json.dumps(results(right("a"))), encoding="utf-8")
    assert load_results(tmp_path)["n"] == load_results(tmp_path / "results.json")["n"] == 1


def test_plot_of_a_comparison_says_what_is_significant():
    names = [str(i) for i in range(40)]
    drawn = comparison_svg(compare(results(*map(right, names)), results(*map(wrong, names))))
    assert drawn.startswith("<svg") and "-100.0 点　显著" in drawn and 'class="bad"' in drawn
