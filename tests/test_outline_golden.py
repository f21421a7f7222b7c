"""Five outlines kept as files: what a teacher gets changes only where somebody meant it to.

After a meant change: python tests/test_outline_golden.py, and read the difference.
"""

from pathlib import Path

import pytest
from outline_support import Library, request

from rag.outline import compose
from rag.outline_text import write_markdown, write_plain

FOLDER = Path(__file__).parent / "data" / "outlines"
EVENT = "上周三我听了一节语文课，课后和备课组老师商量，把导入改短了五分钟。"
KEPT = {
    "reflection-party-teacher": request("心得体会", "党员教师", event=EVENT),
    "seminar-secretary": request("研讨交流发言", "书记", occasion="研讨会，5分钟"),
    "rules-secretary": request("实施办法", "书记"),
    "selfcheck-principal": request("自查报告", "校长"),
    "pledge-teacher": request("表态发言", "普通教师", seed=1),
}


def written(asked):
    library = Library()
    outline = compose(asked, retriever=library, reader=library)
    return f"{write_markdown(outline)}\n<!-- 纯文本 -->\n\n{write_plain(outline)}"


@pytest.mark.parametrize("name", KEPT)
def test_the_outline_is_the_one_that_was_read_and_kept(name):
    assert written(KEPT[name]) == (FOLDER / f"{name}.md").read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, asked in KEPT.items():
        (FOLDER / f"{name}.md").write_text(written(asked), encoding="utf-8")
