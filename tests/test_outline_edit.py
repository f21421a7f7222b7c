"""Editing an outline: one frozen object, citations that follow their points, undo; recomposing parts of it."""

import pytest
from outline_support import Library, request, words

from rag import outline_edit as edit
from rag.errors import BadRequest
from rag.outline import compose
from rag.outline_again import other_evidence, redo_section
from rag.outline_text import SLOT, write_markdown

LIBRARY = Library()
ASKED = request(genre="实施办法", role="书记")
OUTLINE = compose(ASKED, retriever=LIBRARY, reader=LIBRARY)


def holds(outline):
    """The contract after any edit: markers in the order of use, quotes exact, slots listed."""
    points = [point for section in outline.sections for point in section.points]
    used = list(dict.fromkeys(marker for point in points for marker in point.citations))
    assert used == [citation.marker for citation in outline.citations] == list(range(1, len(used) + 1))
    for citation in outline.citations:
        source = LIBRARY.source(citation.source_id)
        assert citation.quote == source.original[citation.start : citation.end]
    assert all((point.kind == "policy") == bool(point.citations) for point in points)
    slots = [slot for point in points for slot in SLOT.findall(point.text)]
    assert list(outline.placeholders) == list(dict.fromkeys(slots))
    by_marker = {citation.marker: citation for citation in outline.citations}
    for point in points:
        if point.kind == "policy":
            sentence = point.text.split("）：", 1)[1].rstrip("。")
            assert sentence in by_marker[point.citations[0]].quote.replace("\n7、", "")
    return outline


def policy_places(outline):
    return [
        (s, p)
        for s, section in enumerate(outline.sections)
        for p, point in enumerate(section.points)
        if point.kind == "policy"
    ]


def test_sections_are_renamed_moved_dropped_and_added():
    changed = holds(edit.rename(OUTLINE, 1, "谁定什么"))
    assert changed.sections[1].heading == "谁定什么" and OUTLINE.sections[1].heading == "党组织职责"
    changed = holds(edit.move(changed, 1, 0))
    assert [s.heading for s in changed.sections][:2] == ["谁定什么", OUTLINE.sections[0].heading]
    changed = holds(edit.drop(changed, 0))
    assert "谁定什么" not in write_markdown(changed) and len(changed.sections) == len(OUTLINE.sections) - 1
    changed = holds(edit.add_section(changed, "补充", "〔请填：还有什么〕"))
    assert changed.sections[-1].heading == "补充" and "〔请填：还有什么〕" in changed.placeholders


def test_points_are_added_reworded_moved_and_dropped():
    changed = holds(edit.add_point(OUTLINE, 0, "上周三开过一次会"))
    assert changed.sections[0].points[-1].text == "上周三开过一次会"
    changed = holds(edit.move_point(changed, 0, len(changed.sections[0].points) - 1, 0))
    assert changed.sections[0].points[0].text == "上周三开过一次会"
    changed = holds(edit.reword(changed, 0, 0, "上周四开过一次会〔请填：谁到了〕"))
    assert "〔请填：谁到了〕" in changed.placeholders
    assert holds(edit.drop_point(changed, 0, 0)) == OUTLINE


def test_a_reworded_policy_point_keeps_its_citation_only_while_it_is_supported():
    section, point = policy_places(OUTLINE)[0]
    old = OUTLINE.sections[section].points[point]
    shorter = old.text.replace("。", "")
    kept = edit.reword(OUTLINE, section, point, shorter)
    assert kept.sections[section].points[point].citations == old.citations
    lost = holds(edit.reword(OUTLINE, section, point, "每所学校每月必须开会九次"))
    assert lost.sections[section].points[point].kind == "own"
    assert len(lost.citations) == len(OUTLINE.citations) - 1 and "对不上" in lost.warnings[-1]


def test_undo_and_redo_walk_the_steps_and_a_new_step_forgets_the_undone():
    first = edit.History(OUTLINE)
    second = first.do(edit.rename(OUTLINE, 0, "甲"))
    third = second.do(edit.rename(second.present, 0, "乙"))
    assert third.undo().present.sections[0].heading == "甲" and third.undo().undo().present == OUTLINE
    assert first.undo() is first and third.redo() is third
    assert third.undo().redo() == third
    other = third.undo().do(edit.rename(second.present, 0, "丙"))
    assert other.redo() is other and other.undo().present == second.present
    assert first.do(OUTLINE) is first


def test_only_so_many_steps_are_kept():
    history = edit.History(OUTLINE)
    for number in range(edit.KEPT + 20):
        history = history.do(edit.rename(history.present, 0, f"标题{number}"))
    assert len(history.past) == edit.KEPT


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: edit.rename(OUTLINE, 99, "甲"), "没有第100节"),
        (lambda: edit.rename(OUTLINE, -1, "甲"), "没有第0节"),
        (lambda: edit.rename(OUTLINE, 0, " \x00"), "没有写标题"),
        (lambda: edit.rename(OUTLINE, 0, "长" * 61), "61字"),
        (lambda: edit.add_point(OUTLINE, 0, "依据", "policy"), "不能自己写"),
        (lambda: edit.reword(OUTLINE, 0, 99, "甲"), "没有第100个要点"),
        (lambda: edit.drop_point(edit.add_section(OUTLINE, "甲", "乙"), 7, 0), "只剩一个要点"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_a_reason(change, says):
    with pytest.raises(BadRequest, match=says):
        change()


def test_a_section_is_composed_anew_with_other_points_and_the_rest_stays():
    again = redo_section(ASKED, OUTLINE, 3, turn=1, retriever=LIBRARY, reader=LIBRARY)
    holds(again)
    assert again.sections[3].points != OUTLINE.sections[3].points
    assert again.sections[3].heading == OUTLINE.sections[3].heading
    rest = [[p.text for p in s.points] for i, s in enumerate(again.sections) if i != 3]
    assert rest == [[p.text for p in s.points] for i, s in enumerate(OUTLINE.sections) if i != 3]
    assert any(p.kind == "policy" for p in again.sections[3].points)


def test_a_moved_and_renamed_section_is_still_composed_as_what_it_is():
    moved = edit.move(edit.rename(OUTLINE, 1, "谁定什么"), 1, 5)
    again = holds(redo_section(ASKED, moved, 5, turn=2, retriever=LIBRARY, reader=LIBRARY))
    kinds = {point.kind for point in again.sections[5].points}
    assert kinds == {point.kind for point in OUTLINE.sections[1].points}


def test_the_writers_event_stays_once_when_sections_are_composed_anew():
    event = "上周三党组织会议后我和校长谈了半小时，方案改了两处。"
    asked = request(genre="心得体会", role="书记", event=event)
    outline = compose(asked, retriever=LIBRARY, reader=LIBRARY)
    for section in range(len(outline.sections)):
        outline = redo_section(asked, outline, section, turn=section + 1, retriever=LIBRARY, reader=LIBRARY)
        assert words(outline).count(event) == 1


def test_one_points_evidence_is_changed_for_another():
    section, point = policy_places(OUTLINE)[2]
    other = holds(other_evidence(ASKED, OUTLINE, section, point, turn=1, retriever=LIBRARY, reader=LIBRARY))
    old, new = (o.sections[section].points[point].text for o in (OUTLINE, other))
    assert old != new and old.split("（")[0] == new.split("（")[0]
    assert len(other.citations) == len(OUTLINE.citations)


def test_what_has_no_other_evidence_or_is_the_writers_own_is_told():
    own = next(p for p, point in enumerate(OUTLINE.sections[0].points) if point.kind == "own")
    with pytest.raises(BadRequest, match="不是依据"):
        other_evidence(ASKED, OUTLINE, 0, own, turn=1, retriever=LIBRARY, reader=LIBRARY)
    with pytest.raises(BadRequest, match="没有找到别的"):
        other_evidence(ASKED, OUTLINE, 0, 0, turn=1, retriever=Library([]), reader=LIBRARY)
    added = edit.add_section(OUTLINE, "甲", "乙")
    with pytest.raises(BadRequest, match="自己加的"):
        redo_section(ASKED, added, 7, turn=1, retriever=LIBRARY, reader=LIBRARY)
