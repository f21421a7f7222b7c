"""What a question speaks of, weighed by how rare it is in the user's documents.

Also the wordings by which a sentence asks, denies or breaks off. Knows the
question and the corpus weights; not which sentences are compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag import synonyms
from rag.lexical import LexicalIndex, fold, tokenize
from rag.question import Question, content_parts

UNIGRAM_WEIGHT = 0.25  # one character alone says little
SEAM_WEIGHT = 0.2
SAID_WEIGHT = 0.7  # of a saying, which has many ways to be covered
UNKNOWN_WEIGHT = 0.7  # a word no document holds may be mere talk
ASKS = re.compile(r"谁|哪个|哪些|怎么|如何|是否|多少")
CORRECTS = re.compile(
    r"(?:是|写)错|写反|(?:都)?不对|误写|不等于|误解|误区|混在一起|不能写|不(?:应当|能)(?:写|以)|没有“|不是|仍写|不写成|只讲"
)
COMPLETE = re.compile(r"[。！？；!?;][”’」』）)》]{0,3}$|）$")
ABSENCE = re.compile(
    r"(?:没有|未)[^。，,；;]{0,14}(?:核到|见到|看到|规定|写明|找到|提到|载明|载|统一)|(?:没有|未)\**[：:]|不(?:作)?裁断|不作转述"
)


@dataclass(frozen=True, slots=True)
class Concept:
    """Something a question speaks of: the ways to say it, each as tokens with their idf, and its weight.

    `listed` tells whether it is a thing with known names (支委会), not a mere pair of characters.
    """

    names: tuple[tuple[tuple[str, float], ...], ...]
    weight: float
    listed: bool = False

    def covered(self, tokens: frozenset[str]) -> float:
        """Return the share, 0 to 1, of the best said name that a text's tokens hold."""
        return max(
            sum(idf for token, idf in name if token in tokens) / (sum(idf for _, idf in name) or 1.0)
            for name in self.names
        )


def concepts(question: Question, lexical: LexicalIndex) -> list[Concept]:
    """Return what a question speaks of; the weights sum to 1.

    Words with listed synonyms or other ways to say them are one concept each, other bigrams stand for
    themselves. A bigram no document holds, between two that some do, is
    where two words meet (学校党组织: 校党) and counts for little.
    """
    found: list[Concept] = []
    for part in content_parts(question):
        folded = fold(part)
        position = 0
        for word in [*synonyms.spoken(folded), None]:
            found += _bigrams(folded[position : word.start if word else len(folded)], lexical)
            if word:
                said = folded[word.start : word.end]
                found.append(_named(word.names, lexical) if word.thing else _said(said, word.names, lexical))
                position = word.end
    merged = {c.names: c for c in found if c.weight > 0}
    total = sum(concept.weight for concept in merged.values()) or 1.0
    return [Concept(concept.names, concept.weight / total, concept.listed) for concept in merged.values()]


def _named(names: Sequence[str], lexical: LexicalIndex) -> Concept:
    """A listed word weighs as much as the rarest bigram of the names that documents use."""
    tokens = [_tokens(name) for name in names]
    known = [max(map(lexical.idf, name)) for name in tokens if all(map(lexical.known, name))]
    if not known:  # a thing that no document names is not half there because 学校 is
        return Concept((((names[0], 1.0),),), UNKNOWN_WEIGHT * lexical.idf(""), listed=True)
    return Concept(_ways(names, lexical), min(known), listed=True)


def _said(word: str, names: Sequence[str], lexical: LexicalIndex) -> Concept:
    """A saying weighs as its own characters do, a little less; it is covered by any other way to put it."""
    weight = sum(concept.weight for concept in _bigrams(word, lexical))
    return Concept(_ways((word, *names), lexical), SAID_WEIGHT * weight)


def _ways(names: Sequence[str], lexical: LexicalIndex) -> tuple[tuple[tuple[str, float], ...], ...]:
    """Each name as tokens with their idf."""
    return tuple(tuple((token, lexical.idf(token)) for token in _tokens(name)) for name in names)


def _tokens(name: str) -> list[str]:
    return [t for t in tokenize(name) if len(t) > 1 or t.isascii()] or [name]


def _bigrams(text: str, lexical: LexicalIndex) -> list[Concept]:
    tokens = tokenize(text)
    pairs = [t for t in tokens if len(t) > 1 or t.isascii()]
    found = []
    for i, token in enumerate(pairs):
        weight = lexical.idf(token)
        if not lexical.known(token):
            between = 0 < i < len(pairs) - 1 and lexical.known(pairs[i - 1]) and lexical.known(pairs[i + 1])
            weight *= SEAM_WEIGHT if between else UNKNOWN_WEIGHT
        found.append(Concept((((token, 1.0),),), weight))
    single = [t for t in tokens if len(t) == 1 and not t.isascii()]
    return found + [Concept((((t, 1.0),),), lexical.idf(t) * UNIGRAM_WEIGHT) for t in single]
