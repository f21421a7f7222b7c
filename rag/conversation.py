"""Follow-ups to standalone questions, by rules.

A question that stands alone is never touched; one that leans on what was
said before (他负责什么, 那校长呢, 为什么) is completed from the last question.
Knows the turns of a conversation; not documents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.question import analyse
from rag.types import Turn

_ROLES = (
    "党组织会议",
    "校长办公会议",
    "校务会议",
    "支委会",
    "教职工代表大会",
    "教职工大会",
    "党员大会",
    "党小组会",
    "党组织书记",
    "支部书记",
    "专职副书记",
    "副书记",
    "书记",
    "副校长",
    "校长",
    "党组织",
    "党支部",
    "支部委员",
    "年级组长",
    "党员教师",
    "党员",
    "教师",
    "行政班子",
    "少先队辅导员",
)  # longest first where one holds another
_PERSON = re.compile(r"他们|她们|他|她|它们|它|这个会|该会|前者|后者")
_POINTING = re.compile(r"^(?:那么?|这|那个|这个|还有|再|另外|上面|上述|刚才|其中)")
_INSTEAD = re.compile(r"^(?:那么?|如果是|要是|换成|那如果是)?(?P<what>[^？?，,。]{1,14}?)呢[？?]?$")
_BARE = re.compile(
    r"^(?:那|这)?(?:是)?(?:为什么|为何|为啥|怎么办|怎么做|怎么开|依据呢|出处呢|谁定|多少|几个|什么时候)(?:呢|啊)?[？?]?$"
)
_ORDINAL = re.compile(r"第[一二三四五六七八九十0-9]{1,2}[点条项个](?!例)")


def standalone(question: str, history: Sequence[Turn]) -> str:
    """Return the question as it would be asked without the conversation.

    >>> standalone("那校长呢？", [Turn("user", "书记负责什么？")])
    '校长负责什么？'
    """
    asked = [turn.content for turn in history if turn.role == "user"]
    question = question.strip()
    if not asked or not question:
        return question
    last = asked[-1].strip()
    if match := _INSTEAD.match(question):
        return _exchange(last, match["what"])
    role = _role(last)
    if role and _PERSON.search(question) and not _role(question):
        return _PERSON.sub(role, question, count=1)
    if _BARE.match(question) or (_ORDINAL.search(question) and len(question) <= 14) or _leans(question):
        return f"{last.rstrip('？?。')}，{_POINTING.sub('', question) or question}"
    return question


def _leans(question: str) -> bool:
    return bool(_POINTING.match(question)) and len(analyse(question).content) <= 10 and not _role(question)


def _role(text: str) -> str:
    return next((role for role in _ROLES if role in text), "")


def _exchange(last: str, what: str) -> str:
    """Ask the last question of something else: of another role, or with another matter added."""
    what = _POINTING.sub("", what).strip()
    role, other = _role(last), _role(what)
    if role and other and other == what:
        return last.replace(role, what)
    return f"{last.rstrip('？?。')}，{what}"
