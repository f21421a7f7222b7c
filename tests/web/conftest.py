"""One served app and one knowledge folder for all tests of the web app."""

import os
import shutil

import pytest
from web_support import ROOT, opened, serving

HOSTILE = """# 校徽佩戴办法<script>alert(1)</script>

校徽由德育处统一发放。<img src="http://evil.example/a.png" onerror="alert(1)">

校徽佩戴在左胸上方<svg onload=alert(1)>，![图](http://evil.example/b.png)每周一检查一次。
"""


@pytest.fixture(scope="session")
def knowledge(tmp_path_factory):
    """The bundled documents, and one that tries to do harm."""
    folder = tmp_path_factory.mktemp("web") / "knowledge"
    shutil.copytree(ROOT / "knowledge", folder)
    name = "校徽.md" if os.name == "nt" else "校徽<img src=x onerror=alert(1)>.md"
    (folder / name).write_text(HOSTILE, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def site(knowledge):
    with serving(knowledge.parent / "data", knowledge=knowledge) as address:
        yield address


@pytest.fixture
def page(browser, site):
    with opened(browser, site) as page:
        yield page
