"""Runs the cases of a set: each by itself, journalled, resumable, stoppable.

Knows how to ask and to time, and nothing of what is asked: the system that is
evaluated and the clock are given.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, replace

from eval.cases import Case
from eval.journal import Journal
from eval.metrics import score_outcome
from eval.outcome import Outcome, Score
from eval.registry import Reader
from rag.errors import LingxueError
from rag.types import Answer, Turn

logger = logging.getLogger(__name__)

STAGE = "评测"
MAX_WORKERS = 8  # more cases at once only wait for each other on the computers this runs on
NOT_DRAFTED = "没有给出写作的办法，写作题没有运行"
Answerer = Callable[[str, Sequence[Turn]], Answer]
Drafter = Callable[[Case], Answer]
Searcher = Callable[[str], Sequence[str]]
Judge = Callable[[Outcome], Mapping[str, Score]]
ProgressCallback = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class System:
    """What is evaluated.

    `answerer` turns question and history into an answer, `drafter` answers
    the cases of kind draft (without it they are not run), `reader` gives the
    source of an id, to check quotes, `searcher` the passages that retrieval
    finds for a question, best first, and `judge` has a model judge outcomes;
    what is not given leaves its metrics unscored. `clock` gives seconds.
    """

    answerer: Answerer
    drafter: Drafter | None = None
    reader: Reader | None = None
    searcher: Searcher | None = None
    judge: Judge | None = None
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True, slots=True)
class Run:
    """The scored outcomes in the order of the cases; not `complete` when stopped before the end."""

    outcomes: tuple[Outcome, ...]
    complete: bool


def run(
    cases: Sequence[Case],
    system: System,
    *,
    workers: int = 1,
    on_progress: ProgressCallback | None = None,
    cancelled: Callable[[], bool] | None = None,
    journal: Journal | None = None,
) -> Run:
    """Ask every case and score what comes back.

    A case that raises is recorded as an error and the run goes on. With a
    `journal`, each finished case is on disk before the next begins, and the
    cases already there are not asked again.

    Args:
        cases: what to ask; ids are unique.
        system: what answers them.
        workers: how many cases are asked at once, MAX_WORKERS at most.
        on_progress: called with stage, done and total after each case, in this thread.
        cancelled: asked before each case; True ends the run with what there is.
        journal: of this run or of the one that it continues.
    """
    done = journal.finished(cases) if journal else {}
    pending = [case for case in cases if case.id not in done]
    ask = _Asker(system, cancelled or (lambda: False))
    report = on_progress or (lambda stage, finished, total: None)
    report(STAGE, len(done), len(cases))
    with closing(_asked(pending, ask, min(workers, MAX_WORKERS))) as outcomes:
        for outcome in outcomes:
            if journal and outcome.status != "skipped":
                journal.add(outcome)
            done[outcome.case.id] = outcome
            report(STAGE, len(done), len(cases))
    found = [done[case.id] for case in cases if case.id in done]
    scored = tuple(replace(outcome, scores=score_outcome(outcome, system.reader)) for outcome in found)
    return Run(scored, len(scored) == len(cases))


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks one case; None when the run has been cancelled."""

    system: System
    cancelled: Callable[[], bool]

    def __call__(self, case: Case) -> Outcome | None:
        if self.cancelled():
            return None
        if case.kind == "draft" and self.system.drafter is None:
            return Outcome(case, "skipped", error=NOT_DRAFTED)
        started = self.system.clock()
        try:
            answer = self._answer(case)
            status, error = answer.status, ""
        except Exception as err:
            # One failing case must not end a run of hundreds; it is recorded and counts as failed.
            logger.warning("case %s failed: %s", case.id, type(err).__name__)
            logger.debug("case %s", case.id, exc_info=True)
            detail = str(err) if isinstance(err, LingxueError) else f"{type(err).__name__}: {err}"
            return Outcome(case, "error", error=detail, latency_ms=self._since(started))
        outcome = Outcome(case, status, answer, error, self._since(started))
        outcome = replace(outcome, passages=self._passages(case, answer))
        return replace(outcome, judged=self.system.judge(outcome)) if self.system.judge else outcome

    def _answer(self, case: Case) -> Answer:
        if case.kind == "draft" and self.system.drafter:
            answer = self.system.drafter(case)
        else:
            answer = self.system.answerer(case.question, case.history)
        if not isinstance(answer, Answer):
            raise TypeError(f"the answerer returned {type(answer).__name__}, not an Answer")
        return answer

    def _passages(self, case: Case, answer: Answer) -> tuple[str, ...] | None:
        """Search anew what the question was understood to be, outside the time measured."""
        if self.system.searcher is None or case.kind == "draft" or not case.gold_quotes:
            return None
        try:
            return tuple(self.system.searcher(answer.standalone_question or case.question))
        except LingxueError as err:
            logger.warning("case %s: passages not found: %s", case.id, type(err).__name__)
            return None

    def _since(self, started: float) -> float:
        return round(1000 * (self.system.clock() - started), 1)


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
