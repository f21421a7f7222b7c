"""Files that should not exist: each is taken in or refused with a plain reason, in time, and nothing else happens.

Sixty of them, drawn by a seed, in the daily tests; all of them in the fault campaign (`make faults`).
"""

import itertools
import os
import random
import socket
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from faults import bad_files

from rag import ingest
from rag.store import Store

WHOLE = os.environ.get("LINGXUE_FAULTS") == "whole"
SAMPLE, SEED, BATCH = 60, 9, 20
LIMIT_S = 60.0  # of this process; the parser is ended after 120 s by itself
MEMORY = 2.5 * 2**30  # bytes: the limit of the parser process, and what is around it


def drawn(secret):
    files = list(bad_files.all_of(secret) if WHOLE else bad_files.cheap(secret))
    if os.name == "nt":  # such names cannot be made there
        files = [
            (name, make) for name, make in files if not set(name) & set('<>:"|?*\n;') and name.strip(" .")
        ]
    return files if WHOLE else random.Random(SEED).sample(files, SAMPLE)


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """Write the files one by one and take each in as the library would; yield the reports, the store, the folder."""
    root = tmp_path_factory.mktemp("bad")
    folder = root / "bad"
    folder.mkdir()
    secret = root / "secret.txt"
    secret.write_text(bad_files.SECRET, encoding="utf-8")
    store, reports, seconds = Store(root / "lingxue.db"), {}, {}
    with socket.create_server(("127.0.0.1", 0)) as home:
        home.settimeout(0.01)
        bad_files.HOME = f"http://127.0.0.1:{home.getsockname()[1]}/called"
        files = iter(drawn(str(secret)))
        while batch := list(itertools.islice(files, BATCH)):
            _take_in(store, folder, batch, reports, seconds)
        with pytest.raises(TimeoutError):
            home.accept()
    yield reports, seconds, store, root
    store.close()


def _take_in(store, folder, batch, reports, seconds):
    for name, make in batch:
        (folder / name).write_bytes(make())
    before = [time.process_time()]

    def done(_stage, number, _of):
        seconds[batch[number - 1][0]] = time.process_time() - before[0]
        before[0] = time.process_time()

    found = ingest.add_paths(store, [folder / name for name, _ in batch], done)
    reports.update(zip([name for name, _ in batch], found, strict=True))
    for name, _ in batch:
        (folder / name).unlink()


def test_there_are_three_hundred_of_them():
    assert len({name for name, _ in bad_files.all_of("x")}) >= 300


def test_each_is_taken_in_or_refused_with_one_plain_line_and_a_remedy(taken):
    reports, seconds = taken[:2]
    outcomes = Counter(report.outcome for report in reports.values())
    slowest = sorted(seconds, key=seconds.get)[-5:]
    print(len(reports), dict(outcomes), {name: round(seconds[name], 1) for name in slowest})
    for name, report in reports.items():
        assert report.outcome in ("新增", "重复", "失败"), name
        if report.outcome == "失败":
            told = report.detail.replace(name, "")
            assert "请" in told and "\n" not in told and len(told) < 300, report.detail
            assert "异常退出" not in told, report.detail


def test_none_takes_longer_or_more_memory_than_the_limits(taken):
    assert max(taken[1].values()) < LIMIT_S
    if sys.platform == "linux":
        import resource

        assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < MEMORY


def test_none_reads_another_file_or_writes_one_or_fills_in_entities(taken):
    store, root = taken[2:]
    assert {path.name.split(".")[0] for path in root.rglob("*")} <= {"bad", "secret", "lingxue"}
    assert not any("越界" in path.name for path in Path.cwd().iterdir())
    for stamp in store.stamps():
        original = store.source(stamp.id).original
        assert bad_files.SECRET not in original and "哈" * 100 not in original
        original.encode("utf-8")  # whole characters only


def test_our_own_encodings_are_read_without_a_wrong_character(taken):
    reports, _, store, _ = taken
    texts = {stamp.name: store.source(stamp.id).original for stamp in store.stamps()}
    wanted = [line for line in bad_files.TEXT.splitlines() if line]
    for code in bad_files.ENCODINGS["ours"]:
        for name in (f"{code}.txt", f"{code}.md"):
            if name in reports and reports[name].outcome == "新增":
                assert all(line in texts[name] for line in wanted), name
