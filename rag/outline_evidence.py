"""Evidence for an outline: which exact sentences can stand in it as policy points.

Finds passages for a section's queries, keeps whole sentences that are on the
topic and can stand alone, and hands them out without repeating itself. Every
citation is made by `rag.cite`. Writes no points.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rag import sentences as split
from rag.authority import LABELS, of_sentence
from rag.cite import Citations, section_at
from rag.lexical import fold
from rag.outline_choice import Draw
from rag.outline_request import Frame
from rag.protocols import Retriever, SourceReader
from rag.synonyms import find
from rag.types import Authority, Hit, Source
from rag.verify import coverage

PER_QUERY = 8  # hits read for each query
SHORTEST, LONGEST = 12, 130  # characters of a sentence that a listener can follow
WHOLE_UP_TO = 90  # longer sentences are cut to a clause where they have semicolons
ON_TOPIC = 0.3  # share of the topic's words that a passage with its heading must hold
# Share of a query's words that a sentence itself must hold: an empty slot is better than a stray rule.
FITS = 0.2
NEAR_BEST = 0.8  # other seeds choose among what scores at least so much of the best
CHOICES = 6
SAME = 0.5  # share of a sentence's words in one already used from which it says the same again
# 党组织会议由书记召集 and 校长办公会议由校长召集 share most words and are two rules: who does it tells.
_DOERS = re.compile(
    r"党组织会议|校长办公会议?|教职工(?:代表)?大会|党员大会|支部委员会|行政班子|书记|校长|党组织|支部|教师|少先队"
)
_PREFERRED = {"central": 0.08, "ministry": 0.06, "province": 0.03, "author": -0.04}
_COMMON = re.compile(
    r"学习|贯彻|落实|推进|研讨|交流|专题|心得|体会|发言|情况|工作|精神|意见|通知|关于|中小学校?|学校|教育|我校|提高|加强|做好|开展|新时代|如何|怎么|怎样|管理|制度|建设|发展|问题|研究|方案|措施|做法|机制|方面"
)
_NOTE = re.compile(r"[（(](?:出处|来源|见)[：:][^\n]{0,200}[）)]$")
_NUMBER = re.compile(
    r"^(?:[一二三四五六七八九十]{1,2}(?:是|要|、)|第[一二三四五六七八九十]{1,2}[，,]|\d{1,2} ?[.．、]"
    r"|[（(][一二三四五六七八九十\d]{1,2}[）)]|[①-⑳]|[-*•·>#]+)\s*"
)
# Sentences that lean on the one before, announce a list, or speak of the document itself.
_LEANING = re.compile(
    r"^(?:其|这|该|此|它|他们|同时|因此|所以|但|而|并|另外|然而|后者|前者|以上|上述|如下|例如|比如|即|也|还|又|再|从而|进而|为此|于是|否则|有人|被问到|更|既|才|不仅|不但|这样|[“”])"
)
_ABOUT_ITSELF = re.compile(
    r"出处：领学|领学核查|领学写作|本库|本文|没有核到|未核|误写|误区|写反|写成|错误|不可取|范文|通稿|书名|原文|查无|没有写|如下|下列|下表|下面"
)
# Dates of old campaigns, the superseded name and speeches at second hand must not slip into a new paper.
_STALE = re.compile(
    r"十[五六七八九]大|20\d\d年?(?:度)?(?:重点|工作)|领导下的?(?:校长|园长)负责制|(?<!领导的)校长负责制|试点|政治核心|总书记|主席|讲话"
)
# Rules for other schools and other places are quoted only where the topic names them.
_ELSEWHERE = re.compile(
    r"民办|幼儿园|园长|职业学校|高等学校|高校|医院|北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南"
    r"|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_SECOND_HAND = re.compile(r"乙级|二手")
SECOND_HAND_COST = 0.15
DUTY_BONUS = 0.2  # a writer is measured by the rule that speaks of the writer's own position
_CLOSED = re.compile(r"[。！!；;][”’」』）)》\]】]*$")
_MARKUP = re.compile(r"[|*`_<>{}\[\]]|https?:|^#")


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence that can be quoted: `text` stands within clean[start:end], which is what is cited."""

    source: Source
    start: int
    end: int
    text: str
    heading: str
    score: float

    @property
    def label(self) -> str:
        """Whose word it is, in Chinese."""
        return LABELS[self.authority]

    @property
    def authority(self) -> Authority:
        """Whose word it is: an author's article may hand on central policy."""
        return of_sentence(self.source.metadata.authority, self.source.clean[self.start : self.end])


@dataclass(slots=True)
class Evidence:
    """The evidence of one outline: what was found, what is cited by which marker.

    `avoid` are quotes that an outline in the making holds already.
    """

    frame: Frame
    retriever: Retriever
    reader: SourceReader
    avoid: Sequence[str] = ()
    citations: Citations = field(default_factory=Citations)
    cited: dict[int, Passage] = field(default_factory=dict)
    _found: dict[str, list[Passage]] = field(default_factory=dict)

    def take(self, queries: Sequence[str], turn: int, draw: Draw) -> tuple[Passage, int] | None:
        """Return an unused passage for the queries and its citation marker, or None.

        The queries are tried in order, from the turn's own onwards.
        """
        for step in range(len(queries)):
            query = queries[(turn + step) % len(queries)]
            fresh = [p for p in self.passages(query) if not self._said(p)]
            if fresh:
                best = max(p.score for p in fresh)
                near = [p for p in fresh if p.score >= NEAR_BEST * best][:CHOICES]
                passage = near[draw.seed % len(near)]
                return passage, self.use(passage)
        return None

    def use(self, passage: Passage) -> int:
        """Cite a passage and return its marker."""
        marker = self.citations.add(passage.source, passage.start, passage.end, score=passage.score)
        self.cited[marker] = passage
        return marker

    @property
    def used(self) -> list[Passage]:
        """The passages cited so far, in order."""
        return list(self.cited.values())

    def passages(self, query: str) -> list[Passage]:
        """Return the passages for a query, best first."""
        if query not in self._found:
            hits = self.retriever.retrieve(self.frame.fill(query), k=PER_QUERY)
            # What all queries share, the topic, would drown what this one is after.
            sought = self.frame.fill(query.replace("{{topic}}", "")).strip() or _in_their_words(
                self.frame.topic
            )
            doers = self.frame.role.doers if "{{role}}" in query else ()
            found = [p for hit in hits for p in self._of(hit, sought, doers)]
            self._found[query] = sorted(found, key=lambda p: (-p.score, p.source.id, p.start))
        return self._found[query]

    def best(self, count: int) -> list[Passage]:
        """Return the passages cited, then the best that the genre's queries find; no two say the same."""
        for section in self.frame.genre.sections:
            for ask in section.points:
                for query in ask.queries:
                    self.passages(query)
        chosen = self.used[:count]
        everything = {(p.source.id, p.start): p for found in self._found.values() for p in found}
        for passage in sorted(everything.values(), key=lambda p: (-p.score, p.source.id, p.start)):
            if len(chosen) < count and not any(_alike(passage, other) for other in chosen):
                chosen.append(passage)
        return chosen

    def _said(self, passage: Passage) -> bool:
        held = any(_says_the_same(passage.text, quote) for quote in self.avoid)
        return held or any(_alike(passage, other) for other in self.used)

    def _of(self, hit: Hit, sought: str, doers: Sequence[str]) -> list[Passage]:
        """The quotable sentences of a hit that are on the topic."""
        chunk = hit.chunk
        source = self.reader.source(chunk.source_id)
        heading = f"{source.title} {chunk.heading}"
        here = on_topic(self.frame.topic, f"{heading} {chunk.text}")
        if not here and not (doers and self.cited):
            return []  # the writer's own duties need not name the topic, but only beside what does
        spans = quotable(source, chunk.start, chunk.end, forbidden=self.frame.role.forbidden)
        held = [
            Passage(source, start, end, text, heading, self._score(text, heading, sought, hit))
            for start, end, text in spans
            if (coverage(sought, text) >= FITS if here else any(doer in text for doer in doers))
            and all(word in self.frame.topic for word in _ELSEWHERE.findall(text))
        ]
        return [
            replace(p, score=p.score + DUTY_BONUS)
            if p.authority != "author" and any(doer in p.text for doer in doers)
            else p
            for p in held
        ]

    def _score(self, text: str, heading: str, sought: str, hit: Hit) -> float:
        """How well a sentence serves, about 0 to 1: query, angle, topic and event in this order."""
        known = f"{heading} {text}"
        score = 0.25 * hit.score + 0.2 * coverage(sought, known) + 0.25 * coverage(sought, text)
        score += 0.3 * coverage(self.frame.angle.focus, text) + 0.1 * coverage(self.frame.topic, known)
        score += 0.3 * coverage(text, self.frame.event) if self.frame.event else 0.0
        score += _PREFERRED.get(self.reader.source(hit.chunk.source_id).metadata.authority, 0.0)
        score -= SECOND_HAND_COST if _SECOND_HAND.search(text) else 0.0
        return max(0.01, score - (0.1 if len(text) > WHOLE_UP_TO else 0.0))


def on_topic(topic: str, text: str) -> bool:
    """Tell whether a passage speaks of the topic, by the topic's own or the documents' words."""
    return max(coverage(told, text) for told in (_telling(topic), _in_their_words(topic))) >= ON_TOPIC


def _telling(topic: str) -> str:
    """The topic without what stands in the names of all papers, unless nothing else is there."""
    left = _COMMON.sub(" ", topic)
    return left if re.search(r"\w{2}", left) else topic


def _in_their_words(topic: str) -> str:
    """What tells in the topic, with everyday words replaced by those of the documents."""
    folded = fold(_telling(topic))
    for found in reversed(find(folded)):
        folded = folded[: found.start] + found.names[0] + folded[found.end :]
    return folded


def quotable(
    source: Source, start: int, end: int, *, forbidden: Sequence[str] = ()
) -> list[tuple[int, int, str]]:
    """Return (start, end, text) of the sentences in clean[start:end] that can stand alone.

    `text` is an exact part of clean[start:end]; the cited span also holds the
    sentence's own note of where it comes from.
    """
    found = []
    for first, last in split.sentences(source.clean, start, end):
        first = _past_heading(source, first, last)
        for a, b, text in _pieces(source.clean, first, last):
            if _stands(text, source.clean[a:b]) and not any(word in text for word in forbidden):
                found.append((a, b, text))
    return found


def _past_heading(source: Source, start: int, end: int) -> int:
    section = section_at(source, start)
    return section.body if section and start < section.body < end else start


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int, str]]:
    """A sentence, or its clauses where it is long; numbers in front and notes behind are not text."""
    note = _NOTE.search(text[start:end])
    stop = start + note.start() if note else end
    whole = stop - start <= WHOLE_UP_TO
    spans = [(start, stop)] if whole else split.clauses(text, start, stop)
    pieces = []
    for a, b in spans:
        while match := _NUMBER.match(text[a:b]):
            a += match.end()
        a, b = split.trim(text, a, b)
        pieces.append((a, end if note and b == stop else b, text[a:b]))
    return pieces


def _stands(text: str, cited: str) -> bool:
    balanced = all(text.count(a) == text.count(b) for a, b in ("“”", "（）", "《》", "()", "‘’"))
    return (
        SHORTEST <= len(text) <= LONGEST
        and balanced
        and bool(_CLOSED.search(text))
        and not any(rule.search(text) for rule in (_LEANING, _STALE, _MARKUP))
        and not _ABOUT_ITSELF.search(cited)
        and ("一是" not in text or "二是" in text)
    )


def _alike(passage: Passage, other: Passage) -> bool:
    same_place = (
        passage.source.id == other.source.id and passage.start < other.end and other.start < passage.end
    )
    return same_place or _says_the_same(passage.text, other.text)


def _says_the_same(text: str, other: str) -> bool:
    ours, theirs = set(_DOERS.findall(text)), set(_DOERS.findall(other))
    same_doers = ours <= theirs or theirs <= ours
    return same_doers and max(coverage(text, other), coverage(other, text)) > SAME
