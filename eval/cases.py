"""Evaluation cases: what one is, and reading sets of them with every fault named by row.

A set is JSON Lines (.jsonl) or a workbook (.xlsx) with the same columns; the
rules are the same for both and stand here once. Knows nothing of answers or
metrics.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from eval import sheets
from eval.places import Place, together
from rag.errors import BadCases, BadRequest, FolderNotFound
from rag.types import Turn

KINDS = (
    "factoid",
    "list",
    "procedure",
    "responsibility",
    "why",
    "comparison",
    "multi-turn",
    "unanswerable",
    "out-of-scope",
    "adversarial",
    "draft",
)
KIND_NAMES = dict(
    zip(
        KINDS,
        ("事实", "列举", "程序", "职责", "原因", "比较", "追问", "资料未载", "范围之外", "诱导", "写作"),
        strict=True,
    )
)
NEVER_ANSWERABLE = ("unanswerable", "out-of-scope")
REQUIRED = ("id", "kind", "question", "answerable")
LISTS = ("answer_points", "gold_quotes")
FIELDS = ("id", "kind", "history", "question", *LISTS, "answerable")
MAX_ID = 100  # code points: ids stand in file names' place in reports and in spreadsheets
MAX_BYTES = 50_000_000  # a set of 10,000 rich cases is about 10 MB
_TYPE_NAMES = {
    type(None): "空值",
    bool: "真假值",
    int: "数字",
    float: "数字",
    str: "文字",
    list: "列表",
    dict: "对象",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what a right answer says (`answer_points`) and cites (`gold_quotes`).

    `answerable` tells whether the documents hold an answer; where they do
    not, a right system says so. Each list may be empty.
    """

    id: str
    kind: str
    history: tuple[Turn, ...]
    question: str
    answer_points: tuple[str, ...]
    gold_quotes: tuple[str, ...]
    answerable: bool

    def to_dict(self) -> dict[str, Any]:
        """The form of a line of a .jsonl set."""
        return asdict(self)

    def digest(self) -> str:
        """A short hash that changes with any field; an edited case is another case."""
        text = json.dumps(self.to_dict(), ensure_ascii=True, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_cases(paths: Sequence[Path | str]) -> list[Case]:
    """Read evaluation sets in the order given; ids are unique over all of them.

    Raises: FolderNotFound: a file is not there. BadCases: the faults of the
    first faulty file, each with row (the line, or the row of the sheet),
    column (of a sheet) and reason. BadRequest: no file was given.
    """
    if not paths:
        raise BadRequest(reason="没有给出评测集。请写上一个 .jsonl 或 .xlsx 文件。")
    cases: list[Case] = []
    seen: dict[str, Place] = {}
    for path in map(Path, paths):
        cases += _load(path, seen)
    return cases


def _load(path: Path, seen: dict[str, Place]) -> list[Case]:
    """Read one file; `seen` holds the ids so far and where they stand."""
    cases: list[Case] = []
    faults: list[BadCases] = []
    for place, read in _rows(path):
        try:
            case = _case(read(), place)
            if first := seen.get(case.id):
                where = (
                    f"第 {first.row} 行" if first.name == place.name else f"{first.name} 第 {first.row} 行"
                )
                raise place.fault(f"编号 id “{case.id}”与{where}重复", "id")
        except BadCases as err:
            faults.append(err)
            continue
        seen[case.id] = place
        cases.append(case)
    if faults:
        raise together(faults)
    if not cases:
        raise Place(path.name).fault("文件里没有题目")
    return cases


def _rows(path: Path) -> Iterator[tuple[Place, Callable[[], Mapping[str, Any]]]]:
    """Yield each row's place and what reads its values or raises BadCases."""
    start = Place(path.name)
    if not path.exists():
        raise FolderNotFound(path=path)
    suffix = path.suffix.lower()
    if not path.is_file():
        raise start.fault("这是文件夹，不是评测集文件")
    if suffix not in (".jsonl", ".xlsx"):
        raise start.fault(f"不支持的格式“{suffix or path.name}”，评测集只能是 .jsonl 或 .xlsx")
    if path.stat().st_size == 0:
        raise start.fault("文件是空的")
    if path.stat().st_size > MAX_BYTES:
        raise start.fault(f"文件太大，超过 {MAX_BYTES // 1_000_000} MB，请拆成几个")
    if suffix == ".xlsx":
        yield from sheets.read_rows(path, FIELDS, REQUIRED, KIND_NAMES)
    else:
        yield from _lines(path)


def _lines(path: Path) -> Iterator[tuple[Place, Callable[[], Mapping[str, Any]]]]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        row = content.count(b"\n", 0, err.start) + 1
        raise Place(path.name, row).fault("编码不是 UTF-8，请另存为 UTF-8 编码") from err
    # Only \n ends a line: U+2028 and its like may stand inside a JSON string.
    for row, line in enumerate(text.split("\n"), 1):
        if line.strip():
            place = Place(path.name, row)
            yield place, partial(_object, line, place)


def _object(line: str, place: Place) -> Mapping[str, Any]:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in items]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise place.fault(f"字段“{twice}”写了两次")
        return dict(items)

    def constant(text: str) -> NoReturn:
        raise place.fault(f"“{text}”不是 JSON 允许的值")

    try:
        value = json.loads(line, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as err:
        raise place.fault(f"不是正确的 JSON（第 {err.colno} 个字符处）") from err
    except (ValueError, RecursionError) as err:
        raise place.fault("不是正确的 JSON（数字太长或嵌套太深）") from err
    if not isinstance(value, dict):
        raise place.fault(f"每行应是一个 JSON 对象，这里是{_type_name(value)}")
    return value


def _case(values: Mapping[str, Any], place: Place) -> Case:
    if unknown := [name for name in values if name not in FIELDS]:
        raise place.fault(f"不认识的字段“{unknown[0]}”，可用的字段：{'、'.join(FIELDS)}")
    if missing := [name for name in REQUIRED if name not in values]:
        raise place.fault(f"缺少字段“{missing[0]}”")
    case = Case(
        id=_identifier(values["id"], place),
        kind=_kind(values["kind"], place),
        history=_history(values.get("history", []), place),
        question=_text(values["question"], "question", place),
        answer_points=_texts(values.get("answer_points", []), "answer_points", place),
        gold_quotes=_texts(values.get("gold_quotes", []), "gold_quotes", place),
        answerable=_flag(values["answerable"], place),
    )
    _agree(case, place)
    return case


def _agree(case: Case, place: Place) -> None:
    """Refuse fields that contradict each other."""
    if case.kind in NEVER_ANSWERABLE and case.answerable:
        raise place.fault(f"kind 是 {case.kind} 的题，answerable 应为 false", "answerable")
    if not case.answerable and case.gold_quotes:
        raise place.fault("answerable 是 false 的题不应有 gold_quotes", "gold_quotes")
    if case.kind == "multi-turn" and not case.history:
        raise place.fault("kind 是 multi-turn 的题要有 history", "history")


def _type_name(value: object) -> str:
    return _TYPE_NAMES.get(type(value), "日期或时间")  # all else that a cell of a workbook can hold


def _text(value: object, field: str, place: Place) -> str:
    if not isinstance(value, str):
        raise place.fault(f"字段“{field}”应是文字，这里是{_type_name(value)}", field)
    if not value.strip():
        raise place.fault(f"字段“{field}”是空的", field)
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise place.fault(f"字段“{field}”里有不成对的代理字符，无法写入文件", field)
    return value


def _identifier(value: object, place: Place) -> str:
    text = _text(value, "id", place)
    if text != text.strip() or not text.isprintable():
        raise place.fault("字段“id”不能有首尾空格、换行或控制字符", "id")
    if len(text) > MAX_ID:
        raise place.fault(f"字段“id”太长：{len(text)} 字，最多 {MAX_ID} 字", "id")
    return text


def _kind(value: object, place: Place) -> str:
    text = _text(value, "kind", place)
    if text not in KINDS:
        raise place.fault(f"字段“kind”的值“{text[:30]}”不认识，可用：{'、'.join(KINDS)}", "kind")
    return text


def _flag(value: object, place: Place) -> bool:
    if not isinstance(value, bool):
        raise place.fault(f"字段“answerable”应是 true 或 false，这里是{_type_name(value)}", "answerable")
    return value


def _texts(value: object, field: str, place: Place) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise place.fault(f"字段“{field}”应是列表，这里是{_type_name(value)}", field)
    texts = tuple(_text(item, f"{field} 第 {i} 项", place) for i, item in enumerate(value, 1))
    twice = next((i for i, text in enumerate(texts, 1) if text in texts[: i - 1]), None)
    if twice:
        raise place.fault(f"字段“{field}”第 {twice} 项与前面的重复", field)
    return texts


def _history(value: object, place: Place) -> tuple[Turn, ...]:
    if not isinstance(value, list):
        raise place.fault(f"字段“history”应是列表，这里是{_type_name(value)}", "history")
    return tuple(_turn(item, f"history 第 {i} 项", place) for i, item in enumerate(value, 1))


def _turn(value: object, field: str, place: Place) -> Turn:
    if not isinstance(value, dict):
        raise place.fault(f"字段“{field}”应是含 role 和 content 的对象，这里是{_type_name(value)}", field)
    if unknown := [name for name in value if name not in ("role", "content")]:
        raise place.fault(f"字段“{field}”里有不认识的字段“{unknown[0]}”", field)
    if missing := [name for name in ("role", "content") if name not in value]:
        raise place.fault(f"字段“{field}”缺少“{missing[0]}”", field)
    if value["role"] not in ("user", "assistant"):
        raise place.fault(f"字段“{field}”的 role 只能是 user 或 assistant", field)
    return Turn(value["role"], _text(value["content"], f"{field} 的 content", place))
