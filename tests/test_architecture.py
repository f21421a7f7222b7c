"""The shape of the code: arrows, sole users, sizes, and what may not be in it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = sorted([*ROOT.glob("rag/**/*.py"), *ROOT.glob("eval/**/*.py"), ROOT / "app.py"])
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in PRODUCT if path.exists()}

# Layers from the bottom; a module imports only from its own layer's list and below.
LAYERS = [
    {"types", "errors", "protocols"},
    {
        "answerability", "arguments", "asking", "assurance", "atomic", "authority", "chunk", "cite", "clause", "clean",
        "concepts", "config", "conversation", "crossencoder", "database", "documents", "docx", "embed", "features",
        "fetch", "headings", "ingest", "lexical", "likeness", "llm", "manifest", "matching", "migrations", "neardup",
        "notices", "official", "offline", "outline_text", "overlap", "parsers", "phrasings", "postings", "privacy",
        "prompting",
        "question", "reasons", "records", "rerank", "saved", "sentence_features", "sentence_ranker", "sentence_rules",
        "sentences", "store", "stored", "structure", "synonyms",
        "tables", "tokens", "validity", "verify",
    },
    {"collection", "dense", "generation", "index", "probe", "segment", "vectors"},
    {"evidence", "langchain_retriever", "limited", "lookup", "retrieve"},
    {
        "answer", "compare", "extract", "generate", "listed", "narrow", "opposite", "outline", "page", "parts", "review",
        "topic", "trace",
    },
    {"assistant", "backup", "desk", "doctor", "upkeep"},
    {"__main__", "cli", "people", "terminal", "web"},
]  # fmt: skip
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def module_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "rag" and len(parts) > 1 else parts[0]


def rank_of(name):
    return RANK.get(name, RANK.get(name.split("_")[0]))


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "rag":
                yield from (f"rag.{alias.name}" for alias in node.names)


def test_every_module_of_rag_has_a_place_in_the_layers():
    unplaced = {module_of(p) for p in TREES if p.parts[-2] == "rag" and p.name != "__init__.py"} - set(RANK)
    assert not {name for name in unplaced if rank_of(name) is None}


def test_imports_flow_one_way():
    wrong = []
    for path, tree in TREES.items():
        rank = rank_of(module_of(path))
        if path.relative_to(ROOT).parts[0] != "rag" or path.name == "__init__.py" or rank is None:
            continue
        for name in imports(tree):
            parts = name.split(".")
            if parts[0] == "rag" and len(parts) > 1 and (rank_of(parts[1]) or 0) > rank:
                wrong.append(f"{path.name} imports {name}")
            if parts[0] in ("eval", "app") and module_of(path) not in ("cli", "web"):
                wrong.append(f"{path.name} imports {name}")
    assert not wrong


def test_there_is_no_import_cycle():
    edges = {}
    for path, tree in TREES.items():
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        edges[name] = {
            target for target in imports(tree) if target.split(".")[0] in ("rag", "eval") and target != name
        }
    done, open_ = set(), []

    def visit(name):
        if name in open_:
            pytest.fail(f"import cycle: {' → '.join([*open_[open_.index(name) :], name])}")
        if name in done or name not in edges:
            return
        open_.append(name)
        for target in edges[name]:
            visit(target)
        done.add(open_.pop())

    for name in edges:
        visit(name)


@pytest.mark.parametrize(
    ("library", "users"),
    [
        ("tiktoken", {"rag/tokens.py"}),
        ("chromadb", {"rag/vectors.py"}),
        ("langchain", {"rag/llm.py"}),
        ("sqlite3", {"rag/database.py"}),
        ("sqlalchemy", {"rag/records"}),
        ("gradio", {"rag/web", "eval/bench/ordinary_app.py"}),  # the app that ours is measured beside
    ],
)
def test_a_library_has_one_user(library, users):
    using = {
        path.relative_to(ROOT).as_posix()
        for path, tree in TREES.items()
        if any(name.split(".")[0] == library for name in imports(tree))
    }
    assert using and all(any(u == user or u.startswith(user + "/") for user in users) for u in using)


def test_types_and_errors_use_the_standard_library_only():
    for name in ("types.py", "errors.py", "protocols.py"):
        tree = ast.parse((ROOT / "rag" / name).read_text(encoding="utf-8"))
        outside = {n.split(".")[0] for n in imports(tree)} - {
            "__future__",
            "bisect",
            "collections",
            "dataclasses",
            "typing",
            "numpy",
            "rag",
        }
        assert not outside


@pytest.mark.parametrize("path", TREES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_modules_and_functions_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    long = [
        f"{node.name} {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(TREES[path])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno + 1 > 40
    ]
    assert not long


@pytest.mark.parametrize("path", TREES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_product_code_neither_asserts_nor_prints_nor_swallows(path):
    for node in ast.walk(TREES[path]):
        assert not isinstance(node, ast.Assert), f"assert at line {node.lineno}"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), (
            f"bare except at {node.lineno}"
        )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "exec") or "train" in path.parts or "bench" in path.parts


def test_code_is_portable_to_windows():
    """No module that Windows lacks, no fork, no path joined by hand; `resource` only behind a guard."""
    wrong = []
    for path, tree in TREES.items():
        text = path.read_text(encoding="utf-8")
        names = {name.split(".")[0] for name in imports(tree)}
        wrong += [f"{path.name}: {name}" for name in names & {"fcntl", "pwd", "grp", "termios", "pty"}]
        if "resource" in names and not re.search(
            r"except ImportError|suppress\(ImportError\)|find_spec", text
        ):
            wrong.append(f"{path.name}: resource without a guard")
        wrong += [
            f"{path.name}: {hit}"
            for hit in re.findall(r"os\.fork|os\.path\.join|\"/tmp|signal\.SIGKILL", text)
        ]
    assert not wrong


def test_nothing_speaks_of_the_machine_it_was_written_on():
    machine = re.compile(r"(?<![\w.-])/(?:work|farm|root|home/\w+)/")
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    kinds = {".py", ".md", ".toml", ".txt", ".jsonl", ".json", ".bat", ".js", ".css", ""}
    paths = [ROOT / line for line in listing.stdout.splitlines()]
    tracked = [p for p in paths if p.suffix in kinds and p.is_file() and p.stat().st_size < 1_000_000]
    found = [p.name for p in tracked if machine.search(p.read_text(encoding="utf-8", errors="ignore"))]
    assert set(found) <= {"test_architecture.py"}


def test_the_two_commands_of_the_readme_are_in_the_makefile_and_the_batch_files():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("run", "test"):
        assert f"make {name}" in readme and re.search(rf"^help.*\b{name}\b.*:", makefile, re.MULTILINE)
        batch = (ROOT / f"{name}.bat").read_bytes().decode("ascii")
        assert f"tasks.py {name}" in batch and "\r\n" in batch
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_only_the_usual_stands_at_the_top():
    allowed = {
        "app.py", "rag", "prompts", "knowledge", "eval", "tests", "pyproject.toml", "constraints.txt", "README.md",
        "CHANGELOG.md", "LICENSE", "Makefile", "docs", "run.bat", "test.bat",
    }  # fmt: skip
    present = {
        p.name for p in ROOT.iterdir() if not p.name.startswith(".") and not p.name.endswith(".egg-info")
    }
    assert present <= allowed | {"eval-report", "lingxue.toml", "dist"}
