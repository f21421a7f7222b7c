"""Who does what to whom: the acts a text states, and whether a claim turns them round.

A clause's doer is carried to the clauses after it in the same sentence, for
校长拟订方案，提交党组织会议讨论 does not make the meeting the one who drafts. Rules
on the few bodies and deeds of a school's leadership; no model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Bodies of a school by the names that texts give them; the first is the one compared.
_BODIES: tuple[tuple[str, ...], ...] = (
    ("党组织会议", "党组织会", "党委会议", "党委会", "党总支会议"),
    ("校长办公会议", "校长办公会", "校务会议", "校务会", "行政会议"),
    ("教职工代表大会", "教职工大会", "教代会"),
    ("党员大会", "支部党员大会", "支部大会"),
    ("支部委员会", "支部委员会会议", "支委会"),
    ("党小组",),
    ("副书记", "专职副书记", "党组织副书记"),
    ("书记", "党组织书记", "支部书记", "党支部书记"),
    ("副校长",),
    ("校长",),
    ("行政班子", "行政班子成员"),
    ("领导班子成员", "班子成员", "学校领导班子成员"),
    ("党组织", "学校党组织", "中小学校党组织", "党委", "党总支", "党支部", "基层党组织"),
    ("教师",),
    ("园长",),
)
BODY_NAMES = {name: names[0] for names in _BODIES for name in names}
_BODY = re.compile("|".join(sorted(map(re.escape, BODY_NAMES), key=len, reverse=True)))
BODIES = frozenset(BODY_NAMES.values())
_DEEDS = (
    "讨论决定", "集体决定", "集体研究决定", "研究决定", "研究提出", "讨论通过", "组织实施", "部署落实",
    "研究处理", "召集", "主持", "确定", "作决定", "作出决定", "拍板", "提出", "报告", "汇报", "监督", "领导",
    "批准", "任免", "决定", "负责", "支持", "聘任", "评议",
)  # fmt: skip
_DEED = re.compile("|".join(sorted(map(re.escape, _DEEDS), key=len, reverse=True)))
# Deeds that say the same: a paraphrase may put one for the other.
_SAME = {
    "集体决定": "讨论决定", "集体研究决定": "讨论决定", "研究决定": "讨论决定", "作出决定": "决定",
    "作决定": "决定", "拍板": "决定", "汇报": "报告",
}  # fmt: skip
# An institution's name holds 领导 and 负责 without anyone's doing them.
_NOT_DEEDS = re.compile(
    r"党组织领导下?的?校长负责制|校长负责制|领导(?=班子)|领导职责|领导体制|领导干部|领导人员|领导职务|负责人|负责制|集体领导|提出人|分工负责"
    r"|负责(?=召集|主持|研究|部署|组织|落实)"
)
_SENTENCE, _CLAUSE = re.compile(r"[。！？!?；;\n]"), re.compile(r"[，,、：:](?=[^，,、：:])")
_TOWARDS = re.compile(r"(?:向|对|给|同|与)(?:学校|本校|上级)?$")
_BY = re.compile(r"(?:由|经|请|应由|要由|让)(?:学校|本校)?$")
_ASIDE = re.compile(rf"(?:{_DEED.pattern})的(?!$)")  # 由党组织决定的事项 says which, not who acts
_UNDER = re.compile(r"^(?:的)?(?:统一)?(?:领导|指导)(?:下|之下)")
_NOT = re.compile(r"不(?!同|论|是不)|没有|无权|禁止")
_COLLECTIVE = frozenset({"党组织", "党组织会议"})  # the organisation decides in its meeting


@dataclass(frozen=True, slots=True)
class Act:
    """`doer` does `deed` (or is said not to), to `other` where one is named; by their compared names."""

    doer: str
    deed: str
    other: str = ""
    denied: bool = False


def acts(text: str) -> set[Act]:
    """Return the acts that a text states.

    >>> acts("校长向党组织报告。") == {Act("校长", "报告", "党组织")}
    True
    """
    found: set[Act] = set()
    for sentence in _SENTENCE.split(_NOT_DEEDS.sub("", text)):
        carried = _Carried()
        for clause in _CLAUSE.split(sentence):
            stated, carried = _clause(clause, carried)
            found.update(stated)
    return found


@dataclass(frozen=True, slots=True)
class _Carried:
    """What a clause inherits from those before it: who acts, and whose matter is spoken of."""

    doers: tuple[str, ...] = ()
    matter: tuple[str, ...] = ()


def _clause(clause: str, carried: _Carried) -> tuple[list[Act], _Carried]:
    """The acts of a clause, and what the next one inherits."""
    named = [(m.start(), m.end(), BODY_NAMES[m[0]]) for m in _BODY.finditer(clause)]
    by = [(end, name) for start, end, name in named if _BY.search(clause[:start])]
    towards = [name for start, _, name in named if _TOWARDS.search(clause[:start])]
    under = [name for _, end, name in named if _UNDER.match(clause[end:])]
    made = [name for _, name in by]
    plain = [(s, n) for s, _, n in named if n not in (*made, *towards, *under)]
    deeds = list(_DEED.finditer(clause))
    first = min([end for end, _ in by] + [deed.start() for deed in deeds], default=len(clause))
    before = tuple(name for start, name in plain if start < first)
    stated = [Act(boss, "领导", one) for boss in under for one in (before or carried.doers)[-1:]]
    acting = tuple(name for start, name in plain if start < first and not _owns(clause, start))
    matter = before or carried.matter or carried.doers
    for deed in deeds:
        if any(_UNDER.match(clause[end : deed.end() + 1]) for _, end, _ in named):
            continue
        nearest = tuple(name for end, name in by if end <= deed.start())
        after = [name for start, name in plain if start >= deed.end()]
        others = towards or (list(matter) if nearest else after)
        name = _SAME.get(deed[0], deed[0])
        denied = bool(_NOT.search(clause[: deed.start()]))
        for doer in nearest or acting or carried.doers:
            other = next((body for body in others if body != doer), "")
            stated.append(Act(doer, name, other, denied))
    agents = tuple(name for end, name in by if not _ASIDE.match(clause, end))
    doers = agents or acting or carried.doers
    return stated, _Carried(doers, matter if by or before != acting else ())


def _owns(clause: str, start: int) -> bool:
    """Tell whether the body named at a place has something, and does nothing: 党组织的决议."""
    body = _BODY.match(clause, start)
    return bool(body) and clause.startswith("的", body.end() if body else 0)


def bodies(text: str) -> frozenset[str]:
    """Return the bodies that a text names, by their compared names."""
    return frozenset(BODY_NAMES[m[0]] for m in _BODY.finditer(text))


def turned_round(claim: str, evidence: str) -> bool:
    """Tell whether a claim gives a deed to one whom the evidence does not have doing it.

    Deeds that the evidence does not mention, or mentions without a doer, are
    left to other checks.
    """
    known = acts(evidence)
    return any(_against(act, known) for act in acts(claim))


def _against(act: Act, known: set[Act]) -> bool:
    same = [k for k in known if k.deed.endswith(act.deed) and not k.denied]  # 讨论决定 is a way of 决定
    if not same or act.denied:
        return False
    mine = [k for k in same if _one(k.doer, act.doer)]
    if act.other:
        mine = [k for k in mine if not k.other or _one(k.other, act.other)]
        rival = any(_one(k.other, act.other) and not _one(k.doer, act.doer) for k in same if k.other)
        exact = any(k.other and _one(k.other, act.other) for k in mine)
        return not mine or (rival and not exact)
    return not mine


def _one(a: str, b: str) -> bool:
    return a == b or {a, b} <= _COLLECTIVE
