"""`lingxue user`: accounts from the command line, the first administrator among them."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.errors import BadRequest

if TYPE_CHECKING:
    from rag.records.accounts import Accounts


def manage(accounts: Accounts, action: str, name: str, *, admin: bool = False) -> Iterator[str]:
    """Do what the command says; yield what to tell. Raise BadRequest for what cannot be done."""
    if action == "list":
        for user in accounts.listed():
            yield f"{user.name}　{user.role}{'　已锁定' if user.locked else ''}"
        return
    if not name:
        raise BadRequest(reason=f"请写上用户名，如 lingxue user {action} 王老师。")
    if action == "add":
        user = accounts.add(name, _password(), "管理员" if admin else "教师")
        yield f"已保存账号 {user.name}（{user.role}）。"
    elif action == "remove":
        accounts.remove(name)
        yield f"已删除账号 {name}和它的对话、提纲。"
    else:
        accounts.unlock(name)
        yield f"{name} 可以登录了。"


def _password() -> str:
    """Ask for a password twice; where there is no terminal, read it from standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("密码：")
    if getpass.getpass("再输一遍：") != password:
        raise BadRequest(reason="两次输入的密码不一样。请重新运行。")
    return password
