"""The 评测 screen: a set of questions, a run with progress, the scores, the report to take away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.config import shipped_dir
from rag.web.files import new_folder
from rag.web.jobs import Done, Failed, Report, Step, run
from rag.web.render import error_html, note_html
from rag.web.scores import Label, progress_html, result_html

if TYPE_CHECKING:
    from rag.assistant import Assistant

SUFFIXES = (".jsonl", ".xlsx")
FILES = {"report.html": "下载报告（网页）", "results.json": "下载结果（.json）"}
_HINT = (
    '<div class="lx-hint">用一组有标准答案的题检查回答准不准。'
    "选一个自带的题集，或上传自己的，点“开始评测”。</div>"
)
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def bundled_sets() -> dict[str, Path]:
    """Return the question sets that come with the program, by name."""
    return {path.stem: path for path in sorted((shipped_dir("eval") / "sets").glob("*.jsonl"))}


def build(assistant: Assistant, _page: gr.Blocks) -> None:
    """Lay out the screen inside the current Blocks context and wire it."""
    sets = bundled_sets()
    choices = [(f"{name}（{_count(path)} 题）", name) for name, path in sets.items()]
    stops: dict[str, threading.Event] = {}  # by browser session, while its run goes on
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            chosen = gr.Dropdown(choices, value=next(iter(sets), None), label="题集", elem_id="eval-set")
            own = gr.File(
                label="或上传自己的题集（.jsonl、.xlsx）",
                file_types=list(SUFFIXES),
                height=180,
                elem_id="eval-file",
            )
            with gr.Row():
                start = gr.Button("开始评测", variant="primary", elem_id="eval-start", min_width=120)
                stop = gr.Button("停止", variant="stop", visible=False, elem_id="eval-stop", min_width=120)
        with gr.Column(scale=3, min_width=320):
            shown = gr.Markdown(
                _HINT,
                elem_id="eval-result",
                sanitize_html=True,
                latex_delimiters=[],
                container=True,
                min_height=240,
            )
            with gr.Row():
                files = [
                    gr.DownloadButton(label, visible=False, elem_id=f"eval-{Path(name).suffix[1:]}")
                    for name, label in FILES.items()
                ]
    outputs: list[Any] = [shown, start, stop, *files]
    start.click(
        _handler(assistant, sets, stops), [chosen, own], outputs,
        concurrency_id="evaluate", concurrency_limit=1, **_QUIET,
    )  # fmt: skip
    stop.click(_stopper(stops), None, None, queue=False, **_QUIET)


def _count(path: Path) -> int:
    with path.open(encoding="utf-8") as lines:
        return sum(1 for line in lines if line.strip())


def _stopper(stops: dict[str, threading.Event]) -> Callable[[gr.Request], None]:
    def stop(request: gr.Request) -> None:
        """End this session's run at its next question."""
        if event := stops.get(str(request.session_hash)):
            event.set()

    return stop


def _handler(
    assistant: Assistant, sets: dict[str, Path], stops: dict[str, threading.Event]
) -> Callable[..., Iterator[tuple[Any, ...]]]:
    def start(name: str | None, own: str | None, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Run one evaluation; a run left behind by a closed page ends at its next question."""
        cases = Path(own) if own else sets.get(name or "")
        if cases is None or cases.suffix.lower() not in SUFFIXES:
            yield _screen(error_html("请先选一个题集，或上传 .jsonl、.xlsx 文件。", "没有开始"))
            return
        session, stop = str(request.session_hash), threading.Event()
        stops[session] = stop
        out = new_folder(assistant.settings.data_dir, "eval")
        yield _screen(progress_html("正在准备", 0, 0), working=True)
        try:
            for event in run(_work(assistant, cases, out), stop):
                yield _event_screen(event, out)
        finally:
            stop.set()
            stops.pop(session, None)

    return start


def _work(assistant: Assistant, cases: Path, out: Path) -> Callable[[Report], dict[str, Any]]:
    def work(report: Report) -> dict[str, Any]:
        from eval.main import evaluate

        assistant.ready()
        return dict(evaluate([cases], assistant=assistant, out=out, on_progress=report))

    return work


def _event_screen(event: Step | Done[dict[str, Any]] | Failed, out: Path) -> tuple[Any, ...]:
    if isinstance(event, Step):
        return _screen(progress_html(event.stage, event.done, event.total), working=True)
    if isinstance(event, Failed):
        return _screen(
            error_html(event.reason, "没有评测成") if event.reason else note_html("已停止，没有写报告。")
        )
    return _screen(result_html(event.result, _labels()), out)


def _labels() -> dict[str, Label]:
    from eval.metrics import METRICS, Metric

    def shown(metric: Metric) -> str:
        unit = "毫秒，越低越好" if metric.unit == "ms" else "越低越好" if metric.better == "lower" else ""
        return f"{metric.label}（{unit}）" if unit else metric.label

    return {name: Label(shown(metric), metric.description) for name, metric in METRICS.items()}


def _screen(html: str, out: Path | None = None, *, working: bool = False) -> tuple[Any, ...]:
    """Return the values of the screen's outputs, in their order."""
    made = [out / name if out else None for name in FILES]
    downloads = [
        gr.update(value=str(f) if f and f.exists() else None, visible=bool(f and f.exists())) for f in made
    ]
    return html, gr.update(visible=not working), gr.update(visible=working), *downloads
