"""Made documents, a real in-memory retriever and reader over them, and model doubles, for the outline tests."""

import json
import re

from rag.types import Chunk, DraftRequest, Hit, Metadata, Run, Section, Source
from rag.verify import coverage

TOPIC = "党组织领导的校长负责制"
RULES = """议事规则要点
一、党组织会议
党组织会议由党组织书记召集并主持，议题由学校领导班子成员提出、书记确定。（出处：议事规则第一条）
党组织会议须有半数以上党组织班子成员到会方可召开，讨论干部任免须有三分之二以上到会。
学校发展规划、机构设置和干部人选由党组织会议集体讨论决定，不由个人决定。
学校党组织全面领导学校工作，把方向、管大局、作决策、抓班子、带队伍、保落实。
二、校长办公会议
校长办公会议由校长召集并主持，议题由学校领导班子成员提出、校长确定。
校长按照党组织决议全面负责学校的教育教学和行政管理工作。
校长定期向党组织报告重大决议的执行情况，并向教职工大会报告工作。
校长办公会议研究提出拟由党组织讨论决定的方案，部署落实党组织的决议。
三、沟通协调
重大问题上会之前，书记与校长充分沟通，没有重大分歧再提交会议讨论。
书记支持和保证校长依法行使职权，不代替校长处理日常教学行政事务。
一人担任书记和校长的学校，应当设专职副书记，两个会议分别召开、分别记录。
四、民主管理
教职工代表大会在党组织领导下开展工作，教师通过它参与学校民主管理和监督。
涉及教职工切身利益的事项，校长办公会议决定前应当广泛听取教师意见。
五、党支部和队伍
党支部建在年级和教研组，支部委员落实一岗双责，既抓业务又抓党建。
党员教师在课堂和班级里发挥先锋模范作用，带头落实立德树人和师德要求。
党组织管理干部和人才，负责教师队伍的培养、考核和监督工作。
支部按时召开党员大会、支部委员会会议和党小组会，按时上好党课。
六、党建带队建
党组织领导学校少先队工作，党建带队建，党员教师走进中队和队员一起活动。
学校结合队员的年龄特点开展红色传统教育，把思想政治工作融入学生的日常活动。
"""
ESSAY = """一位教师的体会
我认为，落实党组织领导的校长负责制关键是书记与校长经常沟通，把话说在会前。
我主张党员教师主动承担班主任工作，在教研组里多分担困难任务，带动身边教师。
2023年重点工作是抓好试点，贯彻十九大精神，落实党组织领导的校长负责制各项任务。
党组织领导下的校长负责制要求书记和校长各司其职，共同把学校办好办出特色。
这项工作由党组织会议集体讨论决定，书记和校长都要参加。
点击<b>这里</b>查看党组织会议的更多范文https://example.com，下载党组织领导的校长负责制模板。
"""


def make_source(number, text, title, authority, *, broken=False):
    """A source; with `broken`, the original has a block marker in the middle of a sentence."""
    original, runs = text, (Run(0, 0, len(text)),)
    if broken:
        cut = text.index("召集并主持，议题由学校领导班子成员提出、校长")
        original = text[:cut] + "\n7、" + text[cut:]
        runs = (Run(0, 0, cut), Run(cut, cut + 3, len(text) - cut))
    return Source(
        id=f"s{number}",
        name=f"{title}.txt",
        original=original,
        clean=text,
        runs=runs,
        sections=tuple(_sections(text)),
        metadata=Metadata(title=title, authority=authority),
    )


def _sections(text):
    starts = list(re.finditer(r"(?m)^[一二三四五六]、.+$", text))
    ends = [*(m.start() for m in starts[1:]), len(text)][: len(starts)]
    for match, end in zip(starts, ends, strict=True):
        label = match[0][:2]
        yield Section(match.start(), end, match.end() + 1, 1, label, match[0][2:], (label,), label)


class Library:
    """Reader and retriever over made sources: a chunk a section, scored by the words of the question it holds."""

    def __init__(self, sources=None):
        if sources is None:
            sources = [
                make_source(1, RULES, "学校议事规则", "central", broken=True),
                make_source(2, ESSAY, "一位教师的体会", "author"),
            ]
        self.sources = {source.id: source for source in sources}
        self.asked = []
        self.chunks = [chunk for source in sources for chunk in _chunks(source)]

    def source(self, source_id):
        return self.sources[source_id]

    def retrieve(self, question, *, k=8):
        self.asked.append(question)
        hits = [Hit(chunk, coverage(question, f"{chunk.heading} {chunk.text}")) for chunk in self.chunks]
        return sorted(hits, key=lambda hit: (-hit.score, hit.chunk.id))[:k]


def _chunks(source):
    text = source.clean
    spans = [(s.start, s.end, s.title, s.locator) for s in source.sections] or [(0, len(text), "", "")]
    for number, (start, end, heading, locator) in enumerate(spans):
        yield Chunk(
            f"{source.id}-{number}",
            source.id,
            number,
            start,
            end,
            text[start:end],
            f"{TOPIC} {heading}",
            locator,
        )


class Model:
    """A model that gives prepared replies in turn, a few characters at a time."""

    name = "made:double"

    def __init__(self, *replies):
        self.replies = list(replies)
        self.seen = []

    def stream(self, system, user):
        self.seen.append((system, user))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        for start in range(0, len(reply), 7):
            yield reply[start : start + 7]


def request(genre="心得体会", role="书记", topic=TOPIC, **more):
    return DraftRequest(genre=genre, role=role, topic=topic, **more)


def as_json(*sections, thesis="把议题和程序管住"):
    """A reply of the contract: each section is a list of points."""
    table = {"thesis": thesis, "sections": [{"heading": "", "points": list(points)} for points in sections]}
    return json.dumps(table, ensure_ascii=False)


def words(outline):
    """All an outline says but for what is the same for everybody: its notes."""
    points = [point.text for section in outline.sections for point in section.points]
    return "\n".join([outline.thesis, *(section.heading for section in outline.sections), *points])


def likeness(first, second):
    """Jaccard similarity of character trigrams, 0 to 1."""
    a, b = ({text[i : i + 3] for i in range(len(text) - 2)} for text in (first, second))
    return len(a & b) / len(a | b)
