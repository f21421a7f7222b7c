"""Is a claim in its evidence: facts, doers, denials; over the bundled documents' own sentences."""

from pathlib import Path

import pytest

from rag.verify import support
from rag.verify_acts import Act, acts

KNOWLEDGE = Path(__file__).resolve().parent.parent / "knowledge"


@pytest.fixture(scope="module")
def evidence():
    """What the documents say of the two meetings and of who decides what."""
    points = (KNOWLEDGE / "01-opinion-points.md").read_text(encoding="utf-8")
    return points[points.index("## 四") :] + (KNOWLEDGE / "02-who-decides.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "claim",
    [
        "党组织会议由书记召集并主持。",
        "书记确定党组织会议的议题。",
        "讨论决定干部任免，须三分之二以上班子成员到会。",
        "党组织会议要有半数以上班子成员到会。",
        "学校重大问题由党组织会议讨论决定，校长办公会议研究提出方案。",
        "排课和食堂由校长办公会议研究处理，不必提交党组织会议。",
        "福利方案由教代会讨论通过。",
        "校长听取与会人员意见后，对所议事项作出决定。",
    ],
)
def test_a_paraphrase_of_what_the_documents_say_is_supported(evidence, claim):
    assert support(claim, evidence) == "paraphrased"


@pytest.mark.parametrize(
    "claim",
    [
        "党组织会议由校长召集并主持。",  # another one's deed
        "校长办公会议由书记召集。",
        "党组织会议的议题由校长确定。",
        "学校重大问题由校长办公会议讨论决定。",
        "校长办公会议讨论决定重大问题，由党组织会议部署落实。",  # the two deeds exchanged
        "党组织会议研究提出方案，校长办公会议讨论决定。",
        "福利方案由校长办公会议讨论通过。",
        "学校重大问题由书记一个人拍板。",  # what the documents deny
        "校长办公会议可以代替党组织会议定干部。",
        "排课和食堂必须提交党组织会议研究处理。",
        "校长办公会议须三分之二以上成员到会。",  # another meeting's number
        "党组织会议须五分之四以上班子成员到会。",  # nobody's number
        "依据中办发〔2022〕7号，党组织会议由书记召集。",
        "《校务会议条例》规定校长办公会议由校长召集。",
        "党组织会议由书记召集，时间是2022年3月1日。",
        "文件说“书记对一切工作负总责”。",
        "春天的香蕉在月亮上歌唱。",
        "。",
    ],
)
def test_what_the_documents_do_not_say_is_unsupported(evidence, claim):
    assert support(claim, evidence) == "unsupported"


def test_a_sentence_of_the_documents_is_quoted_whatever_its_punctuation(evidence):
    assert support("党组织会议的议题由学校领导班子成员提出,由党组织书记确定", evidence) == "quoted"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("党组织会议由书记召集。", Act("书记", "召集", "党组织会议")),
        ("书记召集党组织会议。", Act("书记", "召集", "党组织会议")),
        ("校长向学校党组织汇报。", Act("校长", "报告", "党组织")),
        ("校长在党组织领导下行使职权。", Act("党组织", "领导", "校长")),
        ("校长拟出方案，提交党组织会议，由党组织会议讨论决定。", Act("党组织会议", "讨论决定", "校长")),
        ("校长广泛听取意见，对所议事项作出决定。", Act("校长", "决定")),  # the doer carried over the comma
        ("重大问题不由书记拍板。", Act("书记", "决定", "", denied=True)),
    ],
)
def test_acts_are_read_with_doer_deed_and_the_one_concerned(text, stated):
    found = acts(text)
    assert any(
        (a.doer, a.deed, a.denied) == (stated.doer, stated.deed, stated.denied)
        and (not stated.other or a.other == stated.other or stated.deed == "讨论决定")
        for a in found
    ), found


def test_the_name_of_the_institution_states_no_act():
    assert not acts("党组织领导的校长负责制是一种领导体制，领导班子要学习。")
