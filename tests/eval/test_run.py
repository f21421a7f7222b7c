"""Runs: each case by itself, progress, stopping, resuming, in parallel within limits."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from eval_support import SENTENCES, answer, case, reader

from eval.journal import Journal
from eval.run import MAX_WORKERS, System, run
from rag.errors import ModelFailed
from rag.types import Answer

ROOT = Path(__file__).resolve().parents[2]
CASES = [case(str(i), question=f"问{i}？") for i in range(12)]


def echo(question, history):
    return answer(quotes=SENTENCES[:1], question=question)


def test_cases_come_back_in_their_order_with_progress():
    told = []
    done = run(CASES, System(echo, reader=reader), on_progress=lambda *step: told.append(step))
    assert [o.case.id for o in done.outcomes] == [c.id for c in CASES] and done.complete
    assert told == [("评测", n, 12) for n in range(13)]
    assert done.outcomes[0].scores["exact_quote_rate"].value == 1.0


@pytest.mark.parametrize(
    "failure", [ValueError("坏了"), ModelFailed(reason="超时"), RecursionError(), MemoryError()]
)
def test_one_failing_case_never_ends_the_run(failure):
    def moody(question, history):
        if question == "问3？":
            raise failure
        return echo(question, history)

    done = run(CASES, System(moody))
    assert [o.status for o in done.outcomes] == ["answered"] * 3 + ["error"] + ["answered"] * 8
    assert done.outcomes[3].error and done.complete


def test_what_is_no_answer_is_an_error_of_its_case():
    done = run(CASES[:1], System(lambda question, history: "文字"))  # type: ignore[arg-type, return-value]
    assert done.outcomes[0].status == "error" and "not an Answer" in done.outcomes[0].error


def test_draft_case_without_a_drafter_is_skipped_and_unscored():
    done = run([case(kind="draft")], System(echo))
    assert done.outcomes[0].status == "skipped"
    assert all(score.value is None for score in done.outcomes[0].scores.values())


@pytest.mark.parametrize("workers", [1, 4])
def test_stopped_run_keeps_what_it_has(workers):
    asked = threading.Semaphore(0)
    seen = []

    def slow(question, history):
        seen.append(question)
        asked.release()
        time.sleep(0.01)
        return echo(question, history)

    done = run(CASES, System(slow), workers=workers, cancelled=lambda: len(seen) >= 5)
    assert 1 <= len(done.outcomes) <= 5 + workers and not done.complete
    assert [o.case.id for o in done.outcomes] == sorted((o.case.id for o in done.outcomes), key=int)


def test_cases_are_asked_in_parallel_and_within_the_limit():
    at_once, most, lock = [0], [0], threading.Lock()

    def watched(question, history):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.02)
        with lock:
            at_once[0] -= 1
        return echo(question, history)

    cases = [case(str(i), question=f"问{i}？") for i in range(60)]
    done = run(cases, System(watched), workers=1000)
    assert 2 <= most[0] <= MAX_WORKERS and len(done.outcomes) == 60
    assert [o.case.id for o in done.outcomes] == [c.id for c in cases]


def test_resumed_run_asks_only_what_is_missing_and_edited(tmp_path):
    asked = []

    def noting(question, history):
        asked.append(question)
        return echo(question, history)

    path = tmp_path / "run.jsonl"
    with Journal(path, {"commit": "1"}) as journal:
        run(CASES, System(noting), journal=journal, cancelled=lambda: len(asked) >= 5)
    asked.clear()
    edited = [*CASES[:1], case("1", question="改过的问题？"), *CASES[2:]]
    with Journal(path, {"commit": "1"}) as journal:
        done = run(edited, System(noting), journal=journal)
    assert asked == ["改过的问题？", *(f"问{i}？" for i in range(5, 12))]
    assert done.complete and all(isinstance(o.answer, Answer) for o in done.outcomes)


def test_journal_of_another_context_is_not_continued(tmp_path):
    path = tmp_path / "run.jsonl"
    with Journal(path, {"commit": "1"}) as journal:
        run(CASES, System(echo), journal=journal)
    with Journal(path, {"commit": "2"}) as journal:
        assert not journal.finished(CASES)
    with Journal(path, {"commit": "1"}) as journal:
        assert not journal.finished(CASES)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_line_cut_short_by_a_crash_is_dropped_and_written_over(tmp_path, cut):
    path = tmp_path / "run.jsonl"
    with Journal(path, {}) as journal:
        run(CASES[:3], System(echo), journal=journal)
    path.write_bytes(path.read_bytes()[:-cut])
    with Journal(path, {}) as journal:
        assert set(journal.finished(CASES)) == {"0", "1"}
        run(CASES, System(echo), journal=journal)
    with Journal(path, {}) as journal:
        assert len(journal.finished(CASES)) == 12


def big_set(path, size):
    """Cases over the bundled documents, the bundled ones again and again under other ids."""
    lines = (ROOT / "eval" / "sets" / "knowledge.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(lines[i % len(lines)]) for i in range(size)]
    text = "".join(json.dumps({**one, "id": f"{i}-{one['id']}"}) + "\n" for i, one in enumerate(cases))
    path.write_text(text, encoding="utf-8")
    return path


def test_killed_run_is_continued_and_ends_as_if_uninterrupted(tmp_path, knowledge_base):
    """kill -9 in the middle of a real process, the same command again."""
    cases = big_set(tmp_path / "题.jsonl", 180)
    command = [
        sys.executable,
        "-m",
        "rag",
        "--data-dir",
        knowledge_base.settings.data_dir,
        "eval",
        cases,
        "--out",
    ]
    command = [*map(str, command)]
    out, other = tmp_path / "被打断", tmp_path / "没有打断"
    process = subprocess.Popen(
        [*command, str(out)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    journal = out / "run.jsonl"
    for _ in range(6000):
        if journal.exists() and journal.read_bytes().count(b"\n") > 30:
            break
        time.sleep(0.01)
    process.kill()
    process.wait()
    before = journal.read_bytes().count(b"\n")
    assert 30 < before < 180 and not (out / "results.json").exists()
    kept = journal.read_bytes()[: journal.read_bytes().rfind(b"\n") + 1]
    for folder in (out, other):
        finished = subprocess.run(
            [*command, str(folder)], cwd=ROOT, capture_output=True, timeout=250, check=False
        )
        assert finished.returncode == 0, finished.stderr.decode()
    assert (out / "answers.jsonl").read_bytes().startswith(kept)  # what was done was not done again
    assert comparable(out) == comparable(other)
    assert comparable(out)["metrics"]["passage_rr"]["scored"] > 60  # retrieval was measured, too
    assert not journal.exists()


def comparable(folder):
    """The results without what a clock made of them."""
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    parts = [results, *results["by_kind"].values()]
    for part in parts:
        part["metrics"] = {name: total for name, total in part["metrics"].items() if "latency" not in name}
    for one in results["cases"]:
        del one["latency_ms"]
        one["scores"] = {name: value for name, value in one["scores"].items() if "latency" not in name}
    return results
