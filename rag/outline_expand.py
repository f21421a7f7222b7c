"""An outline written out in full by a model, section by section, every sentence checked.

A section is done when its sentences are verified: what cites must be
supported by what it cites, what does not cite may hold no fact and no story
that the outline and the writer's event do not hold, and no slot is lost.
Stopping loses nothing but the section in hand: pass what is written to go on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag import sentences as split
from rag.errors import BadRequest, HeldBack, ModelFailed
from rag.outline_model import WRONG
from rag.outline_request import Frame, clean, frame
from rag.outline_text import KIND_NAMES, SLOT
from rag.prompting import fence, render
from rag.protocols import ChatModel
from rag.types import Citation, Delta, DraftRequest, Outline, OutlineSection
from rag.verify import COVERED, coverage, missing_facts, support

MAX_REPLY = 8_000  # characters; a model that does not stop is cut here
TAIL = 120  # characters of the section before that the model is shown
_MARKERS = re.compile(r"[\[［【]\s*(\d{1,2}(?:\s*[,，、]\s*\d{1,2}){0,9})\s*[\]］】]")
_NOT_TEXT = re.compile(r"^\s*(?:#{1,6}\s.*|```.*|[-*_]{3,})$")
_LABEL = re.compile(r"^\s*(?:[-*•]\s+|\*\*|(?:依据|实情|打算)[：:])")
# Words that begin a story: what follows has to be the writer's own.
_TELLS = re.compile(
    r"记得|有一次|那天|那次|上周|上个?月|上学期|去年|前年|昨天|前不久|不久前|曾经?|刚参加工作|当年|一位(?:老师|同事|学生|家长)|有(?:个|位|名)(?:老师|同事|学生|家长|孩子)"
)
# A number counts with what it counts: 三次 is not known from 周三.
_COUNTED = re.compile(
    r"(?:\d{1,9}|[二两三四五六七八九十百千][一二三四五六七八九十百千]{0,9}|一[百千]?十?[二三四五六七八九]{1,9})"
    r"(?:次|个|名|人|位|天|周|月|年|节|条|项|分钟|小时|%)"
)


@dataclass(frozen=True, slots=True)
class Written:
    """One section in full: paragraphs with markers of the outline's citations; notes on what was struck."""

    heading: str
    paragraphs: tuple[str, ...]
    notes: tuple[str, ...] = ()


def expand(
    request: DraftRequest, outline: Outline, model: ChatModel | None, written: Sequence[Written] = ()
) -> Iterator[Delta | Written]:
    """Write an outline out from the first section that is not written yet.

    Yields: the text as it arrives, then the checked section, for each section.
    Raises: BadRequest: no model, or nothing of the writer's own to tell;
    ModelFailed: the sections yielded before stay good.
    """
    made = frame(request)
    if model is None:
        raise BadRequest(
            reason="没有设置大模型，不能扩写成文。请照提纲自己写，或设置 LINGXUE_LLM_PROVIDER 后再试。"
        )
    if not told(request, outline):
        raise BadRequest(
            reason="还没有您自己的一件事，只出提纲。请写上一件真事，或把“实情”要点填实，再扩写。"
        )
    return _sections(made, outline, model, list(written))


def told(request: DraftRequest, outline: Outline) -> bool:
    """Tell whether there is something of the writer's own: an event, or an own point filled in."""
    own = [p for section in outline.sections for p in section.points if p.kind == "own"]
    return bool(clean(request.event)) or any(not SLOT.search(point.text) for point in own)


def _sections(
    made: Frame, outline: Outline, model: ChatModel, written: list[Written]
) -> Iterator[Delta | Written]:
    system = render("outline_expand")
    for section in outline.sections[len(written) :]:
        before = written[-1].paragraphs[-1][-TAIL:] if written and written[-1].paragraphs else ""
        reply = ""
        try:
            for piece in model.stream(system, _request(made, outline, section, before)):
                reply += piece
                yield Delta(piece)
                if len(reply) > MAX_REPLY:
                    break
        except (ModelFailed, HeldBack):
            raise
        except Exception as err:  # whatever a provider's library throws, what is written stays
            raise ModelFailed(reason=type(err).__name__) from err
        written.append(_checked(made, outline, section, reply))
        yield written[-1]


def _request(made: Frame, outline: Outline, section: OutlineSection, before: str) -> str:
    cited = _cited(outline, section)
    points = "\n".join(
        f"- {KIND_NAMES[p.kind]}：{p.text}{''.join(f'[{m}]' for m in p.citations)}" for p in section.points
    )
    evidence = "\n\n".join(f"[{c.marker}]\n{fence(f'《{c.title}》{c.quote}')}" for c in cited)
    return render(
        "outline_expand_request",
        genre=made.genre.name,
        reader=made.genre.reader,
        tense=made.genre.tense,
        role=made.role.name,
        selves="、".join(made.role.selves),
        forbidden="、".join(made.role.forbidden),
        thesis=fence(outline.thesis),
        heading=fence(section.heading),
        length=section.length or 300,
        topic=fence(made.topic),
        event=fence(made.event or "没有另写，见要点"),
        points=fence(points),
        evidence=evidence or "这一节没有依据，不要引用文件。",
        before=fence(before or "这是第一节"),
    )


def _cited(outline: Outline, section: OutlineSection) -> list[Citation]:
    markers = {marker for point in section.points for marker in point.citations}
    return [citation for citation in outline.citations if citation.marker in markers]


def _checked(made: Frame, outline: Outline, section: OutlineSection, reply: str) -> Written:
    """The sentences of a reply that hold, in their paragraphs, and the slots that it left out."""
    check = _Check(made, section, {c.marker: c for c in _cited(outline, section)}, Counter())
    paragraphs = []
    for line in reply.splitlines():
        text = _LABEL.sub("", clean(line)).replace("**", "")
        if not text or _NOT_TEXT.match(line) or text.strip("：: ") == section.heading:
            continue
        kept = "".join(filter(None, (check.sentence(piece) for piece in _pieces(text))))
        if kept:
            paragraphs.append(kept)
    notes = [f"大模型写的{count}句已删去：{reason}。" for reason, count in check.dropped.items()]
    if not paragraphs:
        paragraphs = [_plain(section)]
        notes.append("这一节没有写成，先放提纲的要点。")
    said = "".join(paragraphs)
    slots = [slot for point in section.points for slot in SLOT.findall(point.text)]
    left = [slot for slot in dict.fromkeys(slots) if slot not in said]
    if left:
        paragraphs.append("".join(left))
    return Written(section.heading, tuple(paragraphs), tuple(notes))


def _plain(section: OutlineSection) -> str:
    return "".join(f"{p.text}{''.join(f'[{m}]' for m in p.citations)}" for p in section.points)


def _pieces(text: str) -> Iterator[str]:
    """The sentences of a paragraph, each with the markers behind its mark."""
    spans = split.sentences(text)
    pieces = [
        text[a:b] for a, b in zip([s for s, _ in spans], [s for s, _ in spans[1:]] + [len(text)], strict=True)
    ]
    for index, piece in enumerate(pieces):
        lead = re.match(r"(?:\s*[\[［【][\d\s,，、]+[\]］】])+", piece) if index else None
        following = pieces[index + 1] if index + 1 < len(pieces) else ""
        behind = re.match(r"(?:\s*[\[［【][\d\s,，、]+[\]］】])+", following)
        yield piece[lead.end() if lead else 0 :] + (behind[0] if behind else "")


@dataclass(slots=True)
class _Check:
    """Checks the sentences of one section and counts what it strikes, by reason."""

    made: Frame
    section: OutlineSection
    cited: dict[int, Citation]
    dropped: Counter[str]

    def sentence(self, piece: str) -> str:
        """Return a sentence with its markers in one form, or "" where it does not hold."""
        markers = [int(n) for found in _MARKERS.findall(piece) for n in re.findall(r"\d+", found)]
        text = _MARKERS.sub("", piece).strip()
        if not re.search(r"\w", text):
            return ""
        reason = self._wrong(text, markers)
        if reason:
            self.dropped[reason] += 1
            return ""
        return text + "".join(f"[{marker}]" for marker in dict.fromkeys(markers))

    def _wrong(self, text: str, markers: Sequence[int]) -> str:
        if WRONG.search(text) or any(word in text for word in self.made.role.forbidden):
            return "与身份口气或领导关系不合"
        bare = SLOT.sub("", text)
        if markers:
            if not set(markers) <= set(self.cited):
                return "所标的依据编号不存在"
            quotes = "\n".join(f"《{self.cited[m].title}》{self.cited[m].quote}" for m in markers)
            return "所标的依据不支持" if support(bare, quotes) == "unsupported" else ""
        known = self._known()
        uncounted = [count for count in _COUNTED.findall(bare) if count not in known]
        if uncounted or missing_facts(bare, known) or set(SLOT.findall(text)) - set(SLOT.findall(known)):
            return "出现了没有出处的数字、文号、文件名或引语"
        if _TELLS.search(bare) and coverage(bare, known) < COVERED:
            return "替写稿人编了事"
        return ""

    def _known(self) -> str:
        request = self.made.request
        points = "\n".join(point.text for point in self.section.points)
        quotes = "\n".join(f"《{c.title}》{c.quote}" for c in self.cited.values())
        return "\n".join(
            [self.made.topic, self.made.event, request.occasion, request.recipient, points, quotes]
        )
