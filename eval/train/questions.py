"""Makes questions from the sentences of laws and regulations, worded the way people ask.

A definition becomes 什么是…, a list of conditions 要具备哪些条件, an amount
多少, a deadline 多长时间内, and so on; then words of law give way to everyday
ones and parts are left out. Knows sentences; not chunks or models.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

SHORTEST, LONGEST = 8, 60  # characters of a question worth asking
_SENTENCE = re.compile(r"[^。\n]+[。\n]?")
_STATE = re.compile("^中华人民共和国")
_REMARK = re.compile(r"[（(].*?[)）]")
_PLACE = re.compile(r"^(.{2,8}?(?:自治区|自治州|省|市|县))")
_BREACH = re.compile(r"^违反(?:本.{1,4})?(?:第.{1,8}条)?(?:第.{1,4}款)?(?:的)?规定[，,]?")
# What would make a question that names no matter, or that only its own list completes.
_POOR = re.compile(
    r"^.{0,12}[（(][一二三四五六七八九十]|^(?:个人|公民|市|省|政府).{0,4}(?:应当|要)怎么做|下列|以下|本条例|本办法"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A shape of sentence and the questions it answers; {pre} is where it applies, {law} its title."""

    shape: re.Pattern[str]
    questions: tuple[str, ...]


_N = "[0-9零〇一二两三四五六七八九十百千万]"
RULES = (
    Rule(
        re.compile(
            r"(?:本(?:法|条例|办法|规定|细则)(?:中)?所称的?|^)(?P<a>[^，,。本]{2,16}?)[，,]?是指(?P<b>.+)"
        ),
        (
            "什么是{a}？",
            "{a}是什么意思？",
            "{pre}{a}指什么？",
            "{a}指的是哪些？",
            "怎么理解{a}",
            "{law}里说的{a}是什么",
        ),
    ),
    Rule(
        re.compile(r"自(?P<a>[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日)起(?:施行|实施)"),
        ("{law}什么时候开始施行？", "{law}从哪天起实施？", "{law}何时生效"),
    ),
    Rule(
        re.compile(r"^(?P<a>.{4,40}?)(?:应当|必须)?(?:具备|符合|满足)(?:下列|以下)(?:基本)?条件"),
        ("{pre}{a}要具备哪些条件？", "{a}需要什么条件？", "{a}有什么要求"),
    ),
    Rule(
        re.compile(r"^(?P<a>.{3,30}?)(?:履行|行使|承担)(?:下列|以下).{0,4}?(?:职责|职权|义务|任务)"),
        ("{pre}{a}有哪些职责？", "{a}负责什么？", "{a}的职权是什么", "{a}要做哪些事"),
    ),
    Rule(
        re.compile(r"^(?P<a>.{3,36}?)(?:有|存在)(?:下列|以下)(?:情形|行为)之一的[，,](?P<b>.{4,30})"),
        ("{pre}{a}哪些情形{b}？", "什么情况下{a}{b}", "{a}在什么情况下会{b}"),
    ),
    Rule(
        re.compile(
            r"^(?P<a>.{2,20}?)(?:应当)?由[^，,由]{3,24}?"
            r"(?P<b>负责|组织|制定|批准|审批|确定|主管|管理|任免|决定|承担|规定|核定|公布)(?P<c>[^，,]{0,24})"
        ),
        ("{pre}{a}由谁{b}{c}？", "{a}归谁{b}", "{a}由哪个部门{b}？", "谁{b}{a}"),
    ),
    Rule(
        re.compile(
            rf"(?P<a>[^，,]{{4,36}})[，,]?(?:应当|须|必须)?(?:在|自)[^，,]{{2,20}}(?:之日起)?"
            rf"{_N}{{1,3}}个?(?:日|工作日|月|年)内(?P<b>[^，,；]{{2,24}})"
        ),
        ("{pre}{a}多长时间内要{b}？", "{a}{b}的期限是多久", "{b}要在几天内完成"),
    ),
    Rule(
        re.compile(r"^(?P<a>.{6,50}?)的?[，,].{0,40}?处以?[^，,]{2,30}的?罚款"),
        ("{pre}{a}罚多少钱？", "{a}会怎么处罚", "{a}要罚款多少？", "{a}有什么处罚"),
    ),
    Rule(
        re.compile(r"^(?:任何(?:单位|组织)和个人都?不得|禁止)(?P<a>.{4,40})"),
        ("{pre}可以{a}吗？", "能不能{a}", "{a}允许吗", "是否允许{a}"),
    ),
    Rule(
        re.compile(r"^(?P<a>.{2,24}?)(?P<b>应当|可以|有权|不得|负责|必须)(?P<c>[^。，,；;]{6,40})"),
        (
            "{a}{b}{c}吗？",
            "谁{b}{c}？",
            "{pre}对{a}有什么要求",
            "{a}要如何{c}？",
            "{c}有什么规定？",
            "关于{a}{c}是怎么规定的",
            "{a}在{c}方面负责什么",
        ),
    ),
    Rule(
        re.compile(
            rf"(?:^|[，,；])(?P<a>[^，,；]{{4,30}}?)(?:不少于|不超过|不低于|至少|最多|达到|超过){_N}{{1,6}}"
            r"(?P<b>个|名|人|元|年|日|天|米|次|平方米|小时|周岁|万元)"
        ),
        ("{pre}{a}多少{b}？", "{a}要多少{b}", "{a}是多少"),
    ),
    Rule(
        re.compile(r"^为了?(?P<a>.{6,60}?)[，,].{0,40}(?:制定本|根据)"),
        ("{law}的目的是什么？", "为什么制定{law}？", "制定{law}是为了什么"),
    ),
    Rule(
        re.compile(r"(?:^|[，,；])(?P<a>[^，,；]{3,24})(?:包括|分为|实行)(?P<b>[^，,。]{2,20}、[^。]{4,80})"),
        ("{pre}{a}包括哪些？", "{a}有哪些", "{a}分为哪几类？"),
    ),
)
# Words of law and what people say for them.
EVERYDAY = {
    "人民政府": "政府", "应当": "要", "教师": "老师", "未成年人": "孩子", "劳动者": "员工",
    "用人单位": "单位", "不得": "不能", "有权": "能", "缴纳": "交", "机动车": "汽车", "住宅": "房子",
    "罚款": "罚钱", "公民": "个人", "购买": "买", "出售": "卖", "以及": "和", "给予": "给",
    "予以": "", "进行": "", "实施": "", "相关": "", "有关": "",
}  # fmt: skip


def questions(title: str, text: str, draw: random.Random) -> Iterator[tuple[str, int, int]]:
    """Yield (question, start, end): text[start:end] is the sentence that answers it."""
    law = _REMARK.sub("", _STATE.sub("", title))
    for sentence in _SENTENCE.finditer(text):
        body = sentence[0].strip("。\n ")
        for rule in RULES:
            if len(body) >= 12 and (found := rule.shape.search(body)):
                parts = found.groupdict(default="")
                parts["a"] = _BREACH.sub("", parts.get("a", ""))
                worded = draw.choice(rule.questions).format(law=law, pre=_where(law, draw), **parts)
                asked = everyday(worded, draw)
                if SHORTEST <= len(asked) <= LONGEST and not _POOR.search(asked):
                    yield asked, sentence.start(), sentence.end()


def _where(law: str, draw: random.Random) -> str:
    """Name the law, its place, or mostly nothing, as people do."""
    chance = draw.random()
    if chance < 0.35:
        return f"《{law}》" if draw.random() < 0.3 else law
    place = _PLACE.match(law)
    return place[1] if place and chance < 0.6 else ""


def everyday(question: str, draw: random.Random) -> str:
    """Leave out a part now and then, and say some words the everyday way."""
    if draw.random() < 0.4:
        parts = re.split(r"(?<=[，、的])", question)
        if len(parts) > 2:
            parts.pop(draw.randrange(len(parts) - 1))
            question = "".join(parts)
    for formal, plain in EVERYDAY.items():
        if formal in question and draw.random() < 0.35:
            question = question.replace(formal, plain)
    return question
