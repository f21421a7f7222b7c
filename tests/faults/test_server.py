"""With a real Chroma server: found as with the embedded one; killed, answers go on; back again, it is used again."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = str(Path(__file__).parent)
if not sys.platform.startswith("linux"):
    pytest.skip("uses the fault world, which forks", allow_module_level=True)
sys.path.insert(0, HERE)

import fault_world as fw  # noqa: E402

import rag.assistant  # noqa: E402
from rag import dense as dense_module  # noqa: E402
from rag.config import Settings  # noqa: E402


def start(folder, port):
    chroma = Path(sys.executable).with_name("chroma")
    program = str(chroma) if chroma.exists() else shutil.which("chroma")
    if not program:
        code = "import sys; from chromadb.cli.cli import app; sys.argv[0] = 'chroma'; app()"
        command = [sys.executable, "-c", code]
    else:
        command = [program]
    process = subprocess.Popen(
        [*command, "run", "--path", str(folder), "--port", str(port), "--host", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
    )  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        if process.poll() is not None:
            pytest.skip("the chroma server does not start here")
        time.sleep(0.1)
    process.kill()
    pytest.skip("the chroma server does not start here")


def test_a_chroma_server_that_dies_is_done_without_and_used_again_when_it_is_back(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = start(tmp_path / "chroma", port)
    world = fw.World(tmp_path / "w")
    settings = Settings(
        data_dir=world.data, knowledge_dir=world.folder, llm="off", chroma_url=f"http://127.0.0.1:{port}"
    )
    assistant = rag.assistant.Assistant(settings)
    monkeypatch.setattr(dense_module, "RETRY_S", 0.2)
    try:
        for turn in range(3):
            fw.change(world, assistant, "put", random.Random(turn))
        generation = assistant.search_index.current()
        question = f"{next(iter(world.known()))[:-4]}编号8的事项由谁负责？"
        query = fw.ENCODER.encode_query(question)
        with_server = generation.neighbours(query, 5)
        assert generation.searched_by == "chroma" and generation.key.collection

        server.kill()
        server.wait()
        started = time.monotonic()
        without = generation.neighbours(query, 5)
        assert generation.searched_by == "exact" and time.monotonic() - started < 30
        assert [s for _, s in without] == pytest.approx([s for _, s in with_server], abs=1e-4)
        assert assistant.answer(question).status == "answered" and not generation.broken

        server = start(tmp_path / "chroma", port)
        time.sleep(0.3)
        assert [s for _, s in generation.neighbours(query, 5)] == pytest.approx(
            [s for _, s in without], abs=1e-4
        )
        assert generation.searched_by == "chroma"
    finally:
        server.kill()
        server.wait()
        assistant.close()
