"""Backup and restore over real files: what goes in comes out, and a bad backup changes nothing."""

import json
import sqlite3
import zipfile

import pytest

from rag import backup
from rag.assistant import Assistant
from rag.config import Settings
from rag.errors import BackupUnusable

FIRST, SECOND = "食堂由总务处管理。", "图书馆由教务处管理。"


@pytest.fixture
def lingxue(tmp_path):
    folder = tmp_path / "资料"
    folder.mkdir()
    (folder / "食堂.txt").write_text(FIRST, encoding="utf-8")
    settings = Settings(data_dir=tmp_path / "data", knowledge_dir=folder, llm="off")
    made = Assistant(settings)
    made.index()
    yield made
    made.close()


def reopened(assistant):
    assistant.close()
    return Assistant(assistant.settings)


def test_a_restored_backup_answers_as_before_and_what_was_there_is_put_aside(tmp_path, lingxue):
    (lingxue.settings.data_dir / "history.json").write_text("[1]", encoding="utf-8")
    made = tmp_path / "备份.zip"
    assert backup.back_up(lingxue.settings.data_dir, made) == 2
    added = tmp_path / "图书馆.txt"
    added.write_text(SECOND, encoding="utf-8")
    lingxue.index([added])
    lingxue.close()
    assert backup.restore(made, lingxue.settings.data_dir) == 2
    again = Assistant(lingxue.settings)
    assert [stamp.name for stamp in again.stamps()] == ["食堂.txt"]
    assert "总务处" in again.answer("食堂由谁管理？").answer
    again.close()
    aside = next(lingxue.settings.data_dir.glob("before-restore-*"))
    with sqlite3.connect(aside / "lingxue.db") as db:
        assert {row[0] for row in db.execute("SELECT name FROM sources")} == {"食堂.txt", "图书馆.txt"}
    db.close()
    assert (lingxue.settings.data_dir / "history.json").read_text(encoding="utf-8") == "[1]"


def test_a_backup_holds_what_was_acknowledged_while_the_store_was_open(tmp_path, lingxue):
    lingxue.store.set_meta("note", "就在日志里")
    backup.back_up(lingxue.settings.data_dir, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        names = set(archive.namelist())
        archive.extract("lingxue.db", tmp_path / "out")
    assert names == {"lingxue.db", backup.MANIFEST}
    with sqlite3.connect(tmp_path / "out" / "lingxue.db") as db:
        assert db.execute("SELECT value FROM meta WHERE key = 'note'").fetchall() == [("就在日志里",)]
    db.close()


def broken(kind, made):
    if kind == "not a zip":
        made.write_bytes(b"hello")
    elif kind == "cut":
        made.write_bytes(made.read_bytes()[:-300])
    elif kind == "missing":
        made.unlink()
    else:
        with zipfile.ZipFile(made) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(files.pop(backup.MANIFEST))
        if kind == "changed":
            files["lingxue.db"] = files["lingxue.db"][:-1] + b"\x01"
        if kind == "newer":
            manifest["format"] = 99
        if kind == "climbs out":
            files["../out.txt"] = b"x"
            manifest["files"]["../out.txt"] = (
                "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
            )
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
            if kind != "no manifest":
                archive.writestr(backup.MANIFEST, json.dumps(manifest))


@pytest.mark.parametrize(
    "kind", ["not a zip", "cut", "missing", "changed", "newer", "climbs out", "no manifest"]
)
def test_a_backup_that_is_not_whole_is_refused_and_nothing_is_changed(tmp_path, lingxue, kind):
    made = tmp_path / "备份.zip"
    backup.back_up(lingxue.settings.data_dir, made)
    broken(kind, made)
    before = sorted(p.name for p in lingxue.settings.data_dir.iterdir())
    with pytest.raises(BackupUnusable, match=r"备份.zip 不能恢复：.*现有数据没有改动"):
        backup.restore(made, lingxue.settings.data_dir)
    assert sorted(p.name for p in lingxue.settings.data_dir.iterdir()) == before
    assert not (tmp_path / "out.txt").exists()
    assert "总务处" in lingxue.answer("食堂由谁管理？").answer
