"""The words of the command line: commands, options, help and complaints, in Chinese.

Only reads arguments; what the commands do stands in `cli`.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, NoReturn

_COMPLAINTS = (
    (r"the following arguments are required: (.+)", r"缺少参数 \1"),
    (r"unrecognized arguments: (.+)", r"不认识的参数 \1"),
    (r"argument (\S+): invalid choice: (.+?) \(choose from (.+)\)", r"\1 的值 \2 不对，可选：\3"),
    (r"argument (\S+): expected .*", r"\1 后面要有值"),
    (r"argument (\S+): invalid \S+ value: (.+)", r"\1 的值 \2 不对"),
    (r"argument (\S+): not allowed with argument (\S+)", r"\1 不能和 \2 一起用"),
)


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options, add_help=False, allow_abbrev=False)
        self._positionals.title = "命令与参数"
        self._optionals.title = "选项"
        self.add_argument("-h", "--help", action="help", help="显示用法")

    def format_usage(self) -> str:
        return super().format_usage().replace("usage:", "用法：", 1)

    def format_help(self) -> str:
        return super().format_help().replace("usage:", "用法：", 1)

    def error(self, message: str) -> NoReturn:
        for pattern, chinese in _COMPLAINTS:
            message = re.sub(pattern, chinese, message)
        self.exit(2, f"命令写法有误：{message}。用 {self.prog} --help 查看用法。\n")


def _common() -> Any:
    """Options that every command takes, before or after its name."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("通用选项")
    group.add_argument("--data-dir", type=Path, metavar="目录", help="数据目录（LINGXUE_DATA_DIR）")
    group.add_argument(
        "--knowledge",
        type=Path,
        dest="knowledge_dir",
        metavar="目录",
        help="资料文件夹（LINGXUE_KNOWLEDGE_DIR）",
    )
    group.add_argument("--llm", choices=["off", "auto"], help="off 不用大模型；auto 设置了才用")
    return common


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the `lingxue` command."""
    common = _common()
    parser = _Parser(prog="lingxue", description="领学：学校政策问答与写作助手", parents=[common])
    commands = parser.add_subparsers(dest="command", metavar="命令", required=True, parser_class=_Parser)

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help_text, description=help_text, parents=[common])

    index = command("index", "更新索引；可另外加入文件或文件夹")
    index.add_argument(
        "paths", nargs="*", type=Path, metavar="路径", help="要加入的文件或文件夹，不写则更新资料文件夹"
    )
    index.add_argument(
        "--official",
        nargs="*",
        metavar="编号",
        help="从官方网站取原文：不写编号则列出目录；写编号（或 编号=地址、全部）则取来加入",
    )
    ask = command("ask", "问一个问题")
    ask.add_argument("question", metavar="问题")
    ask.add_argument(
        "--history", type=Path, metavar="文件", help="此前的对话（JSON：role 和 content 的列表）"
    )
    ask.add_argument("--json", action="store_true", help="输出 JSON")
    _private(ask)
    _draft(command("draft", "列一份提纲"))
    _check(command("check", "查一份或一批稿件：重合、空话、文件名、身份口吻"))
    _evaluate(command("eval", "运行评测集，写出报告"))
    _compare(command("compare", "比较两次评测：哪些指标显著变了，哪些题变好、变坏"))
    serve = command("serve", "打开网页")
    serve.add_argument("--host", default=argparse.SUPPRESS, metavar="地址")
    serve.add_argument("--port", type=int, default=argparse.SUPPRESS, metavar="端口")
    backup = command("backup", "把资料库、记录、设置备份成一个文件")
    backup.add_argument("file", type=Path, metavar="文件", help="写到这个 .zip 文件")
    restore = command("restore", "从备份恢复；现有数据移到 before-restore-时间 文件夹")
    restore.add_argument("file", type=Path, metavar="文件", help="lingxue backup 写出的 .zip 文件")
    _user(command("user", "管理登录账号"))
    command("doctor", "检查哪些能用、哪些受限、怎么办")
    return parser


def _draft(draft: argparse.ArgumentParser) -> None:
    draft.add_argument("--genre", required=True, metavar="文种", help="如 心得体会、研讨交流发言、自查报告")
    draft.add_argument("--topic", required=True, metavar="主题")
    draft.add_argument("--role", default="", metavar="身份", help="如 书记、校长、党员教师、普通教师")
    draft.add_argument("--occasion", default="", metavar="场合")
    draft.add_argument("--recipient", default="", metavar="对象", help="写给谁、讲给谁")
    draft.add_argument("--length", type=int, default=0, metavar="字数")
    draft.add_argument("--event", default="", metavar="事例", help="您自己的一件事：谁、什么时候、有什么变化")
    draft.add_argument("--seed", type=int, default=0, metavar="整数", help="换一个整数，换一个角度")
    draft.add_argument("--out", type=Path, metavar="文件", help="写入 .docx、.md 或 .txt 文件")
    draft.add_argument("--footnotes", action="store_true", help=".docx 的依据写成脚注，不写则列在文末")
    draft.add_argument("--json", action="store_true", help="输出 JSON")
    _private(draft)


def _private(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--send-private",
        action="store_const",
        const="send",
        default="extract",
        dest="private",
        help="内容里有身份证号、电话、银行卡号也发给外部大模型；不写则不发，不用大模型作答",
    )


def _check(check: argparse.ArgumentParser) -> None:
    check.add_argument(
        "paths", nargs="+", type=Path, metavar="路径", help=".docx、.txt、.md 文件或文件夹；- 读标准输入"
    )
    check.add_argument("--role", default="", metavar="身份", help="写稿人的身份，如 党员教师；用来查口吻")
    check.add_argument("--json", action="store_true", help="输出 JSON")


def _user(user: argparse.ArgumentParser) -> None:
    user.add_argument("action", choices=["add", "remove", "unlock", "list"], metavar="动作",
                      help="add 添加或重设密码，remove 删除，unlock 解锁，list 列出")  # fmt: skip
    user.add_argument("name", nargs="?", default="", metavar="用户名")
    user.add_argument("--admin", action="store_true", help="管理员：可以改资料库和设置")


def _evaluate(evaluate: argparse.ArgumentParser) -> None:
    evaluate.add_argument(
        "cases",
        nargs="*",
        type=Path,
        metavar="评测集",
        help=".jsonl、.xlsx，或自带资料的文件夹、.zip（里面是题集和 documents 文件夹）",
    )
    evaluate.add_argument(
        "--out", type=Path, metavar="目录", help="报告写在这里；不写则按时间和版本归档在数据目录"
    )
    evaluate.add_argument("--template", type=Path, metavar="文件", help="只写一份 .xlsx 模板供填写，不评测")
    evaluate.add_argument("--workers", type=int, default=1, metavar="个数", help="同时评几题，1 到 8")
    evaluate.add_argument("--judge", action="store_true", help="另用大模型评判忠实度和切题度")
    evaluate.add_argument("--json", action="store_true", help="输出 JSON")
    evaluate.add_argument(
        "--fail-under", action="append", default=[], metavar="指标=值", help="低于此值时以 1 退出，可写多个"
    )


def _compare(compare: argparse.ArgumentParser) -> None:
    for name, label in (("before", "前一次"), ("after", "后一次")):
        compare.add_argument(name, type=Path, metavar=label, help="评测的报告目录，或其中的 results.json")
    compare.add_argument("--json", action="store_true", help="输出 JSON")
