"""What is asked for, checked and made ready: genre, role, angle, names and budget.

Refuses what cannot be drafted with a reason that says what can. The topic and
the event are the user's data; they are cleaned of control characters and
otherwise left as they are. Knows nothing of evidence or points.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.errors import BadRequest
from rag.outline_choice import shuffled
from rag.prompting import Angle, Genre, Role, fill, genres, named, roles
from rag.types import DraftRequest
from rag.verify import coverage

MAX_TOPIC, MAX_EVENT, MAX_LENGTH = 200, 2000, 20_000  # characters
MAX_NOTE = 100  # characters of an occasion or a recipient
MIN_LENGTH = 100
PER_MINUTE = 220  # characters spoken in a minute: 5 minutes take 1,000 to 1,200
MAX_THESIS = 30  # characters: one line at a lectern
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]+"
)
_VERB = re.compile(
    r"^(?:关于|围绕|学习|贯彻|落实|推进|建立|健全|加强|深入|认真|践行|弘扬|做好|开展|坚持|完善)"
)
_CORE_HEAD = re.compile(r"^(?:关于|围绕|深入|认真|学习|贯彻|落实|推进|执行|建立|健全|谈谈?)+")
_CORE_TAIL = re.compile(
    r"(?:的?(?:意见|通知|办法|规定|条例)?(?:[（(]试行[）)])?(?:的?(?:专题|学习|研讨|交流|精神)){0,6})$"
)
_MINUTES = re.compile(r"(\d{1,2}|[一二两三四五六七八九十]{1,3})分钟")
_DIGITS = dict(zip("一二三四五六七八九两", (1, 2, 3, 4, 5, 6, 7, 8, 9, 2), strict=True))
_DOCUMENT = re.compile(r"^关于[^《》]{4,80}的(?:意见|通知|办法|规定|条例|决定)(?:[（(]试行[）)])?$")
# The system's name has no 下; our own words keep to that whatever the topic says.
_SYSTEM = "党组织领导的校长负责制"  # what every paper here is about tells no angle from another
_UNDER = re.compile(r"党组织领导下的(?=校长负责制)")


@dataclass(frozen=True, slots=True)
class Frame:
    """A checked request and what follows from it before any evidence is read.

    `core` is the topic without verbs and brackets, `subject` the topic ready
    to stand in a title, `length` the budget in characters.
    """

    request: DraftRequest
    genre: Genre
    role: Role
    angle: Angle
    topic: str
    event: str
    core: str
    title: str
    thesis: str
    length: int
    warnings: tuple[str, ...]

    @property
    def key(self) -> str:
        """What the choices depend on, but for the seed."""
        return "|".join((self.genre.name, self.role.name, self.topic, self.event))

    def fill(self, template: str, **fields: object) -> str:
        """Fill a template of the genre with the fields of this request."""
        known: dict[str, object] = {
            "topic": self.topic,
            "core": self.core,
            "role": self.role.name,
            "self": self.role.selves[0],
            "angle": self.angle.name,
            "claim": self.angle.claim,
            "focus": self.angle.focus,
        }
        return fill(template, **known, **fields)


def frame(request: DraftRequest) -> Frame:
    """Check a request; raise BadRequest for a topic, genre, role or length that cannot be used."""
    topic, event = _topic(request.topic), _limited(request.event, MAX_EVENT, "事例")
    _limited(request.occasion, MAX_NOTE, "场合")
    _limited(request.recipient, MAX_NOTE, "对象")
    genre = named(known := genres(), request.genre)
    if genre is None:
        raise BadRequest(reason=f"没有这个文种：{request.genre[:20]}。可选：{'、'.join(known)}。")
    role = _role(request, genre)
    core = _core(topic)
    angle = _angle(request, role, topic, event)
    named_right = _UNDER.sub("党组织领导的", topic)
    subject = _subject(named_right)
    fields = {"topic": topic, "core": core, "subject": subject, "claim": angle.claim, "role": role.name}
    title = fill(genre.titles[request.seed % len(genre.titles)], **fields)
    return Frame(
        request=request,
        genre=genre,
        role=role,
        angle=angle,
        topic=topic,
        event=event,
        core=core,
        title=named_right if topic.endswith((genre.name, *genre.aliases)) else title,
        thesis=_thesis(core, angle.claim),
        length=_length(request, genre, role),
        warnings=tuple(_warnings(request, genre, role, topic, event)),
    )


def clean(text: str) -> str:
    """Return a text on one line, without control and direction characters."""
    return re.sub(r"\s+", " ", _CONTROL.sub(" ", text)).strip()


def _topic(given: str) -> str:
    topic = clean(given)
    if not re.search(r"\w", topic):
        raise BadRequest(reason="没有写主题。请写明要谈什么，如“党组织领导的校长负责制”。")
    return _limited(topic, MAX_TOPIC, "主题")


def _limited(given: str, limit: int, name: str) -> str:
    text = clean(given)
    if len(text) > limit:
        raise BadRequest(reason=f"{name}太长：{len(text)}字，最多{limit}字。请缩短后重试。")
    return text


def _role(request: DraftRequest, genre: Genre) -> Role:
    known = roles()
    role = named(known, request.role if request.role.strip() else genre.default_role)
    if role is None:
        raise BadRequest(reason=f"没有这个身份：{request.role[:20]}。可选：{'、'.join(known)}。")
    return role


def _length(request: DraftRequest, genre: Genre, role: Role) -> int:
    if request.length and not MIN_LENGTH <= request.length <= MAX_LENGTH:
        raise BadRequest(
            reason=f"字数不合适：{request.length}。请填{MIN_LENGTH}到{MAX_LENGTH}之间的整数，或不填。"
        )
    usual = genre.leader_length if role.leader else genre.length
    return request.length or _spoken(request.occasion) or usual


def length_of(said: str) -> int:
    """Return the characters that "1200", "800字", "5分钟" or "" ask for; 0 for the genre's usual.

    Raises: BadRequest: it is none of these.
    """
    text = clean(said)
    found = re.fullmatch(r"(?:约|大约)?(\d{1,6})\s*字?(?:左右|以内)?", text)
    length = int(found[1]) if found else _spoken(text)
    if text and not length and not (found and int(found[1]) == 0):
        raise BadRequest(reason=f"看不懂篇幅：{text[:20]}。请写字数（如1200字）或时长（如5分钟），或不填。")
    return length


def _spoken(occasion: str) -> int:
    """The characters that the minutes named in an occasion take, or 0.

    >>> _spoken("支部会，三分钟"), _spoken("研讨会10分钟"), _spoken("大会")
    (660, 2200, 0)
    """
    found = _MINUTES.search(occasion)
    if not found:
        return 0
    said = found[1]
    if said.isdecimal():
        minutes = int(said)
    else:
        tens, ten, ones = said.rpartition("十")
        minutes = (_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0)
    return max(MIN_LENGTH, minutes * PER_MINUTE)


def _core(topic: str) -> str:
    """The topic without brackets, leading verbs and the kind of document."""
    bare = _UNDER.sub("党组织领导的", re.sub("[《》]", "", topic))
    core = _CORE_TAIL.sub("", _CORE_HEAD.sub("", bare))
    return core if len(core) >= 2 else bare


def _subject(topic: str) -> str:
    """The topic as it stands before the genre's name in a title."""
    if _DOCUMENT.match(topic):
        return f"学习《{topic}》"
    if topic.startswith("关于"):
        return topic if topic.endswith("的") else f"{topic}的"
    return topic if _VERB.match(topic) else f"关于{topic}的"


def _angle(request: DraftRequest, role: Role, topic: str, event: str) -> Angle:
    """The role's angle nearest to event, topic and occasion; each further seed takes the next one."""
    told = f"{event} {topic} {clean(request.occasion)} {clean(request.recipient)}".replace(_SYSTEM, "")
    mixed = shuffled(role.angles, event) if event else list(role.angles)
    mixed.sort(key=lambda angle: -round(coverage(f"{angle.name} {angle.claim} {angle.focus}", told), 1))
    return mixed[request.seed % len(mixed)]


def _thesis(core: str, claim: str) -> str:
    """One line of at most MAX_THESIS characters: what it is about and what the writer holds."""
    short = (
        core if len(core) + len(claim) < MAX_THESIS else core.removeprefix("中小学校").removeprefix("学校")
    )
    whole = f"{short}：{claim}"
    return whole if len(whole) <= MAX_THESIS else claim


def _warnings(request: DraftRequest, genre: Genre, role: Role, topic: str, event: str) -> list[str]:
    found = []
    if not event:
        found.append("还没有您自己的一件事，所以只出提纲；请把各处“请填”填实后再扩写成文。")
    if not request.role.strip():
        found.append(f"没有选身份，按“{role.name}”的口气列；选对身份再用。")
    if genre.suits and role.name not in genre.suits:
        found.append(f"{genre.name}一般由{'、'.join(genre.suits)}起草，以“{role.name}”身份写，请先确认分工。")
    if _UNDER.search(topic):
        found.append(
            "主题里写的是“党组织领导下的校长负责制”，规范名称没有“下”字，标题已改；引用旧文原题除外。"
        )
    mixed = [word for word in role.forbidden if word in event]
    if mixed:
        found.append(f"事例里的“{'”“'.join(mixed)}”与所选身份“{role.name}”不合，请核对身份。")
    if re.search(r"(?<!\d)(?:1\d{10}|\d{17}[\dXx])(?!\d)", event):
        found.append("事例里像是有手机号或身份证号，交稿前请删去。")
    return found
