"""The evaluation as the command line and the web app call it: files in, results and report out.

Wires the parts; measures and draws nothing itself. The assistant is whatever
answers (`answer`) and keeps sources (`source`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from eval import context as conditions
from eval.cases import FIELDS, KIND_NAMES, load_cases
from eval.charts import figure
from eval.drafting import drafter
from eval.files import cases_csv, junit_xml, results_json, write_atomically
from eval.metrics import METRICS
from eval.report import render
from eval.run import ProgressCallback, Run, run
from eval.sheets import write_template
from eval.summary import summarise
from rag.errors import BadRequest, BadSettings

JOURNAL = "run.jsonl"  # of an unfinished run; the next one with the same --out continues it
FINISHED = "answers.jsonl"


def evaluate(
    case_files: Sequence[Path],
    *,
    assistant: Any,
    out: Path,
    workers: int = 1,
    on_progress: ProgressCallback | None = None,
    cancelled: Callable[[], bool] | None = None,
    fingerprint: str = "",
) -> dict[str, Any]:
    """Run evaluation sets and write report.html, results.json, cases.csv, junit.xml and run.json to `out`.

    A run that was cut short is continued when sets, settings, documents and
    code are the same; a finished one is run anew.

    Args:
        case_files: .jsonl or .xlsx sets.
        assistant: has `answer(question, history)` and `source(source_id)`; with `draft`, draft cases run too.
        out: the folder for the files, made if need be.
        workers: how many cases are asked at once.
        on_progress: called with stage, done, total.
        cancelled: asked before each case; True ends the run, and the report holds what there is.
        fingerprint: of the index, where the assistant cannot tell it.

    Returns: the `eval --json` form.
    Raises: BadCases, FolderNotFound: the sets. BadRequest: `out` cannot be
    used, or every single case raised (the report is written all the same).
    """
    case_files = [Path(path) for path in case_files]
    cases = load_cases(case_files)
    folder = _folder(out)
    context = conditions.describe(case_files, assistant, fingerprint=fingerprint)
    started = datetime.now().astimezone()
    try:
        with FileLock(folder / ".lock", timeout=0):
            done = run(
                cases,
                assistant.answer,
                reader=assistant.source,
                drafter=drafter(assistant.draft) if hasattr(assistant, "draft") else None,
                workers=workers,
                on_progress=on_progress,
                cancelled=cancelled,
                log=folder / JOURNAL,
                context=context,
            )
            results = _write(folder, done, context, started)
    except Timeout as err:
        raise BadRequest(reason=f"{folder} 正被另一次评测使用。请等它结束，或换一个 --out 目录。") from err
    (folder / ".lock").unlink(missing_ok=True)
    _refuse_all_failed(done)
    return results


def _folder(out: Path) -> Path:
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise BadRequest(
            reason=f"不能在 {folder} 写报告（{err.strerror or err}）。请换一个 --out 目录。"
        ) from err
    return folder


def _write(folder: Path, done: Run, context: Mapping[str, Any], started: datetime) -> dict[str, Any]:
    results = summarise(done.outcomes)
    shown = started.strftime("%Y-%m-%d %H:%M")
    about = {**context, "started": started.isoformat(timespec="seconds"), "complete": done.complete}
    page = render(results, done.outcomes, context=context, started=shown, complete=done.complete)
    write_atomically(folder / "results.json", results_json(results))
    write_atomically(folder / "run.json", json.dumps(about, ensure_ascii=False, indent=2) + "\n")
    write_atomically(folder / "cases.csv", cases_csv(done.outcomes))
    write_atomically(folder / "junit.xml", junit_xml(done.outcomes, "lingxue eval"))
    write_atomically(folder / "report.html", page)
    if done.complete:
        (folder / JOURNAL).replace(folder / FINISHED)
    return results


def _refuse_all_failed(done: Run) -> None:
    errors = [outcome.error for outcome in done.outcomes if outcome.status == "error"]
    if errors and len(errors) == sum(outcome.status != "skipped" for outcome in done.outcomes):
        raise BadRequest(reason=f"{len(errors)} 道题全部出错，第一个错误：{errors[0]}")


def summary(results: Mapping[str, Any]) -> str:
    """Return the results as lines for a terminal."""
    lines = [f"共 {results['n']} 题"]
    for name, total in results["metrics"].items():
        metric = METRICS[name]
        low, high = total["ci95"] or (None, None)
        between = f"（95% 区间 {figure(low, metric)} – {figure(high, metric)}）" if low is not None else ""
        value = figure(total["value"], metric)
        lines.append(f"{metric.label}　{value}{between}　计分 {total['scored']} 题")
    errors = sum(case["status"] == "error" for case in results["cases"])
    return "\n".join([*lines, f"出错 {errors} 题"] if errors else lines)


def thresholds(texts: Sequence[str]) -> dict[str, float]:
    """Read `name=value` pairs.

    Raises: BadSettings: an unknown metric, or a value that is no number.
    """
    found = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.rpartition("="))
        if name not in METRICS:
            raise _bad_threshold(text, f"没有指标“{name or text}”，可用：{'、'.join(METRICS)}")
        try:
            found[name] = float(value)
        except ValueError as err:
            raise _bad_threshold(text, "等号后面应是数字，如 refusal_f1=0.85") from err
        if not abs(found[name]) < float("inf"):
            raise _bad_threshold(text, "等号后面应是有限的数字")
    return found


def _bad_threshold(text: str, reason: str) -> BadSettings:
    return BadSettings(name="--fail-under", value=text, reason=reason)


def failures(results: Mapping[str, Any], texts: Sequence[str]) -> list[str]:
    """Return a line for each threshold (`name=value`) that the results miss.

    For a metric where less is better the value is the most allowed; a metric
    that no case could be scored in misses any threshold.
    Raises: BadSettings: a threshold that cannot be read.
    """
    lines = []
    for name, limit in thresholds(texts).items():
        metric, value = METRICS[name], results["metrics"][name]["value"]
        bound = f"{'要求不低于' if metric.better == 'higher' else '要求不高于'} {limit:g}"
        if value is None:
            lines.append(f"{metric.label}（{name}）没有可计分的题，{bound}。")
        elif (value < limit) if metric.better == "higher" else (value > limit):
            lines.append(f"{metric.label}（{name}）为 {value:.4g}，{bound}。")
    return lines


def template(path: Path) -> None:
    """Write the workbook that teachers fill in to make a set."""
    write_template(path, FIELDS, KIND_NAMES)
