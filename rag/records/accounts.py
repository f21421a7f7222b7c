"""Accounts, logging in, sessions: passwords by argon2, sessions by tokens of which only hashes are kept.

Whoever fails too often waits, whether the name exists or not, and a wrong
name takes as long as a wrong password: nothing tells who has an account.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from dataclasses import dataclass
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, delete, func, insert, select, update

from rag.errors import BadRequest
from rag.records import database as db

Role = Literal["教师", "管理员"]
ROLES: tuple[Role, ...] = ("教师", "管理员")
FAILURES = 5  # wrong passwords in a row, then a wait
LOCKED_S = 15 * 60
SESSION_S = 14 * 24 * 3600
MIN_PASSWORD = 8  # characters
MAX_PASSWORD = 200
HASHING = 2  # hashes at a time: each takes 64 MiB and a core
# What guessers try first, of those that are long enough; a list of leaked ones cannot be asked offline.
_GUESSED = re.compile(
    r"(.)\1+|(.{1,4})\2+|(?:0?123456789?0?|987654321|abcdefgh|qwertyui(?:op?)?|1qaz2wsx|1q2w3e4r|asdfghjk|zxcvbnm)\w{0,3}"
    r"|(?:password|passw0rd|iloveyou|woaini|admin|administrator|lingxue|xuexiao|teacher|welcome)[\d@!.]{0,6}"
    r"|1[3-9]\d{9}|(?:19|20)\d{6}|5201314\w{0,3}|(?:密码|领学|学校|校长|管理员|老师){2,}",
    re.IGNORECASE,
)
_NAME = re.compile(r"\w[\w.@-]{0,31}")


@dataclass(frozen=True, slots=True)
class User:
    """Someone with an account."""

    name: str
    role: Role
    locked: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether this user may change documents, settings and accounts."""
        return self.role == "管理员"


class Accounts:
    """The accounts in a database."""

    def __init__(self, database: db.Database) -> None:
        self._database = database
        self._hasher = PasswordHasher()
        self._hashing = threading.Semaphore(HASHING)
        self._nobody = ""  # the hash that a wrong name is checked against

    def add(self, name: str, password: str, role: str = "教师") -> User:
        """Make an account, or give an existing one this password and role; its sessions end.

        Raises: BadRequest: a name, password or role that cannot be used.
        """
        user = User(_checked_name(name), _checked_role(role))
        hashed = self._hash(_checked_password(password, user.name))
        with self._database.begin() as connection:
            connection.execute(delete(db.sessions).where(db.sessions.c.user == user.name))
            values = {"password": hashed, "role": user.role, "failures": 0, "locked_until": 0.0}
            known = connection.execute(select(db.users.c.role).where(db.users.c.name == user.name)).scalar()
            if known == "管理员" and not user.is_admin and _admins(connection) == 1:
                raise BadRequest(reason=f"{name} 是唯一的管理员，不能改成教师。请先添加另一位管理员。")
            if known:
                connection.execute(update(db.users).where(db.users.c.name == user.name).values(values))
            else:
                connection.execute(insert(db.users).values(name=user.name, **values))
        return user

    def remove(self, name: str) -> None:
        """Delete an account with all that it kept: who gets the name next must not find it.

        Raises: BadRequest: the last administrator, or an unknown name.
        """
        with self._database.begin() as connection:
            role = connection.execute(select(db.users.c.role).where(db.users.c.name == name)).scalar()
            if role is None:
                raise BadRequest(reason=f"没有这个账号：{name}。请检查名字。")
            if role == "管理员" and _admins(connection) == 1:
                raise BadRequest(reason=f"{name} 是唯一的管理员，不能删除。请先添加另一位管理员。")
            own = (db.sessions.c.user, db.tokens.c.owner, db.drafts.c.owner, db.conversations.c.owner)
            for column in own:
                connection.execute(delete(column.table).where(column == name))
            connection.execute(delete(db.users).where(db.users.c.name == name))

    def listed(self) -> list[User]:
        """Return all accounts by name."""
        with self._database.begin() as connection:
            rows = connection.execute(
                select(db.users.c.name, db.users.c.role, db.users.c.locked_until).order_by(db.users.c.name)
            ).all()
        return [User(row.name, row.role, row.locked_until > db.now()) for row in rows]

    def get(self, name: str) -> User | None:
        """Return an account, or None."""
        return next((user for user in self.listed() if user.name == name), None)

    def has_admin(self) -> bool:
        """Tell whether anyone can administer."""
        return any(user.is_admin for user in self.listed())

    def unlock(self, name: str) -> None:
        """Let a locked account try again."""
        with self._database.begin() as connection:
            connection.execute(
                update(db.users).where(db.users.c.name == name).values(failures=0, locked_until=0.0)
            )

    def log_in(self, name: str, password: str) -> str:
        """Return the token of a new session; raise BadRequest where name and password do not fit."""
        self._count_attempt(name)
        if not self._fits(name, password):
            raise BadRequest(reason="用户名或密码不对。请重新输入；忘记密码请找管理员重设。")
        token = secrets.token_urlsafe(32)
        with self._database.begin() as connection:
            connection.execute(
                update(db.users).where(db.users.c.name == name).values(failures=0, locked_until=0.0)
            )
            connection.execute(delete(db.sessions).where(db.sessions.c.expires_at < db.now()))
            connection.execute(
                insert(db.sessions).values(digest=digest(token), user=name, expires_at=db.now() + SESSION_S)
            )
        return token

    def _count_attempt(self, name: str) -> None:
        """Count an attempt before it is checked, so that many at once cannot outrun the count."""
        table = db.users
        with self._database.begin() as connection:
            connection.execute(
                update(table)
                .where(table.c.name == name, table.c.locked_until <= db.now(), table.c.failures >= FAILURES)
                .values(failures=0)
            )
            connection.execute(
                update(table).where(table.c.name == name).values(failures=table.c.failures + 1)
            )
            row = connection.execute(
                select(table.c.failures, table.c.locked_until).where(table.c.name == name)
            ).one_or_none()
            if row is None:
                return
            locked_until = row.locked_until
            if row.failures >= FAILURES and locked_until <= db.now():
                connection.execute(
                    update(table).where(table.c.name == name).values(locked_until=db.now() + LOCKED_S)
                )
            elif locked_until > db.now():
                minutes = max(1, round((locked_until - db.now()) / 60))
                raise BadRequest(
                    reason=f"连续输错次数太多，这个账号已暂停登录，请 {minutes} 分钟后再试，或请管理员解锁。"
                )

    def _fits(self, name: str, password: str) -> bool:
        with self._database.begin() as connection:
            kept = connection.execute(select(db.users.c.password).where(db.users.c.name == name)).scalar()
        if not self._nobody:
            self._nobody = self._hash(secrets.token_hex(16))
        with self._hashing:
            try:
                return self._hasher.verify(kept or self._nobody, password[:MAX_PASSWORD]) and kept is not None
            except (Argon2Error, InvalidHashError):
                return False

    def _hash(self, password: str) -> str:
        with self._hashing:
            return self._hasher.hash(password)

    def session(self, token: str) -> User | None:
        """Return whose session a token is, or None."""
        if not token:
            return None
        query = (
            select(db.users.c.name, db.users.c.role)
            .join(db.sessions, db.sessions.c.user == db.users.c.name)
            .where(db.sessions.c.digest == digest(token), db.sessions.c.expires_at > db.now())
        )
        with self._database.begin() as connection:
            row = connection.execute(query).one_or_none()
        return User(row.name, row.role) if row else None

    def log_out(self, token: str) -> None:
        """End a session."""
        with self._database.begin() as connection:
            connection.execute(delete(db.sessions).where(db.sessions.c.digest == digest(token)))


def _admins(connection: Connection) -> int:
    count = select(func.count()).select_from(db.users).where(db.users.c.role == "管理员")
    return int(connection.execute(count).scalar() or 0)


def digest(token: str) -> str:
    """Return what is kept of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadRequest(reason=f"用户名不能用：{name!r}。请用 1 到 32 个汉字、字母、数字或 . _ - @。")
    return name


def _checked_password(password: str, name: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BadRequest(reason=f"密码要有 {MIN_PASSWORD} 到 {MAX_PASSWORD} 个字符。请换一个。")
    if _GUESSED.fullmatch(password) or password.casefold() == name.casefold():
        raise BadRequest(reason="这个密码太容易被猜到。请换一个，几个不相干的词连在一起就好记又难猜。")
    return password


def _checked_role(role: str) -> Role:
    if role not in ROLES:
        raise BadRequest(reason=f"角色只能是 {'、'.join(ROLES)}：{role}。请改正。")
    return role
