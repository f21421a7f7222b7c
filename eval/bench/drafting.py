"""Outlines composed without a model, for every genre, role and topic: the contract held, how alike they are.

    python -m eval.bench.drafting [--out FILE.json]

For every genre x role x topic the outline is composed from the shipped
documents and checked: each policy point cites, each quote is the original's
own slice, what the point says stands in the quote, slots are listed, no
number or name stands outside quotes, nothing forbidden is said. Likeness is
the Jaccard index of character trigrams of all an outline says (0 to 1),
between roles, between seeds and between two teachers with different events;
outlines of one role for different topics and genres are the peer to compare with.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any

from rag.assistant import Assistant
from rag.config import Settings, shipped_dir
from rag.outline_text import SLOT
from rag.prompting import genres, roles
from rag.types import DraftRequest, Outline, Point

TOPICS = ("党组织领导的校长负责制", "党组织会议和校长办公会议议事规则", "三会一课和主题党日")
SEEDS = 4
EVENTS = (
    "上周三我听了一节语文课，课后和备课组老师商量，把导入改短了五分钟。",
    "九月教职工大会前，我把晚自习排班的意见写下来交给工会，两周后排班改了。",
)
_FORBIDDEN = re.compile(
    r"领导下的校长负责制|党组织对校长负责|提交校长决[策定]|政治核心|十[五六七八九]大|首先|其次|赋能|抓手|\{\{"
)
_INVENTED = re.compile(r"\d|[〔\[（(]\d{4}[〕\]）)]|《")


def main() -> None:
    """Compose, check, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), knowledge_dir=shipped_dir("knowledge"), llm="off")
        assistant = Assistant(settings)
        try:
            result = measure(assistant)
        finally:
            assistant.close()
    text = json.dumps(result, ensure_ascii=False, indent=2)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    sys.exit(1 if result["faults"] else 0)


def measure(assistant: Assistant) -> dict[str, Any]:
    """Return counts, faults and likenesses; likeness in 0 to 1, time in ms."""
    assistant.index()
    names, people = list(genres()), list(roles())
    began = time.perf_counter()
    drafts = {
        (genre, role, topic): assistant.draft(DraftRequest(genre=genre, role=role, topic=topic))
        for genre in names
        for role in people
        for topic in TOPICS
    }
    took = time.perf_counter() - began
    faults = [
        f"{genre}·{role}·{topic}：{fault}"
        for (genre, role, topic), outline in drafts.items()
        for fault in broken(outline, assistant)
    ]
    policy = [p for outline in drafts.values() for p in _points(outline, "policy")]
    return {
        "outlines": len(drafts),
        "without_policy": sum(not _points(outline, "policy") for outline in drafts.values()),
        "policy_points": len(policy),
        "cited": sum(bool(point.citations) for point in policy),
        "faults": faults,
        "likeness_between_roles": _summary(_alike(drafts, 1)),
        "likeness_between_seeds": _summary(_seeds(assistant, names, people)),
        "likeness_between_events": _summary(_events(assistant, names)),
        "likeness_between_topics": _summary(_alike(drafts, 2)),
        "likeness_between_genres": _summary(_alike(drafts, 0)),
        "ms_per_outline": round(1000 * took / len(drafts), 1),
    }


def _alike(drafts: Mapping[tuple[str, str, str], Outline], part: int) -> list[float]:
    """Return the likeness of every two outlines whose keys differ in one part (genre, role, topic) alone."""
    groups: dict[tuple[str, ...], list[Outline]] = {}
    for key, outline in drafts.items():
        groups.setdefault((*key[:part], *key[part + 1 :]), []).append(outline)
    return [likeness(a, b) for group in groups.values() for a, b in combinations(group, 2)]


def broken(outline: Outline, assistant: Assistant) -> Iterator[str]:
    """Yield where an outline breaks the contract."""
    cited = {citation.marker: citation for citation in outline.citations}
    for citation in outline.citations:
        if citation.quote != assistant.source(citation.source_id).original[citation.start : citation.end]:
            yield "引文与原文不符"
    for point in _points(outline, "policy"):
        said = point.text.split("）：", 1)[-1].rstrip("。")
        quotes = "".join(cited[marker].quote for marker in point.citations if marker in cited)
        if not point.citations or said not in quotes.replace("\n", ""):
            yield f"政策要点没有依据：{point.text[:30]}"
    own = [point.text for kind in ("own", "plan") for point in _points(outline, kind)]
    yield from (f"自编的数字或文件名：{text[:30]}" for text in own if _INVENTED.search(text))
    yield from (f"没有留空：{text[:30]}" for text in own if not SLOT.search(text))
    said = "\n".join([outline.title, outline.thesis, *_all(outline)])
    yield from (f"禁用的说法：{found}" for found in _FORBIDDEN.findall(said))
    yield from (f"口吻不合：{word}" for word in roles()[outline.role].forbidden if word in said)
    if len(outline.thesis) > 30:
        yield "立论超过30字"
    slots = {slot for text in _all(outline) for slot in SLOT.findall(text)}
    if slots != set(outline.placeholders):
        yield "待填清单不全"


def likeness(first: Outline, second: Outline) -> float:
    """Return the Jaccard index, 0 to 1, of the character trigrams of what two outlines say."""
    a, b = (_trigrams("\n".join([outline.thesis, *_all(outline)])) for outline in (first, second))
    return len(a & b) / (len(a | b) or 1)


def _seeds(assistant: Assistant, names: Sequence[str], people: Sequence[str]) -> Iterator[float]:
    for genre in names:
        for role in people:
            made = [
                assistant.draft(DraftRequest(genre=genre, role=role, topic=TOPICS[0], seed=seed))
                for seed in range(SEEDS)
            ]
            yield from (likeness(a, b) for a, b in combinations(made, 2))


def _events(assistant: Assistant, names: Sequence[str]) -> Iterator[float]:
    for genre in names:
        made = [
            assistant.draft(DraftRequest(genre=genre, role="普通教师", topic=TOPICS[0], event=event))
            for event in EVENTS
        ]
        yield likeness(*made)


def _points(outline: Outline, kind: str) -> list[Point]:
    return [point for section in outline.sections for point in section.points if point.kind == kind]


def _all(outline: Outline) -> list[str]:
    points = [point.text for section in outline.sections for point in section.points]
    return [*(section.heading for section in outline.sections), *points]


def _trigrams(text: str) -> set[str]:
    return {text[i : i + 3] for i in range(len(text) - 2)}


def _summary(values: Iterator[float] | Sequence[float]) -> dict[str, float]:
    found = sorted(values)
    return {
        "pairs": len(found),
        "mean": round(mean(found), 3),
        "p95": round(found[int(0.95 * (len(found) - 1))], 3),
        "max": round(found[-1], 3),
    }


if __name__ == "__main__":
    main()
