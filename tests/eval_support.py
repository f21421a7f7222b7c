"""Cases, answers and sources made by hand, as the tests of the evaluation use them."""

from eval.cases import Case
from eval.outcome import Outcome
from rag.types import Answer, Citation, Run, Sentence, Source, Turn

TEXT = "书记召集会议。校长主持校务会。副校长分管教学。食堂由总务处管理。图书馆周末开放。"
SENTENCES = [
    "书记召集会议。",
    "校长主持校务会。",
    "副校长分管教学。",
    "食堂由总务处管理。",
    "图书馆周末开放。",
]


def case(
    id="a", kind="factoid", *, question="谁召集会议？", points=(), golds=(), answerable=True, history=()
):
    turns = tuple(Turn(role, text) for role, text in history)
    return Case(id, kind, turns, question, tuple(points), tuple(golds), answerable)


def citation(marker, quote, *, start=None, source_id="s"):
    at = TEXT.find(quote) if start is None else start
    return Citation(marker, source_id, "规则", "一、", ("一、",), quote, at, at + len(quote))


def answer(text="", *, status="answered", quotes=(), sentences=None, question="谁召集会议？"):
    """An answer that cites quotes in order; by default each is one sentence that is quoted."""
    citations = tuple(citation(i, quote) for i, quote in enumerate(quotes, 1))
    if sentences is None:
        sentences = [Sentence(quote, "quoted", (i,)) for i, quote in enumerate(quotes, 1)]
    said = text or "".join(f"{s.text}{''.join(f'[{m}]' for m in s.citations)}" for s in sentences)
    return Answer(question, question, status, said, tuple(sentences), citations, confidence=0.9)


def outcome(case_, answer_=None, *, error="", latency_ms=10.0):
    status = answer_.status if answer_ else "error"
    return Outcome(case_, status, answer_, error, latency_ms)


def reader(source_id):
    if source_id != "s":
        raise KeyError(source_id)
    return Source("s", "规则.txt", TEXT, TEXT, (Run(0, 0, len(TEXT)),))


class Echo:
    """An assistant that answers from a table, for tests of what is around it."""

    def __init__(self, answers, *, settings=None):
        self.answers, self.asked, self.settings = answers, [], settings

    def answer(self, question, history=()):
        self.asked.append(question)
        reply = self.answers[question]
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def source(self, source_id):
        return reader(source_id)
