"""A real Chromium and a page that fails its test for errors, dialogs and requests to anywhere else."""

import os
import shutil
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--no-first-run", "--disable-sync", "--lang=en-US"]  # fmt: skip
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium: install one, or name it in CHROMIUM")


@contextmanager
def chromium():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def opened(browser, address, **options):
    """A page at an address; every request must stay at that host (or, for a file, at the file itself)."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    wrong = []
    home = urlsplit(address)

    def seen(request):
        parts = urlsplit(request.url)
        inside = parts.scheme in ("data", "blob") or (parts.scheme, parts.netloc) == (
            home.scheme,
            home.netloc,
        )
        if not inside or (home.scheme == "file" and parts.scheme == "file" and parts.path != home.path):
            wrong.append(f"request to {request.url}")

    def watch(page):
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))

    context.on("request", seen)
    context.on("page", watch)
    page = context.new_page()
    try:
        page.goto(address)
        yield page
    finally:
        context.close()
    assert not wrong
