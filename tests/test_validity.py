"""Validity, authority and near-duplicates, as a user meets them."""

import pytest

from rag import neardup
from rag.assistant import Assistant
from rag.authority import infer, of_sentence
from rag.config import Settings

MANIFEST = """
[[document]]
file = "old.txt"
title = "花园中学会议规则（2010年）"
status = "废止"
authority = "school"

[[document]]
file = "new.txt"
title = "花园中学会议规则（2023年）"
authority = "school"
supersedes = ["花园中学会议规则（2015年）"]

[[document]]
file = "middle.txt"
title = "花园中学会议规则（2015年）"
authority = "school"

[[document]]
file = "county.txt"
title = "花园县学校会议办法"
authority = "county"
"""


def assistant_over(tmp_path, files):
    folder = tmp_path / "资料"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    assistant = Assistant(Settings(data_dir=tmp_path / "data", knowledge_dir=folder, llm="off"))
    return assistant, assistant.index()


def test_a_repealed_document_is_flagged_when_it_is_quoted(tmp_path):
    assistant, _ = assistant_over(tmp_path, {"manifest.toml": MANIFEST, "old.txt": "钢琴房由音乐组管理。"})
    answer = assistant.answer("钢琴房由谁管理？")
    assert answer.citations[0].status == "废止"
    assert "《花园中学会议规则（2010年）》已废止" in answer.answer
    assert answer.sentences[-1].support == "notice"


def test_a_document_that_another_replaces_is_flagged_with_the_new_one(tmp_path):
    files = {
        "manifest.toml": MANIFEST,
        "middle.txt": "钢琴房由音乐组管理。",
        "new.txt": "校务会每月召开一次。",
    }
    assistant, _ = assistant_over(tmp_path, files)
    answer = assistant.answer("钢琴房由谁管理？")
    assert "《花园中学会议规则（2015年）》已被《花园中学会议规则（2023年）》取代" in answer.answer


def test_documents_at_odds_are_shown_side_by_side_the_weightier_first(tmp_path):
    files = {
        "manifest.toml": MANIFEST,
        "new.txt": "校务会议每学期至少召开4次。",
        "county.txt": "校务会议每学期至少召开8次。",
    }
    assistant, _ = assistant_over(tmp_path, files)
    answer = assistant.answer("校务会议每学期至少召开几次？")
    assert [c.quote for c in answer.citations if c.marker in answer.sentences[0].citations] == [
        "校务会议每学期至少召开8次。"
    ]
    assert {c.authority for c in answer.citations} == {"county", "school"}
    assert "说法不一致" in answer.answer


def test_documents_that_agree_raise_no_warning(tmp_path):
    files = {
        "manifest.toml": MANIFEST,
        "new.txt": "校务会议每学期至少召开4次。",
        "county.txt": "校务会议每学期至少召开4次，由校长主持。",
    }
    assistant, _ = assistant_over(tmp_path, files)
    assert "说法不一致" not in assistant.answer("校务会议每学期至少召开几次？").answer


def test_nearly_the_same_file_is_reported_and_kept(tmp_path):
    text = "".join(f"第{i}条 教室由第{i}组管理，钥匙放在{i}号柜。\n" for i in range(1, 60))
    _, report = assistant_over(
        tmp_path, {"甲.txt": text, "乙.txt": text.replace("第7组", "第八组"), "丙.txt": "食堂由总务处管理。"}
    )
    details = {file.name: file.detail for file in report.files}
    assert any("内容相近" in details[name] for name in ("甲.txt", "乙.txt"))
    assert "内容相近" not in details["丙.txt"] and all(file.outcome == "新增" for file in report.files)


def test_the_same_file_twice_is_taken_once(tmp_path):
    _, report = assistant_over(tmp_path, {"甲.txt": "食堂由总务处管理。", "副本.txt": "食堂由总务处管理。"})
    assert sorted(file.outcome for file in report.files) == ["新增", "重复"]


@pytest.mark.parametrize(("size", "moved"), [(1000, 200), (1000, 50), (60, 5), (9000, 4000)])
def test_minhash_similarity_is_near_the_true_jaccard(size, moved):
    """Also of short texts, which have fewer shingles than a signature has numbers."""
    a, b = (
        "".join(chr(0x4E00 + i) for i in range(size)),
        "".join(chr(0x4E00 + i) for i in range(moved, size + moved)),
    )
    shingles = [{t[i : i + neardup.SHINGLE] for i in range(len(t) - neardup.SHINGLE + 1)} for t in (a, b)]
    true = len(shingles[0] & shingles[1]) / len(shingles[0] | shingles[1])
    import numpy as np

    marks = [np.frombuffer(neardup.signature(t), dtype=np.uint32) for t in (a, b)]
    assert float(np.mean(marks[0] == marks[1])) == pytest.approx(true, abs=0.12)  # 3 standard errors of 128


@pytest.mark.parametrize(
    ("title", "authority"),
    [
        ("2023关于建立中小学校党组织领导的校长负责制学习交流心得体会(共13篇)", "author"),
        ("中华人民共和国教育法", "central"),
        ("中国共产党支部工作条例（试行）", "central"),
        ("教育部关于加强师德师风建设的意见", "ministry"),
        ("花园县教育局关于做好开学工作的通知", "county"),
        ("花园中学校务会议事规则", "school"),
        ("随手记", ""),
    ],
)
def test_whose_word_a_document_is_follows_from_its_title_where_no_manifest_says(title, authority):
    assert infer(title) == authority


@pytest.mark.parametrize(
    ("sentence", "authority"),
    [
        ("意见包含五个部分的内容:1.发挥中小学校党组织领导作用;", "central"),
        ("习近平总书记在主持会议时强调,加强党对教育工作的全面领导。", "central"),
        ("根据教育法的规定,校长行政指挥权应得到充分尊重。", "central"),
        ("提倡中小学校书记、校长“双肩挑”或党政干部交叉任职。", "author"),
        ("让年段长担任下设支部书记,骨干教师任委员。", "author"),
    ],
)
def test_central_policy_an_author_hands_on_is_told_from_the_authors_own_claims(sentence, authority):
    assert of_sentence("author", sentence) == authority


def test_what_the_parser_remarks_is_told_when_indexing(tmp_path):
    _, report = assistant_over(tmp_path, {"甲.md": "---\ntitle: 题\n---\n# 一\n\n食堂由总务处管理。\n"})
    assert "元数据" in report.files[0].detail


def test_the_command_line_marks_a_quoted_document_that_is_repealed_or_on_trial(tmp_path, capsys):
    from rag.cli import main

    folder = tmp_path / "资料"
    folder.mkdir()
    (folder / "a.txt").write_text("钢琴房由音乐组管理。", encoding="utf-8")
    entry = '[[document]]\nfile = "a.txt"\ntitle = "琴房办法"\nstatus = "试行"\n'
    (folder / "manifest.toml").write_text(entry, encoding="utf-8")
    assert (
        main(["--data-dir", str(tmp_path / "d"), "--knowledge", str(folder), "ask", "钢琴房由谁管理？"]) == 0
    )
    assert "[1] 《琴房办法》〔试行〕" in capsys.readouterr().out
