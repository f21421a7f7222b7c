"""A question as the ranker sees it: weighed characters and pairs, its kind, what an answer would hold.

Independent of `rag.question`, whose rules for wording answers may change
without training the ranker anew. Knows folded text and corpus weights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag.lexical import LexicalIndex, fold, tokenize
from rag.matching import Terms, bigram_keys, code_points
from rag.rerank import FOLDER
from rag.synonyms import expand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.matching import Numbers

OUTSIDE = re.compile(r"[^\w]|_")
_N = "[0-9零〇一二两三四五六七八九十百千万亿半]"
# Kind of question, how it is asked, what an answer then holds; on folded text.
# The first that is asked decides.
KINDS: dict[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "when": (
        re.compile(r"什么时候|什么时间|何时|时候|哪一?年|哪一?天|哪个?月|几月|几号|几时|多久|期限|截止|时间|日期|年代|世纪"),
        re.compile(rf"{_N}{{1,4}}\s?(?:年|月|日|世纪|时|点|天|周|小时|个月)|[0-9]{{4}}|期间|时期|当天|同日|之日"),
    ),
    "count": (
        re.compile(r"多少|几[^何乎]|多大|多长|多高|多远|多重|比例|人数|数量|面积|标准|金额|第几"),
        re.compile(rf"{_N}+(?:[.,]{_N}+)?\s?[^\s\d]|[0-9]+|%|分之|半数"),
    ),
    "who": (
        re.compile(r"谁|哪位|何人|什么人|哪一?个?人|哪些人|由哪|哪个(?:部门|单位|机构|机关|组织)|什么(?:部门|单位|机构|机关)|哪一级"),
        re.compile(r"由|被|·|部门|机关|机构|委员会|政府|单位|人员|法院|主任|书记|校长|先生|教授|导演|家"),
    ),
    "where": (
        re.compile(r"哪里|哪儿|何处|何地|什么地方|哪个?(?:国家|国|城市|省|市|地区|地方|州|县|岛|洲)|位于|地点|地址|地区"),
        re.compile(r"位于|[省市县区州国镇乡村路街山河湖海岛港]|[东南西北]部|地区"),
    ),
    "why": (
        re.compile(r"为什么|为何|为啥|原因|因为什么|凭什么|目的"),
        re.compile(r"因|由于|为了|所以|导致|原因|以便|旨在"),
    ),
    "how": (
        re.compile(r"如何|怎么|怎样|方式|方法|措施|手段|步骤|程序|途径|条件|要求"),
        re.compile(r"通过|采取|采用|应当|可以|按照|利用|方式|方法|措施|进行"),
    ),
    "list": (
        re.compile(r"哪些|哪几|有什么|包括|包含|分别|分为|内容"),
        re.compile(r"、[^、]{1,20}(?:、|和|及|以及)|[一二三]是|\([一二三]\)|包括|分别|;|分为"),
    ),
    "define": (
        re.compile(r"什么是|是什么|指什么|是指|什么意思|含义|定义|称为|叫什么|什么名"),
        re.compile(r"是指|指|即|称为?|叫做?|名为|是一"),
    ),
    "whether": (
        re.compile(r"吗|是否|能不能|可不可以|是不是|能否|可以|有没有"),
        re.compile(r"可以|应当|不得|不|必须|有权|能|禁止"),
    ),
}  # fmt: skip
_UNIT = re.compile(r"(?:多少|第?几)(?:个|多)?([^\W\d_])|哪一?(年|月|天|日|届|级|类|种)")


@lru_cache(maxsize=1)
def word_weights() -> dict[str, float]:
    """How often a token of a question stands in the answering passage, learned; "" is any other's."""
    weights: dict[str, float] = json.loads((FOLDER / "words.json").read_text(encoding="utf-8"))
    return weights


def token_weights(question: str) -> dict[str, float]:
    """Weigh the tokens of a question and of the documents' words for what it names."""
    learned = word_weights()
    return {token: learned.get(token, learned[""]) for token in tokenize(expand(question))}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question ready for matching; weights sum to 1, `kind` numbers KINDS (their count: none of them).

    `expected` has, for each kind and for "unit" (多少人: a number of people),
    what to look for, or None where it is not asked for.
    """

    text: str
    points: NDArray[np.uint32]
    pairs: Terms
    singles: Terms
    character_weights: Numbers
    kind: int
    expected: dict[str, re.Pattern[str] | None]

    @classmethod
    def of(cls, question: str, lexical: LexicalIndex) -> Asked:
        """Weigh a question by a corpus."""
        text = fold(question).strip()
        points = code_points(text)
        keys, first = np.unique(bigram_keys(points), return_index=True)
        pairs = Terms(keys, _weights([text[i : i + 2] for i in first], lexical))
        single_keys, first = np.unique(points, return_index=True)
        singles = Terms(single_keys, _weights([text[i] for i in first], lexical))
        expected = {name: holds if asks.search(text) else None for name, (asks, holds) in KINDS.items()}
        kind = next((i for i, holds in enumerate(expected.values()) if holds), len(KINDS))
        expected["unit"] = _unit(text)
        return cls(text, points, pairs, singles, _weights(list(text), lexical), kind, expected)


def _unit(text: str) -> re.Pattern[str] | None:
    """What an amount asked for is counted in."""
    found = _UNIT.search(text)
    return re.compile(rf"{_N}\s?(?:多|余)?(?:个)?{re.escape(found[1] or found[2])}") if found else None


def _weights(tokens: Sequence[str], lexical: LexicalIndex) -> Numbers:
    """Weights that sum to 1: rare in the corpus, seen in answers; nothing for what is no word."""
    learned = word_weights()
    raw = [0.0 if OUTSIDE.search(t) else lexical.idf(t) * learned.get(t, learned[""]) for t in tokens]
    weights = np.array(raw, dtype=np.float32)
    return weights / np.float32(max(float(weights.sum()), 1e-6))
