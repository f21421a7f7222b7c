"""Whose word a text is: central policy, a ministry, a place, a school, or its author's own.

A manifest says it best. Without one the title and opening tell it; inside a
teacher's own article, a sentence that names a central text as its source is
told from the author's opinion. Rules on wording only.
"""

from __future__ import annotations

import re

from rag.types import Authority

# From the weightiest; where sources agree as well, the weightier is quoted first.
ORDER: tuple[Authority, ...] = ("central", "ministry", "province", "county", "school", "author", "")
LABELS: dict[Authority, str] = {
    "central": "中央文件",
    "ministry": "部委文件",
    "province": "省级文件",
    "county": "市县文件",
    "school": "学校制度",
    "author": "作者观点",
    "": "来源未注明",
}
OPENING = 300  # code points of a text that say what it is

_BY_TITLE: tuple[tuple[Authority, re.Pattern[str]], ...] = (
    ("author", re.compile(r"心得|体会|感悟|发言|思考|汇报|自查|总结|经验|交流材料|讲稿|演讲")),
    (
        "central",
        re.compile(r"^中华人民共和国.{2,20}法$|^中国共产党.{1,30}(?:章程|条例|规定|准则)|^中共中央|^国务院"),
    ),
    ("ministry", re.compile(r"^教育部|^中小学.{0,12}暂行办法|部(?:令|办公厅)")),
    ("province", re.compile(r"(?:省|自治区|市)(?:委|人民政府|教育厅|教委)")),
    ("county", re.compile(r"(?:县|区)(?:委|人民政府|教育局|教体局)|教育局")),
    ("school", re.compile(r"(?:学校|中学|小学|幼儿园|校)(?:章程|.{0,14}(?:制度|规则|办法|细则|方案))")),
)
# A sentence that says it gives a central text's or meeting's own words.
_ATTRIBUTED = re.compile(
    r"(?:中共中央|党中央|中央办公厅|中央全面深化改革|总书记).{0,60}(?:印发|强调|指出|审议|要求|通过)"
    r"|(?:《[^《》]{0,60}意见[^《》]{0,12}》|意见)(?:\(试行\)|（试行）)?(?:包含|规定|明确|要求|指出|提出|是在)"
    r"|根据.{0,12}法的?规定|依据.{0,12}法第"
    r"|[（(](?:出处|来源)[：:]《中(?:国共产党|华人民共和国)"
)


def infer(title: str, text: str = "") -> Authority:
    """Return whose word a document is, by its title and opening; "" where they do not tell.

    >>> infer("学习交流心得体会")
    'author'
    """
    for authority, pattern in _BY_TITLE:
        if pattern.search(title):
            return authority
    opening = text[:OPENING]
    return next((a for a, pattern in _BY_TITLE[1:] if re.search(pattern, opening)), "") if not title else ""


def of_sentence(document: Authority, sentence: str) -> Authority:
    """Return whose word a sentence is: an author's article may hand on central policy and say so."""
    return "central" if document == "author" and _ATTRIBUTED.search(sentence) else document


def weight(authority: str) -> int:
    """Return the place in ORDER, 0 the weightiest."""
    return ORDER.index(authority) if authority in ORDER else len(ORDER)
