"""The part of the 评测 screen that compares two filed runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import LingxueError
from rag.web.render import error_html
from rag.web.scores import comparison_html

if TYPE_CHECKING:
    from rag.assistant import Assistant

_HINT = (
    '<div class="lx-hint">选两次评测，看哪些指标真的变了（而不是碰巧）、哪些题变好、哪些题变坏。'
    "两次要用同一个题集。</div>"
)
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build(assistant: Assistant, tab: gr.Tab) -> None:
    """Lay out this part inside the current Blocks context and wire it."""
    with gr.Row(equal_height=False):
        before = gr.Dropdown([], label="前一次", elem_id="compare-before")
        after = gr.Dropdown([], label="后一次", elem_id="compare-after")
        start = gr.Button("比较", variant="primary", scale=0, min_width=120, elem_id="compare-start")
    shown = gr.Markdown(_HINT, elem_id="compare-result", sanitize_html=True, latex_delimiters=[],
                        container=True, min_height=200)  # fmt: skip
    start.click(_handler(assistant), [before, after], shown, **_QUIET)
    tab.select(lambda: _offered(assistant), None, [before, after], **_QUIET)


def _offered(assistant: Assistant) -> tuple[Any, Any]:
    """Return the runs to choose from, newest first; the latest two are chosen."""
    from eval.filing import filed_runs

    choices = [(run.label, run.folder.name) for run in filed_runs(assistant.settings.data_dir)]
    names = [name for _, name in choices]
    second = names[1] if len(names) > 1 else None
    return gr.update(choices=choices, value=second), gr.update(
        choices=choices, value=names[0] if names else None
    )


def _handler(assistant: Assistant) -> Callable[[str | None, str | None], str]:
    def shown(before: str | None, after: str | None) -> str:
        from eval.compare import compare, load_results
        from eval.filing import filed_runs

        if not before or not after:
            return error_html("请先各选一次评测；还没有的话，先到“评测”里做两次。", "没有比较")
        filed = {run.folder.name: run.folder for run in filed_runs(assistant.settings.data_dir)}
        if before not in filed or after not in filed:
            return error_html("选的评测已经不在了，请切换一下页面重新选。", "没有比较")
        try:
            results = [load_results(filed[name]) for name in (before, after)]
            return comparison_html(compare(*results), before, after)
        except LingxueError as err:
            return error_html(str(err), "没有比较成")

    return shown
