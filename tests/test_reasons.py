"""What the system says in English is told in Chinese."""

import errno
import os
import sqlite3

import pytest

from rag.cli import main
from rag.errors import DataDirUnusable
from rag.reasons import why
from rag.store import Store


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_every_number_of_the_system_has_a_reason_without_english(number):
    told = why(OSError(number, os.strerror(number), "/secret/path"))
    assert not any(c.isascii() and c.isalpha() for c in told) and "secret" not in told


def test_sqlite_is_told_in_chinese_too(tmp_path):
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(sqlite3.OperationalError) as err:
        sqlite3.connect(tmp_path / "folder.db")
    assert why(err.value) == "文件打不开，可能没有权限"


def test_a_data_directory_that_is_a_file_is_told_without_english(tmp_path, capsys):
    (tmp_path / "data").write_text("x")
    with pytest.raises(DataDirUnusable) as told:
        Store(tmp_path / "data" / "lingxue.db")
    assert "（已经有同名的文件）" in str(told.value) or "（文件夹不存在）" in str(told.value)
    assert main(["--data-dir", str(tmp_path / "data"), "ask", "问"]) == 1
    assert "File exists" not in capsys.readouterr().err
