"""Is a claim in its evidence: facts, doers, denials; over the bundled documents' own sentences."""

from pathlib import Path

import pytest

from eval.bench import verification
from eval.bench.falsehoods import KINDS, exchanges
from rag.verify import missing_facts, support
from rag.verify_acts import Act, acts
from rag.verify_facts import read

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


RULES = (
    "党组织会议由书记召集并主持，议题由书记确定。校长办公会议由校长召集并主持，议题由校长确定。"
    "讨论决定干部任免等重要事项，须有三分之二以上成员到会；一般事项须有半数以上成员到会。"
    "书记和校长意见有重大分歧的，先沟通，暂不提交会议。支部委员会每月至少召开1次，每届任期3年。"
    "会议通知应当在会前3日以前发出。党员不足3人的，不得单独成立党支部，可以成立联合党支部。"
    "办法于2022年1月16日印发，文号为学发〔2022〕7号，依据是章程第十二条。"
    "方案先由校长办公会议研究提出，再由党组织会议讨论决定。各处室应当组织实施会议决议。"
)


@pytest.mark.parametrize(
    "claim",
    [
        "书记召集并主持党组织会议，并确定议题。",
        "校长办公会议的议题由校长确定。",
        "书记与校长有重大分歧时，应先沟通，不提交会议。",
        "支部委员会每月至少开一次会，任期3年。",
        "会议通知要在会前3日以前发出。",
        "不足3名党员的，可以成立联合党支部，不得单独成立党支部。",
        "该办法2022年1月16日印发，依据章程第12条。",
        "方案由校长办公会议先提出，然后由党组织会议集体决定。",
        "一般事项半数以上成员到会即可。",
    ],
)
def test_a_rule_in_other_words_is_supported(claim):
    assert support(claim, RULES) == "paraphrased"


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        ("doer", "校长召集并主持党组织会议，并确定议题。"),
        ("doer", "校长办公会议由校长召集并主持，议题由书记确定。"),
        ("doers exchanged", "方案由党组织会议先提出，然后由校长办公会议讨论决定。"),
        ("deed", "方案先由校长办公会议讨论决定，再由党组织会议讨论决定。"),
        ("deed", "各处室应当讨论决定会议决议。"),
        ("number", "支部委员会每月至少开一次会，任期5年。"),
        ("number", "支部委员会每月至少召开2次。"),
        ("often", "支部委员会每周至少开一次会。"),
        ("fraction", "讨论决定干部任免等重要事项，须有半数以上成员到会。"),
        ("date", "该办法2022年1月26日印发。"),
        ("date", "办法于2023年1月16日印发。"),
        ("unit", "会议通知应当在会前3个月以前发出。"),
        ("document number", "办法的文号为学发〔2022〕9号。"),
        ("clause number", "办法的依据是章程第十三条。"),
        ("at most for at least", "支部委员会每月至多召开1次。"),
        ("below for above", "一般事项须有半数以下成员到会。"),
        ("more than for less than", "党员超过3人的，不得单独成立党支部。"),
        ("may for must", "会议通知可以在会前3日以前发出。"),
        ("may for may not", "党员不足3人的，可以单独成立党支部。"),
        ("must not for may", "党员不足3人的，不得成立联合党支部。"),
        ("a denial lost", "书记和校长意见有重大分歧的，先沟通，再提交会议。"),
        ("a denial added", "各处室不应当组织实施会议决议。"),
        ("order", "方案先由党组织会议讨论决定，再由校长办公会议研究提出。"),
        ("after for before", "会议通知应当在会前3日以后发出。"),
    ],
)
def test_a_rule_with_one_fact_exchanged_is_unsupported(kind, claim):
    assert support(claim, RULES) == "unsupported", kind


def test_what_the_documents_deny_is_no_quotation():
    assert support("由书记一个人拍板。", "重大问题由党组织会议拍板，不由书记一个人拍板。") == "unsupported"


def test_a_number_is_the_same_in_digits_and_in_characters_but_not_in_another_unit():
    assert not missing_facts("每年开三次会，依据第12条。", "一年开3次会，依据第十二条。")
    assert missing_facts("集中学习不少于56天。", "集中学习不少于56学时。") == ["56天"]
    assert missing_facts("1月26日公布。", "2022年1月26日公布。") == []
    assert missing_facts("2022年1月26日公布。", "2022年公布。") == ["2022年1月26日"]


def test_facts_are_read_with_their_kind_and_value():
    tokens = [(t.kind, t.value, t.sign) for t in read("书记不得在3日以内讨论决定") if t.kind]
    assert tokens == [
        ("doer", "书记", ""),
        ("duty", "must not", ""),
        ("number", "3", "<="),
        ("deed", "决定", ""),
    ]


@pytest.fixture(scope="module")
def bench():
    """The bench over half the bundled documents' sentences and all paraphrases written by hand."""
    parts = [verification.claims("knowledge", Path("there is none"), held=False)]
    parts += [verification.by_hand(held=held) for held in (False, True)]
    return [c for false, _ in parts for c in false], [c for _, true in parts for c in true]


def accepted(claims):
    return sum(verification.supported(c.text, c.evidence) for c in claims) / len(claims)


def test_of_sentences_made_false_few_pass_whatever_the_kind(bench):
    false, _ = bench
    assert len(false) > 600 and {c.kind for c in false} == set(KINDS)
    assert accepted(false) <= 0.10
    for kind in ("doer", "deed", "number", "bound", "duty", "denial", "unit"):
        assert accepted([c for c in false if c.kind == kind and c.corpus == "knowledge"]) <= 0.15, kind


def test_of_true_sentences_in_other_words_hardly_any_is_rejected(bench):
    _, true = bench
    assert accepted(true) >= 0.95
    hand = [c for c in true if c.corpus == "by hand"]
    assert len(hand) >= 120 and accepted(hand) >= 0.87


def test_the_bench_makes_no_exchange_that_leaves_the_sentence_true():
    assert "doer" not in dict(exchanges("书记和校长要充分沟通。"))
    assert dict(exchanges("会议由书记召集。"))["doer"] == "会议由校长召集。"
