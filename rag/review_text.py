"""A report of checked drafts as plain text.

Knows reports only.
"""

from __future__ import annotations

import re
from collections import Counter

from rag.review import Report, Review
from rag.review_finding import KINDS, Finding

SHOWN = 60  # characters of the place that are repeated


def write_report(report: Report) -> str:
    """Return a report for reading on a terminal or in a letter."""
    parts = [_one(review) for review in report.reviews]
    if report.pairs:
        lines = ["雷同的稿件："]
        lines += [
            f"- {pair.first} 与 {pair.second}：最长连续{pair.length}字，"
            f"约占较短一篇的{pair.share:.0%}。“{_short(pair.text)}”"
            for pair in report.pairs
        ]
        parts.append("\n".join(lines))
    parts.append("\n".join(report.remarks))
    return "\n\n".join(parts)


def summary(review: Review) -> str:
    """Return what was found in one line."""
    counts = Counter(finding.kind for finding in review.findings)
    if not counts:
        return "没有发现问题"
    said = "，".join(f"{KINDS[kind]}{counts[kind]}处" for kind in KINDS if counts[kind])
    hollow = f"；空话占{review.empty_share:.0%}" if counts["empty"] else ""
    return said + hollow


def quoted(review: Review, finding: Finding) -> str:
    """Return the place of a finding in the draft's words, on one line."""
    return _short(review.text[finding.start : finding.end])


def _one(review: Review) -> str:
    whose = f"（{review.role}）" if review.role else ""
    lines = [f"【{review.name}】{whose}{summary(review)}。"]
    for finding in review.findings:
        lines.append(f"- 第{finding.line(review.text)}行 {KINDS[finding.kind]}：“{quoted(review, finding)}”")
        lines.append(f"  {finding.reason}。建议：{finding.suggestion}。")
    lines += [f"- {remark}" for remark in review.remarks]
    return "\n".join(lines)


def _short(text: str) -> str:
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
