"""A text as a row of characters and facts: who, deed, number, date, duty, denial, order.

A fact's `kind` says what may stand in its place, its `value` what it says.
Words only; knows nothing of claims and evidence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from rag.headings import chinese_number
from rag.lexical import fold
from rag.verify_acts import BODY_NAMES

_N = "零〇一二两三四五六七八九十百千万"
_UNIT = (
    "个月|个人|学时|课时|小时|分钟|万元|亿元|毫米|公里"
    "|个|年|月|日|天|周|人|名|位|次|项|条|倍|元|字|级|磅|行|号|成|票|岁|届|页"
)
_SAME_UNIT = {"个人": "人", "名": "人", "位": "人", "天": "日", "课时": "学时"}
_INTRODUCED = ("个", "名", "位", "人", "项", "条", "级", "字", "行")
# Words in which 不, 要, 能, 前 … say nothing of their own.
_PLAIN = (
    "能不能|可不可以|是不是|有没有|要不要|该不该|管不管|能否|可否|是否|"
    "不(?:同|论|仅|但|只|断|良|动产|可抗力|正当|特定|法|当|服|管|定期)|未来|未成年|无论|非常|除非"
    "|主要|重要|需要|要求|要素|要点|必要|只要|可能|可靠|可行|能力|能源|功能|职能|机能"
    "|目前|前提|前款|前项|前条|前后|提前|前景|最后|后果|后勤|先进|优先|先锋|原先"
    "|响应|相应|适应|对应|供应|效应|反应|应急|应用|应对|有一[次天年回]"
)
_BOUNDS = {
    ">=": "不得少于|不少于|不得低于|不低于|至少|最少|以上|满",
    "<=": "不得超过|不超过|不得高于|不高于|至多|最多|以下|以内",
    ">": "超过|高于|多于|以外",
    "<": "不足|未满|不满|少于|低于",
}
_DUTIES = {
    "must not": "不得|不要|不宜|不该|不能|不可以|不可|不应当|不应|不准|不许|禁止|严禁|无权",
    "need not": "不必|无需|无须|不需要|不需|不用",
    "not": "没有|并非|不是|误写|误称|误作|不|没|未|无|非",
    "must": "应当|必须|务必|须|应|要",
    "may": "可以|能够|有权|允许|可|能",
}
_PLAIN_DEEDS = (
    "提出", "确定", "通过", "处理", "备案", "召集", "主持", "监督", "任免", "任命", "聘任", "评议", "委托",
)  # fmt: skip
_DEEDS = {
    "决定": "决定|拍板",
    "落实": "实施|落实|执行",
    "审议": "审议|讨论",
    "批准": "批准|审批|同意",
    "报告": "报告|汇报",
    **dict(zip(_PLAIN_DEEDS, _PLAIN_DEEDS, strict=True)),
}
_MANNER = "集体|研究|讨论|审议|组织|部署|作出?|做出"  # how a deed is done: 讨论决定 is a decision
_ORDERS = {"first": "事先|首先|先", "before": "之前|以前|前", "after": "之后|以后|事后|然后|随后|后|再"}
# Doers of the law beside the bodies of a school; a party to a deal by the word before 人.
_PARTIES = (
    "申请|出租|承租|债权|债务|受益|投保|保险|委托|代理|受托|监护|继承|抵押|质权|保证|买受|出卖|承揽|定作"
    "|承运|托运|收货|转让|受让|起诉|上诉|发包|承包"
)
_ACTORS = (
    "国务院|(?:最高)?人民法院|(?:最高)?人民检察院|省级人民政府|地方(?:各级)?人民政府|人民政府|教育部|教育厅"
    "|(?:省|市|县|区|乡)级(?!人民政府)|用人单位|劳动者|消费者|经营者|党组织班子(?:成员)?"
    rf"|被?[\u4e00-\u9fff]{{2}}(?:机关|部门)|被?(?:{_PARTIES})人"
)
# A meeting and those who sit in it: what the one decides the others do.
_SIDES = {
    "党组织会议": "党组织", "党组织班子": "党组织", "党组织班子成员": "党组织", "行政班子": "校长办公会议",
}  # fmt: skip
_DENIALS = ("not", "must not", "need not")
_AT_ODDS = {
    frozenset(pair)
    for pair in (
        ("must", "may"), ("must", "must not"), ("must", "need not"), ("must", "not"), ("may", "must not"),
        ("may", "not"), ("first", "after"), ("before", "after"),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A character or clause mark (kind "") or a fact; `sign` and `unit` belong to numbers."""

    kind: str
    value: str
    unit: str = ""
    sign: str = ""
    text: str = field(default="", compare=False)

    @property
    def symbol(self) -> str:
        """What is compared when two texts are laid side by side: a fact is masked by its kind."""
        return f"<{self.kind}>" if self.kind else self.value

    @property
    def denies(self) -> bool:
        """Whether it says that something is not, may not or need not be."""
        return self.value in _DENIALS


def _table(kind: str, words: dict[str, str]) -> tuple[dict[str, tuple[str, str]], str]:
    known = {word: (kind, value) for value, row in words.items() for word in row.split("|")}
    return known, "|".join(sorted(known, key=len, reverse=True))


_TABLES = [
    _table("bound", _BOUNDS),
    _table("duty", _DUTIES),
    _table("order", _ORDERS),
]
_DEED_KNOWN, _DEED_WORDS = _table("deed", _DEEDS)
_KNOWN = {
    **{word: fact for known, _ in _TABLES for word, fact in known.items()},
    **{name: ("doer", body) for name, body in BODY_NAMES.items()},
}
_WORDS = "|".join(sorted(_KNOWN, key=len, reverse=True))
_FACT = re.compile(
    rf"(?P<plain>{_PLAIN})"
    r"|(?P<date>(?P<y>\d{4})年(?:(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})日)?)?|(?P<m2>\d{1,2})月(?P<d2>\d{1,2})日)"
    rf"|(?P<paper>[〔\[(]\d{{4}}[〕\])]第?\d+号|第\d+号)"
    rf"|(?P<place>第[{_N}\d]+(?:条|款|项|章|部分|届|次|季度|节|篇|编))"
    rf"|(?P<share>[{_N}]+分之[{_N}]+|百分之[{_N}]+|过?半数|一半|\d+(?:\.\d+)?%)"
    rf"|(?P<number>\d+(?:\.\d+)?|[{_N}]+(?=(?:{_UNIT}))|每(?=[年月周天日]))(?P<unit>{_UNIT})?"
    rf"|(?P<actor>{_ACTORS})"
    rf"|(?:{_MANNER})*(?P<deed>{_DEED_WORDS})"
    rf"|(?P<word>{_WORDS})"
    r"|(?P<char>\w)|(?P<mark>[,:])"
)


@lru_cache(maxsize=1024)
def read(text: str) -> tuple[Token, ...]:
    """Return a text's characters and facts in order, without punctuation.

    >>> [t.symbol for t in read("由书记召集")], read("至少3人")
    (['由', '<doer>', '<deed>'], (Token(kind='number', value='3', unit='人', sign='>=', text='3人'),))
    """
    tokens: list[Token] = []
    for match in _FACT.finditer(fold(text)):
        tokens += _tokens(match)
    return tuple(_signed(tokens))


def _tokens(match: re.Match[str]) -> list[Token]:
    word = match[0]
    if match["plain"] or match["char"] or match["mark"]:
        return [Token("", char) for char in word]
    if match["date"]:
        parts = (match["y"], match["m"] or match["m2"], match["d"] or match["d2"])
        return [Token("date", "-".join((part or "").lstrip("0") for part in parts), text=word)]
    if match["share"]:
        return [_share(word)]
    if match["number"]:
        return _number(match["number"], match["unit"] or "")
    if match["deed"]:
        return [Token("deed", _DEED_KNOWN[match["deed"]][1])]
    if match["word"]:
        return [Token(*_KNOWN[word])]
    if match["actor"]:
        return [Token("doer", word)]
    kind = "paper" if match["paper"] else "place"
    return [Token(kind, _digits(word), text=word)]


def _share(word: str) -> Token:
    """A fraction as a number: 过半数 is more than 半数."""
    value = word.removeprefix("过").replace("一半", "半数")
    if value.startswith("百分之"):
        value = _digits(value.removeprefix("百分之")) + "%"
    return Token("number", value, "", ">" if word.startswith("过") else "", text=word)


def _number(number: str, unit: str) -> list[Token]:
    """A number with its unit; 一个 and 两人 count nothing, they introduce."""
    if number in "一二两" and unit in _INTRODUCED:
        return [Token("", char) for char in number + unit]
    return [Token("number", _digits(number), _SAME_UNIT.get(unit, unit), text=number + unit)]


def _digits(word: str) -> str:
    """A word with its Chinese number in digits.

    >>> _digits("第十二条"), _digits("三")
    ('第12条', '3')
    """
    return re.sub(f"[{_N}]+", lambda m: _arabic(m[0].replace("两", "二")), word.replace("每", "一"))


def _arabic(number: str) -> str:
    return number if "万" in number else str(chinese_number(number))


def _signed(tokens: list[Token]) -> list[Token]:
    """Give each number the bound that stands next to it."""
    row: list[Token] = []
    for token in tokens:
        before = row[-1] if row else None
        if before and before.kind == "bound" and token.kind == "number" and not token.sign:
            row[-1] = replace(token, sign=before.value)
        elif before and before.kind == "number" and token.kind == "bound" and not before.sign:
            row[-1] = replace(before, sign=token.value)
        else:
            row.append(token)
    return row


def states(known: Token, said: Token) -> bool:
    """Tell whether a number, date or place that a text holds states the one that is said.

    A date may be said in part, a number without the unit; not the reverse.
    """
    if known.kind != said.kind:
        return said.kind == "number" and not said.unit and said.value in known.value.split("-")
    if said.kind == "date":
        return all(y in ("", x) for x, y in zip(known.value.split("-"), said.value.split("-"), strict=True))
    if said.kind == "number":
        units, signs = {known.unit, said.unit} - {""}, {known.sign, said.sign} - {""}
        return known.value == said.value and len(units) < 2 and len(signs) < 2
    return known.value == said.value


def excludes(said: Token, known: Token) -> bool:
    """Tell whether two facts of one kind cannot both be meant in the same place."""
    if said == known or not said.kind:
        return False
    if said.kind == "number":
        signs = {said.sign, known.sign} - {""}
        return (said.value, said.unit) != (known.value, known.unit) or len(signs) > 1
    if said.kind == "date":
        pairs = zip(said.value.split("-"), known.value.split("-"), strict=True)
        return any(x and y and x != y for x, y in pairs)
    if said.kind in ("duty", "order"):
        return frozenset((said.value, known.value)) in _AT_ODDS
    return side(said.value) != side(known.value)


def side(body: str) -> str:
    """Return the body on whose side one acts: those who sit in a meeting on the meeting's."""
    return _SIDES.get(body, body)
