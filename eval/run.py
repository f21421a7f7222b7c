"""Runs the cases of a set: each by itself, journalled, resumable, stoppable.

Knows how to ask and to time, and nothing of what is asked: the answerer, the
drafter, the reader and the clock are given.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eval.cases import Case
from eval.journal import Journal
from eval.metrics import score_outcome
from eval.outcome import Outcome
from eval.registry import Reader
from rag.errors import LingxueError
from rag.types import Answer, Turn

logger = logging.getLogger(__name__)

STAGE = "评测"
NOT_DRAFTED = "没有给出写作的办法，写作题没有运行"
Answerer = Callable[[str, Sequence[Turn]], Answer]
Drafter = Callable[[Case], Answer]
ProgressCallback = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Run:
    """The scored outcomes in the order of the cases; not `complete` when stopped before the end."""

    outcomes: tuple[Outcome, ...]
    complete: bool


def run(
    cases: Sequence[Case],
    answerer: Answerer,
    *,
    reader: Reader | None = None,
    drafter: Drafter | None = None,
    workers: int = 1,
    on_progress: ProgressCallback | None = None,
    cancelled: Callable[[], bool] | None = None,
    log: Path | None = None,
    context: Mapping[str, Any] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Run:
    """Ask every case and score what comes back.

    A case that raises is recorded as an error and the run goes on. With a
    `log`, each finished case is on disk before the next begins, and cases
    already there are not asked again, provided `context` (what the answers
    depend on) is the same.

    Args:
        cases: what to ask; ids are unique.
        answerer: question and history to an answer.
        reader: source id to source, to check quotes; without it that is unscored.
        drafter: answers the cases of kind draft; without it they are not run.
        workers: how many cases are asked at once; above 1 the answerer must allow threads.
        on_progress: called with stage, done and total after each case, in this thread.
        cancelled: asked before each case; True ends the run with what there is.
        log: the journal's file.
        context: what a journal must agree in to be continued.
        clock: seconds.
    """
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(log, context or {})) if log else None
        done = journal.finished(cases) if journal else {}
        pending = [case for case in cases if case.id not in done]
        ask = _Asker(answerer, drafter, clock, cancelled or (lambda: False))
        report = on_progress or (lambda stage, finished, total: None)
        report(STAGE, len(done), len(cases))
        for outcome in stack.enter_context(closing(_asked(pending, ask, workers))):
            if journal and outcome.status != "skipped":
                journal.add(outcome)
            done[outcome.case.id] = outcome
            report(STAGE, len(done), len(cases))
    found = [done[case.id] for case in cases if case.id in done]
    scored = tuple(replace(outcome, scores=score_outcome(outcome, reader)) for outcome in found)
    return Run(scored, len(scored) == len(cases))


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks one case; None when the run has been cancelled."""

    answerer: Answerer
    drafter: Drafter | None
    clock: Callable[[], float]
    cancelled: Callable[[], bool]

    def __call__(self, case: Case) -> Outcome | None:
        if self.cancelled():
            return None
        if case.kind == "draft" and self.drafter is None:
            return Outcome(case, "skipped", error=NOT_DRAFTED)
        started = self.clock()
        try:
            answer = self._answer(case)
            status, error = answer.status, ""
        except Exception as err:
            # One failing case must not end a run of hundreds; it is recorded and counts as failed.
            logger.warning("case %s failed: %s", case.id, type(err).__name__)
            logger.debug("case %s", case.id, exc_info=True)
            detail = str(err) if isinstance(err, LingxueError) else f"{type(err).__name__}: {err}"
            return Outcome(case, "error", error=detail, latency_ms=self._since(started))
        return Outcome(case, status, answer, error, self._since(started))

    def _answer(self, case: Case) -> Answer:
        if case.kind == "draft" and self.drafter:
            answer = self.drafter(case)
        else:
            answer = self.answerer(case.question, case.history)
        if not isinstance(answer, Answer):
            raise TypeError(f"the answerer returned {type(answer).__name__}, not an Answer")
        return answer

    def _since(self, started: float) -> float:
        return round(1000 * (self.clock() - started), 1)


def _asked(cases: Sequence[Case], ask: _Asker, workers: int) -> Generator[Outcome, None, None]:
    """Yield outcomes as they are ready, until all are or the run is cancelled."""
    if workers <= 1:
        for case in cases:
            outcome = ask(case)
            if outcome is None:
                return
            yield outcome
        return
    stopped = threading.Event()
    last = replace(ask, cancelled=lambda: stopped.is_set() or ask.cancelled())
    with ThreadPoolExecutor(workers, thread_name_prefix="eval") as pool:
        try:
            for future in as_completed([pool.submit(last, case) for case in cases]):
                if outcome := future.result():
                    yield outcome
        finally:
            stopped.set()  # whatever ends this early, the cases not yet begun are not asked
