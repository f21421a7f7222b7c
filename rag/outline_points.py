"""The points of a section: cited policy, slots for the writer's own experience, plans.

Invents nothing: what is not an exact sentence of the evidence or the writer's
own event is a lead-in, a question or a slot. Knows no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.outline_choice import Draw
from rag.outline_evidence import Evidence
from rag.outline_request import Frame
from rag.outline_text import SLOT
from rag.prompting import Ask, GenreSection, Plan
from rag.types import Citation, Outline, OutlineSection, Point
from rag.verify import coverage

POINT_LENGTH = 120  # characters that a point grows to when written out
# What an event should tell, how to see that it does, and what to ask when it does not.
_MISSING = (
    (
        re.compile(
            r"[年月日号周]|星期|学期|昨天|今天|前天|上午|下午|早上|晚上|那天|节课|最近|去年|暑假|寒假"
        ),
        "这件事是哪一天、哪一周的事",
    ),
    (
        re.compile(r"他|她|同学|学生|老师|教师|家长|书记|校长|队员|孩子|组长|主任|同事|副校长|委员|代表"),
        "这件事里还有谁，做了什么、说了什么（可不写姓名）",
    ),
    (
        re.compile(r"变|改|后来|结果|不再|终于|从此|学会|明白|解决|通过|采纳|提高|减少|增加|答复"),
        "这件事之后有什么变化，从哪里看得出来",
    ),
)
_NO_EVIDENCE = "这一部分要引的文件和条款，现有资料里没有找到"
_ROLE_QUESTION = "{{role_question}}"


@dataclass(slots=True)
class Maker:
    """Makes the points of one outline, section by section."""

    frame: Frame
    evidence: Evidence
    draw: Draw
    event_told: bool = False
    lacking: list[str] = field(default_factory=list)

    def points(self, section: GenreSection, heading: str, length: int) -> tuple[Point, ...]:
        """Return a section's points for a budget in characters; never none."""
        made: list[Point] = []
        wanted = sum(ask.count for ask in section.points)
        room = max(len(section.points), round(length / POINT_LENGTH))
        for ask in section.points:
            count = max(1, min(ask.count, round(ask.count * room / wanted)))
            make = {"policy": self.policy, "own": self._own, "plan": self._plan}[ask.kind]
            made += make(ask, count)
        if not any(point.kind == "policy" for point in made) and _asks(section, "policy"):
            self.lacking.append(heading)
            made.insert(0, Point(slot(_NO_EVIDENCE), "own"))
        return tuple(made)

    def policy(self, ask: Ask, count: int) -> Iterator[Point]:
        """Yield up to `count` points that quote the evidence."""
        for turn in range(count):
            taken = self.evidence.take(ask.queries, turn, self.draw)
            if taken is None:
                return
            passage, marker = taken
            lead = self.draw.next(ask.leads, ask.leads) if ask.leads else "依据"
            text = passage.text.rstrip("；;")
            text = text if re.search(r"[。！？!?.][”’」』）)》]*$", text) else f"{text}。"
            yield Point(f"{self.frame.fill(lead)}（{passage.label}）：{text}", "policy", (marker,))

    def _own(self, ask: Ask, count: int) -> Iterator[Point]:
        if self.frame.event and not self.event_told and self._hosts_event(ask):
            self.event_told = True
            yield Point(f"{self.frame.genre.own}：{self.frame.event}", "own")
            for question in missing(self.frame.event) or [
                f"这件事和“{self.frame.angle.name}”有什么关系，一句话点明"
            ]:
                yield Point(slot(question), "own")
            return
        own = [q for q in ask.questions if _ROLE_QUESTION in q]
        others = [q for q in ask.questions if q not in own]
        for turn in range(count):
            question = own[turn] if turn < len(own) else self.draw.next(ask.questions, others)
            asked = self.frame.fill(question, role_question=self._role_question(question))
            lead = f"{self.draw.next(ask.leads, ask.leads)}：" if ask.leads else ""
            yield Point(self.frame.fill(lead) + slot(asked), "own")

    def _plan(self, ask: Ask, count: int) -> Iterator[Point]:
        plans = self.frame.role.plans
        template = self.draw.next(ask.templates, ask.templates)
        for _ in range(min(count, len(plans))):
            plan = self.draw.next(
                "plans", plans, nearness=self._plan_nearness, rounds=len(self.frame.role.angles)
            )
            text = self.frame.fill(
                template, action=plan.action, object=plan.object, when=plan.when, done=plan.done
            )
            yield Point(f"{text}。", "plan")

    def _role_question(self, question: str) -> str:
        if _ROLE_QUESTION not in question:
            return ""
        return self.draw.next(
            "role questions",
            self.frame.role.questions,
            nearness=self._nearness,
            rounds=len(self.frame.role.angles),
        )

    def _plan_nearness(self, plan: Plan) -> float:
        return self._nearness(f"{plan.action}{plan.object}")

    def _nearness(self, text: str) -> float:
        """How much of the angle, the topic and the event a question or a plan speaks of, 0 to 1."""
        angle = self.frame.angle
        told = f"{angle.name} {angle.claim} {angle.focus} {self.frame.event}"
        return coverage(text, told) + 0.5 * coverage(text, self.frame.topic)

    def _hosts_event(self, ask: Ask) -> bool:
        """The event goes where the role is asked for one, or to the first own point."""
        asking = [a for section in self.frame.genre.sections for a in section.points if a.kind == "own"]
        best = next((a for a in asking if any(_ROLE_QUESTION in q for q in a.questions)), asking[0])
        return ask is best


def assemble(
    made: Frame,
    thesis: str,
    sections: Sequence[OutlineSection],
    citations: Sequence[Citation],
    warnings: Iterable[str],
) -> Outline:
    """Put an outline together and list its slots."""
    slots = [found for part in sections for point in part.points for found in SLOT.findall(point.text)]
    return Outline(
        genre=made.genre.name,
        role=made.role.name,
        topic=made.topic,
        title=made.title,
        thesis=thesis,
        sections=tuple(sections),
        placeholders=tuple(dict.fromkeys(slots)),
        citations=tuple(citations),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def slot(question: str) -> str:
    """Return a slot to be filled in by the writer.

    >>> slot("哪一天")
    '〔请填：哪一天〕'
    """
    return f"〔请填：{question}〕"


def missing(event: str) -> list[str]:
    """Return what to ask about an event that does not say when, who or what changed."""
    return [question for told, question in _MISSING if not told.search(event)]


def _asks(section: GenreSection, kind: str) -> bool:
    return any(ask.kind == kind for ask in section.points)
