"""Question to answer: small talk and refusals, evidence, then words, then checks.

Yields progress and text as they come and one verified `Answer` at the end.
Knows the stages and their order; how each works is its module's business.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from rag import clause, compare, generate, topic
from rag.cite import Citations
from rag.conversation import by_model, standalone
from rag.errors import BadRequest, ModelFailed
from rag.evidence import Evidence, answerable, states_absence, whole_clause
from rag.extract import extract
from rag.lookup import Library, look_up
from rag.notices import Notices, with_notice
from rag.opposite import contrary
from rag.page import Page, plain
from rag.parts import parts
from rag.privacy import without
from rag.protocols import ChatModel, SourceReader
from rag.question import Question, analyse
from rag.types import Answer, Delta, Event, Hit, Progress, Sentence, Status, Turn
from rag.validity import warnings

THRESHOLD = 0.55  # below, a wrong policy answer is likelier than a right one
SURE, BETTER = 0.85, 0.3  # a part of a question is answered besides: so surely, so much better than the rest
KNOWN, LESS_SURE = 0.5, 0.35  # where it is so likely a known question: less surely
UNSURE = 0.15  # the threshold where what is asked for stands in two columns
MAX_QUESTION = 1000  # code points
NEAREST = 3
NEAR = 0.15  # a passage that covers less of the question is not even related


@dataclass(frozen=True, slots=True)
class _Found:
    """What retrieval found for a question; `base` is the answer so far, without words.

    `parts` are what was found for each thing that it asks, where there are several,
    `whole` all that answers it, where that is known.
    """

    question: Question
    hits: Sequence[Hit]
    evidence: Sequence[Evidence]
    base: Answer
    parts: Sequence[_Found] = ()
    whole: Sequence[Evidence] = ()


def ask(
    text: str,
    history: Sequence[Turn],
    *,
    library: Library,
    notices: Notices,
    model: ChatModel | None = None,
    system: str = "",
    rewrite: str = "",
) -> Iterator[Event]:
    """Answer a question; the last event is the `Answer`.

    `system` and `rewrite` are the model's instructions for answering and for
    completing a follow-up.

    Raises: BadRequest: the question is empty or too long. NothingIndexed.
    """
    started = time.perf_counter()
    text = _checked(text)
    if told := _told(text, notices):
        yield told
        return
    yield Progress("检索")
    asked = by_model(text, history, model, rewrite) if model and rewrite else standalone(text, history)
    found = _find(text, asked, library)
    retrieved = time.perf_counter()
    answer = yield from _answered(found, library, notices, model, system)
    answer = _warned(answer, found, library, notices)
    timings = {
        "retrieve": round(1000 * (retrieved - started)),
        "total": round(1000 * (time.perf_counter() - started)),
    }
    yield replace(answer, timings_ms=timings)


def _answered(
    found: _Found, library: Library, notices: Notices, model: ChatModel | None, system: str
) -> Generator[Event, None, Answer]:
    """Answer from what was found, or say that it is not there."""
    title_only = _title_only(found, library.reader, notices)
    if title_only or not _answers(found):
        return _no_evidence(found, library, notices, title_only)
    yield Progress("整理")
    if model is None or not found.hits:
        return _extracted(found)
    return (yield from _generated(found, library, notices, model, system))


def _checked(text: str) -> str:
    text = text.encode("utf-8", "ignore").decode("utf-8").strip()  # half a surrogate pair is no character
    if not text:
        raise BadRequest(reason="问题是空的，请输入要问的内容。")
    if len(text) > MAX_QUESTION:
        raise BadRequest(reason=f"问题太长（{len(text)} 字），请缩短到 {MAX_QUESTION} 字以内。")
    return text


def _told(text: str, notices: Notices) -> Answer | None:
    """Answer small talk and refuse what is not to be done; None for a question."""
    if reply := notices.small_talk(text):
        return _spoken(text, reply, "answered")
    if notices.refuses(text):
        return _spoken(text, notices.text("refused"), "refused")
    return None


def _find(text: str, asked: str, library: Library) -> _Found:
    found = _find_one(text, asked, library)
    apart = parts(asked)
    if not apart and not compare.find(found.question, found.evidence):
        apart = compare.apart(found.question) or compare.queries(found.question)
    return replace(found, parts=[_find_one(part, part, library) for part in apart])


def _find_one(text: str, asked: str, library: Library) -> _Found:
    searched = without(asked, library.lexical.known)
    question = analyse(searched)
    clauses = clause.find(asked, library.stamps, library.reader) if question.kind == "clause" else []
    base = Answer(text, asked, "answered", "", confidence=1.0)
    if clauses:
        return _Found(question, [], [whole_clause(found) for found in clauses], base)
    looked = look_up(question, library, compare.queries(question))
    base = replace(base, confidence=round(answerable(question, looked.evidence, looked.nearest), 4))
    return _Found(question, looked.hits, looked.evidence, base, whole=looked.whole)


def _answers(found: _Found) -> bool:
    compared = found.hits and found.base.confidence >= UNSURE and compare.find(found.question, found.evidence)
    if found.base.confidence < THRESHOLD:
        return bool(compared and compared.rows)
    if compared or (found.hits and topic.find(found.question, found.evidence)):
        return True
    return not found.hits or not states_absence(found.question, found.evidence[0])


def _spoken(text: str, reply: str, status: Status) -> Answer:
    sentence = Sentence(reply, "notice")
    return Answer(text, text, status, reply, (sentence,), confidence=1.0)


def _extracted(found: _Found) -> Answer:
    """Answer by the documents' sentences: the question as a whole, then what its parts ask besides."""
    citations = Citations()
    confidence = found.base.confidence
    if apart := _apart(found):
        page = Page(citations, confidence=confidence)
        compare.write(apart, page)
        text, shown = page.markdown(), tuple(page.sentences)
        return replace(found.base, answer=text, sentences=shown, citations=citations.listed())
    answer, sentences = extract(
        found.question, found.evidence, citations, confidence=confidence, whole=found.whole
    )
    for part in found.parts:
        known = len(citations.listed())
        if not _besides(part, found):
            continue
        told, said = extract(part.question, part.evidence[:1], citations, confidence=confidence)
        if len(citations.listed()) > known:
            answer += f"\n\n{told}"
            sentences += said
    return replace(found.base, answer=answer, sentences=tuple(sentences), citations=citations.listed())


def _apart(found: _Found) -> compare.Comparison | None:
    """Set two things side by side that no sentence or table compares, where each was found apart."""
    if found.whole or not found.parts or compare.find(found.question, found.evidence):
        return None
    sure = all(part.base.confidence >= THRESHOLD for part in found.parts)
    return compare.beside(found.question, [part.evidence for part in found.parts]) if sure else None


def _besides(part: _Found, found: _Found) -> bool:
    """Tell whether a part of a question is answered, and better than by the best sentence for the whole.

    What also comes second for the whole, and is known to be asked, need be less sure for the part.
    """
    if not part.evidence:
        return False
    best, first = part.evidence[0], found.evidence[0]
    second = [e for e in found.evidence[1:2] if _same(e, best) and (e.asked or 0.0) >= KNOWN]
    if part.base.confidence < (LESS_SURE if second else SURE) or states_absence(part.question, best):
        return False
    same = [e for e in part.evidence if _same(e, first)]
    return not same or best.score - same[0].score > BETTER


def _same(one: Evidence, other: Evidence) -> bool:
    return (one.source.id, one.start) == (other.source.id, other.start)


def _warned(answer: Answer, found: _Found, library: Library, notices: Notices) -> Answer:
    """Add what the reader must know of the documents quoted: repealed, replaced, at odds."""
    told = warnings(answer.citations, library.stamps, notices) if answer.status == "answered" else []
    if answer.model is None and answer.status == "answered" and contrary(found.question, found.evidence):
        told.append(notices.text("differ"))
    if library.impaired():
        told.append(notices.text("lexical_only"))
    if not told:
        return answer
    lines = "".join(f"\n\n> {line}" for line in told)
    noted = tuple(Sentence(line, "notice") for line in told)
    return replace(answer, answer=answer.answer + lines, sentences=answer.sentences + noted)


def _generated(
    found: _Found, library: Library, notices: Notices, model: ChatModel, system: str
) -> Generator[Event, None, Answer]:
    """Answer through the model; without a usable reply, answer without it and say so."""
    reply = ""
    failed = ""
    try:
        user = generate.prompt(found.base.standalone_question, found.hits, library.reader)
        for piece in generate.stream(model, system, user):
            reply += piece
            yield Delta(piece)
    except ModelFailed as err:
        failed = str(err.values.get("reason", err))
    yield Progress("核对")
    citations = Citations()
    checked = generate.check(reply, found.hits, library.reader, citations)
    if not failed and citations.listed():
        return replace(
            found.base,
            answer=_with_warning(checked, notices),
            sentences=checked.sentences,
            citations=citations.listed(),
            model=model.name,
        )
    if not failed and checked.absent:
        return replace(_no_evidence(found, library, notices, ""), model=model.name)
    reason = failed or ("回答没有依据" if reply.strip() else "回答是空的")
    return with_notice(_extracted(found), notices.text("model_failed", reason=reason))


def _with_warning(checked: generate.Generated, notices: Notices) -> str:
    if not checked.struck:
        return checked.markdown
    struck = "".join(f"\n> - {sentence}" for sentence in checked.struck)
    return f"{checked.markdown}\n\n> {notices.text('unsupported')}{struck}"


def _titled(title: str) -> str:
    return title if title.startswith("《") else f"《{title}》"


def _no_evidence(found: _Found, library: Library, notices: Notices, title_only: str) -> Answer:
    """Say that the documents do not say it, what was searched, what is near, where to look."""
    base = found.base
    citations = Citations()
    titles = "、".join(_titled(stamp.title) for stamp in library.stamps[:5])
    more = "等" if len(library.stamps) > 5 else ""
    told = [
        title_only or notices.text("no_evidence"),
        notices.text("searched", count=len(library.stamps), titles=titles + more),
        notices.where(base.standalone_question),
    ]
    sentences = [Sentence(line, "notice") for line in told]
    lines = list(told)
    nearest = [near for near in found.evidence[:NEAREST] if near.supported >= NEAR]
    if nearest:
        lines += ["", notices.text("nearest")]
        sentences.append(Sentence(notices.text("nearest"), "notice"))
    for near in nearest:
        marker = citations.add(near.source, near.start, near.end, score=base.confidence)
        lines.append(f"- {plain(near.text)}[{marker}]")
        sentences.append(Sentence(plain(near.text), "notice", (marker,)))
    return replace(
        base,
        status="no_evidence",
        answer="\n".join(lines),
        sentences=tuple(sentences),
        citations=citations.listed(),
    )


def _title_only(found: _Found, reader: SourceReader, notices: Notices) -> str:
    """Say so when the question asks for an article of which only the title is there."""
    sources = [hit.chunk.source_id for hit in found.hits]
    only = clause.title_only(found.question.text, sources, reader)
    return notices.text("title_only", label=only[0], title=only[1]) if only else ""
