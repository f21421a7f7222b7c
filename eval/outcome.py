"""What came of one case: the answer or the error, how long it took, its scores.

Also the way of an answer to JSON and back. Knows the types that answers are
made of; decides nothing about how good they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from eval.cases import Case
from rag.types import Answer, Citation, Sentence

OutcomeStatus = Literal["answered", "no_evidence", "refused", "error", "skipped"]
STATUS_NAMES = {
    "answered": "已回答",
    "no_evidence": "资料未载",
    "refused": "拒绝回答",
    "error": "出错",
    "skipped": "未运行",
}


@dataclass(frozen=True, slots=True)
class Score:
    """A case's value in one metric, or None where it cannot be scored (never 0 for that), and why."""

    value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the system did with a case; `answer` is None when it failed or was not run.

    `latency_ms` is wall-clock milliseconds from question to verified answer,
    `judged` what a model judged of it, by metric, when one was asked to,
    `passages` the texts that retrieval finds for the question, best first;
    None when it was not asked.
    """

    case: Case
    status: OutcomeStatus
    answer: Answer | None = None
    error: str = ""
    latency_ms: float = 0.0
    judged: Mapping[str, Score] = field(default_factory=dict)
    passages: tuple[str, ...] | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The answer's citations in order."""
        return self.answer.citations if self.answer else ()

    @property
    def text(self) -> str:
        """The answer's Markdown."""
        return self.answer.answer if self.answer else ""

    @property
    def statements(self) -> tuple[Sentence, ...]:
        """The answer's sentences that claim something; notices of the program do not."""
        return tuple(s for s in (self.answer.sentences if self.answer else ()) if s.support != "notice")

    @property
    def declined(self) -> bool:
        """Whether the system said that it cannot or will not answer."""
        return self.status in ("no_evidence", "refused")

    def to_dict(self) -> dict[str, Any]:
        """The form of this case in `eval --json`."""
        return {
            "id": self.case.id,
            "status": self.status,
            "answer": self.text,
            "citations": [asdict(citation) for citation in self.citations],
            "scores": {name: score.value for name, score in self.scores.items()},
            "latency_ms": self.latency_ms,
        }


def answer_from_dict(value: Mapping[str, Any]) -> Answer:
    """Read what `Answer.to_dict` wrote.

    Raises: KeyError, TypeError, ValueError: it is something else.
    """
    lists = {
        "sentences": tuple(
            Sentence(**{**sentence, "citations": tuple(sentence["citations"])})
            for sentence in value["sentences"]
        ),
        "citations": tuple(
            Citation(**{**citation, "section_path": tuple(citation["section_path"])})
            for citation in value["citations"]
        ),
    }
    return Answer(**{**value, **lists})
