"""Sets: what is read, and every kind of fault told with its row, and its column in a workbook."""

import json
import zipfile
from pathlib import Path

import jsonschema
import openpyxl
import pytest

from eval.cases import FIELDS, KINDS, Case, load_cases
from eval.workbook import write_cases, write_template
from rag.errors import BadCases, BadRequest, FolderNotFound
from rag.types import Turn

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "eval/sets/case.schema.json").read_text("utf-8")))
GOOD = {"id": "a", "kind": "factoid", "question": "问？", "answerable": True}
TURN = {"role": "user", "content": "前一问"}


def line(**changed):
    """A good case with fields changed; None drops a field."""
    fields = {**GOOD, **{name: value for name, value in changed.items() if value is not ...}}
    return json.dumps({name: v for name, v in fields.items() if v is not None}, ensure_ascii=False)


# A line of a .jsonl set, and what must be said of it.
FAULTS = [
    ("{", "不是正确的 JSON"),
    ('{"id": "a"', "不是正确的 JSON"),
    ("[1, 2]", "应是一个 JSON 对象，这里是列表"),
    ('"问题"', "应是一个 JSON 对象，这里是文字"),
    ("null", "这里是空值"),
    ("12", "这里是数字"),
    ('{"id": "a", "id": "b"}', "“id”写了两次"),
    ('{"id": NaN}', "“NaN”不是 JSON 允许的值"),
    ("[" * 100_000, "嵌套太深"),
    (line(id=None), "缺少字段“id”"),
    (line(kind=None), "缺少字段“kind”"),
    (line(question=None), "缺少字段“question”"),
    (line(answerable=None), "缺少字段“answerable”"),
    (line(id=3), "“id”应是文字，这里是数字"),
    (line(id=""), "“id”是空的"),
    (line(id=" a"), "“id”不能有首尾空格"),
    (line(id="a\nb"), "“id”不能有首尾空格、换行"),
    (line(id="长" * 101), "“id”太长：101 字"),
    (line(id="first"), "编号 id “first”与第 1 行重复"),
    (line(kind="fact"), "“kind”的值“fact”不认识"),
    (line(kind=["list"]), "“kind”应是文字，这里是列表"),
    (line(question="  "), "“question”是空的"),
    (line(question={"a": 1}), "“question”应是文字，这里是对象"),
    ('{"id":"a","kind":"factoid","question":"\\ud800","answerable":true}', "不成对的代理字符"),
    (line(answerable="true"), "“answerable”应是 true 或 false，这里是文字"),
    (line(answerable=1), "“answerable”应是 true 或 false，这里是数字"),
    (line(answer_points="要点"), "“answer_points”应是列表，这里是文字"),
    (line(answer_points=["甲", ""]), "“answer_points 第 2 项”是空的"),
    (line(answer_points=["甲", 2]), "“answer_points 第 2 项”应是文字，这里是数字"),
    (line(answer_points=["甲", "乙", "甲"]), "“answer_points”第 3 项与前面的重复"),
    (line(gold_quotes={"甲": "乙"}), "“gold_quotes”应是列表，这里是对象"),
    (line(gold_quotes=[None]), "“gold_quotes 第 1 项”应是文字，这里是空值"),
    (line(gold_quotes=["甲", "甲"]), "“gold_quotes”第 2 项与前面的重复"),
    (line(history="前一问"), "“history”应是列表，这里是文字"),
    (line(history=["前一问"]), "“history 第 1 项”应是含 role 和 content 的对象"),
    (line(history=[{"role": "user"}]), "“history 第 1 项”缺少“content”"),
    (line(history=[{"content": "x"}]), "“history 第 1 项”缺少“role”"),
    (line(history=[{**TURN, "name": "x"}]), "“history 第 1 项”里有不认识的字段“name”"),
    (line(history=[TURN, {"role": "system", "content": "x"}]), "“history 第 2 项”的 role 只能是"),
    (line(history=[{"role": "user", "content": " "}]), "“history 第 1 项 的 content”是空的"),
    (line(kind="multi-turn"), "kind 是 multi-turn 的题要有 history"),
    (line(kind="unanswerable"), "kind 是 unanswerable 的题，answerable 应为 false"),
    (line(kind="out-of-scope"), "kind 是 out-of-scope 的题，answerable 应为 false"),
    (line(answerable=False, gold_quotes=["甲"]), "answerable 是 false 的题不应有 gold_quotes"),
    (line(note="x"), "不认识的字段“note”"),
]


def written(tmp_path, *lines, name="题.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")
    return path


@pytest.mark.parametrize(("fault", "told"), FAULTS, ids=[told for _, told in FAULTS])
def test_fault_is_told_with_its_line_and_reason(tmp_path, fault, told):
    path = written(tmp_path, line(id="first"), "", line(id="second"), fault, line(id="last"))
    with pytest.raises(BadCases) as raised:
        load_cases([path])
    assert str(raised.value).startswith("评测集 题.jsonl 第 4 行有误：") and told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_at_least_forty_kinds_of_fault_are_told_at_once_each_with_its_row(tmp_path):
    assert len(FAULTS) >= 40
    faulty = [fault for fault, told in FAULTS if "重复" not in told or "编号" not in told]
    path = written(tmp_path, line(id="first"), *faulty)
    with pytest.raises(BadCases) as raised:
        load_cases([path])
    message = str(raised.value)
    assert "第 2 行有误" in message and f"另有 {len(faulty) - 1} 处" in message
    assert all(f"第 {row} 行：" in message for row in range(3, 23)) and " 等" in message


def of_shape(told):
    """Whether a fault is one of an object's shape, which a schema can tell."""
    return not any(word in told for word in ("JSON", "写了两次", "嵌套", "代理字符", "编号", "换行"))


@pytest.mark.parametrize("fault", [pytest.param(fault, id=told) for fault, told in FAULTS if of_shape(told)])
def test_schema_refuses_what_the_loader_refuses(fault):
    assert not SCHEMA.is_valid(json.loads(fault))


def test_bundled_sets_are_read_and_fit_the_schema():
    for path in sorted((ROOT / "eval" / "sets").glob("*.jsonl")):
        cases = load_cases([path])
        assert len(cases) >= 20 and {case.kind for case in cases} <= set(KINDS)
        for text in path.read_text(encoding="utf-8").splitlines():
            SCHEMA.validate(json.loads(text))


def test_only_a_newline_ends_a_line_and_a_byte_order_mark_is_no_fault(tmp_path):
    path = written(tmp_path, line(question="甲\u2028乙"), line(id="b"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    first, second = load_cases([path])
    assert first.question == "甲\u2028乙" and second.id == "b"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", b"", "第 1 行有误：文件是空的"),
        ("a.jsonl", b"\n\n", "文件里没有题目"),
        ("a.jsonl", line().encode() + b"\n" + '{"id": "乙"}'.encode("gbk"), "第 2 行有误：编码不是 UTF-8"),
        ("a.csv", b"id", "不支持的格式“.csv”"),
        ("a.xlsx", b"PK\x03\x04 no", "不是能读的 .xlsx"),
        ("a.xlsx", b"id,kind", "不是能读的 .xlsx"),
    ],
)
def test_file_that_is_no_set_is_refused(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadCases, match=name):
        load_cases([tmp_path / name])
    with pytest.raises(BadCases) as raised:
        load_cases([tmp_path / name])
    assert told in str(raised.value)


def test_missing_file_no_file_and_the_same_id_in_two_files(tmp_path):
    with pytest.raises(FolderNotFound):
        load_cases([tmp_path / "none.jsonl"])
    with pytest.raises(BadRequest):
        load_cases([])
    one, two = (
        written(tmp_path, line(), name="1.jsonl"),
        written(tmp_path, line(id="b"), line(), name="2.jsonl"),
    )
    with pytest.raises(BadCases, match=r"2\.jsonl 第 2 行有误：编号 id “a”与1\.jsonl 第 1 行重复"):
        load_cases([one, two])


def test_edited_case_is_another_case():
    one = Case("a", "factoid", (), "问？", ("甲",), (), True)
    assert one.digest() == Case("a", "factoid", (), "问？", ("甲",), (), True).digest()
    assert one.digest() != Case("a", "factoid", (), "问？", ("乙",), (), True).digest()


# Workbooks ---------------------------------------------------------------------------------------------


def workbook(path, rows, headings=FIELDS):
    book = openpyxl.Workbook()
    book.active.append(list(headings))
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


ROW = ["a", "factoid", "", "问？", "", "", True]
CELLS = [
    (0, None, "A 列有误：字段“id”是空的"),
    (0, 3.5, "A 列有误：字段“id”应是文字"),
    (1, "fact", "B 列有误：字段“kind”的值“fact”不认识"),
    (1, None, "B 列有误：字段“kind”是空的"),
    (2, "前一问", "C 列有误：列“history”不是正确的 JSON"),
    (2, '[{"role": "x", "content": "y"}]', "C 列有误：字段“history 第 1 项”的 role 只能是"),
    (2, 5, "C 列有误：字段“history”应是列表，这里是数字"),
    (3, None, "D 列有误：字段“question”是空的"),
    (3, 12, "D 列有误：字段“question”应是文字，这里是数字"),
    (3, "#REF!", "D 列有误：列“question”是出错的公式（#REF!）"),
    (4, "甲\n甲", "E 列有误：字段“answer_points”第 2 项与前面的重复"),
    (4, '["甲"', "E 列有误：列“answer_points”不是正确的 JSON"),
    (5, 7, "F 列有误：字段“gold_quotes”应是列表，这里是数字"),
    (6, "可能", "G 列有误：字段“answerable”应是 true 或 false，这里是文字"),
    (6, None, "G 列有误：字段“answerable”应是 true 或 false，这里是空值"),
    (6, 2, "G 列有误：字段“answerable”应是 true 或 false，这里是数字"),
]


@pytest.mark.parametrize(("column", "value", "told"), CELLS, ids=[told for *_, told in CELLS])
def test_faulty_cell_is_told_with_row_and_column(tmp_path, column, value, told):
    bad = [*ROW[:column], value, *ROW[column + 1 :]]
    bad[0] = bad[0] if column == 0 else "b"
    path = workbook(tmp_path / "题.xlsx", [ROW, [None] * 7, bad])
    with pytest.raises(BadCases) as raised:
        load_cases([path])
    assert str(raised.value).startswith(f"评测集 题.xlsx 第 4 行 {told}")


def test_fault_between_columns_names_the_column_that_is_to_change(tmp_path):
    path = workbook(tmp_path / "题.xlsx", [ROW, ["b", "unanswerable", "", "问？", "", "", True], ROW])
    with pytest.raises(BadCases) as raised:
        load_cases([path])
    assert "第 3 行 G 列有误：kind 是 unanswerable 的题" in str(raised.value)
    assert "另有 1 处：第 4 行 A 列：编号 id “a”与第 2 行重复" in str(raised.value)


@pytest.mark.parametrize(
    ("headings", "told"),
    [
        (("id", "kind", "问", "answerable"), "C 列：不认识的列“问”"),
        (("id", "kind", "question", "id", "answerable"), "D 列：列“id”出现了两次"),
        (("id", "kind", "question"), "缺少列“answerable”"),
        ((), "缺少列“id”"),
    ],
)
def test_faulty_heading_is_told(tmp_path, headings, told):
    path = workbook(tmp_path / "题.xlsx", [], headings)
    with pytest.raises(BadCases, match="第 1 行有误") as raised:
        load_cases([path])
    assert told in str(raised.value)


def test_cell_outside_the_columns_is_told_by_its_place(tmp_path):
    path = workbook(tmp_path / "题.xlsx", [[*ROW, "", "多"]])
    with pytest.raises(BadCases, match="单元格 I2 不在任何一列标题之下"):
        load_cases([path])


def test_chinese_headings_kinds_and_flags_are_understood(tmp_path):
    headings = ("编号", "题型", "问题", "答案要点", "资料里有没有答案")
    path = workbook(
        tmp_path / "题.xlsx",
        [[1, "列举", "哪些？", "甲\n乙", "是"], [2, "资料未载", "多少？", "", "否"]],
        headings,
    )
    one, two = load_cases([path])
    assert (one.id, one.kind, one.answer_points, one.answerable) == ("1", "list", ("甲", "乙"), True)
    assert (two.kind, two.answerable) == ("unanswerable", False)


def test_template_is_a_set_with_notes_and_choices(tmp_path):
    write_template(tmp_path / "模板.xlsx")
    assert {case.kind for case in load_cases([tmp_path / "模板.xlsx"])} == {
        "factoid",
        "multi-turn",
        "unanswerable",
    }
    sheet = openpyxl.load_workbook(tmp_path / "模板.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(FIELDS)
    assert all(cell.comment for cell in sheet[1])
    rules = {str(rule.sqref)[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert "multi-turn" in rules["B"] and "FALSE" in rules["G"]


def test_set_written_as_a_workbook_reads_back_the_same(tmp_path):
    cases = load_cases(sorted((ROOT / "eval" / "sets").glob("*.jsonl"))[:1])
    odd = Case(
        "=1+1",
        "multi-turn",
        (Turn("user", "甲\n乙"), Turn("assistant", "丙")),
        "+问？",
        ("=甲", "乙\n丙"),
        ('["丁', " 戊"),
        True,
    )
    write_cases(tmp_path / "题.xlsx", [*cases, odd])
    assert load_cases([tmp_path / "题.xlsx"]) == [*cases, odd]


def test_workbook_that_unpacks_too_far_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("eval.sheets.MAX_UNPACKED", 1000)
    with zipfile.ZipFile(tmp_path / "大.xlsx", "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "0" * 2000)
    with pytest.raises(BadCases, match="展开后太大"):
        load_cases([tmp_path / "大.xlsx"])


def test_workbook_broken_inside_is_told(tmp_path):
    workbook(tmp_path / "好.xlsx", [ROW])
    with zipfile.ZipFile(tmp_path / "好.xlsx") as good, zipfile.ZipFile(tmp_path / "坏.xlsx", "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            bad.writestr(name, content[: len(content) * 2 // 3] if name.endswith("sheet1.xml") else content)
    with pytest.raises(BadCases, match=r"坏\.xlsx 第 \d+ 行有误：从这一行起读不出来"):
        load_cases([tmp_path / "坏.xlsx"])
