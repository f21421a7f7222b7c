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
from rag.reasons import why
from rag.terminal import complain, interrupted, progress, say, say_json

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
        complain(err)
        return 2
    except LingxueError as err:
        complain(err)
        return 1
    except KeyboardInterrupt:
        complain("已停止。")
        return 1
    except OSError as err:
        complain(f"读写失败：{err.filename or ''}（{why(err)}）。请检查路径、权限和磁盘空间。")
        return 1


def _assistant(options: argparse.Namespace) -> Any:
    from rag.assistant import Assistant
    from rag.config import load_settings

    given = {name: getattr(options, name, None) for name in _SETTINGS}
    return Assistant(load_settings(**given))


def _index(options: argparse.Namespace) -> int:
    assistant = _assistant(options)
    if options.official is None:
        report = assistant.index(options.paths, on_progress=progress())
    elif options.official:
        report = assistant.index_official(options.official, on_progress=progress())
    else:
        return _list_official(assistant)
    for file in report.files:
        # What is wrong with a file names the file itself.
        line = (
            file.detail
            if file.outcome == "失败"
            else f"{file.name}" + (f"（{file.detail}）" if file.detail else "")
        )
        say(f"{file.outcome}　{line}")
    assistant.settle()
    failed = sum(file.outcome == "失败" for file in report.files)
    say(f"共 {len(report.files)} 个文件，失败 {failed} 个；可检索 {report.chunks} 段。")
    return 1 if failed and failed == len(report.files) else 0


def _list_official(assistant: Any) -> int:
    """List the official texts that can be fetched, saying which addresses nobody has checked."""
    for text, record in assistant.official():
        where = text.url or "没有地址"
        if text.url and not text.verified:
            where += "（地址未核实，取来后请核对）"
        kept = f"；{record.retrieved_on} 取自 {record.url}，SHA-256 {record.sha256}" if record else ""
        issued = "，".join(filter(None, [text.issuer, text.issued_on]))
        say(f"{text.id}　《{text.title}》（{issued or '印发机关和日期未核'}）{where}{kept}")
    say("用 lingxue index --official 编号 取来加入；没有地址的，查到官方网页后用 --official 编号=地址。")
    return 0


def _ready(assistant: Any) -> None:
    report = assistant.ready(on_progress=progress())
    if report:
        complain(f"已建立索引：{len(report.files)} 个文件，可检索 {report.chunks} 段。")
        for file in report.files:
            if file.outcome == "失败":
                complain(file.detail)


def _ask(options: argparse.Namespace) -> int:
    from rag.types import Answer, Delta

    assistant = _assistant(options)
    history = _history(options.history) if options.history else []
    _ready(assistant)
    streamed = False
    for event in assistant.ask(options.question, history, private=options.private):
        if isinstance(event, Delta) and not options.json and sys.stdout.isatty():
            sys.stdout.write(event.text)
            sys.stdout.flush()
            streamed = True
        if isinstance(event, Answer):
            if options.json:
                say_json(event.to_dict())
            else:
                say(("\n\n【核对后的回答】\n" if streamed else "") + _readable(event))
    return 0


def _readable(answer: Any) -> str:
    lines = [answer.answer]
    if answer.standalone_question != answer.question:
        lines.insert(0, f"（理解为：{answer.standalone_question}）")
    if answer.citations:
        lines += ["", "出处："]
    for citation in answer.citations:
        quote = " ".join(citation.quote.split())
        flagged = citation.status not in ("", "现行") and citation.status not in citation.title
        state = f"〔{citation.status}〕" if flagged else ""
        lines.append(f"[{citation.marker}] 《{citation.title}》{state}{citation.locator}：{quote}")
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
    from rag.cli_writing import draft

    return draft(options, _assistant(options), _ready)


def _check(options: argparse.Namespace) -> int:
    from rag.cli_writing import check

    return check(options, _assistant(options), _ready)


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
    with interrupted() as cancelled:
        done = evaluate(
            options.cases,
            assistant=assistant,
            out=options.out,
            workers=options.workers,
            judged=options.judge,
            on_progress=progress(),
            cancelled=cancelled,
        )
    if options.json:
        say_json(done.results)
    else:
        say(summary(done.results))
        complain(f"报告已写入 {done.folder}")
    if not done.complete:
        complain("已停止，没有做完。用同样的命令再运行一次，会接着做。")
        return 1
    short = failures(done.results, options.fail_under)
    for line in short:
        complain(line)
    return 1 if short else 0


def _template(path: Path) -> int:
    from eval.workbook import write_template

    if path.suffix.lower() != ".xlsx":
        raise BadRequest(reason=f"--template 只能是 .xlsx 文件：{path.name}。请改文件名。")
    write_template(path)
    complain(f"模板已写入 {path}")
    return 0


def _compare(options: argparse.Namespace) -> int:
    from eval.compare import compare, describe, load_results, regressions

    comparison = compare(load_results(options.before), load_results(options.after))
    if options.json:
        say_json(comparison)
    else:
        say(describe(comparison))
    return 1 if regressions(comparison) else 0


def _serve(options: argparse.Namespace) -> int:
    assistant = _assistant(options)
    _ready(assistant)
    from rag.web.server import serve

    serve(assistant)
    return 0


def _backup(options: argparse.Namespace) -> int:
    from rag.backup import back_up

    count = back_up(_assistant(options).settings.data_dir, options.file)
    say(f"已备份 {count} 个文件到 {options.file}。里面有全部资料原文，请妥善保管。")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from rag.backup import restore
    from rag.upkeep import writing

    folder = _assistant(options).settings.data_dir
    with writing(folder):
        count = restore(options.file, folder)
    say(f"已恢复 {count} 个文件。索引会在下次使用时重新建立。")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from rag.doctor import examine

    findings = examine(_assistant(options))
    for finding in findings:
        say(f"{finding.state}　{finding.name}：{finding.detail}")
    return 1 if any(finding.state == "不可用" for finding in findings) else 0


def _user(options: argparse.Namespace) -> int:
    from rag.people import manage
    from rag.records.acts import COMMAND_LINE
    from rag.upkeep import note_records

    assistant = _assistant(options)
    for line in manage(assistant.records.accounts, options.action, options.name, admin=options.admin):
        say(line)
    if options.action != "list":
        assistant.records.acts.note(COMMAND_LINE, f"账号 {options.action} {options.name}")
    note_records(assistant.store, accounts=assistant.records.accounts.has_admin())
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "index": _index,
    "ask": _ask,
    "draft": _draft,
    "check": _check,
    "eval": _eval,
    "compare": _compare,
    "serve": _serve,
    "backup": _backup,
    "restore": _restore,
    "user": _user,
    "doctor": _doctor,
}
