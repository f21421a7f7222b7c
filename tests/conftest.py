"""Shared by all tests: no network, a knowledge base built once, the shared folder where it exists."""

import os
import socket
from pathlib import Path

import pytest
from tests_support import own_address

from rag.offline import stay_offline

stay_offline()
ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
NO_NETWORK = Path(__file__).parent / "no_network"
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None}


@pytest.fixture(autouse=True, scope="session")
def lookups(tmp_path_factory):
    """Record every name looked up, here and in child processes; any that is not local fails the run."""
    log = tmp_path_factory.mktemp("network") / "lookups.txt"
    real, own = socket.getaddrinfo, own_address()

    def watched(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in {*_LOCAL, own} and not str(name).startswith("127."):
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{name}\n")
            raise OSError(f"a test looked up {name!r}: nothing may reach the network")
        return real(host, *args, **kwargs)

    socket.getaddrinfo = watched
    os.environ["LINGXUE_TEST_LOOKUPS"] = str(log)
    os.environ["LINGXUE_TEST_OWN"] = own
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(NO_NETWORK), path]))
    yield log
    socket.getaddrinfo = real
    seen = log.read_text(encoding="utf-8") if log.exists() else ""
    assert not seen, f"names looked up during the tests: {seen}"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No setting of the person who runs the tests takes part in them."""
    for name in list(os.environ):
        if name.startswith("LINGXUE_") and not name.startswith("LINGXUE_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LINGXUE_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def seed_file():
    """The source document, where CI and developers have it."""
    files = sorted((SHARED / "seed").glob("*.txt"))
    if not files:
        pytest.skip("the seed document is not beside this checkout (../shared/seed)")
    return files[0]


@pytest.fixture(scope="session")
def knowledge_base(tmp_path_factory):
    """An assistant over the bundled knowledge/, indexed once for all tests; not to be changed."""
    from rag.assistant import Assistant
    from rag.config import Settings

    settings = Settings(
        data_dir=tmp_path_factory.mktemp("knowledge"), knowledge_dir=ROOT / "knowledge", llm="off"
    )
    assistant = Assistant(settings)
    assistant.index()
    yield assistant
    assistant.close()


@pytest.fixture(scope="session")
def postgres_server():
    """A real PostgreSQL server, where Debian's package is installed; yields the address of its database."""
    from eval.bench.installation import postgres
    from eval.bench.services import CannotStart

    try:
        with postgres() as (_, address):
            yield address
    except CannotStart as err:
        pytest.skip(f"no PostgreSQL here ({err}): apt-get install postgresql")


@pytest.fixture
def postgres(postgres_server):
    """The address of a database without tables."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(postgres_server)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    engine.dispose()
    return postgres_server


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all tests; Playwright allows no second one beside it."""
    from web_support import CHROMIUM, FLAGS, sync_api

    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()
