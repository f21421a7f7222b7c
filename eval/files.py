"""The files that programs read: results.json, cases.csv for spreadsheets, junit.xml for CI.

Every file is written whole or not at all. Knows outcomes; computes nothing.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.cases import KIND_NAMES
from eval.metrics import METRICS
from eval.outcome import STATUS_NAMES, Outcome

# What XML 1.0 cannot hold, escaped or not; HTML and spreadsheets are better off without it too.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a cell that starts so runs as a formula (OWASP, CSV injection)


COLUMNS = (
    "编号",
    "题型",
    "问题",
    "应答",
    "状态",
    "回答",
    "出处",
    "标准出处",
    "答案要点",
    "用时（毫秒）",
    "出错原因",
)


def legal(text: str) -> str:
    """Return a text with what XML cannot hold replaced by the replacement character."""
    return _ILLEGAL.sub("\ufffd", text)


def write_atomically(path: Path, content: str) -> None:
    """Write UTF-8 text; a reader sees the old file or the whole new one."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            # A lone surrogate, which no text should hold, becomes its escape rather than an error.
            file.write(content.encode("utf-8", "backslashreplace"))
        temporary.chmod(0o644)  # mkstemp gives a file to its owner alone
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def results_json(results: Mapping[str, Any]) -> str:
    """Return the `eval --json` form as text."""
    return json.dumps(results, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def cases_csv(outcomes: Sequence[Outcome]) -> str:
    """Return a row per case, opening with a byte order mark so that Excel reads it as UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in case_rows(outcomes):
        writer.writerow(row)
    return "\ufeff" + text.getvalue()


def case_rows(outcomes: Sequence[Outcome]) -> Iterator[list[Any]]:
    """Yield a heading and a row per case, as spreadsheets are to show them; nothing runs as a formula."""
    yield [*COLUMNS, *(f"{metric.label}（{name}）" for name, metric in METRICS.items())]
    for outcome in outcomes:
        case = outcome.case
        quotes = [f"[{c.marker}]《{c.title}》{c.locator}：{c.quote}" for c in outcome.citations]
        cells = [
            case.id,
            KIND_NAMES[case.kind],
            case.question,
            "答" if case.answerable else "不答",
            STATUS_NAMES[outcome.status],
            outcome.text,
            "\n".join(quotes),
            "\n".join(case.gold_quotes),
            "\n".join(case.answer_points),
            outcome.latency_ms,
            outcome.error,
        ]
        scores = [outcome.scores[name].value if name in outcome.scores else None for name in METRICS]
        yield [*map(_cell, cells), *("" if v is None else v for v in scores)]


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = legal(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def junit_xml(outcomes: Sequence[Outcome], name: str) -> str:
    """Return a test suite per kind: a case that does not pass is a failure, one that raised an error."""
    root = ET.Element("testsuites", name=legal(name))
    for kind in dict.fromkeys(outcome.case.kind for outcome in outcomes):
        group = [outcome for outcome in outcomes if outcome.case.kind == kind]
        suite = ET.SubElement(root, "testsuite", name=kind)
        for outcome in group:
            _testcase(suite, outcome)
        _count(suite)
    _count(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _count(element: ET.Element) -> None:
    cases = list(element.iter("testcase"))
    element.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in cases):.3f}")


def _testcase(suite: ET.Element, outcome: Outcome) -> None:
    seconds = f"{outcome.latency_ms / 1000:.3f}"
    case = outcome.case
    element = ET.SubElement(suite, "testcase", classname=case.kind, name=legal(case.id), time=seconds)
    verdict = outcome.scores.get("pass_rate")
    if outcome.status == "skipped":
        ET.SubElement(element, "skipped", message=legal(outcome.error))
    elif outcome.status == "error":
        ET.SubElement(element, "error", message=legal(outcome.error)).text = legal(case.question)
    elif verdict and verdict.value == 0:
        failure = ET.SubElement(element, "failure", message=legal(verdict.note))
        failure.text = legal(f"问：{case.question}\n答：{outcome.text}")
    elif verdict and verdict.value is None:
        ET.SubElement(element, "skipped", message=legal(verdict.note))
