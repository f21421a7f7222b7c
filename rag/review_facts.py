"""What a draft states: names of documents against the catalogue, numbers against the library."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property

from rag import sentences as split
from rag.lexical import fold
from rag.review_finding import Finding, Manuscript
from rag.review_rules import Rules
from rag.verify import coverage

NEAR = 0.72  # SequenceMatcher ratio of two titles from which one is the other written wrongly
ABOUT = 0.3  # share of a sentence's words in a library sentence from which both speak of one thing
_TITLE = re.compile(r"《([^《》\n]{2,120})》")
_OFTEN = re.compile(r"^每(?:年|月|周|季度|学期)|[一二三四五六七八九十两\d]{1,9}次$")
_TRIAL = re.compile(r"（(?:试行|暂行)）$")


@dataclass(frozen=True)
class Library:
    """What a draft is held against: (title, text) of the documents, names that are known to be right."""

    texts: Sequence[tuple[str, str]] = ()
    titles: Sequence[str] = field(default=())

    @cached_property
    def sentences(self) -> list[str]:
        """All sentences of the texts."""
        return [text[a:b] for _, text in self.texts for a, b in split.sentences(text)]

    @cached_property
    def known(self) -> frozenset[str]:
        """The titles in the form that names are compared in."""
        return frozenset(_bare(title) for title in [*self.titles, *(title for title, _ in self.texts)])

    def states(self, facts: Sequence[str], sentence: str) -> bool:
        """Tell whether a sentence of the library holds all of some facts and speaks of the same thing."""
        return any(
            all(fact in known for fact in facts) and coverage(sentence, known) >= ABOUT
            for known in self.sentences
        )


def names(paper: Manuscript, rules: Rules, library: Library) -> Iterator[Finding]:
    """Find names in 《》 that are no known document's, or nearly one's."""
    table = rules.tables["name"]
    documents, own = rules.pattern("name", "documents"), rules.pattern("name", "own")
    short = frozenset(_bare(name) for name in table["short"])
    for match in _TITLE.finditer(paper.body):
        title = match[1].strip()
        if not documents.search(title) or own.search(title):
            continue
        if _bare(title) in library.known or _bare(title) in short:
            continue
        right = _nearest(title, [*library.titles, *table["short"]])
        kind = "wrong" if right else "unknown"
        advice = str(table[f"{kind}_suggestion"]).format(right=right)
        yield Finding("name", *match.span(), str(table[f"{kind}_reason"]), advice)


def numbers(paper: Manuscript, rules: Rules, library: Library) -> Iterator[Finding]:
    """Find document numbers, clause numbers, thresholds and achievements without a source."""
    table = rules.tables["number"]

    def finding(match: re.Match[str], rule: str, **fields: str) -> Finding:
        return Finding(
            "number",
            *match.span(),
            str(table[f"{rule}_reason"]).format(**fields),
            str(table[f"{rule}_suggestion"]),
        )

    for match in rules.pattern("number", "document_number").finditer(paper.body):
        if not any(fold(match[0]) in fold(text) for _, text in library.texts):
            yield finding(match, "number")
    for match in rules.pattern("number", "article").finditer(paper.body):
        name, article = match["name"], match["article"]
        if not _holds(library, _bare(name), article):
            yield finding(match, "article", name=name, article=article)
    sourced, ruled = rules.pattern("number", "sourced"), rules.pattern("number", "ruled")
    for match in rules.pattern("number", "threshold").finditer(paper.body):
        sentence = paper.sentence_at(match.start())
        facts = _OFTEN.findall(match[0]) or [match[0]]  # 每周……一次: how often, and how many times
        if ruled.search(sentence) and not library.states(facts, sentence):
            yield finding(match, "threshold")
    for match in rules.pattern("number", "achievement").finditer(paper.body):
        sentence = paper.sentence_at(match.start())
        if not sourced.search(sentence) and not library.states([match[0]], sentence):
            yield finding(match, "achievement")


def _holds(library: Library, name: str, article: str) -> bool:
    """Tell whether a sentence of the library names this clause of this document."""
    return any(article in sentence and name in _bare(sentence) for sentence in library.sentences)


def _nearest(title: str, known: Sequence[str]) -> str:
    """The known title that is most like a wrong one, or ""."""
    scored = [(SequenceMatcher(None, _bare(title), _bare(right)).ratio(), right) for right in known]
    best = max(scored, default=(0.0, ""))
    return best[1].strip("《》") if best[0] >= NEAR else ""


def _bare(title: str) -> str:
    """A title without marks, spaces, 中华人民共和国 and （试行）."""
    text = re.sub(r"[《》〈〉\s]", "", title).replace("(", "（").replace(")", "）")
    return _TRIAL.sub("", text).removeprefix("中华人民共和国")
