"""The 评测 screen: run a set and watch it, open its report, compare runs, look into retrieval."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.config import shipped_dir
from rag.web import compare, lab
from rag.web.jobs import Done, Failed, Report, Step, run
from rag.web.render import error_html, note_html
from rag.web.reports import BASE
from rag.web.scores import Label, progress_html, result_html

if TYPE_CHECKING:
    from eval.main import Evaluation
    from rag.assistant import Assistant

SUFFIXES = (".jsonl", ".xlsx", ".zip")
COLLECTED = "问答里收集的题"
TITLES = {
    "knowledge": "自带资料",
    "knowledge-fresh": "自带资料·第二批",
    "knowledge-third": "自带资料·第三批",
    "knowledge-unsaid": "自带资料·资料里没有答案的题",
    "knowledge-heldout": "自带资料·另一组没调试过的题",
    "knowledge-heldout2": "自带资料·第二批没调试过的题",
}
_HINT = (
    '<div class="lx-hint">用一组有标准答案的题检查回答准不准。'
    "选一个自带的题集，或上传自己的，点“开始评测”。</div>"
)
_LINKS = (
    f'<p class="lx-links"><a href="{BASE}/template.xlsx">下载题集模板（.xlsx）</a>　'
    f'<a href="{BASE}/collected.xlsx">导出问答里赞、踩过的题（.xlsx）</a></p>'
    "<p>题集可以自带资料：把题集和 documents 文件夹打成一个 .zip 上传，就只按这些资料评测。</p>"
)
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def bundled_sets() -> dict[str, Path]:
    """Return the question sets over the bundled documents, by name."""
    found = (shipped_dir("eval") / "sets").glob("knowledge*.jsonl")
    return {path.stem: path for path in sorted(found, key=lambda path: path.stem)}


def build(assistant: Assistant, page: gr.Blocks | None = None) -> None:
    """Lay out the screen inside the current Blocks context and wire it."""
    with gr.Tabs(elem_id="eval-parts"):
        with gr.Tab("评测", elem_id="part-run") as first:
            _build_run(assistant, first)
        with gr.Tab("比较两次", elem_id="part-compare") as second:
            compare.build(assistant, second)
        with gr.Tab("检索台", elem_id="part-lab"):
            lab.build(assistant)


def _build_run(assistant: Assistant, tab: gr.Tab) -> None:
    stops: dict[str, threading.Event] = {}  # by browser session, while its run goes on
    choices = _choices(assistant)
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            chosen = gr.Dropdown(choices, value=choices[0][1] if choices else None, label="题集",
                                 elem_id="eval-set")  # fmt: skip
            own = gr.File(
                label="或上传自己的题集（.jsonl、.xlsx、.zip）", file_types=list(SUFFIXES), height=180,
                elem_id="eval-file",
            )  # fmt: skip
            gr.Markdown(_LINKS, container=False, sanitize_html=True, elem_id="eval-links")
            judged = gr.Checkbox(
                label="另用大模型评判忠实度和切题度（较慢）", visible=assistant.settings.model_configured,
                elem_id="eval-judge",
            )  # fmt: skip
            with gr.Row():
                start = gr.Button("开始评测", variant="primary", elem_id="eval-start", min_width=120)
                stop = gr.Button("停止", variant="stop", visible=False, elem_id="eval-stop", min_width=120)
        with gr.Column(scale=3, min_width=320):
            shown = gr.Markdown(_HINT, elem_id="eval-result", sanitize_html=True, latex_delimiters=[],
                                container=True, min_height=240)  # fmt: skip
    start.click(
        _handler(assistant, stops), [chosen, own, judged], [shown, start, stop],
        concurrency_id="evaluate", concurrency_limit=1, **_QUIET,
    )  # fmt: skip
    stop.click(_stopper(stops), None, None, queue=False, **_QUIET)
    tab.select(lambda: gr.update(choices=_choices(assistant)), None, chosen, **_QUIET)


def _choices(assistant: Assistant) -> list[tuple[str, str]]:
    """Return the sets to choose from: label and name; what was marked in the chat is one of them.

    Not where several people log in: their questions are for the administrator, who can export them.
    """
    choices = [(f"{_title(name)}（{_count(path)} 题）", name) for name, path in bundled_sets().items()]
    marked = 0 if assistant.settings.login_required else len(assistant.records.feedback.cases())
    return [*choices, (f"{COLLECTED}（{marked} 题）", COLLECTED)] if marked else choices


def _title(name: str) -> str:
    return TITLES.get(name, name)


def _count(path: Path) -> int:
    with path.open(encoding="utf-8") as lines:
        return sum(1 for line in lines if line.strip())


def _set(assistant: Assistant, name: str | None) -> Path | None:
    """Return the file of a set that was offered, or None."""
    if name == COLLECTED and not assistant.settings.login_required:
        from eval.collect import write_collection

        return write_collection(assistant.settings.data_dir, assistant.records.feedback.cases())
    return bundled_sets().get(name or "")


def _stopper(stops: dict[str, threading.Event]) -> Callable[[gr.Request], None]:
    def stop(request: gr.Request) -> None:
        """End this session's run at its next question."""
        if event := stops.get(str(request.session_hash)):
            event.set()

    return stop


def _handler(
    assistant: Assistant, stops: dict[str, threading.Event]
) -> Callable[..., Iterator[tuple[Any, ...]]]:
    def start(
        name: str | None, own: str | None, judged: bool, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        """Run one evaluation; a run left behind by a closed page ends at its next question."""
        cases = Path(own) if own else _set(assistant, name)
        if cases is None or cases.suffix.lower() not in SUFFIXES:
            yield _screen(error_html("请先选一个题集，或上传 .jsonl、.xlsx、.zip 文件。", "没有开始"))
            return
        session, stop = str(request.session_hash), threading.Event()
        stops[session] = stop
        yield _screen(progress_html("正在准备", 0, 0), working=True)
        try:
            yield from _watched(assistant, cases, stop, judged=bool(judged))
        finally:
            stop.set()
            stops.pop(session, None)

    return start


def _watched(
    assistant: Assistant, cases: Path, stop: threading.Event, *, judged: bool
) -> Iterator[tuple[Any, ...]]:
    begun: dict[str, tuple[float, int]] = {}  # per stage: when, and how much was done already

    def work(report: Report) -> Evaluation:
        from eval.main import evaluate

        assistant.ready()
        # The run itself ends at the wish to stop, so that what is done is reported.
        return evaluate(
            [cases], assistant=assistant, judged=judged, on_progress=report, cancelled=stop.is_set
        )

    for event in run(work, threading.Event()):
        if isinstance(event, Step):
            at, before = begun.setdefault(event.stage, (time.monotonic(), event.done))
            left = _left(event, time.monotonic() - at, before)
            yield _screen(
                progress_html(event.stage, event.done, event.total, left), working=not stop.is_set()
            )
        else:
            yield _ended(event)


def _left(step: Step, passed_s: float, before: int) -> float | None:
    """Return the seconds left at the pace so far; None before there is a pace."""
    done = step.done - before
    return passed_s / done * (step.total - step.done) if done > 0 and step.total else None


def _ended(event: Done[Evaluation] | Failed) -> tuple[Any, ...]:
    if isinstance(event, Failed):
        return _screen(error_html(event.reason, "没有评测成") if event.reason else note_html("已停止。"))
    done = event.result
    note = "" if done.complete else note_html("已停止，下面只含已做完的题。再点“开始评测”会接着做。")
    return _screen(note + result_html(done.results, labels(), done.folder.name))


def labels() -> dict[str, Label]:
    """Return what metrics are called on screen."""
    from eval.metrics import METRICS, Metric

    def shown(metric: Metric) -> str:
        unit = "毫秒，越低越好" if metric.unit == "ms" else "越低越好" if metric.better == "lower" else ""
        return f"{metric.label}（{unit}）" if unit else metric.label

    return {name: Label(shown(m), m.description, m.unit, m.optional) for name, m in METRICS.items()}


def _screen(html: str, *, working: bool = False) -> tuple[Any, ...]:
    """Return the values of the screen's outputs, in their order."""
    return html, gr.update(visible=not working), gr.update(visible=working)
