"""The durable record: migrations, integrity, read-only folders, what a user is told."""

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from rag import neardup
from rag import store as store_module
from rag.database import Database
from rag.errors import SourceDamaged, SourceNotFound, StoreDamaged, StoreLost
from rag.ingest import make_source
from rag.migrations import MIGRATIONS
from rag.store import Store
from rag.types import Metadata, Parsed


def put(store, name="规则.txt", text="第一条 校务会每两周召开一次。"):
    source = make_source(name, text.encode(), Parsed(text), Metadata(title="规则"))
    store.put(source, [], origin="o", stamp=name)
    return source


def version_1(path):
    """A database as the first release wrote it."""
    database = Database(path, MIGRATIONS[:1])
    with database.transaction() as db:
        db.execute(
            "INSERT INTO sources VALUES ('a', '旧.txt', 'o', 's', '原文', '原文', "
            "'[{\"clean\": 0, \"original\": 0, \"length\": 2}]', '[]', '[]', '{}', x'')"
        )
    database.close()


def test_a_database_of_the_first_release_is_brought_up_to_date_and_a_copy_is_kept(tmp_path):
    version_1(tmp_path / "lingxue.db")
    store = Store(tmp_path / "lingxue.db")
    assert store.source("a").original == "原文" and not store.damaged()
    assert store.signatures() == {"a": neardup.signature("原文")}
    store.close()
    with sqlite3.connect(tmp_path / "backups" / "lingxue-v1.db") as copy:
        assert copy.execute("SELECT value FROM meta WHERE key = 'schema'").fetchall() == [("1",)]
        assert copy.execute("SELECT original FROM sources").fetchall() == [("原文",)]
    copy.close()


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    version_1(tmp_path / "lingxue.db")

    def half(db):
        db.execute("ALTER TABLE sources ADD COLUMN digest TEXT NOT NULL DEFAULT ''")
        raise RuntimeError("cut short")

    monkeypatch.setattr(store_module, "MIGRATIONS", (MIGRATIONS[0], half))
    with pytest.raises(RuntimeError):
        Store(tmp_path / "lingxue.db")
    monkeypatch.undo()
    assert Store(tmp_path / "lingxue.db").source("a").original == "原文"


def test_a_database_of_a_newer_program_is_left_alone_and_the_user_is_told(tmp_path):
    store = Store(tmp_path / "lingxue.db")
    store.set_meta("schema", "99")
    store.close()
    before = (tmp_path / "lingxue.db").read_bytes()
    with pytest.raises(StoreDamaged, match="请升级领学"):
        Store(tmp_path / "lingxue.db")
    assert (tmp_path / "lingxue.db").read_bytes() == before


@pytest.mark.parametrize("column", ["original", "clean", "runs", "metadata"])
def test_a_text_that_changed_on_the_disk_is_never_quoted(tmp_path, column):
    store = Store(tmp_path / "lingxue.db")
    source, other = put(store), put(store, "另.txt", "第一条 食堂由总务处管理。")
    with sqlite3.connect(tmp_path / "lingxue.db") as db:
        db.execute(f"UPDATE sources SET {column} = {column} || ' ' WHERE id = ?", (source.id,))
    db.close()
    with pytest.raises(SourceDamaged, match="规则.txt 的记录已损坏"):
        store.source(source.id)
    assert store.damaged() == {source.id} and store.source(other.id).original == other.original


def test_a_replaced_source_can_be_read_until_the_index_has_its_successor(tmp_path):
    store = Store(tmp_path / "lingxue.db")
    old = put(store)
    removals = store.removals
    new = put(store, text="第一条 校务会每周召开一次。")
    assert [stamp.id for stamp in store.stamps()] == [new.id]
    assert store.source(old.id).original == old.original and store.removals == removals
    store.purge()
    with pytest.raises(SourceNotFound):
        store.source(old.id)
    assert store.removals != removals


def test_what_is_deleted_is_not_left_in_the_file(tmp_path):
    store = Store(tmp_path / "lingxue.db")
    source = put(store, text="第一条 独一无二的句子在这里。" * 400)
    store.delete([source.id])
    store.close()
    for path in tmp_path.iterdir():
        assert "独一无二的句子".encode() not in path.read_bytes(), path.name


def test_a_database_that_vanished_beside_its_index_is_not_replaced_by_an_empty_one(tmp_path):
    from rag.assistant import Assistant
    from rag.config import Settings

    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "CURRENT").write_text("gen-000001", encoding="utf-8")
    (tmp_path / "lingxue.db").write_bytes(b"")
    with pytest.raises(StoreLost, match="请用 lingxue restore 从备份恢复"):
        Assistant(Settings(data_dir=tmp_path, llm="off")).ready()


@pytest.fixture
def without_rights():
    """What to put before a command so that folders without write permission cannot be written."""
    if os.name == "nt":
        pytest.skip("Windows keeps permissions otherwise")
    if os.getuid():
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and setpriv is not there to change that")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def test_a_folder_that_cannot_be_written_can_still_be_asked(tmp_path, without_rights):
    """Answers come, adding is refused in one line."""
    knowledge, data = tmp_path / "k", tmp_path / "d"
    knowledge.mkdir()
    (knowledge / "食堂.txt").write_text("食堂由总务处管理。", encoding="utf-8")

    def lingxue(*words):
        command = [
            *without_rights,
            sys.executable,
            "-m",
            "rag",
            "--data-dir",
            str(data),
            "--llm",
            "off",
            *words,
        ]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    made = lingxue("--knowledge", str(knowledge), "index")
    assert made.returncode == 0, made.stderr
    for path in [*data.rglob("*"), data]:
        path.chmod(path.stat().st_mode & ~0o222)
    asked, added = lingxue("ask", "食堂由谁管理？"), lingxue("index", str(knowledge))
    for path in [data, *data.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o700)
    assert asked.returncode == 0 and "总务处" in asked.stdout, asked.stderr
    assert added.returncode == 1 and len(added.stderr.splitlines()) == 1
    assert "数据目录不可写" in added.stderr
