"""Set-up and the daily commands, for Makefile and the .bat files alike.

Standard library only: it runs before anything is installed.
    python .ci/tasks.py run | test | lint | type | eval | bench | help
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("LINGXUE_VENV", ROOT / ".venv"))
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
HELP = {
    "run": "安装（第一次）、更新索引、打开网页 http://127.0.0.1:7860",
    "test": "安装（第一次）、运行全部测试",
    "lint": "检查代码风格",
    "type": "检查类型",
    "eval": "用自带的评测集检查回答，报告写入 eval-report/",
    "bench": "检索与速度的基准测试",
    "faults": "完整的故障试验：断电、磁盘满、文件损坏（约半小时）",
    "audit": "检查代码的安全问题，再对照漏洞库检查依赖（要联网；查不到的也算没有通过）",
    "help": "显示这份说明",
}


def call(*arguments: object) -> None:
    """Run a program from the project's folder; stop with its exit code when it fails."""
    finished = subprocess.run([str(a) for a in arguments], cwd=ROOT, check=False)
    if finished.returncode:
        sys.exit(finished.returncode)


def install(extras: str = "") -> None:
    """Make the virtual environment and install what is pinned, unless that is done already."""
    files = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    wanted = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    stamp = VENV / f"lingxue-installed{extras.strip('[]')}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    if not PYTHON.exists():
        venv.create(VENV, with_pip=True)
    print("正在安装依赖，第一次需要几分钟……", flush=True)
    call(
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-c",
        ROOT / "constraints.txt",
        "-e",
        f"{ROOT}{extras}",
    )
    stamp.write_text(wanted, encoding="utf-8")


def run() -> None:
    """Index what is new and open the web app."""
    install()
    call(PYTHON, "-m", "rag", "index")
    call(PYTHON, ROOT / "app.py")


def test() -> None:
    """Run every test; arguments go to pytest."""
    install("[test]")
    call(PYTHON, "-m", "pytest", *sys.argv[2:])


def lint() -> None:
    """Check style and format."""
    install("[test]")
    call(PYTHON, "-m", "ruff", "check", ".")
    call(PYTHON, "-m", "ruff", "format", "--check", "rag", "eval", "tests", "app.py")


def type_() -> None:
    """Check types."""
    install("[test]")
    call(PYTHON, "-m", "mypy")


def eval_() -> None:
    """Run the bundled evaluation sets."""
    install()
    sets = sorted((ROOT / "eval" / "sets").glob("*.jsonl"))
    call(PYTHON, "-m", "rag", "eval", *sets, "--out", ROOT / "eval-report")


def bench() -> None:
    """Run the benchmarks that are there."""
    install("[test,bench]")
    for path in sorted((ROOT / "eval" / "bench").glob("[a-z]*.py")):
        # Modules without a main are parts of others; scale needs a corpus, and an hour for all of it.
        if path.stem != "scale" and "__main__" in path.read_text(encoding="utf-8"):
            call(PYTHON, "-m", f"eval.bench.{path.stem}")


def faults() -> None:
    """Run the whole fault campaign and the long version of its tests."""
    install("[test]")
    call(PYTHON, ROOT / "tests" / "faults" / "campaign.py")
    os.environ["LINGXUE_FAULTS"] = "whole"
    call(PYTHON, "-m", "pytest", "tests/faults")


def audit() -> None:
    """Scan the code; look up the pinned versions among what is known to be vulnerable."""
    tool = VENV / "audit"
    inside = tool / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not inside.exists():
        venv.create(tool, with_pip=True)
    call(inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pip-audit", "bandit")
    call(inside, "-m", "bandit", "-q", "-r", "rag", "app.py", "-c", "pyproject.toml")
    options = ["--strict", "--no-deps", "--disable-pip"]  # strict: what could not be looked up is no pass
    call(inside, "-m", "pip_audit", *options, "-r", ROOT / "constraints.txt")


def help_() -> None:
    """List the commands."""
    for name, text in HELP.items():
        print(f"  {name:6} {text}")


TASKS = {
    "run": run,
    "test": test,
    "lint": lint,
    "type": type_,
    "eval": eval_,
    "bench": bench,
    "faults": faults,
    "audit": audit,
    "help": help_,
}

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python may run this file
        sys.exit(f"需要 Python 3.11 或更新的版本，现在是 {sys.version.split()[0]}。请安装新版本后重试。")
    name = sys.argv[1] if len(sys.argv) > 1 else "help"
    if name not in TASKS:
        sys.exit(f"没有这个命令：{name}。可用：{'、'.join(TASKS)}")
    TASKS[name]()
