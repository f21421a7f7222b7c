"""Draft cases: a free request in, the outline as an answer that the metrics can read.

A case of kind draft is one line of text (以书记身份写一篇……心得体会); genre,
role and topic are read from it. Knows the genres and roles by name only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from eval.cases import Case
from rag.types import Answer, DraftRequest, Outline, Sentence, Support

DEFAULT_GENRE = "心得体会"
_TOPIC = re.compile(
    r"(?:主题|题目|题为|围绕|关于|学习|谈)[是为：:]*[《“\"]?(?P<topic>[^《》“”\"，,。；;]{2,60})"
)
_NAMED = re.compile(r"[《“](?P<topic>[^《》“”]{2,80})[》”]")


def drafter(draft: Callable[[DraftRequest], Outline]) -> Callable[[Case], Answer]:
    """Return what answers a draft case by having an outline drafted."""

    def answer(case: Case) -> Answer:
        return as_answer(case.question, draft(request(case.question)))

    return answer


def request(text: str) -> DraftRequest:
    """Read a request; what it does not name is left to the defaults.

    >>> request("以书记身份写一篇心得体会，主题是党组织领导的校长负责制")  # doctest: +SKIP
    DraftRequest(genre='心得体会', topic='党组织领导的校长负责制', role='书记', ...)
    """
    from rag.prompting import genres, roles

    names = {alias: genre.name for genre in genres().values() for alias in (genre.name, *genre.aliases)}
    parties = {alias: role.name for role in roles().values() for alias in (role.name, *role.aliases)}
    genre = names.get(_longest(names, text), DEFAULT_GENRE)
    role = parties.get(_longest(parties, text), "")
    match = _TOPIC.search(text) or _NAMED.search(text)
    topic = match["topic"].strip() if match else text
    return DraftRequest(genre=genre, topic=topic.removesuffix(genre).removesuffix("的") or text, role=role)


def as_answer(question: str, outline: Outline) -> Answer:
    """Return an outline as an answer: points from documents are its statements, the rest notices."""
    lines = [outline.title, outline.thesis]
    sentences: list[Sentence] = []
    for section in outline.sections:
        lines.append(section.heading)
        for point in section.points:
            lines.append(f"- {point.text}{''.join(f'[{marker}]' for marker in point.citations)}")
            support: Support = "paraphrased" if point.kind == "policy" else "notice"
            sentences.append(Sentence(point.text, support, point.citations))
    return Answer(
        question=question,
        standalone_question=question,
        status="answered",
        answer="\n".join(lines),
        sentences=tuple(sentences),
        citations=outline.citations,
        confidence=1.0,
    )


def _longest(names: Iterable[str], text: str) -> str:
    return max((name for name in names if name in text), key=len, default="")
