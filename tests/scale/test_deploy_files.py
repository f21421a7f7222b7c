"""The files in docs/deploy name commands, options, settings, versions and files that exist."""

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rag.arguments import make_parser
from rag.config import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
NAMES = {f"LINGXUE_{name.upper()}" for name in Settings.model_fields}


def found(pattern, path):
    return re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)[1]


def commands():
    """Every command line of ours in the files and the page that explains them."""
    for unit in UNITS:
        yield found(r"^ExecStart=(.*)$", unit).replace("%i", "7861")
    yield " ".join(yaml.safe_load(found(r"^CMD (.*)$", DEPLOY / "Dockerfile")))
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    yield from re.findall(
        r"(?:^|bin/| )(lingxue (?:--[a-z]|[a-z]).*)$", "\n".join(fenced(page)), re.MULTILINE
    )


def fenced(page):
    return [line for block in page.split("```")[1::2] for line in block.splitlines()]


@pytest.mark.parametrize("line", list(commands()))
def test_command_is_one_that_the_program_takes(line):
    program, *arguments = line.split()
    if Path(program).name == "lingxue":
        make_parser().parse_args(arguments)
        return
    assert Path(program).name == "chroma"
    code = "import sys; from chromadb.cli.cli import app; sys.argv[0] = 'chroma'; app()"
    told = subprocess.run(
        [sys.executable, "-c", code, arguments[0], "--help"], capture_output=True, text=True
    )
    assert all(option in told.stdout for option in arguments if option.startswith("--")), told.stdout


def test_settings_in_the_files_are_settings_of_the_program():
    files = [DEPLOY / "lingxue.env", DEPLOY / "compose.yaml", ROOT / "docs" / "deploy.md"]
    named = {
        name for file in files for name in re.findall(r"LINGXUE_[A-Z_]+", file.read_text(encoding="utf-8"))
    }
    assert named <= NAMES and "LINGXUE_DATABASE_URL" in named


def test_compose_file_holds_together_and_publishes_nothing_but_the_replicas_on_this_computer():
    services, volumes = COMPOSE["services"], set(COMPOSE["volumes"])
    for service in services.values():
        assert all(volume.split(":")[0] in volumes for volume in service.get("volumes", []))
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert set(service.get("depends_on", {})) <= set(services)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        if build := service.get("build"):
            assert (ROOT / build["dockerfile"]).is_file()
    published = {port.split(":")[1] for s in services.values() for port in s.get("ports", [])}
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert published == set(re.findall(r"^ *server 127\.0\.0\.1:(\d+)", site, re.MULTILINE))
    url = services["lingxue-1"]["environment"]["LINGXUE_CHROMA_URL"]
    assert re.fullmatch(r"http://chroma:8000", url) and "ports" not in services["chroma"]


def test_chroma_server_is_of_the_version_that_the_program_is_tested_with():
    pinned = found(r"^chromadb==(.*)$", ROOT / "constraints.txt")
    assert COMPOSE["services"]["chroma"]["image"] == f"chromadb/chroma:{pinned}"


def pinned(path):
    """The versions that a file of requirements pins, by the packages' normalised names."""
    lines = re.findall(r"^([\w.-]+)==([^ \n;\\]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in lines}


def needed(name, extras=frozenset()):
    """Every package that an installed one needs here, itself too; what torch needs is needed with it."""
    found, waiting = set(), [(name, frozenset(extras))]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in found:
            continue
        found.add((name, extras))
        for line in metadata.requires(name) or ():
            need = Requirement(line)
            if not need.marker or any(need.marker.evaluate({"extra": extra}) for extra in extras | {""}):
                waiting.append((canonicalize_name(need.name), frozenset(need.extras)))
    return {name for name, _ in found}


def test_hashed_list_holds_all_that_the_program_needs_in_the_tested_versions():
    hashed, tested = pinned(DEPLOY / "requirements.txt"), pinned(ROOT / "constraints.txt")
    assert {n: v for n, v in hashed.items() if n in tested} == {n: tested[n] for n in hashed if n in tested}
    big_torch = {n for n in needed("lingxue") if n.startswith(("nvidia-", "cuda-", "triton"))}
    assert needed("lingxue", {"postgres", "ocr"}) - big_torch - {"lingxue", "torch"} <= set(hashed)
    text = (DEPLOY / "requirements.txt").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(hashed) and all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong_with_the_units(unit, tmp_path):
    text = unit.read_text(encoding="utf-8")
    text = re.sub(r"/opt/lingxue/\.venv/bin/\w+", sys.executable, text).replace("/opt/lingxue", str(tmp_path))
    (tmp_path / unit.name).write_text(text, encoding="utf-8")
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)], capture_output=True, text=True
    )
    about = [line for line in told.stderr.splitlines() if unit.name.split("@")[0] in line]
    assert not about


def test_page_links_to_every_file():
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert {path.name for path in DEPLOY.iterdir()} <= set(re.findall(r"\(deploy/([^)]+)\)", page))
