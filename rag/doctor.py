"""`lingxue doctor`: what works, what is degraded, and what to do about it.

Tries the real parts, each by itself; a failure of one is a finding, not an end.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rag.config import unknown_variables
from rag.errors import LingxueError
from rag.parsers import ocr
from rag.parsers.legacy import find_office

if TYPE_CHECKING:
    from rag.assistant import Assistant


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    state: Literal["正常", "受限", "不可用"]
    name: str
    detail: str


def examine(assistant: Assistant) -> list[Finding]:
    """Look at every part; return a finding each."""
    checks: list[tuple[str, Callable[[Assistant], Finding]]] = [
        ("数据目录", _data),
        ("资料库", _store),
        ("向量模型", _encoder),
        ("对话与账号", _records),
        ("索引", _index),
        ("大家怎么问", _questions),
        ("大模型", _model),
        ("旧格式文件", _legacy),
        ("扫描件", _scans),
        ("设置", _settings),
    ]
    findings = []
    for name, check in checks:
        try:
            findings.append(check(assistant))
        except LingxueError as err:
            findings.append(Finding("不可用", name, str(err)))
    return findings


def _data(assistant: Assistant) -> Finding:
    count = len(assistant.stamps())
    folder = assistant.settings.data_dir
    free = shutil.disk_usage(folder).free / 2**30
    if free < 1:
        return Finding("受限", "数据目录", f"{folder} 只剩 {free:.1f} GB。请清理磁盘。")
    return Finding("正常", "数据目录", f"{folder}，{count} 份资料，磁盘剩余 {free:.0f} GB")


def _encoder(assistant: Assistant) -> Finding:
    kind = "自带" if not assistant.settings.encoder else assistant.settings.encoder
    return Finding("正常", "向量模型", f"{kind}（{assistant.encoder.fingerprint}）")


def _store(assistant: Assistant) -> Finding:
    if problems := assistant.store.problems():
        return Finding(
            "不可用", "资料库", f"有损坏：{problems}。请运行 lingxue index，或 lingxue restore 从备份恢复。"
        )
    if assistant.store.read_only:
        return Finding("受限", "资料库", "只读：可以提问，不能加入资料。请检查权限和磁盘空间。")
    if assistant.search_index.behind():
        return Finding(
            "受限", "资料库", "比索引旧，可能丢了最近的改动。请运行 lingxue index 并核对资料清单。"
        )
    return Finding("正常", "资料库", "检查通过")


def _records(assistant: Assistant) -> Finding:
    assistant.records.conversations.listed("")  # tells of damage
    if when := assistant.store.meta("records_lost"):
        detail = f"{when} 发现记录文件不见了，已新建空的。要找回请运行 lingxue restore 从备份恢复。"
        return Finding("受限", "对话与账号", detail)
    return Finding("正常", "对话与账号", "没有发现问题")


def _index(assistant: Assistant) -> Finding:
    generation = assistant.search_index.current()
    if generation is None:
        return Finding("受限", "索引", "还没有建立，或与资料不一致。请运行 lingxue index。")
    if generation.chunks and not generation.neighbours(assistant.encoder.encode_query("学校"), 1):
        return Finding("受限", "索引", f"向量检索不可用（{generation.dense_failed}）。请运行 lingxue index。")
    count = len(generation.positions)
    if not assistant.search_index.fresh():
        return Finding("受限", "索引", f"可检索 {count} 段，但不是最新的。请运行 lingxue index。")
    if generation.chunks and generation.searched_by == "exact":
        return Finding(
            "受限", "索引", f"可检索 {count} 段；Chroma 暂时不可用或被占用，改用逐条计算，结果相同。"
        )
    return Finding("正常", "索引", f"可检索 {count} 段")


def _questions(assistant: Assistant) -> Finding:
    phrasings = assistant.shelf.of(assistant.stamps())
    if problems := phrasings.problems:
        more = f"等 {len(problems)} 处" if len(problems) > 1 else ""
        return Finding(
            "受限", "大家怎么问", f"{problems[0]}{more}。请对照资料改好这份 .questions.toml 文件。"
        )
    return Finding("正常", "大家怎么问", f"{len(phrasings)} 个已知问法")


def _model(assistant: Assistant) -> Finding:
    if not assistant.settings.model_configured:
        return Finding("受限", "大模型", "没有设置，直接从资料摘出回答。要用请设置 LINGXUE_LLM_MODEL 等。")
    model = assistant.model
    if model is None:
        return Finding("受限", "大模型", "没有启用。")
    reply = "".join(model.stream("只回答一个字。", "请回答：好"))
    return Finding("正常", "大模型", f"{model.name} 有回应（{len(reply)} 字）")


def _legacy(_assistant: Assistant) -> Finding:
    if find_office():
        return Finding("正常", "旧格式文件", "已安装 LibreOffice，可读 .doc、.wps")
    return Finding("受限", "旧格式文件", "没有 LibreOffice，.doc、.wps 请先另存为 .docx。")


def _scans(_assistant: Assistant) -> Finding:
    if ocr.available():
        return Finding("正常", "扫描件", "已安装文字识别组件，可读图片和扫描的 PDF")
    remedy = "要用请在领学文件夹里运行 .venv/bin/pip install -e .[ocr]。"
    return Finding("受限", "扫描件", f"没有文字识别组件，扫描件和图片读不了。{remedy}")


def _settings(_assistant: Assistant) -> Finding:
    unknown = unknown_variables()
    if unknown:
        return Finding("受限", "设置", f"不认识的环境变量：{'、'.join(unknown)}。请检查名称。")
    return Finding("正常", "设置", "没有发现问题")
