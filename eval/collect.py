"""Questions asked in the chat become cases by one click: 赞 keeps the answer as right, 踩 the question.

An answer marked 赞 gives its quotes as gold, or, where it said that the
documents do not say, a case that is not to be answered. An answer marked 踩
is known to be wrong, and what would be right is not known: the case waits
for a teacher to add points or quotes and counts in no pass rate until then.
The collection is an ordinary set in the data directory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from filelock import FileLock

from eval.cases import Case, load_cases
from eval.files import write_atomically
from eval.filing import home
from rag.types import Answer, Turn

Mark = Literal["up", "down"]
NAME = "collected.jsonl"
_KIND_OF = {
    "who": "responsibility",
    "how": "procedure",
    "why": "why",
    "list": "list",
    "compare": "comparison",
}


def collection(data_dir: Path) -> Path:
    """Return the file of the cases collected from the chat; it need not be there yet."""
    return home(data_dir) / NAME


def collected(data_dir: Path) -> list[Case]:
    """Return the cases collected so far; raise BadCases for a file that has been spoilt."""
    path = collection(data_dir)
    return load_cases([path]) if path.is_file() and path.stat().st_size else []


def collect(data_dir: Path, answer: Answer, history: Sequence[Turn], mark: Mark) -> Case:
    """Make a marked answer a case of the collection and return it.

    The same question after the same history replaces the case made before,
    so a change of mind is one more click. `history` is what was said before
    the question.
    """
    case = make_case(answer, history, mark)
    path = collection(data_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        kept = [one for one in collected(data_dir) if one.id != case.id]
        lines = [json.dumps(one.to_dict(), ensure_ascii=False) + "\n" for one in (*kept, case)]
        write_atomically(path, "".join(lines))
    return case


def forget(data_dir: Path, answer: Answer, history: Sequence[Turn]) -> None:
    """Take a mark back: drop the case that was made of this question after this history."""
    wanted = _identifier(answer.question, history)
    path = collection(data_dir)
    if not path.is_file():
        return
    with FileLock(path.with_suffix(".lock")):
        kept = [one for one in collected(data_dir) if one.id != wanted]
        write_atomically(path, "".join(json.dumps(one.to_dict(), ensure_ascii=False) + "\n" for one in kept))


def make_case(answer: Answer, history: Sequence[Turn], mark: Mark) -> Case:
    """Return the case that a marked answer makes."""
    declined = answer.status != "answered"
    right = mark == "up"
    cited = {marker for s in answer.sentences if s.support != "notice" for marker in s.citations}
    quotes = dict.fromkeys(c.quote for c in answer.citations if c.marker in cited and c.quote.strip())
    answerable = not (right and declined)
    return Case(
        id=_identifier(answer.question, history),
        kind=_kind(answer, history, answerable=answerable),
        history=tuple(turn for turn in history if turn.content.strip()),
        question=answer.question.strip(),
        answer_points=(),
        gold_quotes=tuple(quotes) if right and not declined else (),
        answerable=answerable,
    )


def _kind(answer: Answer, history: Sequence[Turn], *, answerable: bool) -> str:
    if not answerable:
        return "adversarial" if answer.status == "refused" else "unanswerable"
    if history:
        return "multi-turn"
    from rag.question import analyse

    return _KIND_OF.get(analyse(answer.standalone_question).kind, "factoid")


def _identifier(question: str, history: Sequence[Turn]) -> str:
    said = json.dumps([question.strip(), *([t.role, t.content] for t in history)], ensure_ascii=True)
    return f"chat-{hashlib.sha256(said.encode()).hexdigest()[:10]}"
