"""An outline worded by a language model, every point of it checked.

The model sees numbered sentences and the composed outline's headings. Of what
it returns a policy point stays only if the sentences it names support it; own
experience stays only as slots; what is dropped is replaced by the composed
points. Knows no provider, only `ChatModel`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rag.cite import Citations
from rag.errors import HeldBack, ModelFailed
from rag.outline_evidence import Evidence, Passage
from rag.outline_points import assemble, slot
from rag.outline_request import MAX_THESIS, Frame, clean
from rag.outline_text import SLOT
from rag.prompting import fence, render
from rag.protocols import ChatModel
from rag.types import Outline, OutlineSection, Point, PointKind
from rag.verify import COVERED, coverage, missing_facts, support

PASSAGES = 18  # numbered sentences shown to the model
MAX_REPLY = 12_000  # code points; a model that does not stop is cut here
MAX_POINT = 220  # characters
PER_KIND = 4  # points of one kind that a section takes
_MARKERS = re.compile(r"[\[［【]\s*\d{1,2}(?:\s*[,，、]\s*\d{1,2}){0,9}\s*[\]］】]")
_LEAD = re.compile(
    r"[^，。；！？,;!?]{0,16}[：:]?"
)  # longer words outside a slot would tell the writer's story
_COMMA = re.compile(r",\s*([}\]])")
# Whose word it is and who leads whom must not be turned round in our own words.
WRONG = re.compile(
    r"党组织领导下的校长负责制|党组织(?:应|要|须)?(?:当)?对校长负责|提交校长(?:决策|决定|批准)|党支部领导的校长负责制"
)


@dataclass(slots=True)
class _Check:
    """Checks the points of one reply and counts what it drops, by reason."""

    made: Frame
    shown: Sequence[Passage]
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def known(self) -> str:
        """Where a number or a name may come from: the request and the evidence shown."""
        request = self.made.request
        own = (self.made.topic, self.made.event, request.occasion, request.recipient, str(self.made.length))
        return "\n".join([*own, *(f"《{p.source.title}》{p.text}" for p in self.shown)])

    def drop(self, reason: str) -> None:
        """Count a dropped point."""
        self.dropped[reason] += 1

    def policy(self, text: str, numbers: object) -> tuple[str, list[Passage]] | None:
        """Return a supported point and the passages that support it, or None."""
        named = numbers if isinstance(numbers, list) else [numbers]
        valid = [
            n for n in named if isinstance(n, int) and not isinstance(n, bool) and 1 <= n <= len(self.shown)
        ]
        if not valid or len(valid) < len(named):
            self.drop("所标的依据编号不存在")
            return None
        cited = [self.shown[n - 1] for n in dict.fromkeys(valid)]
        stated = "，".join(missing_facts(self.made.topic, ""))
        evidence = "\n".join([*(f"《{p.source.title}》{p.text}" for p in cited), stated])
        if support(text, evidence) == "unsupported":
            self.drop("所标的依据不支持")
            return None
        return text, cited

    def own(self, text: str) -> str | None:
        """Return an own point that leaves the telling to the writer, or None."""
        outside = SLOT.sub("", text).strip("。；;")
        lead = bool(SLOT.search(text)) and bool(_LEAD.fullmatch(outside))
        if not lead and (not self.made.event or coverage(outside, self.made.event) < COVERED):
            self.drop("替写稿人编了事")
            return None
        return text if self._grounded(text) else None

    def plan(self, text: str) -> str | None:
        """Return a plan with its slots, or None."""
        if not self._grounded(text):
            return None
        if SLOT.search(text):
            return text
        return (
            f"{text.rstrip('。；;')}。时间：{slot('什么时候做')}；怎样算做到：{slot('从哪里看得出做到了')}。"
        )

    def wording(self, text: str) -> bool:
        """Tell whether a text keeps to the role's voice and the right relations."""
        return not WRONG.search(text) and not any(word in text for word in self.made.role.forbidden)

    def _grounded(self, text: str) -> bool:
        if missing_facts(text, self.known):
            self.drop("出现了没有出处的数字、文号或文件名")
            return False
        return True


def rewrite(composed: Outline, made: Frame, evidence: Evidence, model: ChatModel) -> Outline:
    """Return the outline in the model's words where they hold, composed where not.

    Raises: ModelFailed: no usable reply, or nothing in it holds.
    """
    shown = evidence.best(PASSAGES)
    request = _request(composed, made, shown)
    table = _ask(model, render("outline"), request)
    check = _Check(made, shown)
    citations = Citations()
    sections = _sections(composed, table, check, citations, evidence)
    if sections is None:
        raise ModelFailed(reason="写出的各条都没有通过核对")
    thesis = clean(str(table.get("thesis") or ""))
    good = 4 <= len(thesis) <= MAX_THESIS and check.wording(thesis) and not missing_facts(thesis, check.known)
    notes = [f"大模型写的{count}条已删去：{reason}。" for reason, count in check.dropped.items()]
    return assemble(
        made,
        thesis if good else composed.thesis,
        sections,
        citations.listed(),
        [f"由大模型 {model.name} 列出，要点已与依据核对，请再对照原文。", *notes, *composed.warnings],
    )


def parse(reply: str) -> dict[str, Any]:
    """Read a reply's JSON object, whatever stands around it.

    Raises: ValueError: there is none of the contract's form; the message is for the model.
    """
    start, end = reply.find("{"), reply.rfind("}")
    if start < 0 or end <= start:
        raise ValueError("没有 JSON 对象")
    text = reply[start : end + 1]
    try:
        table = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        try:
            table = json.loads(_COMMA.sub(r"\1", text), strict=False)
        except (ValueError, RecursionError) as err:
            raise ValueError("JSON 不完整或有语法错误") from err
    if not isinstance(table, dict) or not isinstance(table.get("sections"), list) or not table["sections"]:
        raise ValueError("缺少 sections 列表")
    return table


def _ask(model: ChatModel, system: str, request: str) -> dict[str, Any]:
    """Ask once, and once more where the reply cannot be read."""
    reply = _reply(model, system, request)
    try:
        return parse(reply)
    except ValueError as err:
        again = render("outline_repair", reason=err, reply=fence(reply[:MAX_REPLY]), request=request)
    try:
        return parse(_reply(model, system, again))
    except ValueError as err:
        raise ModelFailed(reason=f"两次都没有给出可读的结果：{err}") from err


def _reply(model: ChatModel, system: str, user: str) -> str:
    text = ""
    try:
        for piece in model.stream(system, user):
            text += piece
            if len(text) > MAX_REPLY:
                break
    except (ModelFailed, HeldBack):
        raise
    except Exception as err:  # whatever a provider's library throws, an outline is still owed
        raise ModelFailed(reason=type(err).__name__) from err
    return text


def _request(composed: Outline, made: Frame, shown: Sequence[Passage]) -> str:
    """The user message: the request and the evidence as fenced data, the sections to fill."""
    parts = zip(composed.sections, made.genre.sections, strict=True)
    sections = "\n".join(
        f"{number}. {section.heading}（约{section.length}字；{part.purpose}；种类："
        f"{'、'.join(dict.fromkeys(ask.kind for ask in part.points))}）"
        for number, (section, part) in enumerate(parts, 1)
    )
    evidence = "\n\n".join(
        f"[{number}] {passage.label}\n{fence(f'《{passage.source.title}》{passage.text}')}"
        for number, passage in enumerate(shown, 1)
    )
    where = "；".join(filter(None, (clean(made.request.occasion), clean(made.request.recipient))))
    return render(
        "outline_request",
        genre=made.genre.name,
        reader=made.genre.reader,
        tense=made.genre.tense,
        role=made.role.name,
        selves="、".join(made.role.selves),
        forbidden="、".join(made.role.forbidden),
        emphasis=made.role.emphasis,
        angle=made.angle.name,
        length=made.length,
        topic=fence(made.topic),
        occasion=fence(where or "没有写"),
        event=fence(made.event or "没有写"),
        sections=sections,
        evidence=evidence,
    )


def _sections(
    composed: Outline,
    table: Mapping[str, Any],
    check: _Check,
    citations: Citations,
    evidence: Evidence,
) -> list[OutlineSection] | None:
    """The composed sections with the model's points put in by kind; None where none held."""
    held = 0
    sections = []
    for number, section in enumerate(composed.sections):
        given = table["sections"][number] if number < len(table["sections"]) else None
        checked = _checked(given, check, {point.kind for point in section.points})
        told = any(check.made.event and check.made.event in point.text for point in section.points)
        points: list[Point] = []
        for kind in dict.fromkeys(point.kind for point in section.points):
            if checked.get(kind) and not (kind == "own" and told):
                held += len(checked[kind])
                points += [_cited(kind, text, cited, citations) for text, cited in checked[kind]]
            else:
                same = [point for point in section.points if point.kind == kind]
                points += [
                    _cited(kind, p.text, [evidence.cited[m] for m in p.citations], citations) for p in same
                ]
        sections.append(replace(section, points=tuple(points)))
    return sections if held else None


def _checked(
    given: object, check: _Check, kinds: set[PointKind]
) -> dict[PointKind, list[tuple[str, list[Passage]]]]:
    """The points of one section of a reply that hold, by kind."""
    held: dict[PointKind, list[tuple[str, list[Passage]]]] = {}
    points = given.get("points") if isinstance(given, dict) else None
    for point in points if isinstance(points, list) else []:
        kind = point.get("kind") if isinstance(point, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            continue
        text = clean(_MARKERS.sub("", str(point.get("text", ""))))
        kept = _keep(kind, text, point.get("evidence"), check)
        if kept and len(held.setdefault(kind, [])) < PER_KIND:
            held[kind].append(kept)
    return held


def _keep(kind: PointKind, text: str, numbers: object, check: _Check) -> tuple[str, list[Passage]] | None:
    if not 4 <= len(text) <= MAX_POINT:
        check.drop("太长或太短")
        return None
    if not check.wording(text):
        check.drop("与身份口气或领导关系不合")
        return None
    if kind == "policy":
        held = check.policy(text, numbers)
        if held is None:
            return None
        labels = "、".join(dict.fromkeys(passage.label for passage in held[1]))
        return f"（{labels}）{held[0]}", held[1]
    kept = check.own(text) if kind == "own" else check.plan(text)
    return (kept, []) if kept else None


def _cited(kind: PointKind, text: str, cited: Sequence[Passage], citations: Citations) -> Point:
    markers = [citations.add(p.source, p.start, p.end, score=p.score) for p in cited]
    return Point(text, kind, tuple(dict.fromkeys(markers)))
