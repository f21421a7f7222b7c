"""The `lingxue` command: results on stdout, one line of trouble on stderr.

Exit codes: 0 done, 1 the work failed, 2 the command or a setting is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
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
    report = _assistant(options).index(options.paths, on_progress=_progress())
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


def _eval(options: argparse.Namespace) -> int:
    from eval.main import evaluate, failures, summary, thresholds

    thresholds(options.fail_under)  # a typing mistake is told before the run, not after it
    assistant = _assistant(options)
    _ready(assistant)
    result = evaluate(options.cases, assistant=assistant, out=options.out, on_progress=_progress())
    if options.json:
        _print_json(result)
    else:
        _print(summary(result))
        _complain(f"报告已写入 {options.out}")
    short = failures(result, options.fail_under)
    for line in short:
        _complain(line)
    return 1 if short else 0


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


def _user(options: argparse.Namespace) -> int:
    from rag.people import manage

    for line in manage(
        _assistant(options).records.accounts, options.action, options.name, admin=options.admin
    ):
        _print(line)
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "index": _index,
    "ask": _ask,
    "draft": _draft,
    "eval": _eval,
    "serve": _serve,
    "user": _user,
    "doctor": _doctor,
}
