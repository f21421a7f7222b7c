"""An evaluation from files to report: what is written, where it is filed, thresholds, the commands."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
import zipfile
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest
from eval_support import SENTENCES, Echo, answer
from loopback_model import loopback_model

from eval import context, filing
from eval.cases import KINDS
from eval.main import evaluate, summary
from eval.metrics import METRICS
from eval.thresholds import failures, thresholds
from rag.assistant import Assistant
from rag.cli import main
from rag.errors import BadCases, BadRequest, BadSettings, ModelFailed

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "eval" / "sets" / "knowledge.jsonl"
A, B = SENTENCES[:2]
LINES = [
    {"id": "=cmd", "kind": "factoid", "question": "谁召集？", "answerable": True, "answer_points": ["书记"], "gold_quotes": [A]},
    {"id": "b", "kind": "why", "question": "为什么？", "answerable": True, "gold_quotes": [B]},
    {"id": "c", "kind": "unanswerable", "question": "多少钱？", "answerable": False},
    {"id": "d", "kind": "list", "question": "哪些？", "answerable": True},
    {"id": "e", "kind": "procedure", "question": "坏了？", "answerable": True},
]  # fmt: skip
ANSWERS = {
    "谁召集？": answer(quotes=(A,)),
    "为什么？": answer("<script>alert(1)</script>\x00", quotes=(A,)),
    "多少钱？": answer("没有", status="no_evidence", sentences=[]),
    "哪些？": answer(quotes=(B,)),
    "坏了？": ModelFailed(reason="断了"),
}


@pytest.fixture
def cases(tmp_path):
    path = tmp_path / "题.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in LINES), encoding="utf-8")
    return path


@pytest.fixture
def echo(tmp_path):
    return Echo(ANSWERS, settings=SimpleNamespace(data_dir=tmp_path / "data", llm="off"))


def test_results_have_the_form_of_the_contract(cases, echo, tmp_path):
    done = evaluate([cases], assistant=echo, out=tmp_path / "out")
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert results == json.loads(json.dumps(done.results)) and done.complete and results["n"] == 5
    assert set(results["metrics"]) == set(METRICS)
    assert all(set(total) == {"value", "scored", "unscored", "ci95"} for total in results["metrics"].values())
    assert set(results["by_kind"]) <= set(KINDS) and results["by_kind"]["why"]["n"] == 1
    one = results["cases"][0]
    assert set(one) == {"id", "status", "answer", "citations", "scores", "latency_ms"}
    assert one["citations"][0]["quote"] == A and one["scores"]["rr"] == 1.0
    # By hand: =cmd and c right, b cites another sentence, d has nothing to check by, e failed.
    assert results["metrics"]["pass_rate"] == {
        "value": 0.5, "scored": 4, "unscored": 1, "ci95": results["metrics"]["pass_rate"]["ci95"],
    }  # fmt: skip
    assert (
        "共 5 题" in summary(results) and "出错 1 题" in summary(results) and "评判" not in summary(results)
    )


def test_tables_hold_every_case_and_no_formula(cases, echo, tmp_path):
    evaluate([cases], assistant=echo, out=tmp_path / "out")
    rows = list(csv.reader(io.StringIO((tmp_path / "out" / "cases.csv").read_text(encoding="utf-8-sig"))))
    assert len(rows) == 6 and rows[1][0] == "'=cmd" and "\x00" not in str(rows)
    book = openpyxl.load_workbook(tmp_path / "out" / "cases.xlsx")
    assert [cell.value for cell in book["逐题"][1]] == rows[0]
    assert book["逐题"]["A2"].value == "'=cmd" and book["逐题"]["A2"].data_type == "s"
    totals = {row[1]: row[2] for row in book["指标"].iter_rows(min_row=2, values_only=True)}
    assert totals["pass_rate"] == 0.5 and set(totals) == set(METRICS)
    assert book["逐题"].auto_filter.ref


def test_junit_counts_failures_errors_and_what_cannot_be_judged(cases, echo, tmp_path):
    evaluate([cases], assistant=echo, out=tmp_path / "out")
    root = ET.parse(tmp_path / "out" / "junit.xml").getroot()
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    assert [suite.get("name") for suite in root] == ["factoid", "why", "unanswerable", "list", "procedure"]
    failed = root.find(".//testcase[@name='b']/failure")
    assert failed.get("message") == "没有引到标准出处" and "<script>" in failed.text


def test_run_is_filed_by_time_and_commit_with_all_it_depends_on(cases, knowledge_base, tmp_path):
    settings = knowledge_base.settings.model_copy(update={"data_dir": tmp_path / "data"})
    door = SimpleNamespace(
        settings=settings, answer=knowledge_base.answer, source=knowledge_base.source,
        stamps=knowledge_base.stamps, encoder=knowledge_base.encoder,
    )  # fmt: skip
    done = evaluate([cases], assistant=door)
    assert done.folder.parent == tmp_path / "data" / "evaluations"
    about = json.loads((done.folder / "run.json").read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d{6}_[\w.+-]+", done.folder.name)
    assert done.folder.name.endswith(about["commit"] or about["version"])
    assert about["settings"]["llm"] == "off" and len(about["index"]) == 12 and about["complete"]
    assert about["sets"][0]["name"] == "题.jsonl" and len(about["sets"][0]["sha256"]) == 64
    assert {d["name"] for d in about["documents"]} == {p.name for p in (ROOT / "knowledge").glob("*.md")}
    assert str(tmp_path) not in (done.folder / "run.json").read_text(encoding="utf-8")
    (listed,) = filing.filed_runs(tmp_path / "data")
    assert listed.folder == done.folder and "题.jsonl" in listed.label
    second = evaluate([cases], assistant=door)
    assert second.folder != done.folder and len(filing.filed_runs(tmp_path / "data")) == 2


def test_filed_run_that_was_stopped_is_continued_in_its_folder(cases, echo):
    stopped = evaluate([cases], assistant=echo, cancelled=lambda: len(echo.asked) >= 2)
    assert not stopped.complete and stopped.results["n"] == 2
    assert "没有做完" in (stopped.folder / "report.html").read_text(encoding="utf-8")
    assert "（未做完）" in filing.filed_runs(echo.settings.data_dir)[0].label
    echo.asked.clear()
    done = evaluate([cases], assistant=echo)
    assert done.folder == stopped.folder and done.complete and len(echo.asked) == 3
    assert evaluate([cases], assistant=echo).folder != done.folder


def test_two_runs_at_once_do_not_share_a_folder(cases, echo, tmp_path):
    with filing.claimed(tmp_path / "out"), pytest.raises(BadRequest, match="正被另一次评测使用"):
        evaluate([cases], assistant=echo, out=tmp_path / "out")
    context_now = {"commit": "abc/../x"}
    first = filing.place(tmp_path, context_now, datetime(2026, 1, 26, 9, 30))
    assert first.name == "2026-01-26_093000_abc-..-x" and first.parent == tmp_path / "evaluations"
    first.mkdir(parents=True)
    assert filing.place(tmp_path, context_now, datetime(2026, 1, 26, 9, 30)).name == f"{first.name}-2"


def test_run_in_which_everything_fails_says_so_and_writes_its_report(cases, echo, tmp_path):
    broken = Echo({q: ModelFailed(reason="断了") for q in ANSWERS}, settings=echo.settings)
    with pytest.raises(BadRequest, match="5 道题全部出错.*断了"):
        evaluate([cases], assistant=broken, out=tmp_path / "out")
    assert (tmp_path / "out" / "report.html").exists()


def test_folder_that_cannot_be_written_is_told(cases, echo, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadRequest, match="不能在 .* 写报告"):
        evaluate([cases], assistant=echo, out=tmp_path / "file" / "out")


def test_commit_names_uncommitted_changes_by_their_content(tmp_path):
    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t", *words],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    assert context.commit(tmp_path) == ""
    git("init", "-q")
    (tmp_path / "a.txt").write_text("1")
    git("add", ".")
    git("commit", "-qm", "x")
    clean = context.commit(tmp_path)
    assert re.fullmatch("[0-9a-f]{12}", clean)
    (tmp_path / "a.txt").write_text("2")
    second = context.commit(tmp_path)
    (tmp_path / "a.txt").write_text("3")
    assert re.fullmatch(clean + r"\+[0-9a-f]{6}", second) and context.commit(tmp_path) not in (clean, second)


def test_secrets_of_an_address_stay_out():
    settings = SimpleNamespace(
        llm_base_url="https://user:pass@host/v1?key=1", llm_model="m", encoder="/srv/models/bge"
    )
    told = context._settings(settings)
    assert told["llm_base_url"] == "https://host/v1" and told["encoder"] == "bge"


@pytest.mark.parametrize(
    "text", ["", "refusal_f1", "none=1", "refusal_f1=x", "refusal_f1=nan", "=1", "rr=inf"]
)
def test_threshold_that_cannot_be_read_is_told(text):
    with pytest.raises(BadSettings, match="--fail-under"):
        thresholds([text])


def test_thresholds_go_the_way_of_the_metric_and_unscored_misses():
    results = {"metrics": {name: {"value": 0.5} for name in METRICS}}
    results["metrics"]["rr"]["value"] = None
    assert failures(results, ["pass_rate=.5", "unsupported_sentence_rate=.5", "evidence_hit@5 = 0.4"]) == []
    told = failures(results, ["pass_rate=.51", "unsupported_sentence_rate=.49", "rr=0"])
    assert [line.split("（")[0] for line in told] == [
        METRICS[n].label for n in ("pass_rate", "unsupported_sentence_rate", "rr")
    ]
    assert "要求不高于 0.49" in told[1] and "没有可计分的题" in told[2]


# Sets that carry their own documents -------------------------------------------------------------------

OWN = [
    {
        "id": "1",
        "kind": "factoid",
        "question": "校车每天早上几点发车？",
        "answerable": True,
        "answer_points": ["六点四十"],
    },
    {"id": "2", "kind": "unanswerable", "question": "党组织会议由谁召集？", "answerable": False},
]


@pytest.fixture
def carrying(tmp_path):
    folder = tmp_path / "校车题集"
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "校车.md").write_text(
        "# 校车须知\n\n校车每天早上六点四十发车。\n", encoding="utf-8"
    )
    (folder / "题目.jsonl").write_text("\n".join(map(json.dumps, OWN)), encoding="utf-8")
    return folder


def zipped(folder, path, *, root=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{root}{file.relative_to(folder).as_posix()}")
    return path


def test_set_is_asked_over_the_documents_it_carries_and_no_others(carrying, knowledge_base, tmp_path):
    settings = knowledge_base.settings.model_copy(update={"data_dir": tmp_path / "data"})
    door = Assistant(settings)
    for given in (carrying, zipped(carrying, tmp_path / "a.zip", root="校车题集/")):
        done = evaluate([given], assistant=door)
        assert [case["scores"]["pass_rate"] for case in done.results["cases"]] == [1.0, 1.0]
        about = json.loads((done.folder / "run.json").read_text(encoding="utf-8"))
        assert [document["name"] for document in about["documents"]] == ["校车.md"]
    assert "store" not in door.__dict__  # the school's own documents took no part
    assert len(list((tmp_path / "data" / "evaluations" / "libraries").iterdir())) == 1


def test_set_with_documents_is_run_by_itself(carrying, echo, cases):
    with pytest.raises(BadRequest, match="自带资料，只能单独评测"):
        evaluate([carrying, cases], assistant=echo)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["a.jsonl", "b.xlsx"], "现有：a.jsonl、b.xlsx"),
        (["documents/a.md"], "现有：没有"),
        (["a.jsonl", "../b.md"], "不安全的路径"),
        (["a.jsonl", "/etc/x"], "不安全的路径"),
        (["a.jsonl", "C:/x"], "不安全的路径"),
    ],
)
def test_archive_that_is_no_set_is_refused(tmp_path, echo, names, told):
    with zipfile.ZipFile(tmp_path / "坏.zip", "w") as archive:
        for name in names:
            archive.writestr(name, json.dumps(OWN[0]))
    with pytest.raises(BadCases, match="坏.zip") as raised:
        evaluate([tmp_path / "坏.zip"], assistant=echo)
    assert told in str(raised.value) and not (tmp_path.parent / "b.md").exists()
    (tmp_path / "假.zip").write_bytes(b"no zip")
    with pytest.raises(BadCases, match="不是能读的 .zip"):
        evaluate([tmp_path / "假.zip"], assistant=echo)


def test_archive_made_on_a_chinese_windows_is_understood(carrying, knowledge_base, tmp_path):
    """Windows' own packer writes names as bare GBK bytes."""
    with zipfile.ZipFile(tmp_path / "win.zip", "w") as archive:
        archive.write(carrying / "题目.jsonl", "tmtm.jsonl")
        archive.write(carrying / "documents" / "校车.md", "zlzl/xcxc.md")
    raw = (tmp_path / "win.zip").read_bytes()
    for stand_in, name in ((b"tmtm", "题目"), (b"zlzl", "资料"), (b"xcxc", "校车")):
        raw = raw.replace(stand_in, name.encode("gbk"))
    (tmp_path / "win.zip").write_bytes(raw)
    door = Assistant(knowledge_base.settings.model_copy(update={"data_dir": tmp_path / "data"}))
    about = json.loads(
        (evaluate([tmp_path / "win.zip"], assistant=door).folder / "run.json").read_text("utf-8")
    )
    assert (about["sets"][0]["name"], about["documents"][0]["name"]) == ("题目.jsonl", "校车.md")


# The commands ------------------------------------------------------------------------------------------


def test_commands_evaluate_compare_and_exit_by_threshold(knowledge_base, tmp_path, capsys):
    data = ["--data-dir", str(knowledge_base.settings.data_dir)]
    lines = BUNDLED.read_text(encoding="utf-8").splitlines()[:6]
    (tmp_path / "题.jsonl").write_text("\n".join(lines), encoding="utf-8")
    asked = [*data, "eval", str(tmp_path / "题.jsonl"), "--out"]
    assert main([*asked, str(tmp_path / "1"), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["n"] == 6
    assert main([*asked, str(tmp_path / "2"), "--workers", "4", "--fail-under", "exact_quote_rate=1"]) == 0
    assert main([*asked, str(tmp_path / "2"), "--fail-under", "latency_p50_ms=0"]) == 1
    assert "回答用时中位数（latency_p50_ms）为" in capsys.readouterr().err
    assert main([*data, "compare", str(tmp_path / "1"), str(tmp_path / "2")]) == 0
    assert "变坏的题 0 道" in capsys.readouterr().out
    assert main([*data, "compare", str(tmp_path / "1"), str(tmp_path / "none")]) == 1
    assert "找不到文件或文件夹" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["eval"], 2, "评测集"),
        (["eval", "a.jsonl", "--workers", "0"], 2, "--workers"),
        (["eval", "a.jsonl", "--workers", "9"], 2, "应在 1 到 8 之间"),
        (["eval", "a.jsonl", "--fail-under", "x=1"], 2, "没有指标“x”"),
        (["eval", "--template", "a.csv"], 1, "--template 只能是 .xlsx"),
    ],
)
def test_wrong_command_is_one_line(words, code, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["--data-dir", str(tmp_path / "d"), *words]) == code
    error = capsys.readouterr().err
    assert told in error and len(error.strip().splitlines()) == 1


def test_template_comes_by_command(tmp_path, capsys):
    assert main(["--data-dir", str(tmp_path / "d"), "eval", "--template", str(tmp_path / "t.xlsx")]) == 0
    assert (tmp_path / "t.xlsx").exists() and not (tmp_path / "d").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_interrupted_command_reports_what_it_has_and_goes_on_when_run_again(knowledge_base, tmp_path):
    lines = BUNDLED.read_text(encoding="utf-8").splitlines() * 6
    path = tmp_path / "题.jsonl"
    path.write_text("\n".join(json.dumps({**json.loads(one), "id": str(i)}) for i, one in enumerate(lines)))
    command = [
        sys.executable,
        "-m",
        "rag",
        "--data-dir",
        str(knowledge_base.settings.data_dir),
        "eval",
        str(path),
        "--out",
        str(tmp_path / "o"),
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    journal = tmp_path / "o" / "run.jsonl"
    for _ in range(6000):
        if journal.exists() and journal.read_bytes().count(b"\n") > 20:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "会接着做" in err.decode() and b"Traceback" not in err
    results = json.loads((tmp_path / "o" / "results.json").read_text(encoding="utf-8"))
    assert 20 <= results["n"] < len(lines) and journal.exists()


def test_judging_command_has_the_model_judge_and_failures_stay_unscored(
    knowledge_base, tmp_path, monkeypatch, capsys
):
    """The loopback model says the same to everything: right for one judgement, no use for the other."""
    (tmp_path / "题.jsonl").write_text(
        "\n".join(BUNDLED.read_text(encoding="utf-8").splitlines()[:2]), encoding="utf-8"
    )
    asked = [
        "--data-dir",
        str(knowledge_base.settings.data_dir),
        "eval",
        str(tmp_path / "题.jsonl"),
        "--judge",
    ]
    assert main([*asked, "--out", str(tmp_path / "o")]) == 1
    assert "没有设置大模型，不能评判" in capsys.readouterr().err
    reply = json.dumps({"questions": ["谁印发的？"], "noncommittal": 0}, ensure_ascii=False)
    with loopback_model(reply) as (_, address_):
        monkeypatch.setenv("LINGXUE_LLM_BASE_URL", address_)
        monkeypatch.setenv("LINGXUE_LLM_MODEL", "m")
        assert main([*asked, "--out", str(tmp_path / "o")]) == 0
    totals = json.loads((tmp_path / "o" / "results.json").read_text(encoding="utf-8"))["metrics"]
    assert totals["judged_relevancy"]["scored"] == 2 and 0 < totals["judged_relevancy"]["value"] <= 1
    assert totals["judged_faithfulness"] == {"value": None, "scored": 0, "unscored": 2, "ci95": None}
    assert "切题度（大模型评判）" in (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
