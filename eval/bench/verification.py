"""How many false sentences verification catches, and how many true ones it rejects.

    python -m eval.bench.verification [--held] [--shared DIR] [--show KIND]

Sentences of the bundled documents, of the seed document and of statutes are
made false one fact at a time (`falsehoods`) or said in other words
(`restatements`, and paraphrases written by hand). The evidence is the
sentence with NEIGHBOURS sentences on either side. A false sentence counts
only if it does not itself stand in its evidence. The peer, over the same
sentences, is the threshold on coverage alone. Sentences are parted by their
hash: rules are tuned on one half, `--held` gives the totals of the other.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, permutations
from pathlib import Path

from eval.bench.falsehoods import exchanges, tuned_on
from eval.bench.restatements import restatements
from rag import sentences as split
from rag.config import shipped_dir
from rag.verify import COVERED, coverage, support

NEIGHBOURS = 2  # sentences of evidence on either side
LAWS = 60  # statutes drawn, ARTICLES of each that stand together
ARTICLES = 12
SHORTEST = 12  # characters of a sentence that says enough to be falsified
ROOT = Path(__file__).resolve().parents[2]
SETS = ("knowledge.jsonl", "knowledge-fresh.jsonl", "knowledge-third.jsonl")
BY_HAND = ROOT / "tests" / "data" / "paraphrases.toml"
_NOTE = re.compile(r"（(?:出处|来源)：[^\n]*）$|（乙级[^（）]*）")
_LIST = re.compile(r"^(?:[-*]|\d{1,2}\.)\s*")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence to be verified: where from, by which exchange or rule, and what it is held against."""

    corpus: str
    kind: str
    text: str
    evidence: str


def passages(corpus: str, shared: Path) -> Iterator[list[str]]:
    """Yield the texts of a corpus as lists of sentences in order."""
    if corpus == "knowledge":
        for path in sorted(shipped_dir("knowledge").glob("*.md")):
            yield _sentences(path.read_text(encoding="utf-8"))
    elif corpus == "seed":
        for path in sorted((shared / "seed").glob("*.txt")):
            yield _sentences(re.sub(r"\n\d+、", "", path.read_text(encoding="utf-8")).replace(",", "，"))
    else:
        with gzip.open(shared / "data" / "laws.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = (json.loads(line) for line in lines)
            laws = [[r["text"] for r in group] for _, group in groupby(rows, key=lambda r: r["law"])]
        for law in random.Random(0).sample([law for law in laws if len(law) >= ARTICLES], LAWS):
            yield _sentences("\n".join(law[:ARTICLES]))


def _sentences(text: str) -> list[str]:
    lines = (line for line in text.splitlines() if line.strip() and line[0] not in "#|")
    return [_LIST.sub("", line[a:b]) for line in lines for a, b in split.sentences(line)]


def claims(corpus: str, shared: Path, *, held: bool) -> tuple[list[Claim], list[Claim]]:
    """Return the (false, true) claims of one half of a corpus."""
    false, true = [], []
    for texts in passages(corpus, shared):
        for i, original in enumerate(texts):
            sentence = _NOTE.sub("", original).strip()
            if len(sentence) < SHORTEST or tuned_on(sentence) is held:
                continue
            evidence = _around(texts, i, i)
            following = _NOTE.sub("", texts[i + 1]) if i + 1 < len(texts) else ""
            false += falsified(corpus, sentence, evidence)
            true += [Claim(corpus, k, t, evidence) for k, t in restatements(sentence, following)]
    return false, true


def falsified(corpus: str, sentence: str, evidence: str) -> list[Claim]:
    """Return a true sentence's false forms that do not themselves stand in the evidence."""
    made = [Claim(corpus, kind, text, evidence) for kind, text in exchanges(sentence)]
    return [claim for claim in made if _bare(claim.text) not in _bare(evidence)]


def by_hand(*, held: bool) -> tuple[list[Claim], list[Claim]]:
    """Return the paraphrases written by hand, made false and as they are, of one half."""
    false, true = [], []
    texts = {
        path.name[:2]: _sentences(path.read_text(encoding="utf-8"))
        for path in shipped_dir("knowledge").glob("*.md")
    }
    for row in tomllib.loads(BY_HAND.read_text(encoding="utf-8"))["paraphrase"]:
        if tuned_on(row["said"]) is held:
            continue
        known = texts[row["file"]]
        places = [i for i, s in enumerate(known) for of in row["of"] if of in s]
        evidence = _around(known, min(places), max(places))
        true.append(Claim("by hand", "by hand", row["said"], evidence))
        false += falsified("by hand", row["said"], evidence)
    return false, true


def elsewhere(*, held: bool) -> list[Claim]:
    """Return sentences held against another that a case of the evaluation sets lists as saying the same.

    Not every other says all of it, so no verifier can accept them all.
    """
    known = [text for path in sorted(shipped_dir("knowledge").glob("*.md")) for text in _windows(path)]
    found: dict[Claim, None] = {}
    for name in SETS:
        for line in (ROOT / "eval" / "sets" / name).read_text(encoding="utf-8").splitlines():
            quotes = [q for q in json.loads(line)["gold_quotes"] if len(q) >= SHORTEST and "|" not in q]
            for one, other in permutations(quotes, 2):
                evidence = next((window for sentence, window in known if other in sentence), "")
                if evidence and one not in evidence and tuned_on(one) is not held:
                    found[Claim("elsewhere", "elsewhere", one, evidence)] = None
    return list(found)


def _windows(path: Path) -> Iterator[tuple[str, str]]:
    texts = _sentences(path.read_text(encoding="utf-8"))
    for i, text in enumerate(texts):
        yield text, _around(texts, i, i)


def _around(texts: Sequence[str], first: int, last: int) -> str:
    """The sentences from the first to the last with their neighbours."""
    return "".join(texts[max(0, first - NEIGHBOURS) : last + NEIGHBOURS + 1])


def _bare(text: str) -> str:
    return "".join(re.findall(r"\w+", text))


def covered(text: str, evidence: str) -> bool:
    """The peer: enough of the words are there."""
    return coverage(text, evidence) >= COVERED


def supported(text: str, evidence: str) -> bool:
    """What is measured."""
    return support(text, evidence) != "unsupported"


def table(rows: Sequence[Claim], accept: Callable[[str, str], bool]) -> dict[str, tuple[int, int]]:
    """Return per corpus, per kind and in all (accepted, claims)."""
    taken, total = Counter[str](), Counter[str]()
    for claim in rows:
        yes = accept(claim.text, claim.evidence)
        for name in (claim.corpus, f"{claim.corpus}: {claim.kind}", f"all: {claim.kind}", "all"):
            taken[name] += yes
            total[name] += 1
    return {name: (taken[name], total[name]) for name in sorted(total)}


def report(title: str, rows: Sequence[Claim], *, totals: bool, show: str) -> None:
    """Print the shares accepted, and the claims of the kind to show that are judged wrongly."""
    ours, peer = table(rows, supported), table(rows, covered)
    for name, (taken, total) in ours.items():
        if not totals or name.startswith("all") or ":" not in name:
            other = peer[name][0] / total
            print(f"{title} | {name} | {total} | {taken / total:.1%} | by coverage alone {other:.1%}")
    for claim in rows:
        wrong = supported(claim.text, claim.evidence) is (title == "false")
        if wrong and show in (title, claim.kind):
            print(f"  [{claim.corpus}: {claim.kind}] {claim.text}\n      << {claim.evidence}")


def main() -> None:
    """Measure both halves of the question on one half of the sentences and print the shares accepted."""
    parser = argparse.ArgumentParser(description="How far verification tells false from true.")
    parser.add_argument("--held", action="store_true", help="the half that was not tuned on: totals only")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--show", default="", help="print claims judged wrongly: a kind, 'false' or 'true'")
    options = parser.parse_args()
    corpora = ["knowledge", *(["seed", "laws"] if options.shared.exists() else [])]
    parts = [claims(name, options.shared, held=options.held) for name in corpora]
    parts += [by_hand(held=options.held), ([], elsewhere(held=options.held))]
    show = "" if options.held else options.show
    for title, side in (("false", 0), ("true", 1)):
        report(title, [claim for part in parts for claim in part[side]], totals=options.held, show=show)


if __name__ == "__main__":
    main()
