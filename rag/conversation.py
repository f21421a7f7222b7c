"""Follow-ups to standalone questions, by rules or by a model.

A question that stands alone is never touched; one that leans on what was
said before (他负责什么, 那校长呢, 为什么, 多久开一次) is completed from the last
question; with a model, by it, as far as its words were said before. Knows
the turns of a conversation; not documents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.errors import ModelFailed
from rag.headings import chinese_number
from rag.protocols import ChatModel
from rag.question import analyse
from rag.types import Turn
from rag.verify import coverage, missing_facts

MAX_TURNS, MAX_TURN = 6, 400  # turns a model sees, and code points of each
MAX_REWRITTEN = 120  # code points
HELD = 0.5  # share of a rewritten question's pairs that the conversation holds
_WHO = {"user": "用户", "assistant": "助手"}

# What a question may be about, by sort: only things of one sort take each other's place.
# Longest first where one name holds another.
_SORTS: tuple[tuple[str, ...], ...] = (
    (
        "党组织书记", "支部书记", "专职副书记", "副书记", "书记", "副校长", "党员校长", "校长", "支部委员",
        "年级组长", "教研组长", "党员教师", "骨干教师", "普通教师", "年段长", "少先队辅导员", "行政班子",
        "党员", "教师", "老师", "干部", "园长", "党组织", "党支部",
    ),
    (
        "党组织会议", "校长办公会议", "校长办公会", "校务会议", "校务会", "支部委员会会议", "支部委员会",
        "支委会", "教职工代表大会", "教职工大会", "教代会", "支部党员大会", "党员大会", "支部大会",
        "党小组会", "组织生活会", "民主生活会", "主题党日", "民主评议党员", "民主评议", "谈心谈话",
        "党课", "三会一课", "两个会议", "两个会", "会前", "会上", "会后",
    ),
    (
        "公办职业学校", "民办职业学校", "职业学校", "公办幼儿园", "民办幼儿园", "幼儿园", "公办中小学校",
        "民办中小学校", "民办学校", "公办学校", "民办校", "公办校", "教学点", "集团校",
    ),
    ("一规则", "二加强", "三优先"),
    (
        "心得体会", "研讨发言", "表态发言", "实施办法", "工作措施", "汇报材料", "自查报告", "情况总结",
        "典型经验",
    ),
)  # fmt: skip
_NAMES = tuple((name, sort) for sort, names in enumerate(_SORTS) for name in names)
LONGEST = 14  # a longer question says enough of itself
# Items of an answer: numbered or bulleted lines, or 一是…；二是… in a line; each to its first stop.
_ITEMS = re.compile(
    r"(?:(?:^|\n)\s*(?:[0-9]{1,2}[.．、]|-)\s*(?!\*\*)|[一二三四五六七八九十]是)([^，。；;\n\[]{2,30})"
)
_COUNTED = re.compile(
    "哪(?P<counted>[两二三四五六七八九十]{1,2}(?:个(?:部分|方面)?|项|条|点|件事|方面|类)[\u4e00-\u9fff]{0,4})"
)
_PERSON = re.compile(r"他们|她们|他|她|它们|它|这个会|该会|这种会|前者|后者")
_POINTING = re.compile(
    r"^(?:那么|那(?!些|一)|这个?(?=是|又|有|里|$)|还有|再(?!选|次)|另外|上面|上述|刚才说?的?|其中|然后)[，,]?"
)
_INSTEAD = re.compile(
    r"^(?:那么?|如果是|要是|换成|那如果是|如果)?(?P<what>[^？?，,。]{1,14}?)呢(?:[，,].*)?[？?]?$"
)
_MORE = re.compile(r"^(?:还有|然后|接着|后面|完整|继续)(?:的|说)?(?:呢|吗|吧)?[？?。]?$")
_CHANGE = re.compile(
    r"^(?:换个?(?:话题|问题)|另外问(?:一下|一个)?|顺便问(?:一下|一句)?|再问(?:一)?个?别的)[，,。：: ]*"
)
_ORDINAL = re.compile(r"第(?P<n>[一二三四五六七八九十0-9]{1,2})(?P<unit>[点条项个步款])(?!例)")
# Words that ask or tell of doing without naming what does it: alone they say nothing.
_PREDICATE = re.compile(
    r"召集|主持|召开|参加|到会|出席|表决|决定|确定|负责|执行|落实|报告|汇报|提出|提前|通过|监督|记录|规定|依据|出处|"
    r"理由|条款|原文|期限|时间|内容|例外|要求|程序|步骤|流程|比例|人数|哪一?条|一次|开会|提|定|开|写|办|做|算|说|要|会|有|"
    r"能|得|到|来|去|到底|人|字|次|回|法律|文件|讲|详细|展开|举例|例子|当|让|选|上|搞|月份|月|最后|首先|先|没|不|齐|任期|多长|"
    r"给|答复|回复|一年|每年|每月|每周|年|天|届|谁来|是|对|吗|处理|结果|后面|接着"
)  # fmt: skip


def standalone(question: str, history: Sequence[Turn]) -> str:
    """Return the question as it would be asked without the conversation.

    >>> standalone("那校长呢？", [Turn("user", "书记负责什么？")])
    '校长负责什么？'
    """
    asked = [turn.content for turn in history if turn.role == "user"]
    question = question.strip()
    if changed := _CHANGE.match(question):
        return question[changed.end() :] or question
    if not asked or not question:
        return question
    last = _about(asked)
    if ordinal := _ordinal(question, last, history):
        return ordinal
    if match := _INSTEAD.match(question):
        return _exchange(last, _POINTING.sub("", match["what"]).strip(), question)
    if _MORE.match(question):
        return last
    name, pronoun = named(last), _PERSON.search(question)
    if name and pronoun and name not in question and pronoun.start() <= 4:
        return _PERSON.sub(name, question, count=1)
    if leans(question):
        return _completed(last, _POINTING.sub("", question) or question)
    return question


def by_model(question: str, history: Sequence[Turn], model: ChatModel, system: str) -> str:
    """Return a follow-up as a model completes it, or as the rules do where its words do not hold.

    Questions that stand alone are not sent. What comes back must be one short
    line that says nothing, above all no number or title, that was not said.
    """
    ruled = standalone(question, history)
    if ruled == question.strip() or _CHANGE.match(question.strip()):
        return ruled
    said = [f"{_WHO[turn.role]}：{turn.content[:MAX_TURN]}" for turn in history[-MAX_TURNS:]]
    try:
        reply = "".join(model.stream(system, "\n".join(["对话：", *said, f"追问：{question}"])))
    except ModelFailed:
        return ruled
    line = reply.strip().strip('“”"')
    known = "\n".join([*said, question, ruled])
    held = not missing_facts(line, known) and coverage(line, known) >= HELD
    return line if line and len(line) <= MAX_REWRITTEN and "\n" not in line and held else ruled


def leans(question: str) -> bool:
    """Tell whether a question names nothing of its own that it could be about."""
    rest = _POINTING.sub("", question.strip())
    if named(rest) or "《" in rest:
        return False
    content = re.sub(r"\s", "", _PREDICATE.sub("", analyse(rest).content)) if rest else ""
    if content == rest and not _PREDICATE.sub("", rest):
        content = ""
    pointed = rest != question.strip() or bool(_PERSON.search(rest))
    return len(content) <= (4 if pointed else 1) and len(rest) <= LONGEST


def _about(asked: Sequence[str]) -> str:
    """The last question that names what it is about; a chain of follow-ups leads back to it."""
    completed = asked[0].strip()
    for question in asked[1:]:
        completed = standalone(question, [Turn("user", completed)])
    return completed


def named(text: str) -> str:
    """Return what a text is about: the first listed name in it, the longest at that place."""
    places = [(text.find(name), -len(name), name) for name, _ in _NAMES if name in text]
    return min(places)[2] if places else ""


def _sort(name: str) -> int:
    return next((sort for known, sort in _NAMES if known == name), -1)


def _ordinal(question: str, last: str, history: Sequence[Turn]) -> str:
    """那第二点呢: the second of what was last answered or asked for; a 款 or 项 of a clause last named."""
    match = _ORDINAL.search(question)
    if not match or len(question) > 14 or re.search(r"第.{1,6}条", last) and match["unit"] == "条":
        return ""
    clause = re.search(r"^.*?第[一二三四五六七八九十百零0-9]{1,6}条", last)
    if clause and match["unit"] in "款项":
        return f"{clause[0]}{match[0]}讲什么？"
    if "《" in question or named(question) or "法" in question[: match.start()]:
        return ""
    told = [turn.content for turn in history if turn.role == "assistant"]
    items = _ITEMS.findall(told[-1]) if told else []
    if 0 < (number := chinese_number(match["n"])) <= len(items) and len(items) > 1:
        return f"{_subject(last)}中的“{items[number - 1].strip()}”具体指什么？"
    counted = _COUNTED.search(last)  # what there are five of is asked for as one of five
    steps = f"的{counted['counted']}" if counted else "的步骤" if match["unit"] == "步" else ""
    return f"{_subject(last)}{steps}，第{match['n']}{'步' if steps else '点'}是什么？"


def _exchange(last: str, what: str, question: str) -> str:
    """Ask the last question of something else of its sort, or with another matter added."""
    other = named(what)
    if other and other == what:
        same = [(last.find(n), -len(n), n) for n, sort in _NAMES if sort == _sort(other) and n in last]
        if same:
            return last.replace(min(same)[2], what)
    tail = re.search(r"呢[，,]\s*(?P<rest>.{2,})$", question)
    if tail:
        return f"{_subject(last)}，{what}{tail['rest']}"
    if re.fullmatch(r"(?:依据|出处|原文|理由|原因|时间|例外|为什么|为啥)", what):
        return _completed(last, what)
    return f"{last.rstrip('？?。')}，{what}"


def _completed(last: str, question: str) -> str:
    """Put before a bare predicate what the last question was about."""
    if re.search(r"为什么|为啥|为何|凭什么|依据|出处|原文|理由", question):
        return f"{re.sub('[吗么？?。]{1,9}$', '', last)}，{question}"
    name = named(last)
    return f"{name}{question}" if name else f"{_subject(last)}，{question}"


def _subject(last: str) -> str:
    """The last question without its asking tail: 三优先是哪三条 → 三优先."""
    cut = re.split(
        r"(?:分别)?(?:是|有|指|包括|包含)?(?:哪[一二两三四五六七八九十几些]?[个项条点步方]?|什么|多少|几[个项条点步])|由谁|谁",
        last,
    )[0]
    cut = re.sub(r"(?:要走|都有|一般|应该|要|都|是|有|指){1,6}$", "", cut)
    return cut.rstrip("？?。，, ") or last.rstrip("？?。")
