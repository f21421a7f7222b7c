"""The description of the HTTP API as a page, from its OpenAPI document: no script, nothing fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rag.web.fragments import table
from rag.web.markup import escape

SEND_PRIVATE = (
    "内容里有身份证号、电话、银行卡号时：false 不发给外部大模型，不用大模型作答并在回答开头说明；true 照发"
)


def docs_html(described: Mapping[str, Any]) -> str:
    """Return the page's body for an OpenAPI document."""
    parts = [
        f"<h2>{escape(described['info']['title'])}</h2>",
        "<p>每次请求都要带令牌：<code>Authorization: Bearer 令牌</code>（令牌在网页的“设置”里开）。"
        "出错时返回 <code>error.message</code>，写明原因和办法。"
        '机器可读的说明：<a href="/api/openapi.json">openapi.json</a></p>',
    ]
    schemas = described.get("components", {}).get("schemas", {})
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            parts += _operation(path, method, operation, schemas)
    return "".join(parts)


def _operation(
    path: str, method: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> Iterator[str]:
    yield f"<h3><code>{method.upper()} {escape(path)}</code> {escape(operation.get('summary', ''))}</h3>"
    yield f"<p>{escape(operation.get('description', ''))}</p>"
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = schemas.get(name)
    if schema:
        yield table(f"{path} 的参数", ("参数", "类型", "必填", "说明"), _fields(schema))
    yield f'<pre tabindex="0">{escape(_example(path, method, schema or {}))}</pre>'.replace("&#10;", "\n")


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        said = field.get("description", "")
        if "default" in field and field["default"] not in ("", []):
            said = f"{said}（默认 {json.dumps(field['default'], ensure_ascii=False)}）"
        yield f"<code>{escape(name)}</code>", _type(field), "是" if name in required else "", escape(said)


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return "对象"
    names = {"string": "文字", "integer": "整数", "boolean": "是否", "array": "列表", "object": "对象"}
    return names.get(str(field.get("type", "")), "见说明")


def _example(path: str, method: str, schema: Mapping[str, Any]) -> str:
    line = f'curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:7860{path}'
    if method == "get":
        return line
    fields = schema.get("properties", {})
    body = {name: field["examples"][0] for name, field in fields.items() if field.get("examples")}
    if "messages" in fields:
        body["messages"] = [{"role": "user", "content": "三重一大包括哪些？"}]
    if "cases" in fields:
        body["cases"] = [{"id": "1", "kind": "factoid", "question": "……", "answerable": True}]
    return f"{line} \\\n  -H 'Content-Type: application/json' -d '{json.dumps(body, ensure_ascii=False)}'"
