"""The short version of the fault campaign: some of every kind. The whole: `make faults`, docs/faults.md."""

import os
import random
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

HERE = str(Path(__file__).parent)
if not sys.platform.startswith("linux"):
    pytest.skip("the fault campaign forks processes, as Linux can", allow_module_level=True)
sys.path.insert(0, HERE)
# What this process spawns (the fork server) finds the modules here, too.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")]))

import corruptions  # noqa: E402
import fault_world as fw  # noqa: E402
import full_disk  # noqa: E402
import kills  # noqa: E402

from rag.errors import DataDirBusy, StoreDamaged  # noqa: E402
from rag.upkeep import writing  # noqa: E402

WHOLE = os.environ.get("LINGXUE_FAULTS") == "whole"


def quiet(*_, **__):
    """Say nothing."""


def test_nothing_acknowledged_is_lost_when_processes_are_killed(tmp_path):
    counts, problems = kills.campaign(tmp_path, 6, seed=int(time.time()), report=quiet)
    assert not problems and sum(counts.values()) == 6


def test_a_full_disk_is_told_in_one_line_and_nothing_is_lost(tmp_path):
    _, problems = full_disk.campaign(
        tmp_path / "full", frees=(0, 40), kinds=("put", "talk"), mount=False, report=quiet
    )
    assert not problems


def test_damaged_files_are_rebuilt_or_told(tmp_path):
    counts, problems = corruptions.campaign(tmp_path / "w", {"index/key.json", "lingxue.db"}, report=quiet)
    assert not problems
    assert {(name, how.split(":")[0]) for name, _, how in counts} == {
        ("index/key.json", "rebuilt"),
        ("lingxue.db", "said"),
    }


@pytest.fixture
def world(tmp_path):
    made = fw.World(tmp_path / "w")
    assistant = made.assistant()
    fw.change(made, assistant, "put", random.Random(1))
    assistant.ready()  # reads the knowledge folder, which naming a file does not
    assistant.close()
    return made


def test_the_second_writer_is_told_and_questions_are_answered_meanwhile(world):
    assistant = world.assistant()
    assistant.ready()
    with writing(world.data):
        other = world.assistant()
        with pytest.raises(DataDirBusy, match="数据目录正被另一个领学程序使用"):
            other.index()
        name = next(iter(world.known()))[:-4]
        assert other.answer(f"{name}编号8的事项由谁负责？").status == "answered"
        other.close()
    assistant.close()


@pytest.mark.parametrize("year", [1990, 2090])
def test_a_clock_that_jumps_changes_nothing(world, monkeypatch, year):
    shifted = (year - 1970) * 365.25 * 86400
    for path in world.data.rglob("*"):
        os.utime(path, (shifted, shifted))
    monkeypatch.setattr(time, "time", lambda: shifted)
    assert fw.verify(world) == ([], "as it was")
    assistant = world.assistant()
    fw.change(world, assistant, "put", random.Random(2))
    assistant.close()
    monkeypatch.undo()
    assert fw.verify(world) == ([], "as it was")


def test_a_database_of_the_first_release_is_opened_and_nothing_is_lost(world):
    fw.first_release(world)
    problems, _ = fw.verify(world)
    assert not problems and (world.data / "backups" / "lingxue-v1.db").exists()


def test_a_newer_programs_data_is_left_as_it_is(world):
    assistant = world.assistant()
    assistant.store.set_meta("schema", "99")
    assistant.close()
    with pytest.raises(StoreDamaged, match="请升级领学"):
        world.assistant().ready()


class Shelf(RuleBasedStateMachine):
    """Adding, replacing, deleting, asking, killing and restarting in any order keeps what was acknowledged."""

    folder = Path()
    number = 0

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed):
        Shelf.number += 1
        self.draw = random.Random(seed)
        self.world = fw.World(self.folder / f"shelf-{Shelf.number}")
        self.assistant = self.world.assistant()
        fw.change(self.world, self.assistant, "put", self.draw)

    @rule()
    def add_or_replace(self):
        fw.change(self.world, self.assistant, "put", self.draw)

    @rule()
    def delete(self):
        fw.change(self.world, self.assistant, "drop", self.draw)

    @rule()
    def talk(self):
        fw.change(self.world, self.assistant, "talk", self.draw)

    @rule()
    def write(self):
        fw.change(self.world, self.assistant, "draft", self.draw)

    @rule()  # without a precondition: what is known after a kill is no one's to repeat
    def ask(self):
        known = [(name, versions) for name, versions in self.world.known().items() if all(versions)]
        if not known:
            return
        name, versions = known[0]
        answer = self.assistant.answer(f"{name[:-4]}编号{versions[-1] * 8}的事项由谁负责？")
        for citation in answer.citations:
            source = self.assistant.source(citation.source_id)
            assert source.original[citation.start : citation.end] == citation.quote

    @rule()
    def restart(self):
        self.assistant.close()
        assert fw.verify(self.world)[0] == []
        self.assistant = self.world.assistant()

    @rule(seconds=st.floats(0, 0.6))
    def kill(self, seconds):
        self.assistant.close()
        context = fw.server()
        started = context.Event()
        arguments = (
            str(self.world.root),
            ["put", "drop", "talk", "draft"],
            self.draw.randrange(10**6),
            started,
        )
        process = context.Process(target=fw.work, args=arguments)
        process.start()
        fw.wait(started)
        time.sleep(seconds)
        process.kill()
        process.join()
        assert fw.verify(self.world)[0] == []
        self.assistant = self.world.assistant()

    def teardown(self):
        if hasattr(self, "assistant"):
            self.assistant.close()
            assert fw.verify(self.world)[0] == []


def test_any_order_of_changes_kills_and_restarts_keeps_what_was_acknowledged(tmp_path):
    Shelf.folder = tmp_path
    run_state_machine_as_test(
        Shelf,
        settings=settings(
            max_examples=25 if WHOLE else 3,
            stateful_step_count=20 if WHOLE else 6,
            deadline=None,
            database=None,
            derandomize=not WHOLE,
            suppress_health_check=list(HealthCheck),
        ),
    )
