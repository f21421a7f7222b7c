"""True sentences made false, one fact at a time: another doer, deed, number, sign or order.

Deterministic: which of the possible exchanges is made depends on the sentence
alone. Knows Chinese words and nothing of how claims are verified.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator

_DOERS = (
    ("党组织书记", "校长"), ("书记", "校长"), ("校长", "书记"), ("党组织会议", "校长办公会议"),
    ("校长办公会议", "党组织会议"), ("党员大会", "支部委员会"), ("支部委员会", "党员大会"),
    ("教职工代表大会", "校长办公会议"), ("行政班子成员", "党组织班子成员"),
    ("党组织班子成员", "行政班子成员"),
)  # fmt: skip
_AUTHORITIES = (
    ("人民法院", "人民检察院"), ("人民检察院", "人民法院"), ("国务院", "省级人民政府"),
    ("公安机关", "人民法院"), ("县级以上", "省级以上"), ("省级以上", "县级以上"),
    ("用人单位", "劳动者"), ("劳动者", "用人单位"), ("出租人", "承租人"), ("承租人", "出租人"),
    ("债权人", "债务人"), ("债务人", "债权人"), ("申请人", "被申请人"), ("教育部", "省教育厅"),
    ("地方人民政府", "国务院"), ("主管部门", "人民法院"),
)  # fmt: skip
_DEEDS = (
    ("讨论决定", "研究提出"), ("研究提出", "讨论决定"), ("组织实施", "审议"), ("部署落实", "讨论决定"),
    ("研究处理", "讨论决定"), ("讨论通过", "研究提出"), ("审议", "组织实施"), ("批准", "备案"),
    ("备案", "批准"), ("确定", "审议"), ("提出", "确定"), ("决定", "执行"), ("召集", "监督"),
    ("监督", "批准"), ("报告", "决定"), ("聘任", "评议"), ("评议", "聘任"),
)  # fmt: skip
_UNITS = {
    "日": "个月", "个月": "日", "年": "个月", "天": "周", "次": "人", "人": "次", "学时": "天",
    "元": "万元", "万元": "元", "名": "次", "字": "页", "磅": "毫米", "毫米": "磅", "倍": "成",
    "小时": "日", "分钟": "小时", "级": "名",
}  # fmt: skip
_BOUNDS = (
    ("以上", "以下"), ("以下", "以上"), ("不少于", "不超过"), ("不超过", "不少于"),
    ("不得超过", "不得少于"), ("不得少于", "不得超过"), ("至少", "至多"), ("至多", "至少"),
    ("不足", "超过"), ("低于", "高于"), ("高于", "低于"), ("以内", "以外"),
)  # fmt: skip
_DUTIES = (
    ("不得", "可以"), ("应当", "可以"), ("必须", "可以"), ("可以", "应当"), ("可以", "不得"),
    ("应当", "不得"), ("不能", "可以"), ("禁止", "允许"), ("要", "可以"),
)  # fmt: skip
_DENIALS = (
    ("不得", "得"), ("不能", "能"), ("没有", "有"), ("不是", "是"), ("不必", "必须"),
    ("不", ""), ("未", "已"), ("应当", "不应当"), ("由", "不由"), ("要", "不要"), ("属于", "不属于"),
)  # fmt: skip
_ORDERS = (
    ("之前", "之后"), ("之后", "之前"), ("以前", "以后"), ("以后", "以前"), ("会前", "会后"),
    ("会后", "会前"), ("前，", "后，"), ("后，", "前，"), ("先", "后"), ("事先", "事后"),
)  # fmt: skip
_DIGIT = "[零〇一二两三四五六七八九十百千万]"
_FRACTION = re.compile(rf"{_DIGIT}+分之{_DIGIT}+|过?半数|百分之{_DIGIT}+|\d+%")
_NUMBER = re.compile(
    r"\d+(?:\.\d+)?(?=[^\d年月号.]|$)|(?<!第)[二两三四五六七八九十百千万]{1,6}(?=[年月日人名次项个天元倍级周])"
)
_DATE = re.compile(r"\d{4}年|(?<=年)\d{1,2}月|(?<=月)\d{1,2}日|第[一二三四]季度")
_PAPER = re.compile(rf"第{_DIGIT}+条|〔\d{{4}}〕\d+号|第\d+号")
_UNIT = re.compile(
    rf"(?<=\d)(?:{'|'.join(_UNITS)})"
    rf"|(?<!第{_DIGIT})(?<={_DIGIT})(?:个月|日|年|学时|万元|元|次|人|名)"
)
_TOGETHER = re.compile(r"书记[和与同、跟]校长|校长[和与同、跟]书记|会议[和与同、]|书记、校长")
# Words of which an exchange would leave no word, or say the same.
_LISTED = re.compile(
    r"必要|要点|纲要|概要|首要|要求|重要|主要|需要|要素|优先|先锋|先进|先后|率先|先生|先例"
    r"|不(?:同|论|仅|但|只|断)|没有不|不得不|由于|理由|自由|未来|未成年"
)


def exchanges(sentence: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, false sentence): at most one of each kind.

    >>> dict(exchanges("会议由书记召集。"))["doer"]
    '会议由校长召集。'
    """
    for kind, make in KINDS.items():
        made = sorted(set(make(sentence)) - {sentence}, key=_drawn)
        if made:
            yield kind, made[0]


def tuned_on(sentence: str) -> bool:
    """Tell whether a sentence is of the half that rules may be tuned on."""
    return _drawn(sentence) < "8"


def _drawn(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _pairs(pairs: tuple[tuple[str, str], ...]) -> Callable[[str], Iterator[str]]:
    def make(sentence: str) -> Iterator[str]:
        spared = [m.span() for m in _LISTED.finditer(sentence)]
        for old, new in pairs:
            for found in re.finditer(re.escape(old), sentence):
                if not any(a < found.end() and found.start() < b for a, b in spared):
                    yield sentence[: found.start()] + new + sentence[found.end() :]

    return make


def _doer(sentence: str) -> Iterator[str]:
    """Another doer, where the two are not named together: 书记和校长沟通 is true both ways."""
    if _TOGETHER.search(sentence):
        return
    whole = re.compile(r"(?<!党组织)(?<!副)(?:书记|校长)(?!办公会|负责制)")
    for old, new in _DOERS:
        for found in re.finditer(re.escape(old), sentence):
            if old in ("书记", "校长") and not whole.match(sentence, found.start()):
                continue
            yield sentence[: found.start()] + new + sentence[found.end() :]


def _changed(pattern: re.Pattern[str], other: Callable[[str], str]) -> Callable[[str], Iterator[str]]:
    def make(sentence: str) -> Iterator[str]:
        for found in pattern.finditer(sentence):
            yield sentence[: found.start()] + other(found[0]) + sentence[found.end() :]

    return make


def _another(number: str) -> str:
    """A number near another: each digit's successor, the last one only.

    >>> _another("第十二条"), _another("2022年"), _another("56")
    ('第十三条', '2023年', '57')
    """
    digits = "一二三四五六七八九"
    for i in range(len(number) - 1, -1, -1):
        if number[i].isdigit() and number[i].isascii():
            return number[:i] + str((int(number[i]) % 9) + 1) + number[i + 1 :]
        if number[i] in digits:
            return number[:i] + digits[(digits.index(number[i]) + 1) % 9] + number[i + 1 :]
    return number.replace("十", "九").replace("两", "三").replace("百", "千").replace("万", "千")


def _other_fraction(share: str) -> str:
    return {"半数": "三分之二", "过半数": "三分之二", "三分之二": "半数"}.get(share, _another(share))


KINDS: dict[str, Callable[[str], Iterator[str]]] = {
    "doer": _doer,
    "authority": _pairs(_AUTHORITIES),
    "deed": _pairs(_DEEDS),
    "number": _changed(_NUMBER, _another),
    "fraction": _changed(_FRACTION, _other_fraction),
    "date": _changed(_DATE, _another),
    "unit": _changed(_UNIT, lambda unit: _UNITS.get(unit, "次")),
    "document": _changed(_PAPER, _another),
    "bound": _pairs(_BOUNDS),
    "duty": _pairs(_DUTIES),
    "denial": _pairs(_DENIALS),
    "order": _pairs(_ORDERS),
}
