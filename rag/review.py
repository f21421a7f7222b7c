"""The check of a teacher's draft: what is copied, empty, wrongly named, turned round or in another's voice.

Every finding has its place, a reason and a suggestion; the writer decides.
The rules are data (prompts/review.toml). Knows texts, no files and no index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from rag import overlap
from rag.prompting import Role
from rag.review_facts import Library, names, numbers
from rag.review_finding import Finding, Manuscript, manuscript
from rag.review_rules import Rules
from rag.review_style import blanks, empty, levels, parallels, phrases, voices


@dataclass(frozen=True, slots=True)
class Review:
    """What was found in one draft, in its order; `empty_share` of its sentences, 0 to 1, say nothing."""

    name: str
    role: str
    text: str
    findings: tuple[Finding, ...]
    sentences: int
    empty_share: float
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The `check --json` form of one draft."""
        return {
            "name": self.name,
            "role": self.role,
            "sentences": self.sentences,
            "empty_share": round(self.empty_share, 3),
            "remarks": list(self.remarks),
            "findings": [finding.to_dict(self.text) for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Pair:
    """Two drafts that share runs of text: the longest, and the share of the shorter draft's letters."""

    first: str
    second: str
    length: int
    share: float
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as given: its name, its text, and (start, level) of headings that the file format marks."""

    name: str
    text: str
    headings: tuple[tuple[int, int], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Report:
    """The reviews of some drafts, the pairs among them and their neighbours that are alike, and remarks."""

    reviews: tuple[Review, ...]
    pairs: tuple[Pair, ...] = ()
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The `check --json` form."""
        return {
            "drafts": [one.to_dict() for one in self.reviews],
            "pairs": [asdict(pair) for pair in self.pairs],
            "remarks": list(self.remarks),
        }


def review_all(
    drafts: Sequence[Draft],
    siblings: Sequence[Draft] = (),
    *,
    rules: Rules,
    library: Library,
    role: Role | None = None,
) -> Report:
    """Check drafts against the rules, the library, each other and the other drafts beside them."""
    together = [*drafts, *siblings]
    reviews = [
        review(
            draft,
            rules=rules,
            library=library,
            role=role,
            others=[other for other in together if other is not draft],
        )
        for draft in drafts
    ]
    asked = {draft.name for draft in drafts}
    alike = [pair for pair in pairs(together, rules) if {pair.first, pair.second} & asked]
    remarks = []
    if role is None:
        remarks.append("没有选身份，口吻只查了谁都不该说的话；选了身份再查一遍更准。")
    if not library.texts:
        remarks.append("知识库里没有资料，没有查与资料的重合。")
    remarks.append("各条是提示，请自己判断；不保证通过任何查重或检测。")
    return Report(tuple(reviews), tuple(alike), tuple(remarks))


def review(
    draft: Draft,
    *,
    rules: Rules,
    library: Library,
    role: Role | None = None,
    others: Iterable[Draft] = (),
) -> Review:
    """Check one draft against the rules, the library and other drafts."""
    paper = manuscript(draft.text)
    hollow = empty(paper, rules)
    copied = _copied(paper, rules, library.texts, "overlap")
    alike = _copied(paper, rules, [(other.name, manuscript(other.text).body) for other in others], "alike")
    found = [
        *phrases(paper, rules),
        *parallels(paper),
        *voices(paper, rules, role),
        *hollow,
        *names(paper, rules, library),
        *numbers(paper, rules, library),
        *levels(paper, rules, draft.headings),
        *blanks(paper, rules),
        *copied,
        *(finding for finding in alike if not any(_inside(finding, other) for other in copied)),
    ]
    total = len(paper.prose)
    share = len(hollow) / total if total else 0.0
    return Review(
        draft.name,
        role.name if role else "",
        draft.text,
        tuple(sorted(found, key=lambda finding: (finding.start, finding.end, finding.kind))),
        total,
        share,
        _hollow(len(hollow), total, rules),
    )


def _hollow(count: int, total: int, rules: Rules) -> tuple[str, ...]:
    """What to say of a draft that is largely empty talk."""
    table = rules.tables["empty"]
    if not total or count / total < float(table["share"]):
        return ()
    reason = str(table["share_reason"]).format(share=f"{count / total:.0%}", count=count, total=total)
    return (f"{reason}：{table['share_suggestion']}。",)


def pairs(drafts: Sequence[Draft], rules: Rules) -> list[Pair]:
    """Return the pairs of drafts that share long runs, the longest first."""
    least = int(rules.tables["alike"]["least"])
    papers = [(draft.name, manuscript(draft.text)) for draft in drafts]
    found = []
    for (first, ours), (second, theirs) in combinations(papers, 2):
        shared = _runs(ours, theirs.body, rules, least)
        if shared:
            longest = max(shared, key=lambda run: run.length)
            size = min(len(overlap.letters(paper.body).text) for paper in (ours, theirs))
            share = min(1.0, sum(run.length for run in shared) / (size or 1))
            text = ours.body[longest.start : longest.end]
            found.append(Pair(first, second, longest.length, round(share, 3), text))
    return sorted(found, key=lambda pair: (-pair.length, pair.first, pair.second))


def _copied(paper: Manuscript, rules: Rules, texts: Iterable[tuple[str, str]], kind: str) -> list[Finding]:
    """The runs that stand in any of the texts too, each told once, by the longest."""
    table = rules.tables[kind]
    found: list[tuple[overlap.Run, str]] = []
    for title, text in texts:
        found += [(run, title) for run in _runs(paper, text, rules, int(table["least"]))]
    kept: list[Finding] = []
    for run, title in sorted(found, key=lambda item: (-item[0].length, item[0].start)):
        if not any(run.start < other.end and other.start < run.end for other in kept):
            reason = str(table["reason"]).format(title=title.strip("《》"), length=run.length)
            kept.append(Finding(kind, run.start, run.end, reason, str(table["suggestion"])))
    return kept


def _runs(paper: Manuscript, text: str, rules: Rules, least: int) -> list[overlap.Run]:
    """The common runs that are neither quoted nor cited."""
    found = overlap.runs(paper.body, text, least=least, set_terms=rules.set_terms)
    return [run for run in found if not paper.attributed(run.start, run.end)]


def _inside(finding: Finding, other: Finding) -> bool:
    shared = min(finding.end, other.end) - max(finding.start, other.start)
    return shared > (finding.end - finding.start) / 2
