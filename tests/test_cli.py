"""The command line as a user meets it: real processes, one Chinese line for each kind of trouble."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from loopback_model import loopback_model

CHINESE = re.compile("[\u4e00-\u9fff]")


def lingxue(*arguments, data, **environment):
    return subprocess.run(
        [sys.executable, "-m", "rag", "--data-dir", str(data), *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def one_line(finished):
    """The single Chinese line a failed command writes, without a traceback."""
    lines = finished.stderr.strip().splitlines()
    assert len(lines) == 1 and CHINESE.search(lines[0]) and "Traceback" not in finished.stderr, (
        finished.stderr
    )
    return lines[0]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "资料"
    made.mkdir()
    (made / "规则.txt").write_text(
        "第一条 校务会每两周召开一次。\n第二条 食堂由总务处管理。\n", encoding="utf-8"
    )
    return made


def test_first_question_indexes_by_itself_and_answers(tmp_path, folder):
    finished = lingxue("--knowledge", folder, "ask", "食堂由谁管理？", data=tmp_path / "d")
    assert finished.returncode == 0 and finished.stdout.startswith("食堂由总务处管理。[1]")
    assert "《规则》第二条" in finished.stdout
    assert "已建立索引：1 个文件" in one_line(finished)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("空.txt", b"", "文件是空的"),
        ("程序.txt", b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)) * 8, "不是文本文件"),
        ("坏.docx", b"PK\x03\x04 not a zip", "坏.docx：文件已损坏"),
        ("坏.pdf", b"%PDF-1.7\nnothing", "坏.pdf：文件已损坏"),
        ("未知.xyz", b"\x00\x01\x02", "未知.xyz："),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_reason_and_nothing_else_is_lost(
    tmp_path, folder, name, content, said
):
    data = tmp_path / "d"
    (folder / name).write_bytes(content)
    finished = lingxue("--knowledge", folder, "index", data=data)
    assert finished.returncode == 0, finished.stderr
    failed = [line for line in finished.stdout.splitlines() if line.startswith("失败")]
    assert len(failed) == 1 and said in failed[0] and str(tmp_path) not in failed[0]
    assert "共 2 个文件，失败 1 个" in finished.stdout
    assert "总务处" in lingxue("ask", "食堂由谁管理？", data=data).stdout


def test_an_encrypted_pdf_says_so(tmp_path, folder):
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt("secret", algorithm="RC4-128")
    with (folder / "密.pdf").open("wb") as file:
        writer.write(file)
    finished = lingxue("--knowledge", folder, "index", data=tmp_path / "d")
    assert "密.pdf：文件有密码保护。请先去掉密码，再重新放入。" in finished.stdout


def test_a_zip_bomb_costs_one_file(tmp_path, folder):
    with zipfile.ZipFile(folder / "炸弹.docx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", "<Types/>")
        bomb.writestr("word/document.xml", b"0" * 400_000_000)
    finished = lingxue("--knowledge", folder, "index", data=tmp_path / "d")
    assert finished.returncode == 0 and "失败 1 个" in finished.stdout


def test_a_changed_file_that_breaks_leaves_what_was_stored(tmp_path, folder):
    data = tmp_path / "d"
    lingxue("--knowledge", folder, "index", data=data)
    (folder / "规则.txt").write_bytes(b"")
    finished = lingxue("--knowledge", folder, "index", data=data)
    assert finished.returncode == 1 and "失败　规则.txt：文件是空的" in finished.stdout
    assert "总务处" in lingxue("ask", "食堂由谁管理？", data=data).stdout


def test_a_missing_folder_is_named(tmp_path):
    finished = lingxue("--knowledge", tmp_path / "没有", "index", data=tmp_path / "d")
    assert finished.returncode == 1 and "找不到文件或文件夹" in one_line(finished)


def test_an_unwritable_data_directory_is_named(tmp_path, folder):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file stands where the directory should be", encoding="utf-8")
    finished = lingxue("--knowledge", folder, "index", data=blocked / "d")
    assert finished.returncode == 1 and "数据目录不可写" in one_line(finished)


def test_a_database_that_is_none_is_told_apart_and_left_alone(tmp_path, folder):
    data = tmp_path / "d"
    data.mkdir()
    (data / "lingxue.db").write_bytes(b"this is no database " * 100)
    finished = lingxue("--knowledge", folder, "index", data=data)
    assert finished.returncode == 1 and "数据库无法读取" in one_line(finished)
    assert (data / "lingxue.db").read_bytes().startswith(b"this is no database")


def test_a_wrong_model_key_is_told_and_the_answer_still_comes(tmp_path, folder):
    with loopback_model(mode="401") as (_, url):
        finished = lingxue(
            "--knowledge", folder, "ask", "食堂由谁管理？", "--json",
            data=tmp_path / "d", LINGXUE_LLM_BASE_URL=url, LINGXUE_LLM_MODEL="m", LINGXUE_LLM_API_KEY="sk-wrong",
        )  # fmt: skip
    answer = json.loads(finished.stdout)
    assert finished.returncode == 0 and "密钥无效" in answer["answer"] and answer["citations"]
    assert "sk-wrong" not in finished.stdout + finished.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask"], "缺少参数 问题"),
        (["nothing"], "不对，可选"),
        (["ask", "问", "--color"], "不认识的参数 --color"),
        (["--llm", "maybe", "ask", "问"], "--llm 的值 'maybe' 不对"),
        (["draft", "--topic", "x"], "缺少参数 --genre"),
        (["serve", "--port", "99999"], "LINGXUE_PORT = 99999"),
    ],
)
def test_wrong_arguments_exit_with_2_and_one_line(tmp_path, arguments, said):
    finished = lingxue(*arguments, data=tmp_path / "d")
    assert finished.returncode == 2 and said in one_line(finished)


@pytest.mark.parametrize(
    ("question", "said"), [("  ", "问题是空的"), ("长" * 20_000, "问题太长（20000 字）")]
)
def test_a_question_that_cannot_be_worked_on_is_refused_in_one_line(tmp_path, folder, question, said):
    data = tmp_path / "d"
    lingxue("--knowledge", folder, "index", data=data)
    finished = lingxue("ask", question, data=data)
    assert finished.returncode == 1 and said in one_line(finished)


def test_options_may_stand_before_or_after_the_command(tmp_path, folder):
    data = tmp_path / "d"
    before = lingxue("--knowledge", folder, "index", data=data)
    after = subprocess.run(
        [sys.executable, "-m", "rag", "index", "--knowledge", folder, "--data-dir", data],
        capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert "新增　规则.txt" in before.stdout and "未变　规则.txt" in after.stdout


def test_history_turns_a_follow_up_into_a_standalone_question(tmp_path, folder):
    history = tmp_path / "history.json"
    history.write_text(json.dumps([{"role": "user", "content": "食堂由谁管理？"}]), encoding="utf-8")
    finished = lingxue(
        "--knowledge", folder, "ask", "那校务会呢？", "--history", history, "--json", data=tmp_path / "d"
    )
    assert json.loads(finished.stdout)["standalone_question"] != "那校务会呢？"


def test_a_broken_history_file_is_refused_with_an_example(tmp_path, folder):
    history = tmp_path / "history.json"
    history.write_text("[1, 2", encoding="utf-8")
    finished = lingxue("--knowledge", folder, "ask", "问", "--history", history, data=tmp_path / "d")
    assert finished.returncode == 1 and "读不懂这份对话记录" in one_line(finished)


def test_doctor_names_what_is_degraded_and_the_remedy(tmp_path):
    finished = lingxue("doctor", data=tmp_path / "d", LINGXUE_LLM_MODLE="typo")
    assert "没有建立" in finished.stdout and "请运行 lingxue index" in finished.stdout
    assert "LINGXUE_LLM_MODLE" in finished.stdout and "没有设置，直接从资料摘出回答" in finished.stdout


def test_a_question_imports_neither_torch_nor_gradio(tmp_path, folder):
    data = tmp_path / "d"
    lingxue("--knowledge", folder, "index", data=data)
    code = (
        "import sys; from rag.cli import main; "
        f"main(['--data-dir', {str(data)!r}, 'ask', '食堂由谁管理？']); "
        "print(sorted({'torch', 'gradio', 'sentence_transformers', 'langchain'} & set(sys.modules)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert finished.stdout.strip().endswith("[]")


def test_the_version_run_by_python_and_by_the_script_is_one(tmp_path):
    script = Path(sys.executable).with_name("lingxue.exe" if os.name == "nt" else "lingxue")
    if not script.exists():
        pytest.skip("the console script is not installed in this environment")
    finished = subprocess.run(
        [script, "--help"], capture_output=True, text=True, encoding="utf-8", check=True
    )
    module = lingxue("--help", data=tmp_path)
    assert finished.stdout == module.stdout and "用法" in finished.stdout
