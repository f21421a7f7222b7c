"""What the 评测 screen says of a run, without a browser."""

import pytest

from eval.metrics import METRICS
from rag.web.evaluate import labels
from rag.web.reports import address
from rag.web.scores import bar, duration, progress_html, result_html

TOTAL = {"value": 0.5, "scored": 4, "unscored": 0, "ci95": [0.25, 0.75]}
EMPTY = {"value": None, "scored": 0, "unscored": 4, "ci95": None}
RESULT = {
    "n": 4,
    "metrics": {name: EMPTY if m.optional else {**TOTAL, "value": 12.0} if m.unit == "ms" else TOTAL for name, m in METRICS.items()},
    "by_kind": {"why": {"n": 4, "metrics": {"pass_rate": TOTAL}}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.2, "1 秒"), (59, "59 秒"), (75, "1 分 15 秒"), (3599.6, "1 小时 0 分"), (7384, "2 小时 3 分")],
)
def test_time_left_is_said_as_people_say_it(seconds, told):
    assert duration(seconds) == told


def test_progress_tells_the_time_left_once_there_is_a_pace():
    assert "还要约 30 秒" in progress_html("评测", 3, 9, 30.0)
    assert "还要" not in progress_html("评测", 0, 9) and "还要" not in progress_html("评测", 9, 9, 0.0)
    assert "lx-w35" in progress_html("评测", 3, 9) and "lx-w0" in bar(-1) and "lx-w100" in bar(7)


def test_result_says_shares_in_per_cent_and_times_in_milliseconds_and_leaves_out_what_nobody_judged():
    html = result_html(RESULT, labels(), "2026-01-26_0930_abc+1")
    assert "50.0%" in html and "25.0% – 75.0%" in html and "12 毫秒" in html
    assert "大模型评判" not in html and "共 4 题" in html and "为什么" in html
    assert f'href="{address("2026-01-26_0930_abc+1", "report.html")}"' in html and "abc%2B1" in html


def test_name_of_a_metric_nobody_knows_is_escaped():
    assert "&lt;b&gt;" in result_html({"n": 1, "metrics": {"<b>": TOTAL}}, {})
