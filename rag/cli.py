"""The `lingxue` command: results on stdout, one line of trouble on stderr.

Exit codes: 0 done, 1 the work failed, 2 the command or a setting is wrong.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.arguments import make_parser
from rag.errors import BadRequest, BadSettings, LingxueError
from rag.offline import stay_offline

_SETTINGS = ("data_dir", "knowledge_dir", "llm", "host", "port")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    options = make_parser().parse_args(arguments)
    stay_offline()
    try:
        return _COMMANDS[options.command](options)
    except BadSettings as err:
        _complain(err)
        return 2
    except LingxueError as err:
        _complain(err)
        return 1
    except KeyboardInterrupt:
        _complain("已停止。")
        return 1
    except OSError as err:
        _complain(f"读写失败：{err.filename or ''}（{err.strerror or err}）。请检查路径、权限和磁盘空间。")
        return 1


def _complain(message: object) -> None:
    sys.stderr.write(" ".join(str(message).split()) + "\n")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _print_json(value: Any) -> None:
    _print(json.dumps(value, ensure_ascii=False, indent=2))


def _assistant(options: argparse.Namespace) -> Any:
    from rag.assistant import Assistant
    from rag.config import load_settings

    given = {name: getattr(options, name, None) for name in _SETTINGS}
    return Assistant(load_settings(**given))


def _progress() -> Callable[[str, int, int], None]:
    """Return a callback that draws a progress bar on a terminal and is silent elsewhere."""
    from tqdm import tqdm

    bars: dict[str, tqdm[Any]] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            bars[stage] = tqdm(total=total, desc=stage, disable=None, file=sys.stderr, leave=False)
        bars[stage].update(done - bars[stage].n)

    return report


def _index(options: argparse.Namespace) -> int:
    assistant = _assistant(options)
    if options.official is None:
        report = assistant.index(options.paths, on_progress=_progress())
    elif options.official:
        report = assistant.index_official(options.official, on_progress=_progress())
    else:
        return _list_official(assistant)
    for file in report.files:
        # What is wrong with a file names the file itself.
        line = (
            file.detail
            if file.outcome == "失败"
            else f"{file.name}" + (f"（{file.detail}）" if file.detail else "")
        )
        _print(f"{file.outcome}　{line}")
    failed = sum(file.outcome == "失败" for file in report.files)
    _print(f"共 {len(report.files)} 个文件，失败 {failed} 个；可检索 {report.chunks} 段。")
    return 1 if failed and failed == len(report.files) else 0


def _list_official(assistant: Any) -> int:
    """List the official texts that can be fetched, saying which addresses nobody has checked."""
    for text, record in assistant.official():
        where = text.url or "没有地址"
        if text.url and not text.verified:
            where += "（地址未核实，取来后请核对）"
        kept = f"；{record.retrieved_on} 取自 {record.url}，SHA-256 {record.sha256}" if record else ""
        issued = "，".join(filter(None, [text.issuer, text.issued_on]))
        _print(f"{text.id}　《{text.title}》（{issued or '印发机关和日期未核'}）{where}{kept}")
    _print("用 lingxue index --official 编号 取来加入；没有地址的，查到官方网页后用 --official 编号=地址。")
    return 0


def _ready(assistant: Any) -> None:
    report = assistant.ready(on_progress=_progress())
    if report:
        _complain(f"已建立索引：{len(report.files)} 个文件，可检索 {report.chunks} 段。")
        for file in report.files:
            if file.outcome == "失败":
                _complain(file.detail)


def _ask(options: argparse.Namespace) -> int:
    from rag.types import Answer, Delta

    assistant = _assistant(options)
    history = _history(options.history) if options.history else []
    _ready(assistant)
    streamed = False
    for event in assistant.ask(options.question, history):
        if isinstance(event, Delta) and not options.json and sys.stdout.isatty():
            sys.stdout.write(event.text)
            sys.stdout.flush()
            streamed = True
        if isinstance(event, Answer):
            if options.json:
                _print_json(event.to_dict())
            else:
                _print(("\n\n【核对后的回答】\n" if streamed else "") + _readable(event))
    return 0


def _readable(answer: Any) -> str:
    lines = [answer.answer]
    if answer.standalone_question != answer.question:
        lines.insert(0, f"（理解为：{answer.standalone_question}）")
    if answer.citations:
        lines += ["", "出处："]
    for citation in answer.citations:
        quote = " ".join(citation.quote.split())
        lines.append(f"[{citation.marker}] 《{citation.title}》{citation.locator}：{quote}")
    return "\n".join(lines)


def _history(path: Path) -> list[Any]:
    from rag.types import Turn

    try:
        turns = json.loads(path.read_text(encoding="utf-8-sig"))
        return [Turn(str(turn["role"]), str(turn["content"])) for turn in turns]  # type: ignore[arg-type]
    except (ValueError, KeyError, TypeError) as err:
        raise BadRequest(
            reason=f'{path.name}：读不懂这份对话记录。应为 [{{"role": "user", "content": "…"}}] 的 JSON。'
        ) from err


def _draft(options: argparse.Namespace) -> int:
    from rag.outline_text import write_markdown
    from rag.types import DraftRequest

    if options.out and options.out.suffix.lower() not in (".docx", ".md"):
        raise BadRequest(reason=f"--out 只能是 .docx 或 .md 文件：{options.out.name}。请改文件名。")
    assistant = _assistant(options)
    _ready(assistant)
    fields = ("genre", "topic", "role", "occasion", "recipient", "length", "event", "seed")
    outline = assistant.draft(DraftRequest(**{name: getattr(options, name) for name in fields}))
    if options.json:
        _print_json(outline.to_dict())
    if options.out:
        _write_outline(outline, options.out)
        _complain(f"已写入 {options.out}")
    elif not options.json:
        _print(write_markdown(outline))
    return 0


def _write_outline(outline: Any, path: Path) -> None:
    from rag.outline_text import write_markdown

    if path.suffix.lower() == ".docx":
        from rag.docx import write_docx

        write_docx(outline, path)
    else:
        path.write_text(write_markdown(outline), encoding="utf-8")


def _check(options: argparse.Namespace) -> int:
    from rag.review_files import read
    from rag.review_text import write_report

    drafts, siblings, trouble = read(options.paths)
    for line in trouble:
        _complain(line)
    assistant = _assistant(options)
    _ready(assistant)
    report = assistant.review(drafts, siblings, role=options.role)
    if options.json:
        _print_json(report.to_dict())
    else:
        _print(write_report(report))
    return 0


def _eval(options: argparse.Namespace) -> int:
    from eval.main import evaluate, summary
    from eval.run import MAX_WORKERS
    from eval.thresholds import failures, thresholds

    if options.template:
        return _template(options.template)
    if not options.cases:
        raise BadSettings(name="评测集", value="", reason="没有给出。请写上一个 .jsonl 或 .xlsx 文件")
    if not 1 <= options.workers <= MAX_WORKERS:
        raise BadSettings(name="--workers", value=options.workers, reason=f"应在 1 到 {MAX_WORKERS} 之间")
    thresholds(options.fail_under)  # a typing mistake is told before the run, not after it
    assistant = _assistant(options)
    _ready(assistant)
    with _interrupted() as cancelled:
        done = evaluate(
            options.cases,
            assistant=assistant,
            out=options.out,
            workers=options.workers,
            judged=options.judge,
            on_progress=_progress(),
            cancelled=cancelled,
        )
    if options.json:
        _print_json(done.results)
    else:
        _print(summary(done.results))
        _complain(f"报告已写入 {done.folder}")
    if not done.complete:
        _complain("已停止，没有做完。用同样的命令再运行一次，会接着做。")
        return 1
    short = failures(done.results, options.fail_under)
    for line in short:
        _complain(line)
    return 1 if short else 0


def _template(path: Path) -> int:
    from eval.workbook import write_template

    if path.suffix.lower() != ".xlsx":
        raise BadRequest(reason=f"--template 只能是 .xlsx 文件：{path.name}。请改文件名。")
    write_template(path)
    _complain(f"模板已写入 {path}")
    return 0


@contextmanager
def _interrupted() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl+C into a wish to stop, told by what is yielded; a second one ends at once."""
    asked = threading.Event()

    def note(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _compare(options: argparse.Namespace) -> int:
    from eval.compare import compare, describe, load_results, regressions

    comparison = compare(load_results(options.before), load_results(options.after))
    if options.json:
        _print_json(comparison)
    else:
        _print(describe(comparison))
    return 1 if regressions(comparison) else 0


def _serve(options: argparse.Namespace) -> int:
    assistant = _assistant(options)
    _ready(assistant)
    from rag.web.server import serve

    serve(assistant)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from rag.doctor import examine

    findings = examine(_assistant(options))
    for finding in findings:
        _print(f"{finding.state}　{finding.name}：{finding.detail}")
    return 1 if any(finding.state == "不可用" for finding in findings) else 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "index": _index,
    "ask": _ask,
    "draft": _draft,
    "check": _check,
    "eval": _eval,
    "compare": _compare,
    "serve": _serve,
    "doctor": _doctor,
}
