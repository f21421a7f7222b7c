"""The draft check: planted faults are found, clean drafts left alone, places exact, rules excused where they should be."""

import io
import json
import random
from difflib import SequenceMatcher

import docx
import pytest
from review_cases import KINDS, check, load, make, precision, recall, score

from rag import overlap
from rag.errors import BadRequest, FolderNotFound
from rag.prompting import roles
from rag.review import Draft, pairs, review, review_all
from rag.review_facts import Library
from rag.review_files import pasted, read
from rag.review_rules import load_rules
from rag.review_text import write_report
from rag.types import DraftRequest

RULES = load_rules()
NOTHING = Library(titles=["关于建立中小学校党组织领导的校长负责制的意见（试行）"])


def found(text, kind=None, *, role="", library=NOTHING, headings=()):
    draft = Draft("稿", text, headings)
    result = review(draft, rules=RULES, library=library, role=roles()[role] if role else None)
    return [text[f.start : f.end] for f in result.findings if kind in (None, f.kind)]


def test_faults_planted_in_sixty_drafts_kept_apart_are_found_and_little_else():
    drafts, counts, notes = score("held", 6)
    assert drafts == 60
    for kind in KINDS:
        assert counts[kind]["right"] + counts[kind]["missed"] >= 10, kind
        assert precision(counts[kind]) >= 0.9 and recall(counts[kind]) >= 0.9, (kind, notes)


@pytest.mark.parametrize("name", ["held", "tuned"])
def test_clean_drafts_are_left_alone(name):
    bases, _, library = load(name)
    for base in bases:
        result = review(Draft("稿", base["text"]), rules=RULES, library=library, role=roles()[base["role"]])
        assert not result.findings and result.empty_share == 0


def test_every_finding_has_its_place_a_reason_and_a_suggestion():
    cases, library = make("held", 2)
    for case in cases:
        for told in check(case, cases, library).to_dict()["findings"]:
            assert case.text[told["start"] : told["end"]] == told["text"] != ""
            line = case.text.split("\n")[told["line"] - 1]
            assert told["text"].split("\n")[0] in line
            assert len(told["reason"]) > 3 and len(told["suggestion"]) > 3 and told["name"]
            assert "{" not in told["reason"] + told["suggestion"]


@pytest.mark.parametrize(
    "text",
    [
        "有人说党组织对校长负责，这个说法不对。",
        "不是提交校长决定，要由党组织会议讨论。",
        "高等学校实行党委领导下的校长负责制，中小学不同。",
        "制度名称里没有“下”字，党组织领导下的校长负责制是误写。",
        "原来实行校长负责制的时候，会议开得少。",
        "《义务教育法》写的是校长负责制，要和新文件一起讲。",
        "据教务处统计，合格率97%。",
        "他说：“作为一名共产党员，我先报名。”",
        "读《背影》和《草房子》，孩子们写了三页。",
        "我校的《实验小学教学管理办法》改过两次。",
        "书记兼任校长，校长办公会议由书记主持，记录写明以校长身份主持，由两职兼任的同志分开开会。",
    ],
)
def test_what_is_said_rightly_is_not_pointed_out(text):
    assert not found(text, role="普通教师" if "他说" in text else "")


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("他上了《教师法》第九十九条一课。", "number", "《教师法》第九十九条"),
        ("电话13912345678，请联系。", "private", "13912345678"),
        ("我的差距：〔请填：哪一次没做到〕", "blank", "〔请填：哪一次没做到〕"),
        ("习近平总书记指出：“办好学校。”", "speech", "总书记指出：“"),
    ],
)
def test_other_things_to_look_at_are_pointed_out(text, kind, said):
    assert said in found(text, kind)


def test_the_right_name_is_suggested_for_a_wrong_one():
    text = "学习《关于加强中小学校党组织领导的校长负责制的意见》。"
    (finding,) = review(Draft("稿", text), rules=RULES, library=NOTHING).findings
    assert "《关于建立中小学校党组织领导的校长负责制的意见（试行）》" in finding.suggestion


PASSAGE = "年级组长每两周把本年级的作业量抄在白板上，超过时长的备课组当天调整，并在下次例会说明原因。"


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (PASSAGE, 1),
        (PASSAGE.replace("，", " ").replace("。", "！"), 1),
        (PASSAGE[:21], 1),
        (PASSAGE[:19], 0),
        (f"资料里写着“{PASSAGE}”我抄下来了。", 0),
        (f"{PASSAGE.rstrip('。')}[1]。", 0),
        (f"正文没有抄。\n依据\n[1] 《资料》：{PASSAGE}", 0),
    ],
)
def test_copied_runs_are_found_unless_quoted_or_cited(text, counts):
    library = Library(texts=[("资料", f"前面的话。{PASSAGE}后面的话。")])
    assert len(found(text, "overlap", library=library)) == counts


def test_set_terms_do_not_count_as_copied():
    term = "《关于建立中小学校党组织领导的校长负责制的意见（试行）》要求学校党组织把方向、管大局、作决策、抓班子、带队伍、保落实"
    assert not found(term, "overlap", library=Library(texts=[("资料", term)], titles=NOTHING.titles))


def test_runs_agree_with_difflib():
    letters = "甲乙丙丁戊己庚辛"
    for seed in range(40):
        draw = random.Random(seed)
        shared = "".join(draw.choice(letters) for _ in range(draw.randint(10, 60)))
        ours = "".join(draw.choice(letters) for _ in range(60)) + shared
        theirs = shared + "".join(draw.choice(letters) for _ in range(50))
        longest = SequenceMatcher(None, ours, theirs, autojunk=False).find_longest_match()
        got = overlap.runs(ours, theirs, least=20)
        assert max((run.length for run in got), default=0) == (longest.size if longest.size >= 20 else 0)
        assert all(ours[run.start : run.end] in theirs for run in got)


def test_pairs_of_drafts_that_share_a_passage_are_named_once():
    drafts = [
        Draft("甲", f"甲的开头。{PASSAGE}"),
        Draft("乙", f"{PASSAGE}乙的结尾。"),
        Draft("丙", "丙自己写。"),
    ]
    (pair,) = pairs(drafts, RULES)
    assert (pair.first, pair.second) == ("甲", "乙") and pair.length >= 40 and pair.share > 0.7
    report = review_all(drafts[:1], drafts[1:], rules=RULES, library=NOTHING)
    assert [finding.kind for finding in report.reviews[0].findings] == ["alike"] and len(report.pairs) == 1
    assert "甲 与 乙" in write_report(report)


def test_headings_of_a_word_file_may_not_skip_a_level(tmp_path):
    paper = docx.Document()
    for text, level in (("大标题", 1), ("小标题", 3), ("又一个", 2)):
        paper.add_heading(text, level)
        paper.add_paragraph("上周三我听了一节课。")
    paper.save(tmp_path / "稿.docx")
    (draft,), _, trouble = read([tmp_path / "稿.docx"])
    assert not trouble and found(draft.text, "level", headings=draft.headings) == ["小标题"]


def test_lists_that_begin_anew_and_numbers_in_order_are_no_fault():
    text = "一、甲\n（一）乙\n1. 丙\n（1）丁\n（2）戊\n2. 己\n（二）庚\n二、辛\n（一）壬"
    assert not found(text, "level")
    assert found(text.replace("二、辛", "三、辛"), "level") == ["三、"]


def test_a_draft_of_mostly_empty_talk_is_told_so():
    text = "我们要提高认识，狠抓落实。要加强学习，完善机制。上周三我听了一节课。"
    result = review(Draft("稿", text), rules=RULES, library=NOTHING)
    assert result.empty_share == pytest.approx(2 / 3) and "67%" in result.remarks[0]


def test_the_drafts_of_a_folder_are_read_and_what_is_no_draft_is_passed_over(tmp_path):
    (tmp_path / "甲.txt").write_text(PASSAGE, encoding="gb18030")
    (tmp_path / "乙.md").write_text(f"# 题\n\n{PASSAGE}", encoding="utf-8")
    (tmp_path / "空.txt").write_text("  ", encoding="utf-8")
    (tmp_path / "图.png").write_bytes(b"\x89PNG")
    drafts, siblings, trouble = read([tmp_path])
    assert {draft.name for draft in drafts} == {"甲.txt", "乙.md"} and not siblings
    assert len(trouble) == 1 and trouble[0].startswith("空.txt")
    drafts, siblings, _ = read([tmp_path / "甲.txt"])
    assert [draft.name for draft in drafts] == ["甲.txt"] and [draft.name for draft in siblings] == ["乙.md"]


def test_nothing_to_check_is_told(tmp_path):
    for given, kind in (([tmp_path], BadRequest), ([tmp_path / "无"], FolderNotFound)):
        with pytest.raises(kind):
            read(given)
    with pytest.raises(BadRequest, match="没有文字"):
        pasted(" \n")
    with pytest.raises(BadRequest, match="太长"):
        pasted("甲" * 200_001)


@pytest.mark.parametrize("role", ["书记", "普通教师", "少先队辅导员"])
def test_our_own_outlines_pass_the_check(knowledge_base, role):
    from rag.outline_text import write_markdown

    request = DraftRequest(genre="心得体会", topic="党组织领导的校长负责制", role=role)
    text = write_markdown(knowledge_base.draft(request))
    (result,) = knowledge_base.review([Draft("提纲", text)], role=role).reviews
    assert {finding.kind for finding in result.findings} <= {"blank"}
    with pytest.raises(BadRequest, match="没有这个身份"):
        knowledge_base.review([Draft("提纲", text)], role="厅长")


def test_the_command_checks_files_folders_and_standard_input(knowledge_base, tmp_path, capsys, monkeypatch):
    from rag.cli import main

    (tmp_path / "甲.txt").write_text("党组织对校长负责，我这样想。", encoding="utf-8")
    base = ["--data-dir", str(knowledge_base.settings.data_dir), "check"]
    assert main([*base, str(tmp_path), "--role", "普通教师"]) == 0
    said = capsys.readouterr().out
    assert "【甲.txt】（普通教师）" in said and "第1行 领导关系写反" in said and "建议" in said
    assert main([*base, str(tmp_path / "甲.txt"), "--json"]) == 0
    (draft,) = json.loads(capsys.readouterr().out)["drafts"]
    assert draft["findings"][0]["kind"] == "relation" and draft["findings"][0]["line"] == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("要进一步提高认识，狠抓落实。"))
    assert main([*base, "-"]) == 0 and "空话1处" in capsys.readouterr().out
    assert main([*base, str(tmp_path / "无.txt")]) == 1 and "找不到" in capsys.readouterr().err
    assert main([*base, str(tmp_path), "--role", "厅长"]) == 1 and "没有这个身份" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".docx", ".txt", ".md"])
def test_an_outline_written_to_a_file_can_be_checked(knowledge_base, tmp_path, capsys, suffix):
    from rag.cli import main

    base = ["--data-dir", str(knowledge_base.settings.data_dir)]
    out = str(tmp_path / f"提纲{suffix}")
    asked = ["--genre", "自查报告", "--topic", "党组织领导的校长负责制", "--role", "校长", "--out", out]
    assert main([*base, "draft", *asked]) == 0
    assert main([*base, "check", out, "--role", "校长", "--json"]) == 0
    (draft,) = json.loads(capsys.readouterr().out)["drafts"]
    assert {finding["kind"] for finding in draft["findings"]} == {"blank"}
