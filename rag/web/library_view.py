"""The 资料库 screen as HTML: the list, the upload, a document with its structure and both texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rag.documents import Document
from rag.ingest import FileReport
from rag.manifest import STATUSES
from rag.store import Stamp
from rag.types import Section, Source
from rag.web.fragments import button, choice, field, table, told
from rag.web.jobs import Done, Failed, Step
from rag.web.markup import AUTHORITIES, badges, book, escape
from rag.web.panel import text_html

COMMON = (
    ".docx",
    ".doc",
    ".wps",
    ".pdf",
    ".pptx",
    ".xlsx",
    ".html",
    ".txt",
    ".md",
)  # formats named on screen
SHOWN = 20_000  # code points of a text shown at once; the structure leads to the rest
_HEADER = ("资料", "来源", "类别", "日期", "字数", "段数", "修复", "")


def library_html(
    documents: Sequence[Document], *, admin: bool, message: str = "", removed: Iterable[tuple[str, str]] = (),
    suffixes: Sequence[str] = (),
) -> str:  # fmt: skip
    """Return the screen's start: what is on the shelf and, for administrators, how to change it."""
    characters = sum(document.characters for document in documents)
    head = f'<h2 data-notice="已收录 {len(documents)} 份资料">资料库</h2>'
    head += f"<p>共 {len(documents)} 份资料，{characters:,} 字。回答只从这里找依据。</p>"
    tools = _upload(suffixes) if admin else '<p class="lx-quiet">增减资料请找管理员。</p>'
    rows = (_row(document, admin=admin) for document in documents)
    listed = table("资料清单", _HEADER, rows) if documents else "<p>还没有资料。先上传几份文件。</p>"
    return f"{message}{head}{tools}{listed}{_removed(removed) if admin else ''}"


def _upload(suffixes: Sequence[str]) -> str:
    shown = "、".join(suffix.lstrip(".") for suffix in COMMON if suffix in suffixes)
    return (
        '<form class="lx-form lx-upload" method="post" action="/library/files" enctype="multipart/form-data">'
        '<label for="f-files"><strong>把文件拖到这里</strong>，可一次多个，或<br>'
        '<span class="lx-pick">选择文件</span>'
        f'<span class="lx-quiet">支持 {escape(shown)} 等格式，每个不超过 50 MB</span></label>'
        f'<input id="f-files" name="file" type="file" multiple accept="{escape(",".join(suffixes))}">'
        '<ul class="lx-uploads" aria-live="polite"></ul></form>'
        f'<div class="lx-row">{button("/library/jobs", "重新读取资料文件夹", work="sync")}'
        '<a class="lx-button lx-go" href="/library/official">官方文本目录</a></div>'
    )


def _row(document: Document, *, admin: bool) -> Sequence[str]:
    title = f'<a class="lx-go" href="/library/{document.id}">{escape(document.title)}</a>'
    if document.title != document.name:
        title += f'<br><span class="lx-quiet">{escape(document.name)}</span>'
    if document.similar:
        title += (
            f'<br><span class="lx-flagged">与{escape(book(document.similar))}内容相近，请看是否重复</span>'
        )
    faults = "，".join(f"{escape(kind)} {count} 处" for kind, count in document.faults.items()) or "无"
    tools = ""
    if admin:
        tools = button(f"/library/{document.id}/remove", "删除", label=f"删除{document.title}")
    meta = document.metadata
    return (
        title,
        badges(meta.authority, meta.status),
        escape(document.collection) or "—",
        escape(meta.effective_on or meta.issued_on) or "—",
        f"{document.characters:,}",
        str(document.chunks),
        faults,
        tools,
    )


def _removed(removed: Iterable[tuple[str, str]]) -> str:
    entries = "".join(
        f"<li>{escape(name)} {button(f'/library/{key}/restore', '恢复', label=f'恢复{name}')}</li>"
        for key, name in removed
    )
    return f"<details><summary>已删除的资料</summary><ul>{entries}</ul></details>" if entries else ""


def undo_html(stamp: Stamp) -> str:
    """Return what is said after a removal, with its undoing."""
    undo = button(f"/library/{stamp.id}/restore", "撤销", label=f"撤销删除{stamp.title}")
    return told(f"已删除{book(stamp.title)}，不再用来回答。原文件没有动。", extra=undo)


def job_html(state: Step | Done[Any] | Failed | None) -> str:
    """Return how far the reading of files is, or what came of each."""
    if isinstance(state, Step):
        spoken = escape(state.stage)
        share = f'<progress max="{state.total or 1}" value="{state.done}" aria-label="{spoken}"></progress>'
        stop = button("/library/jobs/stop", "停止")
        return (
            f'<div class="lx-told" data-poll="/library/jobs"><span>{escape(state.stage)}：'
            f"{state.done} / {state.total}</span>{share}{stop}</div>"
        )
    if isinstance(state, Failed):
        return told(state.reason or "已停止，停止前读完的文件已经收录。", wrong=bool(state.reason))
    if state is None:
        return ""
    return _results(state.result.files)


def _results(files: Sequence[FileReport]) -> str:
    changed = [file for file in files if file.outcome != "未变"]
    if not changed:
        return told(f"读完了：{len(files)} 个文件都没有变化。")
    failed = sum(file.outcome == "失败" for file in changed)
    rows = (
        (f'<strong class="{"lx-wrong" if f.outcome == "失败" else ""}">{escape(f.outcome)}</strong>',
         escape(f.name), escape(f.detail))
        for f in changed
    )  # fmt: skip
    summary = f"读完了：{len(changed) - failed} 个文件已处理" + (f"，{failed} 个没有收录" if failed else "")
    return told(summary, wrong=bool(failed)) + table("每个文件的结果", ("结果", "文件", "说明"), rows)


def document_html(
    source: Source,
    collection: str,
    collections: Sequence[str],
    *,
    admin: bool,
    at: int = -1,
    message: str = "",
) -> str:
    """Return one document: what is known of it, its structure, its repaired text beside the original."""
    sections = source.sections
    section = sections[at] if 0 <= at < len(sections) else None
    start, end = (section.start, section.end) if section else (0, len(source.clean))
    end = min(end, start + SHOWN)
    first, last = source.to_original(start, end) if end > start else (0, 0)
    if not section:
        first = 0
    form = _facts_form(source, collection, collections) if admin else ""
    more = (
        f'<p class="lx-quiet">只显示前 {SHOWN:,} 字，请从左边的结构选一节看其余部分。</p>'
        if len(source.clean) > SHOWN
        else ""
    )
    original = text_html(source, first, last, first, first)
    return (
        '<p><a class="lx-go" href="/library">← 回到资料清单</a></p>'
        f"{message}<h2>{escape(book(source.title))}</h2>"
        f"<p>{badges(source.metadata.authority, source.metadata.status)}</p>{form}"
        f"<h3>结构</h3>{_tree(source, at)}{more}"
        '<div class="lx-beside"><section aria-label="整理后的文字"><h3>整理后的文字</h3>'
        f'<div class="lx-words" tabindex="0">{escape(source.clean[start:end])}</div></section>'
        '<section aria-label="原文"><h3>原文（划线处是整理时去掉或改正的）</h3>'
        f'<div class="lx-original" tabindex="0">{original}</div></section></div>'
    )


def _tree(source: Source, at: int) -> str:
    entries = [(i, s) for i, s in enumerate(source.sections) if s.kind == "body" and (s.label or s.title)]
    if not entries:
        return '<p class="lx-quiet">没有认出标题，整份按段落检索。</p>'
    top = min(section.level for _, section in entries)
    items = "".join(
        f'<li class="lx-level{min(5, section.level - top)}"><a class="lx-go" '
        f'href="/library/{source.id}?section={number}"{_current(number == at)}>{_heading(section)}</a></li>'
        for number, section in entries
    )
    return f'<nav class="lx-tree" aria-label="结构"><ul>{items}</ul></nav>'


def _current(here: bool) -> str:
    return ' aria-current="true"' if here else ""


def _heading(section: Section) -> str:
    return escape(f"{section.label}{' ' if section.label and section.title else ''}{section.title}"[:60])


def _facts_form(source: Source, collection: str, collections: Sequence[str]) -> str:
    meta = source.metadata
    authorities = [("", "未注明"), *AUTHORITIES.items()]
    named = "".join(f'<option value="{escape(name)}"></option>' for name in collections)
    return (
        "<details><summary>修改资料信息</summary>"
        f'<form class="lx-form lx-grid" method="post" action="/library/{source.id}">'
        + field("title", "标题", meta.title)
        + field("issuer", "发文机关", meta.issuer)
        + field("doc_number", "文号", meta.doc_number)
        + field("issued_on", "发文日期", meta.issued_on, hint="如 2022-01-16")
        + field("effective_on", "施行日期", meta.effective_on)
        + choice("status", "效力", [(s, s or "未注明") for s in STATUSES], meta.status)
        + choice("authority", "来源级别", authorities, meta.authority)
        + field(
            "collection",
            "类别",
            collection,
            hint="如 党建、教学；提问时可以只在一类里找",
            more='list="collections"',
        )
        + f'<datalist id="collections">{named}</datalist>'
        + '<p><button class="lx-primary">保存</button></p></form></details>'
    )


def official_html(texts: Sequence[Mapping[str, Any]]) -> str:
    """Return the catalogue of official texts that a school has to get for itself."""
    rows = (
        (
            escape(str(text.get("title", ""))),
            escape(str(text.get("issuer", ""))),
            escape(str(text.get("issued_on", ""))) or "—",
            escape(str(text.get("status", ""))),
            _address(text),
            escape(str(text.get("note", ""))),
        )
        for text in texts
    )
    return (
        '<p><a class="lx-go" href="/library">← 回到资料清单</a></p><h2>官方文本目录</h2>'
        "<p>领学自带的资料是整理和重述，不是原文。请从权威渠道取得下列原文，核对后上传，回答就会直接引用原文。</p>"
        + table("官方文本目录", ("文件", "机关", "日期", "效力", "地址", "说明"), rows)
    )


def _address(text: Mapping[str, Any]) -> str:
    """The address as text: nothing of this page leads out of the computer by itself."""
    url = escape(str(text.get("url", "")))
    if not url:
        return "手头没有地址"
    return f'{url}<br><span class="lx-quiet">{"已核对" if text.get("verified") else "没有核对过"}</span>'
