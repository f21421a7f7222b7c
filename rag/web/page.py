"""The page: header, the line that says what is there, the screens as tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from rag.errors import LingxueError
from rag.privacy import outside
from rag.web import ask, draft, evaluate
from rag.web.markup import escape

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.config import Settings

CACHE_S = (3600, 24 * 3600)  # every hour, files of downloads older than a day go
_HEADER = '<div class="lx-header"><h1>领学</h1><p>学校政策问答与写作助手 · 句句有出处</p></div>'


def build_page(assistant: Assistant) -> gr.Blocks:
    """Return the app's page with every screen wired to the assistant."""
    with gr.Blocks(title="领学", analytics_enabled=False, delete_cache=CACHE_S, fill_width=True) as page:
        gr.Markdown(_HEADER, elem_id="header", container=False)
        gr.Markdown(lambda: notice(assistant), elem_id="notice", container=False)
        with gr.Tabs(elem_id="screens"):
            for name, key, screen in (
                ("问答", "ask", ask),
                ("写作", "draft", draft),
                ("资料库", "library", None),
                ("评测", "evaluate", evaluate),
                ("设置", "settings", None),
            ):
                with gr.Tab(name, id=key, elem_id=f"screen-{key}"):
                    if screen:
                        screen.build(assistant, page)
                    else:  # a page of its own, which the page's script shows here
                        gr.Markdown(f'<div class="lx-screen" id="at-{key}"></div>', container=False)
    shown: gr.Blocks = page
    shown.queue(max_size=64, default_concurrency_limit=10, api_open=False)
    return shown


def notice(assistant: Assistant) -> str:
    """Return the line that says what is indexed, whether a model is used, and where things stay."""
    try:
        parts = [f"已收录 {len(assistant.stamps())} 份资料", *_model_notice(assistant.settings)]
    except LingxueError as err:
        parts = [str(err)]
    return f'<div class="lx-notice">{"".join(f"<span>{escape(part)}</span>" for part in parts)}</div>'


def _model_notice(settings: Settings) -> tuple[str, str]:
    here = "学校这台服务器上" if settings.login_required else "这台电脑上"
    stays = f"提问、资料和文稿都留在{here}"
    if not settings.model_configured:
        return "未设置大模型，回答直接摘自资料", stays
    name = f"大模型：{settings.llm_model or '已设置'}"
    if not outside(settings.llm_base_url):
        return f"{name}（本机）", stays
    return name, f"使用大模型时，问题和摘出的资料片段会发给 {settings.model_host}，其余留在{here}"
