"""What a question asks for: its type, its content, and what an answer must hold.

Rules on the words people use; no documents, no model. A new question type
is one entry in `_TYPES`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.headings import chinese_number
from rag.sentences import items

QuestionType = Literal[
    "clause", "compare", "count", "when", "who", "why", "list", "how", "define", "may", "fact"
]

# The first that matches decides: "什么时候" before "什么", "哪些人" is a list, "多少人" a count.
_TYPES: tuple[tuple[QuestionType, re.Pattern[str]], ...] = (
    ("clause", re.compile(r"第[零〇一二三四五六七八九十百千0-9]{1,6}条(?!件)")),
    (
        "compare",
        re.compile(
            r"区别|不同|不一样|对比|相比|差别|差在哪|差多少|有何异同|一样[吗不么]|一回事|和.{1,12}哪个|(?:和|与|跟|、).{2,20}(?:分别|各(?!项|校|地|级|位|类|方|部门|单位|省))"
        ),
    ),
    (
        "list",
        re.compile(
            r"哪些|哪几|有哪|那些|第[一二三四五六七八九十0-9]{1,2}[点步]|哪[两二三四五六七八九十]{1,2}[个项条点方种类件句会步化块]|包括什么|包含什么|分别?哪"
            r"|都.{0,6}(?:啥|什么)|(?:干|做|管|定)哪|(?:职责|职权|权力|权限|义务|任务)$"
            r"|[两二三四五六七八九十]{1,2}[个项条点].{0,10}(?:是什么|指什么|有什么|内容)"
        ),
    ),
    (
        "count",
        re.compile(
            r"多少|多长时间.{0,4}次|(?<!第)几(?:个|人|名|次|项|年|天|日|条|种|票|分|学时|小时|成|位|部分|节|岁|届|篇|门)"
            r"|比例|人数(?:要求|要|是|有|够|得)|占几"
        ),
    ),
    (
        "when",
        re.compile(
            r"什么时候|什么时间|何时|几时|啥时|哪年|哪一年|哪天|哪一天|几月|几号|多久|期限|啥时候|截止"
        ),
    ),
    ("who", re.compile(r"谁|由哪|哪个(?:人|会|机构|部门|单位|组织)|哪一级|什么人|哪位|何人")),
    ("why", re.compile(r"为什么|为何|为啥|原因|凭什么|依据什么|什么依据|根据什么|意义")),
    ("how", re.compile(r"几步|几道|怎么(?!理解|看)|怎样|如何|流程|程序|步骤|咋|做法|咋|怎么?走|一步步")),
    ("define", re.compile(r"什么是|是什么|指什么|指的是|什么意思|含义|怎么理解|是啥|啥意思|内容")),
    (
        "may",
        re.compile(
            r"能不能|可不可以|可以|是否|是不是|要不要|应不应该|必须|应当|需不需要|行不行|(?:吗|么)[？?]?$"
        ),
    ),
)

# Words of asking and of talking: they say nothing of what is asked about.
_ASKING = re.compile(
    r"请问|请你?(?:告诉我|说明|介绍|解释)?|帮我?(?:查|看|找|确认|列)?一?下?|我想(?:知道|问)|想(?:知道|问|查)|到底|究竟|具体|"
    r"什么时候|什么时间|什么样的人|什么样|什么人|为什么|是什么|什么是|指什么|指的是|什么意思|什么|为何|为啥|"
    r"多长时间|多久|多少|分?几(?:部分|[个人名次年天条项位种号块句篇届回步道])|第几|"
    r"哪[一二两三四五六七八九十几]{0,2}[个项条点年天些里级位块]?|"
    r"怎么样|怎么办|怎么判断|怎么|怎样|如何|咋办|咋|是否|是不是|能不能|可不可以|可以|要不要|有没有|应不应该|还是|"
    r"(?:由|归)?谁(?:来)?(?:当|做|担任|负责|去)?|啥|应该|应当|必须|需要|一般|分别|至少|最少|包括|包含|里面|里头|那些|这些|这个|那个|这套|那套|"
    r"有?(?:什么|何|啥)?(?:区别|不同|不一样|差别|差异|异同)|差在哪|差多少|一样不?|对比|相比|"
    r"一?共(?:收|分|有)?|总共|(?:这|那)(?:句话|块|边|种事|件事|回事|套话)|写进制度|没错|帮我确认|给我讲人话|讲人话|人话|列一?下|一步步|算数|"
    r"[一二三四五六七八九十几哪]件事|东西|(?:一个|每个?)?[年月周](?:要|得)?(?=开|搞|几)|能不|可不|行不|对不|怎么走|大概|合适|才?算规范|"
    r"第[一二三四五六七八九十0-9]{1,2}[点步]|我们|咱们|咱|你们|老是|总是|总被|记不全|来着|算数|没问题|对不对|对的|是吧|行不行|好不好|一回事|"
    r"[吗呢吧啊呀么嘛不我你得都还]$|[吗呢啊呀嘛]|一下|关于|根据|依据|按照|的时候|时候|以后|之后|"
    r"[？?，,。！!：:、；;“”\"（）()]"
)
# Characters that join words; bigrams across them are no words.
_JOINING = re.compile(r"[的了是要才能有和与及或在对从把被就都也该让给将于我你咱得还去这那跟]")
_COUNT_WORD = re.compile(r"([两二三四五六七八九十]{1,3})([项个条点种类方件句步化块])(?=[^、，,。]{0,14})")
_COUNTED_NOUN = re.compile(r"[\u4e00-\u9fff]{2,6}?(?=[是指有都分包，,？?。]|$)")
_ORDINAL = re.compile(r"第([一二三四五六七八九十0-9]{1,2})[点步]")
_SOURCED = re.compile(r"依据|出处|哪部|法律|哪一?条|第?几条|根据什么|哪个文件|哪里写|写在哪")
_CHECKS = re.compile(
    r"(?:对|是|没错|没问题|可以)(?:吧|吗|嘛|么)|对不对|是不是|行不行|对的|吧[？?。]?$|嘛[？?，,]|抄进|一样吧"
)
_NAMED = re.compile(r"《([^《》]{2,60})》")
_SPECIFIC = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}年?|第[零一二三四五六七八九十百0-9]{1,5}[条章节届次]")

_NUMBER = r"[0-9０-９零〇一二两三四五六七八九十百千万半]"
# What the answering sentence must hold for a type; other types ask nothing.
_EXPECTED: dict[QuestionType, re.Pattern[str]] = {
    "count": re.compile(rf"{_NUMBER}{{1,6}}|全部|全体|各占"),
    "when": re.compile(
        rf"{_NUMBER}{{1,4}}(?:年|月|日|天|季度|学期|周|次)|每[年月周季学]|[前后]\s{{0,1}}$|期限|时限|定期|随时|当年|近日|届"
    ),
    "who": re.compile(
        r"书记|校长|党组织|支部|党委|总支|委员|教师|教职工|会议|大会|主任|组长|段长|成员|部门|政府|机关|机构"
        r"|人员|学生|党员|干部|中央|教育部|法院|单位|公民|人民|负责人|代表|家长|监护人|由[^，。；]{1,20}|[处科室局厅司]"
    ),
}
# How sentences that answer a type are often worded; a hint, never a condition.
_CUES: dict[QuestionType, re.Pattern[str]] = {
    "list": re.compile(
        r"[^、。]{1,20}、[^、。]{1,20}、|一是|[：:].{4,60}[；;]|[两二三四五六七八九十]{1,2}(?:个|类|项|条|方面)"
    ),
    "how": re.compile(r"先.{1,60}(?:再|然后|最后|才)|一是|顺序|程序|步骤|按照?.{1,30}(?:来|进行)"),
    "why": re.compile(r"因为|由于|为了|目的|原因|不等于|才能|以便|以满足|有利于|必然要求|避免|方便|不同，"),
    "define": re.compile(r"是指|指的是|即|就是|称为|包括"),
    "compare": re.compile(r"[；;].{2,60}[；;。]|不同|而|则|一个.{1,30}一个"),
    "may": re.compile(r"可以|应当|不得|必须|不能|有权|一般|需要|不"),
    "who": re.compile(r"由.{1,20}"),
}
_SOME = rf"{_NUMBER}{{1,7}}(?:[至到—-]{_NUMBER}{{1,4}})?\s?"
_PEOPLE = rf"{_SOME}(?:名|个|位)?(?:人|名|位|委员|成员|党员)|半数|过半|分之|全体"
_UNITS = {
    "人": _PEOPLE,
    "委员": _PEOPLE,
    "成员": _PEOPLE,
    "党员": _PEOPLE,
    "名": _PEOPLE,
    "位": _PEOPLE,
    "票": rf"{_SOME}票|半数|分之",
    "比例": r"半数|分之|[%％]|成",
    "次": rf"{_SOME}次|每[年月周季]|每学期",
    "年": rf"{_SOME}年",
    "天": rf"{_SOME}(?:天|日)",
    "学时": rf"{_SOME}(?:学时|小时)",
    "小时": rf"{_SOME}(?:个)?(?:小时|分钟|学时)",
    "分钟": rf"{_SOME}(?:个)?(?:小时|分钟)",
    "月": rf"{_SOME}(?:个)?月|半年|[0-9]{{1,3}}\s?(?:天|日)|{_NUMBER}{{1,3}}年",
    "页": rf"{_SOME}页",
    "行": rf"{_SOME}行",
    "毫米": rf"{_SOME}(?:毫米|厘米)",
    "分": rf"{_SOME}分(?!之|钟)|[%％]",
    "钱": rf"{_SOME}元",
    "部分": rf"{_SOME}(?:个)?(?:部分|方面|章)",
    "所": rf"{_SOME}所",
    "万": rf"{_SOME}万|[0-9]+元",
    "元": rf"{_SOME}元",
    "字": rf"{_SOME}字",
    "份": rf"{_SOME}份",
    "节": rf"{_SOME}节",
    "岁": rf"{_SOME}岁",
    "届": rf"{_SOME}届",
    "篇": rf"{_SOME}篇",
    "门": rf"{_SOME}门",
    "文号": rf"{_SOME}号",
    "项": rf"{_SOME}项|[、；]",
    "条": rf"{_SOME}条|[、；]",
}
_EITHER = re.compile(  # 副科还是正科: one of the two must be spoken of
    r"([\u4e00-\u9fff]{2})(?:说了算|来|定|管|主持|负责)?还是([\u4e00-\u9fff]{2})"
)
_DATE = r"[0-9]{4}年(?:[0-9]{1,2}月)?(?:[0-9]{1,2}日)?"
_MEMBERS = re.compile(r"几个|几名|几位|几人|多少(?:个|名)?(?:人|委员|成员)")
_ATTENDING = re.compile(
    r"到|来|出席|开会?|表决|通过|赞成|同意|算数|参加"
)  # a share is an answer only to these
_DAY_ASKED = re.compile(r"哪天|哪一天|哪年|哪一年|几号|几月|日期")  # a date, not 近日 or 定期
_DAY = re.compile(rf"{_NUMBER}{{1,4}}\s?[年月日号]|{_NUMBER}{{1,4}}季度|当年|当天")
# Numerals within words that count nothing.
_WORDS = re.compile(
    r"一般|统一|一律|一定|一些|一起|一致|一样|进一步|之一|唯一|同一|一并|一旦|一切|一线|一体|一贯|单一|一方面|一把手"
    r"|[三两]重一大|三会一课|一肩挑|双肩挑|一校一案|万分|千方百计|第[一二三四五六七八九十]{1,3}[部章条项]"
)
_SOURCE_NOTE = re.compile(r"[（(](?:出处|来源|见)[^\n]*$")
_COUNTED = re.compile(
    r"(?:多少|几)(?:个|来)?(人|委员|成员|党员|名|次|年|天|学时|小时|分钟|月|钱|票|部分|项|条|位|所|万|元|字|份|节|岁|届|篇|门|页|行(?!政)|毫米|分(?!别|之|工))"
    r"|(比例|文号)"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question taken apart.

    `content` is the question without its words of asking, `names` the titles
    in 《》, `specifics` years and clause numbers that an answer must concern,
    `size` the number of items it names (六项 → 6), or 0, `counted` what they
    are (领导职责), `ordinal` which of
    them it asks for alone (第二点 → 2), or 0; `checks` tells whether it has a
    claim confirmed (…对吧？), `sourced` whether it asks where something is written.
    """

    text: str
    kind: QuestionType
    content: str
    names: tuple[str, ...] = ()
    specifics: tuple[str, ...] = ()
    size: int = 0
    counted: str = ""
    ordinal: int = 0
    checks: bool = False
    sourced: bool = False

    def expects(self, sentence: str) -> bool:
        """Tell whether a sentence holds the sort of thing the question asks for."""
        if self.kind in ("count", "when"):
            sentence = _WORDS.sub("", sentence if self.sourced else _SOURCE_NOTE.sub("", sentence))
        if self.kind == "when" and _DAY_ASKED.search(self.text) and not _DAY.search(sentence):
            return False
        expected = _EXPECTED.get(self.kind)
        if expected and not expected.search(sentence):
            return False
        either = _EITHER.search(self.text)
        if either and not any(one in sentence for one in either.groups()):
            return False
        unit = self._unit()
        if self.kind == "count" and _MEMBERS.search(self.text) and not _ATTENDING.search(self.text):
            unit = unit.replace("|半数|过半|分之|全体", "")
        return not unit or bool(re.search(unit, sentence))

    def _unit(self) -> str:
        """The pattern of the amount asked for (多少人: a number of people), or ""."""
        counted = _COUNTED.search(self.text) if self.kind == "count" else None
        return _UNITS.get(counted[1] or counted[2], "") if counted else ""

    def stated(self, sentence: str) -> frozenset[str]:
        """Return the amounts or dates asked for that a sentence states, its own source note apart.

        Shares (半数, 三分之二) are left out: they differ with the matter decided, not with the document.
        """
        said = _SOURCE_NOTE.sub("", sentence)
        pattern = self._unit() if self.kind == "count" else _DATE if self.kind == "when" else ""
        found = (match[0] for match in re.finditer(pattern, said)) if pattern else ()
        return frozenset(x for x in found if re.search(_NUMBER, x) and not re.search("半|分之", x))

    def cued(self, sentence: str) -> bool:
        """Tell whether a sentence is worded the way answers to such a question often are."""
        cue = _CUES.get(self.kind)
        return bool(cue and cue.search(sentence))

    def sized(self, sentence: str) -> bool:
        """Tell whether a sentence lists as many things as the question names (六项: a、b、c、d、e、f)."""
        if self.size < 2:
            return False
        lists = [piece.count("、") + 1 for piece in re.split(r"[，,。；;：:]", sentence)]
        return self.size in lists or self._itemised(sentence)

    def _itemised(self, sentence: str) -> bool:
        """Tell whether the items are as many; where only an item names the matter, the list is of others."""
        found = items(sentence, 0, len(sentence))
        if len(found) != self.size:
            return False
        intro, listed = sentence[: found[0][0]], sentence[found[0][0] :]
        return not self.counted or self.counted in intro or self.counted not in listed


def analyse(text: str) -> Question:
    """Take a question apart.

    >>> analyse("党组织会议要多少人到会才能开？").kind
    'count'
    """
    kinds = (kind for kind, pattern in _TYPES if pattern.search(text))
    counted = _COUNT_WORD.search(text)
    ordinal = _ORDINAL.search(text)
    plain = _COUNT_WORD.sub(" ", text) if counted else text
    plain = plain.replace("会议题", "会 议题")  # 校务会的议题, not 校务会议的题
    content = " ".join(_ASKING.sub(" ", plain).split())
    return Question(
        text=text,
        kind=next(kinds, "fact"),
        content=content or text,
        names=tuple(_NAMED.findall(text)),
        specifics=tuple(_SPECIFIC.findall(text)),
        size=chinese_number(counted[1].replace("两", "二")) if counted else 0,
        counted=_after(text, counted.end()) if counted else "",
        ordinal=chinese_number(ordinal[1]) if ordinal else 0,
        sourced=bool(_SOURCED.search(text)),
        checks=bool(_CHECKS.search(text)),
    )


def _after(text: str, position: int) -> str:
    """The noun that follows a count (六项领导职责是什么 → 领导职责), or ""."""
    noun = _COUNTED_NOUN.match(text, position)
    return noun[0] if noun else ""


def content_parts(question: Question) -> list[str]:
    """Return the content cut at blanks and joining characters (的, 了, 是…)."""
    parts = _JOINING.sub(" ", question.content).split()
    return parts or [question.content]
