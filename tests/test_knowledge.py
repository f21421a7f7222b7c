"""The bundled documents: every paragraph names its source, second-hand facts are marked, laws say what is cited."""

import gzip
import json
import re
import tomllib

import pytest
from conftest import ROOT, SHARED

from rag.headings import chinese_number
from rag.manifest import load_manifest

KNOWLEDGE = ROOT / "knowledge"
DOCUMENTS = sorted(KNOWLEDGE.glob("*.md"))
LAWS = SHARED / "data" / "laws.jsonl.gz"
SOURCE = re.compile(r"（出处：(.+)）$")
SECOND_HAND = re.compile("二手|转述|转录|地方实施细则|教育报刊|教育期刊")
LEAD_IN = re.compile("(?:列在下面|供学习时参考|查一遍)。$")


def paragraphs(path):
    """The lines of a document that state something: no headings, no table rows."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").split("\n"))
    return [line for line in lines if line and not line.startswith(("#", "|"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_paragraph_names_its_source(path):
    silent = [line for line in paragraphs(path) if not SOURCE.search(line) and not LEAD_IN.search(line)]
    assert len(paragraphs(path)) > 10 and not silent


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_known_at_second_hand_says_so(path):
    for line in paragraphs(path):
        source = SOURCE.search(line)
        if source and SECOND_HAND.search(source[1]):
            assert "乙级：二手材料，请以本单位收文为准" in line


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_number_of_the_opinion_is_given_out(path):
    assert not re.search(r"(?:中办发|委办发|厅字|教\w{1,3})[〔（(\[]", path.read_text(encoding="utf-8"))


def cited_articles():
    """Every (law, article) that a source note names."""
    found = set()
    for path in DOCUMENTS:
        for line in paragraphs(path):
            source = SOURCE.search(line)
            for law, articles in re.findall(
                r"《(中华人民共和国[^》]+)》([^《；]*)", source[1] if source else ""
            ):
                found |= {(law, n) for n in re.findall(r"第([一二三四五六七八九十百]+)条", articles)}
    return found


@pytest.mark.skipif(not LAWS.exists(), reason="the shared corpus of laws is not beside this checkout")
def test_every_article_of_law_that_is_cited_exists():
    known, last = set(), {}
    with gzip.open(LAWS, "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            number = row["article"].removeprefix("第").removesuffix("条")
            known.add((row["law"], number))
            if re.fullmatch("[一二三四五六七八九十百千]+", number):
                last[row["law"]] = max(last.get(row["law"], 0), chinese_number(number))
    cited = cited_articles()
    assert len(cited) > 15
    # The corpus lacks the closing article of some laws, the one on when they take effect.
    missing = {pair for pair in cited - known if chinese_number(pair[1]) != last.get(pair[0], 0) + 1}
    assert not missing


def test_the_subjects_that_schools_ask_about_each_have_a_document():
    text = {path.name: path.read_text(encoding="utf-8") for path in DOCUMENTS}
    assert len(text) >= 12
    opinion = text["01-opinion-points.md"]
    assert all(f"第{part}部分" in opinion for part in "一二三四五")
    assert (
        "| 事项 | 党组织会议 | 校长办公会议（校务会议） | 教职工大会（教职工代表大会） |"
        in text["02-who-decides.md"]
    )
    roles = text["04-secretary-duties.md"] + text["05-principal-duties.md"] + text["06-other-roles.md"]
    assert all(
        role in roles for role in ("书记", "校长", "副书记", "支部委员", "年级组长", "党员教师", "教职工大会")
    )
    assert all(
        word in text["07-branch-life.md"] for word in ("三会一课", "主题党日", "组织生活会", "民主评议")
    )
    laws = text["09-laws-and-opinion.md"]
    for law, article in (
        ("义务教育法", "二十六"), ("教育法", "三十一"), ("职业教育法", "三十五"), ("学前教育法", "三十二")
    ):  # fmt: skip
        assert f"《中华人民共和国{law}》第{article}条" in laws
    assert len(re.findall(r"^### （[一二三四五六七八九]）", text["12-writing-guide.md"], re.MULTILINE)) == 9


def test_the_manifest_describes_every_document_and_what_it_rests_on():
    entries = load_manifest(KNOWLEDGE)
    assert set(entries) == {path.name for path in DOCUMENTS}
    assert all(entry.title and entry.issuer and entry.status for entry in entries.values())
    listed = {
        text["title"] for text in tomllib.loads((KNOWLEDGE / "official.toml").read_text("utf-8"))["text"]
    }
    unlisted = {basis for entry in entries.values() for basis in entry.basis} - listed
    assert unlisted <= {"新华社2022年1月26日电"}
