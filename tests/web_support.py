"""A served app and a real Chromium for the tests of the web app."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests_support import own_address

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
ROOT = Path(__file__).resolve().parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--no-first-run", "--disable-sync", "--lang=en-US"]  # fmt: skip
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium: install one, or name it in CHROMIUM")

WAIT_MS = 60_000  # a busy machine is slow; what is wrong does not come at all
PASSWORD = "一个长长的密码呀"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(folder, *, knowledge, port=None, **settings):
    """Run `lingxue serve` as its users do; yield its address."""
    port = port or free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LINGXUE_LLM")}
    environment |= {f"LINGXUE_{name.upper()}": value for name, value in settings.items()}
    command = [
        sys.executable,
        "-m",
        "rag",
        "--data-dir",
        folder,
        "--knowledge",
        knowledge,
        "serve",
        "--port",
        port,
    ]
    log = (Path(folder).parent / f"serve-{port}.log").open("w+b")
    server = subprocess.Popen([*map(str, command)], cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
                break
            except urllib.error.HTTPError as served:  # who is not logged in is turned away: it serves
                served.close()
                break
            except OSError:
                if server.poll() is not None:
                    log.seek(0)
                    pytest.fail(f"the server stopped: {log.read().decode()}")
                time.sleep(0.1)
        shown = own_address() if settings.get("host") == "0.0.0.0" else "127.0.0.1"
        yield f"http://{shown}:{port}/"
    finally:
        server.terminate()
        try:
            server.wait(10)
        finally:
            server.kill()
            log.seek(0)
            said = log.read().decode("utf-8", "replace")
            log.close()
    assert "Traceback" not in said, said


@contextmanager
def opened(browser, address, *, ready="#question textarea", **options):
    """A page that fails the test for a console error, a dialog or a request to anywhere else."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 860}, **options})
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    wrong = []
    home = urlsplit(address).netloc
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))

    def seen(request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != home:
            wrong.append(f"request to {request.url}")

    page.on("request", seen)
    try:
        page.goto(address)
        page.locator(ready).wait_for()
        yield page
    finally:
        context.close()
    assert not wrong, wrong


def add_user(data, name, *, admin=False):
    """Make an account as the person at the computer does."""
    command = [sys.executable, "-m", "rag", "--data-dir", str(data), "user", "add", name]
    subprocess.run([*command, *(["--admin"] if admin else [])], cwd=ROOT, input=PASSWORD.encode(), check=True)


def log_in(page, name, password):
    page.fill("#name", name)
    page.fill("#password", password)
    page.get_by_role("button", name="登录").click()
    page.locator("#question textarea, [role=alert]").first.wait_for()


def ask(page, question):
    """Ask, wait for the whole answer and return it."""
    answers = page.locator("#chat .lx-answer:not(.lx-working)")
    count = answers.count()
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    answers.nth(count).wait_for()
    return answers.nth(count)


def upload(page, field, files, *, count=1):
    """Give files to one of Gradio's upload fields and wait until they have arrived.

    The name is shown at once; the link with the size comes when the file is there. Once more where the
    page was not wired yet, as a person would.
    """
    arrived = page.locator(f"{field} a[href*='file=']", has_text=re.compile(r"\d")).nth(count - 1)
    for timeout in (WAIT_MS / 4, WAIT_MS):
        page.locator(f"{field} input[type=file]").set_input_files(files)
        try:
            arrived.wait_for(timeout=timeout)
        except sync_api.TimeoutError:
            if timeout == WAIT_MS:
                raise
        else:
            return
