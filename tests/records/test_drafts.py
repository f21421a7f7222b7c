"""Kept outlines: the same after a round through the database, the latest first, the owner's only."""

import pytest
from outline_support import Library, request

from rag.errors import BadRequest
from rag.outline import compose
from rag.outline_edit import rename
from rag.records.records import Records

LIBRARY = Library()
ASKED = request(event="上周三开会，方案改了两处。", occasion="支部会", length=900, seed=2)
OUTLINE = compose(ASKED, retriever=LIBRARY, reader=LIBRARY)
TEXT = (("一节", ("甲〔请填：乙〕。", "丙[1]。")),)


@pytest.fixture
def drafts(tmp_path):
    records = Records(tmp_path)
    yield records.drafts
    records.close()


def test_a_draft_comes_back_as_it_was(drafts):
    kept = drafts.keep("甲", "", ASKED, OUTLINE, TEXT)
    found = drafts.open("甲", kept)
    assert (found.id, found.request, found.outline, found.text) == (kept, ASKED, OUTLINE, TEXT)


def test_a_draft_kept_again_stays_one_and_moves_to_the_front(drafts):
    first = drafts.keep("甲", "", ASKED, OUTLINE)
    second = drafts.keep("甲", "", ASKED, OUTLINE)
    assert drafts.keep("甲", first, ASKED, rename(OUTLINE, 0, "换过的标题")) == first
    assert [draft_id for draft_id, _ in drafts.listed("甲")] == [first, second]
    assert drafts.open("甲", first).outline.sections[0].heading == "换过的标题"


def test_nobody_reads_changes_or_deletes_anothers_draft(drafts):
    kept = drafts.keep("甲", "", ASKED, OUTLINE)
    assert drafts.listed("乙") == []
    with pytest.raises(BadRequest, match="找不到"):
        drafts.open("乙", kept)
    drafts.remove("乙", kept)
    other = drafts.keep("乙", kept, ASKED, rename(OUTLINE, 0, "抢来的"))
    assert other != kept and drafts.open("甲", kept).outline == OUTLINE
    drafts.remove("甲", kept)
    assert drafts.listed("甲") == []


def test_a_draft_of_a_newer_version_opens_without_what_is_not_known(drafts):
    from sqlalchemy import text

    kept = drafts.keep("甲", "", ASKED, OUTLINE)
    with drafts._database.begin() as connection:
        connection.execute(
            text("""UPDATE drafts SET content = replace(content, '"genre"', '"new": 1, "genre"')""")
        )
    assert drafts.open("甲", kept).outline == OUTLINE
