"""The 48 text defects of the real document: each repaired, recognised, searchable all the same, or left.

The numbers D01–D48 are those of the map beside the document. `repaired` is a
recorded repair with its way back, `recognised` a heading, list or table of
contents told apart although the text runs on, `searchable` a fault that
questions in right wording find across, `left` what is shown as it stands.
"""

import re
from pathlib import Path

import pytest

from rag import sentences as split
from rag.clean import repair
from rag.ingest import make_source
from rag.structure import contents_entries
from rag.types import Metadata, Parsed


@pytest.fixture(scope="module")
def source(seed_file):
    text = seed_file.read_text(encoding="utf-8")
    return make_source(seed_file.name, seed_file.read_bytes(), Parsed(text), Metadata())


@pytest.fixture(scope="module")
def seed(tmp_path_factory, seed_file):
    from rag.assistant import Assistant
    from rag.config import Settings

    folder = tmp_path_factory.mktemp("seed")
    (folder / seed_file.name).write_bytes(seed_file.read_bytes())
    assistant = Assistant(Settings(data_dir=tmp_path_factory.mktemp("data"), knowledge_dir=folder, llm="off"))
    assistant.index()
    yield assistant
    assistant.close()


def kinds(source):
    found = {}
    for fault in source.repairs:
        found.setdefault(fault.kind, []).append(fault)
    return found


def section(source, title_part):
    return next(s for s in source.sections if title_part in s.title)


# D01 site shell, D02 block markers, D24 D26 quotes, D42–D46 spaced numbers
REPAIRED = [("网站外壳句", 1), ("切块序号", 16), ("引号误识", 2), ("序号空格", 5)]


@pytest.mark.parametrize(("kind", "count"), REPAIRED)
def test_repaired_faults_are_recorded_with_their_place_in_the_original(source, kind, count):
    found = kinds(source)[kind]
    assert len(found) == count
    for fault in found:
        assert 0 <= fault.start < fault.end <= len(source.original)


def test_d02_joined_text_without_markers_has_4960_characters(seed_file):
    text = seed_file.read_text(encoding="utf-8")
    markers = [r for r in repair(text).repairs if r.kind == "切块序号"]
    assert len(text) - sum(r.end - r.start for r in markers) == 4960


@pytest.mark.parametrize(
    "whole",
    [
        "和“不担当”。“二加强”,一是",  # D24
        "管干部、用人才”。校长是学校的法人代表",  # D26
        "1.广泛政策宣传",  # D42
        "2.加强组织建设",  # D43
        "3.重视意识形态",  # D44, cut in two by a marker
        "4.创新党建融合",  # D45
        "5.培养教师队伍",  # D46
    ],
)
def test_repaired_places_read_as_they_should(source, whole):
    assert whole in source.clean


# D04–D17: the table of contents and its glued page numbers
def test_the_table_of_contents_is_recognised_and_its_page_numbers_are_off_the_titles(source):
    listed = next(s for s in source.sections if s.kind == "toc")
    entries = contents_entries(source.clean, listed)
    assert len(entries) == 13 and source.clean[listed.start :].startswith("目录篇一")
    assert not [title for title in entries.values() if re.search(r"[\d.]$", title)]
    assert entries["篇一"].endswith("学习交流心得体会") and entries["篇十三"].endswith("典型经验情况总结")
    assert source.clean[listed.end :].startswith("篇一、2023关于建立")  # D17


# D18 D19 D21 D23 D25 D27 D31 D32 D37 D41: headings glued to their bodies
GLUED = [
    ("D18", "学习交流心得体会", "中共中央办公厅印发了"),
    ("D19", "管理机制变革的认识", "长期以来,在学校"),
    ("D21", "推动学校各项工作的开展", "实行“党组织领导下"),
    ("D23", "突出党组织的核心地位", "实行“党组织领导下"),
    ("D25", "确保学校管理高效运行", "实行“党组织领导下"),
    ("D27", "驾驭学校管理变革的能力", "随着学校管理机制"),
    ("D31", "认识与实践思考", "近日,中共中央"),
    ("D32", "校长负责制的必要性", "关于建立中小学校"),
    ("D36", "的几点思", "(一)怎么理解"),
    ("D37", "怎么理解“中小学校党组织领导的校长负责制”?", "关于建立中小学校"),
    ("D41", "具体实行需要怎么做?", "1.广泛政策宣传"),
]


@pytest.mark.parametrize(("number", "title_end", "body"), GLUED)
def test_a_glued_heading_ends_where_its_body_begins(source, number, title_end, body):
    found = section(source, title_end)
    assert found.title.endswith(title_end) and source.clean[found.body :].startswith(body), number


def test_d22_and_d39_lists_with_uneven_numbers_are_one_list(source):
    start = source.clean.index("一要健全基层组织")
    end = source.clean.index("三是强化支部工作。") + 9
    assert len(split.items(source.clean, start, end)) == 3
    start = source.clean.index("意见包含五个部分")
    assert len(split.items(source.clean, start, source.clean.index("5.加强组织领导") + 20)) == 5


def test_d40_an_item_glued_to_the_next_sentence_is_cut_in_the_answer(seed):
    answer = seed.answer("《意见》包含哪五个部分？")
    assert answer.sentences[-1].text == "5.加强组织领导"


SEARCHABLE = [
    ("D20", "明晰党员的权利和义务", "明晰党员的权力和义务"),
    ("D28", "选拔到书记岗位", "选拨到书记岗位"),
    ("D29", "严以律己当表率", "严以律已当表率"),
    ("D30", "干在实处求发展的主题教育活动", "求发展“的主题教育活动"),
    ("D33", "为党育人、为国育才的原则", "“为党育人、为国育才的原则"),
    ("D35", "建立中小学校党组织领导的校长负责制，做好思想准备", "建立中小学校组织领导的校长负责制"),
    ("D36", "对中小学校党组织领导的校长负责制的几点思考", "的几点思"),
    ("D38", "总书记清晰地阐述了改革的重大意义", "习总书记清晰的阐述"),
    ("D47", "严格执行党的组织生活制度，落实“双培养”", "组织生活制度落实“双培养”"),
]


@pytest.mark.parametrize(("number", "asked", "stands"), SEARCHABLE)
def test_a_fault_in_the_text_does_not_hide_it_from_right_wording(seed, number, asked, stands):
    hits = seed.retriever.retrieve(asked, k=3)
    assert any(stands in hit.chunk.text for hit in hits), number


LEFT = [
    ("D03", "2023关于建立中小学校党组织领导的校长负责制学习交流心得体会(共13篇)"),
    ("D30", "求发展“的主题教育活动"),
    ("D33", "“为党育人、为国育才的原则,把这项工作"),
    ("D34", "能督促中小学校党组织领导的管大局、带队伍、保落实的领导职责"),
    ("D38", "习总书记清晰的阐述"),
    ("D47", "组织生活制度落实“双培养”"),
]


@pytest.mark.parametrize(("number", "text"), LEFT)
def test_what_no_rule_can_mend_safely_is_left_as_it_stands(source, number, text):
    assert text in source.clean and text in source.original, number


def test_d34_the_broken_sentence_is_not_what_the_six_duties_are_quoted_from(seed):
    answer = seed.answer("学校党组织的六项领导职责是什么？")
    assert not any("督促中小学校党组织领导的管大局" in c.quote for c in answer.citations)


def test_d48_the_text_ends_where_the_original_does(source):
    assert source.clean.endswith("加强学生会和学生社") and source.original.endswith("加强学生会和学生社")


def test_no_repair_adds_more_than_a_quote_and_a_full_stop(source):
    assert {fault.after for fault in source.repairs} <= {"", "”。"}


def test_every_number_of_the_map_has_its_place_in_this_file():
    """D02 is the 16 markers of its own table; D05–D16 are the entries of the table of contents."""
    stated = set(re.findall(r"D\d\d", Path(__file__).read_text(encoding="utf-8").upper()))
    ranges = {f"D{n:02}" for n in [*range(4, 18), *range(42, 47)]}
    assert stated | ranges >= {f"D{n:02}" for n in range(1, 49)}
