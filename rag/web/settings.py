"""The 设置 screen: its addresses. What it looks like is `settings_view`'s."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import SecretStr

from rag import saved
from rag.doctor import Finding, examine
from rag.errors import BadRequest, LingxueError
from rag.web import settings_view as view
from rag.web.fragments import admin_only, screen, told
from rag.web.gate import user_of

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.config import Settings

TITLE = "设置"
_PARTS = {"资料与文字": ("lingxue.db",), "检索索引": ("index",), "上传的文件": ("files",),
          "对话与账号": ("records.db",), "待下载的文件": ("web",)}  # fmt: skip
_Text = Annotated[str, Form()]


class SettingsScreen:
    """What the addresses do."""

    def __init__(self, assistant: Assistant) -> None:
        self.assistant = assistant
        self.fixed = fixed(assistant.settings)

    def page(
        self, request: Request, message: str = "", *, findings: list[Finding] | None = None, token: str = ""
    ) -> HTMLResponse:
        """Return the screen as this user may see it."""
        assistant, user = self.assistant, user_of(request)
        settings, records = assistant.settings, assistant.records
        shared = settings.login_required
        parts = ["<h2>设置</h2>", message]
        if shared:
            parts.append(view.account_html(user))
        if user.is_admin:
            parts += [view.model_html(settings, self.fixed), view.findings_html(findings)]
            if shared:
                parts.append(view.users_html(records.accounts.listed()))
            parts.append(view.feedback_html(records.feedback.counts()))
        parts.append(view.tokens_html(records.tokens.listed(user.name), token))
        if user.is_admin:
            parts.append(view.acts_html(records.acts.listed()))
            parts.append(view.disk_html(str(settings.data_dir), disk_use(settings.data_dir)))
        parts.append(view.privacy_html(settings, shared=shared))
        return screen(TITLE, "".join(parts))

    def act(self, request: Request, action: Callable[[], str], *, admin: bool = True) -> HTMLResponse:
        """Do something and return the screen with what came of it."""
        if admin and (refused := admin_only(request, TITLE)):
            return refused
        try:
            done = action()
            self.note(request, done.split("：")[0])  # behind it may stand what a model said
            message = told(done)
        except LingxueError as err:
            message = told(str(err), wrong=True)
        return self.page(request, message)

    def note(self, request: Request, what: str) -> None:
        """Note an administrative act of this user."""
        self.assistant.records.acts.note(user_of(request).name or "本机", what)

    def change(self, given: dict[str, str], act: str) -> str:
        """Save, forget or try the model's settings; return what came of it."""
        settings, fixed = self.assistant.settings, self.fixed
        kept = {} if act == "forget" else saved.read_saved(settings.data_dir)
        if act != "forget":
            url = given["llm_base_url"].strip()
            if url and not url.startswith(("http://", "https://")):
                raise BadRequest(reason=f"服务地址要以 http:// 或 https:// 开头：{url}。请改正。")
            kept |= {name: value.strip() for name, value in given.items() if name != "llm_api_key"}
            if given["llm_api_key"].strip():
                kept["llm_api_key"] = given["llm_api_key"].strip()
            elif url != settings.llm_base_url:
                kept.pop(
                    "llm_api_key", None
                )  # a key is never handed to another address than it was meant for
        saved.save(settings.data_dir, {name: value for name, value in kept.items() if name not in fixed})
        values = {name: kept.get(name, "") for name in saved.FIELDS if name not in fixed}
        values["llm_provider"] = values.get("llm_provider") or "openai"
        self.assistant.use_model(settings.model_copy(update=_typed(values)))
        if act == "test":
            return self._tried()
        return "已清除大模型设置，回答直接摘自资料。" if act == "forget" else "已保存。"

    def _tried(self) -> str:
        model = self.assistant.model
        if model is None:
            raise BadRequest(reason="还没有填模型名称或服务地址，没有可试的。请先填上。")
        reply = "".join(model.stream("只回答一个字。", "请回答：好"))
        return f"已保存，{model.name} 有回应：{reply[:40]}"


def add_settings(app: FastAPI, assistant: Assistant) -> None:
    """Add the addresses of the screen."""
    place = SettingsScreen(assistant)
    _add_own(app, place)
    _add_model(app, place)
    if assistant.settings.login_required:
        _add_accounts(app, place)


def _add_own(app: FastAPI, place: SettingsScreen) -> None:
    tokens = place.assistant.records.tokens

    @app.get("/settings")
    def start(request: Request) -> HTMLResponse:
        return place.page(request)

    @app.post("/settings/tokens")
    def make(request: Request, label: _Text = "") -> HTMLResponse:
        made = tokens.make(user_of(request).name, label)
        place.note(request, f"开了接口令牌：{label.strip()[:40]}")
        return place.page(request, token=made)

    @app.post("/settings/tokens/{key}")
    def end(key: str, request: Request) -> HTMLResponse:
        tokens.remove(user_of(request).name, key)
        place.note(request, f"作废了接口令牌 {key}")
        return place.page(request, told("令牌已作废。"))


def _add_model(app: FastAPI, place: SettingsScreen) -> None:
    @app.post("/settings/model")
    def change(
        request: Request, act: _Text = "save", llm_provider: _Text = "openai", llm_base_url: _Text = "",
        llm_model: _Text = "", llm_api_key: _Text = "",
    ) -> HTMLResponse:  # fmt: skip
        given = {"llm_provider": llm_provider, "llm_base_url": llm_base_url, "llm_model": llm_model,
                 "llm_api_key": llm_api_key}  # fmt: skip
        return place.act(request, lambda: place.change(given, act))

    @app.post("/settings/check")
    def check(request: Request) -> HTMLResponse:
        if refused := admin_only(request, TITLE):
            return refused
        return place.page(request, findings=examine(place.assistant))

    @app.get("/settings/feedback.jsonl")
    def feedback(request: Request) -> Response:
        if refused := admin_only(request, TITLE):
            return refused
        place.note(request, "导出了赞、踩过的问答")
        lines = (json.dumps(case, ensure_ascii=False) for case in place.assistant.records.feedback.cases())
        headers = {"Content-Disposition": 'attachment; filename="feedback.jsonl"'}
        return Response("\n".join(lines) + "\n", media_type="application/x-ndjson", headers=headers)


def _add_accounts(app: FastAPI, place: SettingsScreen) -> None:
    accounts = place.assistant.records.accounts

    @app.post("/settings/password")
    def password(request: Request, current: _Text = "", password: _Text = "") -> HTMLResponse:
        user = user_of(request)

        def action() -> str:
            accounts.log_out(accounts.log_in(user.name, current))
            accounts.add(user.name, password, user.role)
            return "密码已改，请用新密码重新登录。"

        return place.act(request, action, admin=False)

    @app.post("/settings/users")
    def add(request: Request, name: _Text = "", password: _Text = "", role: _Text = "教师") -> HTMLResponse:
        def action() -> str:
            user = accounts.add(name.strip(), password, role)
            return f"已保存账号 {user.name}（{user.role}）。"

        return place.act(request, action)

    @app.post("/settings/users/{name}/remove")
    def remove(name: str, request: Request) -> HTMLResponse:
        def action() -> str:
            accounts.remove(name)
            return f"已删除账号 {name}和它的对话、提纲。"

        return place.act(request, action)

    @app.post("/settings/users/{name}/unlock")
    def unlock(name: str, request: Request) -> HTMLResponse:
        def action() -> str:
            accounts.unlock(name)
            return f"{name} 可以登录了。"

        return place.act(request, action)


def fixed(settings: Settings) -> set[str]:
    """Return the model's settings that were made outside and win over the screen's."""
    kept = saved.read_saved(settings.data_dir)
    found = {
        name
        for name in saved.FIELDS
        if name in settings.model_fields_set and _plain(getattr(settings, name)) != kept.get(name)
    }
    # A key given outside goes to the address given outside, to no other.
    return found | {"llm_base_url"} if "llm_api_key" in found else found


def disk_use(data_dir: Path) -> dict[str, int]:
    """Return the bytes that each part of the data directory takes."""
    sizes = {}
    for word, names in _PARTS.items():
        files = [
            file for name in names for file in [*data_dir.glob(f"{name}*"), *(data_dir / name).rglob("*")]
        ]
        sizes[word] = sum(file.stat().st_size for file in set(files) if file.is_file())
    return sizes


def _plain(value: Any) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _typed(values: dict[str, str]) -> dict[str, Any]:
    return {name: SecretStr(value) if name == "llm_api_key" else value for name, value in values.items()}
