"""Made drafts with planted faults, and how well a check finds them.

A set is a file of clean drafts and faults by kind (tests/data/drafts_*.toml).
Faults are planted at places that a fixed rule picks; the check knows nothing
of them. Folders hold each clean draft once, so that only planted passages
make two drafts alike.
"""

import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rag.prompting import roles
from rag.review import Draft, review
from rag.review_facts import Library
from rag.review_rules import load_rules

DATA = Path(__file__).parent / "data"
KNOWLEDGE = Path(__file__).resolve().parent.parent / "knowledge"
KINDS = (
    "overlap", "alike", "empty", "template", "voice", "name", "under", "relation", "stale", "number", "level",
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A fault at text[start:end]; `also` other kinds that it may rightly be found under."""

    kind: str
    start: int
    end: int
    also: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """A draft with its faults, the folder it lies in, and its writer's role."""

    folder: int
    name: str
    role: str
    text: str
    planted: tuple[Planted, ...]


def load(name):
    table = tomllib.loads((DATA / f"drafts_{name}.toml").read_text(encoding="utf-8"))
    faults = {
        kind: [fault if isinstance(fault, dict) else {"text": fault} for fault in given]
        for kind, given in table["faults"].items()
    }
    texts = [(f"资料{number}", text) for number, text in enumerate(table["library"], 1)]
    shipped = [(path.stem, path.read_text(encoding="utf-8")) for path in sorted(KNOWLEDGE.glob("*.md"))]
    return table["drafts"], faults, Library(texts=[*texts, *shipped], titles=official())


def official():
    table = tomllib.loads((KNOWLEDGE / "official.toml").read_text(encoding="utf-8"))
    return [entry["title"] for entry in table["text"]]


def make(name, folders):
    """Plant two faults of different kinds in every draft of every folder; shared passages in two drafts each."""
    bases, faults, library = load(name)
    turns = Counter()
    cases = []
    for folder in range(folders):
        texts = [[base["role"], base["text"].strip(), []] for base in bases]
        for place, passage in enumerate(_next(faults["alike"], turns, "alike", None, 1)):
            for index in ((2 * folder + place) % len(texts), (2 * folder + place + 1) % len(texts)):
                _plant(texts[index], "alike", passage, folder + index)
        others = [kind for kind in KINDS if kind != "alike"]
        for index, draft in enumerate(texts):
            for step in range(2):
                kind = others[(folder * 3 + index * 2 + step) % len(others)]
                fitting = _next(faults[kind], turns, kind, draft[0], 1)
                if fitting:
                    _plant(draft, kind, fitting[0], folder + index + step)
        for index, (role, text, planted) in enumerate(texts):
            found = tuple(
                Planted(kind, text.index(part), text.index(part) + len(part), also)
                for kind, part, also in planted
            )
            cases.append(Case(folder, f"稿{folder}-{index}", role, text, found))
    return cases, library


def _next(faults, turns, kind, role, count):
    """The next faults of a kind that a role can commit."""
    fitting = [fault for fault in faults if role is None or role in fault.get("roles", [role])]
    chosen = []
    for _ in range(min(count, len(fitting))):
        chosen.append(fitting[turns[kind, len(fitting)] % len(fitting)])
        turns[kind, len(fitting)] += 1
    return chosen


def _plant(draft, kind, fault, turn):
    lines = draft[1].split("\n")
    if kind == "level":
        headings = [n for n, line in enumerate(lines) if n and line[:2] in ("一、", "二、", "三、", "四、")]
        if fault.get("after"):
            lines.insert(headings[0] + 2, fault["text"])
        else:
            lines[headings[1]] = fault["text"]
        shown = fault["text"].split("\n")[0]
    else:
        bodies = [n for n, line in enumerate(lines) if n and line.endswith("。")]
        lines[bodies[turn % len(bodies)]] += fault["text"]
        shown = fault["text"]
    draft[1] = "\n".join(lines)
    draft[2].append((kind, shown, tuple(fault.get("also", ()))))


def check(case, cases, library):
    others = [Draft(c.name, c.text) for c in cases if c.folder == case.folder and c.name != case.name]
    return review(
        Draft(case.name, case.text),
        rules=load_rules(),
        library=library,
        role=roles()[case.role],
        others=others,
    )


def score(name, folders):
    """Return per kind (found rightly, found wrongly, missed), and what was wrong, for reading."""
    cases, library = make(name, folders)
    counts = {kind: Counter() for kind in KINDS}
    notes = []
    for case in cases:
        found = check(case, cases, library).findings
        for fault in case.planted:
            hit = any(f.kind == fault.kind and _meet(f, fault) for f in found)
            counts[fault.kind]["right" if hit else "missed"] += 1
            if not hit:
                notes.append(f"missed {fault.kind}: {case.text[fault.start : fault.end]}")
        for finding in found:
            allowed = [f for f in case.planted if finding.kind in (f.kind, *f.also)]
            if finding.kind in counts and not any(_meet(finding, fault) for fault in allowed):
                counts[finding.kind]["wrong"] += 1
                notes.append(f"wrong {finding.kind}: {case.text[finding.start : finding.end]}")
    return len(cases), counts, notes


def precision(count):
    return count["right"] / ((count["right"] + count["wrong"]) or 1)


def recall(count):
    return count["right"] / ((count["right"] + count["missed"]) or 1)


def _meet(finding, fault):
    return finding.start < fault.end and fault.start < finding.end
