"""Documents come and go while people ask: what is due at once, what waits, what gives way."""

import time

import pytest

from rag import collection as collection_module
from rag import ingest
from rag.assistant import Assistant
from rag.config import Settings

NAMES = ["食堂", "宿舍", "图书馆", "实验室", "体育馆", "校门", "车棚", "操场"]


@pytest.fixture
def assistant(tmp_path):
    folder = tmp_path / "knowledge"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.txt").write_text(f"第一条 {name}由{name}管理员负责。", encoding="utf-8")
    made = Assistant(Settings(data_dir=tmp_path / "data", knowledge_dir=folder, llm="off"))
    made.index()
    yield made
    made.close()


def remove(assistant, name):
    stamp = next(s for s in assistant.stamps() if s.name == f"{name}.txt")
    assistant.documents.remove(stamp.id)
    assistant.refresh()


def generations(assistant):
    return sorted(path.name for path in (assistant.settings.data_dir / "index").glob("gen-*"))


def test_what_is_removed_is_gone_at_once_and_soon_from_the_files(assistant):
    remove(assistant, "食堂")
    assert all(hit.chunk.source_id for hit in assistant.retriever.retrieve("食堂由谁负责？"))
    assert not assistant.search_index.current().lexical.known("食堂")
    assistant.settle()
    generation = assistant.search_index.current()
    assert len(generations(assistant)) == 1 and len(generation.chunks) == len(NAMES) - 1
    assert assistant.search_index.settled() and assistant.search_index.fresh()


def test_building_into_one_gives_way_to_the_next_change(assistant, tmp_path, monkeypatch):
    def endless(collection, vectors, done):
        for _ in range(3000):
            done(0)
            time.sleep(0.01)
        return []

    monkeypatch.setattr(collection_module, "lost", endless)
    remove(assistant, "食堂")
    added = tmp_path / "礼堂.txt"
    added.write_text("第一条 礼堂由礼堂管理员负责。", encoding="utf-8")
    started = time.monotonic()
    report = assistant.index([added])
    assert report.files[0].outcome == "新增" and time.monotonic() - started < 20
    assert assistant.retriever.retrieve("礼堂由谁负责？")[0].chunk.text.startswith("第一条 礼堂")
    started = time.monotonic()
    assistant.close()
    assert time.monotonic() - started < 20


def test_a_question_waits_for_the_index_where_all_that_it_holds_is_gone(assistant, monkeypatch):
    assistant.store.delete([stamp.id for stamp in assistant.stamps()])
    for name in NAMES:  # as after a process that ended between storing and indexing
        path = assistant.settings.knowledge_dir / f"{name}.txt"
        path.write_text(f"第一条 {name}由{name}老师负责。", encoding="utf-8")
    ingest.sync_folder(assistant.store, assistant.settings.knowledge_dir)
    renew = assistant.upkeep._renew_quietly
    monkeypatch.setattr(assistant.upkeep, "_renew_quietly", lambda: (time.sleep(0.5), renew()))
    answer = assistant.answer("食堂由谁负责？")
    assert "食堂老师" in answer.answer and answer.citations


def test_documents_stay_where_their_folder_is_moved(assistant, tmp_path):
    moved = tmp_path / "elsewhere"
    assistant.settings.knowledge_dir.rename(moved)
    (moved / "食堂.txt").write_text("第一条 食堂由值班员负责。", encoding="utf-8")
    assistant.close()
    other = Assistant(Settings(data_dir=tmp_path / "data", knowledge_dir=moved, llm="off"))
    assert "值班员" in other.answer("食堂由谁负责？").answer
    assert {stamp.name for stamp in other.stamps()} == {f"{name}.txt" for name in NAMES}
    assert "宿舍管理员" in other.answer("宿舍由谁负责？").answer
    other.close()


def test_files_that_cannot_be_written_into_the_store_are_said_one_by_one(assistant, tmp_path, monkeypatch):
    from rag.errors import DataDirUnusable

    def full(entries):
        raise DataDirUnusable(path=tmp_path, reason="磁盘已满")

    paths = [tmp_path / f"{name}.txt" for name in ("礼堂", "水房")]
    for path in paths:
        path.write_text(f"第一条 {path.stem}由管理员负责。", encoding="utf-8")
    monkeypatch.setattr(assistant.store, "put_all", full)
    report = assistant.index(paths)
    assert [(f.name, f.outcome) for f in report.files] == [("礼堂.txt", "失败"), ("水房.txt", "失败")]
    assert all("磁盘已满" in f.detail for f in report.files)
    monkeypatch.undo()
    assert [f.outcome for f in assistant.index(paths).files] == ["新增", "新增"]
