"""What prompts/ holds: prompt texts, genres and roles, loaded and filled in.

A genre or a role is one TOML file; a new file is a new genre or role and
nothing else changes. Values that are filled in are data: they are never read
as templates again. Knows nothing of retrieval, models or outlines.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

from rag.config import shipped_dir
from rag.errors import BadSettings
from rag.types import PointKind

_FIELD = re.compile(r"\{\{ *([a-z_]{1,30}) *\}\}")
_FENCE = re.compile(r"<{2,}|>{2,}")
_WIDE = str.maketrans("<>", "＜＞")
KINDS: tuple[str, ...] = get_args(PointKind)


@dataclass(frozen=True, slots=True)
class Ask:
    """Points of one kind that a section asks for.

    `leads` introduce a policy or own point, `queries` retrieve its evidence,
    `questions` draw out the writer's own experience, `templates` shape plans.
    """

    kind: PointKind
    count: int = 1
    leads: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GenreSection:
    """A section of a genre: ways to head it, what it is for, its share of the length, its points."""

    headings: tuple[str, ...]
    purpose: str
    share: float
    points: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Genre:
    """A kind of writing; lengths in characters, `own` what its own-experience points are called."""

    name: str
    aliases: tuple[str, ...]
    reader: str
    tense: str
    length: int
    leader_length: int
    default_role: str
    suits: tuple[str, ...]
    own: str
    titles: tuple[str, ...]
    prepare: tuple[str, ...]
    warnings: tuple[str, ...]
    sections: tuple[GenreSection, ...]


@dataclass(frozen=True, slots=True)
class Angle:
    """One way for a role into a topic: a claim for the thesis, words to retrieve by."""

    name: str
    claim: str
    focus: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One thing a role can undertake; `when` and `done` are questions for the writer."""

    action: str
    object: str
    when: str
    done: str


@dataclass(frozen=True, slots=True)
class Role:
    """A writer's position: how it calls itself, what it may not say, what it looks at.

    `doers` is how rules call those in this position.
    """

    name: str
    aliases: tuple[str, ...]
    leader: bool
    selves: tuple[str, ...]
    forbidden: tuple[str, ...]
    doers: tuple[str, ...]
    emphasis: str
    angles: tuple[Angle, ...]
    questions: tuple[str, ...]
    plans: tuple[Plan, ...]


Entry = TypeVar("Entry", Genre, Role)


def prompts_dir() -> Path:
    """Return the prompts folder, as cloned or as installed."""
    return shipped_dir("prompts")


def fill(template: str, **fields: object) -> str:
    """Replace each {{field}} once; what is put in is not searched for fields.

    Raises: KeyError: the template names a field that is not given.

    >>> fill("谈{{topic}}", topic="{{role}}")
    '谈{{role}}'
    """
    return _FIELD.sub(lambda match: str(fields[match[1]]), template)


def render(name: str, **fields: object) -> str:
    """Return prompts/<name>.md with its fields filled in.

    Raises: BadSettings: there is no such prompt, or a field has no value.
    """
    path = prompts_dir() / f"{name}.md"
    try:
        return fill(path.read_text(encoding="utf-8"), **fields)
    except OSError as err:
        raise BadSettings(name=f"prompts/{path.name}", value="", reason="读不到这个提示词文件") from err
    except KeyError as err:
        raise BadSettings(name=f"prompts/{path.name}", value=err.args[0], reason="这个字段没有值") from err


def fence(text: str) -> str:
    """Wrap a document's text so that nothing in it can close the wrapping.

    >>> print(fence("甲>>>乙"))
    <<<资料开始
    甲＞＞＞乙
    资料结束>>>
    """
    body = _FENCE.sub(lambda match: match[0].translate(_WIDE), text.strip())
    return f"<<<资料开始\n{body}\n资料结束>>>"


def genres() -> dict[str, Genre]:
    """Return the genres by name, in file order; raise BadSettings for a file that is not one."""
    return {genre.name: genre for genre in _load("genres", _genre)}


def roles() -> dict[str, Role]:
    """Return the roles by name, in file order; raise BadSettings for a file that is not one."""
    return {role.name: role for role in _load("roles", _role)}


def named(entries: Mapping[str, Entry], name: str) -> Entry | None:
    """Return the entry of a name or alias, or None."""
    wanted = name.strip()
    return next((e for e in entries.values() if wanted == e.name or wanted in e.aliases), None)


def _load(folder: str, build: Callable[[Mapping[str, Any]], Entry]) -> Iterable[Entry]:
    for path in sorted((prompts_dir() / folder).glob("*.toml")):
        try:
            yield build(tomllib.loads(path.read_text(encoding="utf-8")))
        except (KeyError, TypeError, ValueError) as err:
            raise BadSettings(
                name=f"prompts/{folder}/{path.name}", value="", reason=f"内容不全或写错：{err}"
            ) from err


def _genre(table: Mapping[str, Any]) -> Genre:
    length = int(table["length"])
    return Genre(
        name=str(table["name"]),
        aliases=_texts(table, "aliases"),
        reader=str(table["reader"]),
        tense=str(table["tense"]),
        length=length,
        leader_length=int(table.get("leader_length", length)),
        default_role=str(table["default_role"]),
        suits=_texts(table, "suits"),
        own=str(table.get("own", "本人事例")),
        titles=_some(table, "titles"),
        prepare=_texts(table, "prepare"),
        warnings=_texts(table, "warnings"),
        sections=tuple(_section(part) for part in _tables(table, "sections")),
    )


def _section(table: Mapping[str, Any]) -> GenreSection:
    return GenreSection(
        headings=_some(table, "headings"),
        purpose=str(table["purpose"]),
        share=float(table["share"]),
        points=tuple(_ask(part) for part in _tables(table, "points")),
    )


def _ask(table: Mapping[str, Any]) -> Ask:
    kind: PointKind = table["kind"]
    needed = {"policy": "queries", "own": "questions", "plan": "templates"}
    if kind not in KINDS:
        raise ValueError(f"kind 应为 {'、'.join(KINDS)} 之一，不是 {kind}")
    _some(table, needed[kind])
    return Ask(
        kind=kind,
        count=int(table.get("count", 1)),
        leads=_texts(table, "leads"),
        queries=_texts(table, "queries"),
        questions=_texts(table, "questions"),
        templates=_texts(table, "templates"),
    )


def _role(table: Mapping[str, Any]) -> Role:
    return Role(
        name=str(table["name"]),
        aliases=_texts(table, "aliases"),
        leader=bool(table["leader"]),
        selves=_some(table, "selves"),
        forbidden=_texts(table, "forbidden"),
        doers=_texts(table, "doers"),
        emphasis=str(table["emphasis"]),
        angles=tuple(Angle(**part) for part in _tables(table, "angles")),
        questions=_some(table, "questions"),
        plans=tuple(Plan(**part) for part in _tables(table, "plans")),
    )


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    given = table.get(key, ())
    if isinstance(given, str):
        raise ValueError(f"{key} 应为列表")
    return tuple(str(item) for item in given)


def _some(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    texts = _texts(table, key)
    if not texts:
        raise ValueError(f"缺少 {key}")
    return texts


def _tables(table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    parts = list(table.get(key, ()))
    if not parts:
        raise ValueError(f"缺少 {key}")
    return parts
