"""Every regular expression of the program takes time that grows with the text, not with its square.

For each pattern the parts that repeat are pumped: a text is made that matches up to a repetition, repeats it
n times and then breaks the match. Twice the text may take little more than twice the time. Times are measured, so
this belongs to the fault campaign (`make faults`), not to the daily tests.
"""

import ast
import os
import re
import re._constants as c
import re._parser as parser
import time
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "rag").rglob("*.py"))
EXCUSED = {
    "rag.web.guard._INLINE_SCRIPT": "sees nothing but this program's own start page, at most once a reply",
}
START, SIZE = 16, 2**20  # code points: the first text and the longest
SHORT = 1000  # what takes FLOOR_S for so few is exponential, and is not tried with more
QUADRATIC = 3.0  # time ratio from n to 2n: 2 is linear, 4 is quadratic
SLOWEST_S = 5.0  # for a million characters: linear and yet too slow
FLOOR_S = 0.03  # too fast to compare, and so too fast to matter


def patterns():
    """Yield (where, pattern, flags) of every literal pattern in rag/ and every pattern in prompts/."""
    for path in sorted((ROOT / "rag").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "re"
                and node.func.attr in ("compile", "search", "findall", "finditer", "sub", "split")
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and isinstance(node.args[0].value, str | bytes)
            ):
                text = node.args[0].value
                text = text.decode("latin-1") if isinstance(text, bytes) else text
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", text, _flags(node)
    for path in sorted((ROOT / "prompts").rglob("*.toml")):
        for text in _in_toml(tomllib.loads(path.read_text(encoding="utf-8"))):
            yield path.name, text, re.IGNORECASE


def compiled_patterns():
    """Yield the compiled patterns that modules hold, also those put together from parts."""
    import importlib

    for path in sorted((ROOT / "rag").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if name.endswith(("__main__", "worker", "probe")):
            continue
        module = importlib.import_module(name.removesuffix(".__init__"))
        for key, value in vars(module).items():
            if isinstance(value, re.Pattern):
                text = value.pattern if isinstance(value.pattern, str) else value.pattern.decode("latin-1")
                yield f"{name}.{key}", text, value.flags & ~re.UNICODE


def _in_toml(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "pattern":
                yield inner
            else:
                yield from _in_toml(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _in_toml(inner)


def _flags(call):
    names = {
        n.attr
        for arg in [*call.args[1:], *call.keywords]
        for n in ast.walk(arg)
        if isinstance(n, ast.Attribute)
    }
    return sum(
        getattr(re, n)
        for n in names
        if n in ("DOTALL", "MULTILINE", "IGNORECASE", "VERBOSE", "I", "S", "M", "X")
    )


def sample(items):
    """Return a text that the parsed items match, every repetition taken once or as often as it must be."""
    made = ""
    for op, value in items:
        if op is c.LITERAL:
            made += chr(value)
        elif op is c.NOT_LITERAL:
            made += "a" if value != ord("a") else "b"
        elif op is c.ANY:
            made += "a"
        elif op is c.IN:
            made += _of_class(value)
        elif op in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            made += sample(value[2]) * max(1, value[0])
        elif op is c.SUBPATTERN:
            made += sample(value[3])
        elif op is c.ATOMIC_GROUP:
            made += sample(value)
        elif op is c.BRANCH:
            made += sample(value[1][0])
    return made


def _of_class(items):
    categories = {c.CATEGORY_DIGIT: "1", c.CATEGORY_SPACE: " ", c.CATEGORY_WORD: "a", c.CATEGORY_NOT_SPACE: "a",
                  c.CATEGORY_NOT_DIGIT: "a", c.CATEGORY_NOT_WORD: "，"}  # fmt: skip
    if items and items[0][0] is c.NEGATE:
        banned = re.compile("[" + "".join(_class_text(i) for i in items[1:]) + "]")
        return next((ch for ch in "a1 中，、(<x\t\n" if not banned.match(ch)), "Ω")
    op, value = items[0]
    return chr(value) if op is c.LITERAL else chr(value[0]) if op is c.RANGE else categories.get(value, "a")


def _class_text(item):
    op, value = item
    names = {c.CATEGORY_DIGIT: r"\d", c.CATEGORY_SPACE: r"\s", c.CATEGORY_WORD: r"\w", c.CATEGORY_NOT_SPACE: r"\S",
             c.CATEGORY_NOT_DIGIT: r"\D", c.CATEGORY_NOT_WORD: r"\W"}  # fmt: skip
    if op is c.LITERAL:
        return re.escape(chr(value))
    if op is c.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return names[value]


def pumps(items, before=""):
    """Yield (prefix, pumped part) for everything in a pattern that may be repeated."""
    for op, value in items:
        if op in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            if value[1] is c.MAXREPEAT or value[1] > 50:
                yield before, sample(value[2]) or "a"
            yield from pumps(value[2], before)
        elif op is c.SUBPATTERN:
            yield from pumps(value[3], before)
        elif op is c.ATOMIC_GROUP:
            yield from pumps(value, before)
        elif op is c.BRANCH:
            for branch in value[1]:
                yield from pumps(branch, before)
        elif op in (c.ASSERT, c.ASSERT_NOT):
            yield from pumps(value[1], before)
        before += sample([(op, value)])


def attacks(text, flags):
    """Return functions n -> text that are hard for a pattern: pumped, and its own beginning again and again."""
    tree = parser.parse(text, flags)
    whole = sample(tree)
    made = {("", whole[:-1] or "a"), ("", whole[:1] or "a"), ("", whole or "a")}
    for prefix, part in pumps(tree):
        made |= {
            (prefix, part),
            ("", prefix + part),
            ("", prefix or part),
            (prefix, part + " "),
            ("", prefix + part * 40),
        }
    return [
        lambda n, a=prefix, b=part: (a + b * (n // max(1, len(b)) + 1))[:n] + "\x00" for prefix, part in made
    ]


def only_matched(where):
    """Tell whether a module's pattern is used from the start of a text only: with match or fullmatch."""
    name = where.rsplit(".", 1)[-1]
    used = re.findall(rf"\b{name}\.(\w+)\(", SOURCES)
    return bool(used) and set(used) <= {"match", "fullmatch"} and not where.endswith((".toml", ".py"))


def seconds(pattern, text, *, whole=True):
    best = float("inf")
    for _ in range(2):
        started = time.process_time()
        for _ in pattern.finditer(text) if whole else [pattern.match(text), pattern.fullmatch(text)]:
            pass
        best = min(best, time.process_time() - started)
    return best


def slow(pattern, flags, *, whole=True):
    """Say on what text a pattern is worse than linear, or return an empty string.

    The text doubles up to a million characters; where it takes long enough to be compared, twice the text
    may not take three times as long, measured twice.
    """
    compiled = re.compile(pattern, flags)
    for attack in attacks(pattern, flags):
        n, before = START, 0.0
        while n <= SIZE:
            now = seconds(compiled, attack(n), whole=whole)
            if now > FLOOR_S and now / max(before, 1e-9) > QUADRATIC:
                told = f"{attack(40)!r}: {n // 2} and {n} characters take {before:.3f} and {now:.3f} s"
                if n < SHORT:
                    return told
                again = seconds(compiled, attack(2 * n), whole=whole)
                if again / now > QUADRATIC:
                    return f"{told}, {2 * n} {again:.3f} s"
            n, before = 2 * n, now
        if before > SLOWEST_S:
            return f"{attack(40)!r}: {n // 2} characters take {before:.1f} s"
    return ""


measured = pytest.mark.skipif(
    os.environ.get("LINGXUE_FAULTS") != "whole", reason="measures times: make faults"
)
ALL = {(pattern, flags): where for where, pattern, flags in [*patterns(), *compiled_patterns()]}


def test_the_patterns_are_found():
    assert len(ALL) > 100


@measured
@pytest.mark.parametrize("part", range(8))
def test_every_pattern_takes_time_that_grows_with_the_text(part):
    found = []
    for (pattern, flags), where in sorted(ALL.items(), key=str)[part::8]:
        if where not in EXCUSED and (reason := slow(pattern, flags, whole=not only_matched(where))):
            found.append(f"{where}  {pattern[:80]!r}\n   {reason}")
    assert not found, "\n".join(found)


@measured
@pytest.mark.parametrize("pattern", [r"a+a+b", r"a.*b", r"(?:x|xx)*y", r"<a>(.*?)</a>"])
def test_the_check_itself_finds_bad_patterns(pattern):
    assert slow(pattern, re.DOTALL)


@measured
@pytest.mark.parametrize(
    "pattern", [r"ab{1,9}c", r"[a-z]{1,20}=", r"^\s*第[一二三]{1,9}条", r"党组织|支委会"]
)
def test_and_passes_good_ones(pattern):
    assert not slow(pattern, 0)
