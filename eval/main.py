"""The evaluation as the command line and the web app call it: files in, results and report out.

Wires the parts; measures and draws nothing itself. The assistant is whatever
answers (`answer`), keeps sources (`source`) and has `settings`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from eval import context as conditions
from eval import filing
from eval.cases import load_cases
from eval.charts import figure
from eval.drafting import drafter
from eval.files import cases_csv, junit_xml, results_json, write_atomically
from eval.journal import Journal
from eval.judge import make_judge
from eval.libraries import opened
from eval.metrics import METRICS
from eval.metrics_passages import DEPTH
from eval.plots import kinds_svg, metrics_svg
from eval.report import render
from eval.run import ProgressCallback, Run, Searcher, System, run
from eval.summary import summarise
from eval.workbook import write_results
from rag.errors import BadRequest
from rag.protocols import Retriever


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A run that is over: the `eval --json` form, its folder, and whether every case was run."""

    results: Mapping[str, Any]
    folder: Path
    complete: bool


def evaluate(
    sets: Sequence[Path],
    *,
    assistant: Any,
    out: Path | None = None,
    workers: int = 1,
    judged: bool = False,
    on_progress: ProgressCallback | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Evaluation:
    """Run evaluation sets and write the report and the files beside it.

    A run cut short is continued when sets, settings, documents and code are the same.

    Args:
        sets: .jsonl or .xlsx files, or one folder or .zip that also carries documents.
        assistant: with `draft`, draft cases run too.
        out: the folder for the files; without it, one by time and commit in the data directory.
        workers: cases asked at once.
        judged: whether the assistant's model judges the answers, too.
        on_progress: called with stage, done, total.
        cancelled: asked before each case; the report of a cancelled run holds what there is.

    Raises: BadCases, FolderNotFound: the sets. BadRequest: `out` cannot be used, no model to judge
    with, or every case raised (the report is written all the same).
    """
    started = datetime.now().astimezone()
    with opened([Path(path) for path in sets], assistant, on_progress) as library:
        cases = load_cases(library.files)
        context = conditions.describe(library.files, library.assistant, judged=judged)
        folder = Path(out) if out else filing.place(assistant.settings.data_dir, context, started)
        system = _system(library.assistant, judged=judged)
        with filing.claimed(folder), Journal(folder / filing.JOURNAL, context) as journal:
            done = run(
                cases, system, workers=workers, on_progress=on_progress, cancelled=cancelled, journal=journal
            )
            results = _write(folder, done, context, started)
            journal.close(kept_as=folder / filing.FINISHED if done.complete else None)
    _refuse_all_failed(done)
    return Evaluation(results, folder, done.complete)


def _system(assistant: Any, *, judged: bool) -> System:
    return System(
        answerer=assistant.answer,
        drafter=drafter(assistant.draft) if hasattr(assistant, "draft") else None,
        reader=assistant.source,
        searcher=_searcher(assistant.retriever) if hasattr(assistant, "retriever") else None,
        judge=make_judge(assistant) if judged else None,
    )


def _searcher(retriever: Retriever) -> Searcher:
    return lambda question: [hit.chunk.text for hit in retriever.retrieve(question, k=DEPTH)]


def _write(folder: Path, done: Run, context: Mapping[str, Any], started: datetime) -> dict[str, Any]:
    results = summarise(done.outcomes)
    shown = started.strftime("%Y-%m-%d %H:%M")
    about = {**context, "started": started.isoformat(timespec="seconds"), "complete": done.complete}
    page = render(results, done.outcomes, context=context, started=shown, complete=done.complete)
    write_atomically(folder / filing.RESULTS, results_json(results))
    write_atomically(folder / filing.ABOUT, json.dumps(about, ensure_ascii=False, indent=2) + "\n")
    write_atomically(folder / "cases.csv", cases_csv(done.outcomes))
    write_results(folder / "cases.xlsx", results, done.outcomes)
    write_atomically(folder / "junit.xml", junit_xml(done.outcomes, "lingxue eval"))
    write_atomically(folder / "metrics.svg", metrics_svg(results))
    write_atomically(folder / "kinds.svg", kinds_svg(results))
    write_atomically(folder / filing.REPORT, page)
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
        if metric.optional and not total["scored"]:
            continue
        low, high = total["ci95"] or (None, None)
        between = f"（95% 区间 {figure(low, metric)} – {figure(high, metric)}）" if low is not None else ""
        value = figure(total["value"], metric)
        lines.append(f"{metric.label}　{value}{between}　计分 {total['scored']} 题")
    errors = sum(case["status"] == "error" for case in results["cases"])
    return "\n".join([*lines, f"出错 {errors} 题"] if errors else lines)
