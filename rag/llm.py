"""A chat model from the settings. The only user of LangChain's model providers.

Any OpenAI-compatible service works (DeepSeek, Qwen, Ollama, vLLM…); what
goes out is only the prompt it is given. Errors come out as `ModelFailed`
with a reason in Chinese and never hold the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rag.errors import ModelFailed, ModelRefused
from rag.privacy import Guarded, outside
from rag.protocols import ChatModel

if TYPE_CHECKING:
    from rag.config import Settings

RETRIES = 1
NO_KEY = "none"  # local services take any key, the client insists on one
_REASONS = {
    401: "密钥无效",
    403: "没有权限",
    404: "找不到模型或地址",
    400: "请求不被接受",
    422: "请求不被接受",
    429: "请求太频繁或额度用完",
    500: "模型服务出错",
    502: "模型服务出错",
    503: "模型服务繁忙",
}


# What providers call the reason a reply ended; a reply without one that stops inside a sentence was cut.
_FINISHED = frozenset({"finish_reason", "stop_reason", "done_reason"})
_ENDED = re.compile(r"[。！？.!?」”）)\]】］]\s*$")


class LangChainModel:
    """A `ChatModel` over a LangChain chat model."""

    def __init__(self, chat: Any, name: str) -> None:
        self._chat = chat
        self.name = name

    def stream(self, system: str, user: str) -> Iterator[str]:
        """Yield the reply's text; raise ModelRefused or ModelFailed, also where it breaks off."""
        finished, last = False, ""
        try:
            for message in self._chat.stream([("system", system), ("user", user)]):
                text = message.text if isinstance(message.text, str) else message.text()
                finished = finished or bool(_FINISHED & message.response_metadata.keys())
                if text:
                    last = text
                    yield text
        except ValueError as err:
            if "No generation" not in str(err):  # LangChain's word for an empty stream
                raise _failure(err) from err
        except Exception as err:  # noqa: BLE001 - every provider has its own errors
            raise _failure(err) from err
        if last and not finished and not _ENDED.search(last):
            raise ModelFailed(reason="回答没有传完")


def configured_model(settings: Settings) -> ChatModel:
    """Build the model of the settings; one outside this computer gets no personal numbers unasked.

    Raises: ModelFailed: the provider is unknown or its package is missing.
    """
    model = make_model(
        provider=settings.llm_provider,
        model=settings.llm_model,
        base_url=settings.llm_base_url,
        api_key=settings.llm_api_key.get_secret_value(),
        timeout_s=settings.llm_timeout_s,
        max_tokens=settings.llm_max_tokens,
    )
    if settings.llm_private == "send" or not outside(settings.llm_base_url):
        return model
    return Guarded(model, settings.model_host)


def make_model(
    *, provider: str, model: str, base_url: str, api_key: str, timeout_s: float, max_tokens: int
) -> ChatModel:
    """Build the chat model; nothing is sent yet.

    Raises: ModelFailed: the provider is unknown or its package is missing.
    """
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {"timeout": timeout_s, "max_retries": RETRIES, "temperature": 0.2}
    if provider == "openai":
        options |= {"base_url": base_url or None, "api_key": api_key or NO_KEY, "max_tokens": max_tokens}
    elif api_key:
        options["api_key"] = api_key
    try:
        chat = init_chat_model(model or "default", model_provider=provider, **options)
    except (ImportError, ValueError) as err:
        raise ModelFailed(reason=f"接口类型 {provider} 不可用：{type(err).__name__}") from err
    return LangChainModel(chat, f"{provider}:{model or 'default'}")


def _failure(err: Exception) -> ModelFailed:
    status = getattr(err, "status_code", None)
    if isinstance(status, int):
        reason = f"{_REASONS.get(status, '服务返回错误')}，HTTP {status}"
        return (
            ModelRefused(reason=reason)
            if 400 <= status < 500 and status != 429
            else ModelFailed(reason=reason)
        )
    name = type(err).__name__
    if "Timeout" in name:
        return ModelFailed(reason="等待超时")
    if "Connection" in name or "Connect" in name:
        return ModelFailed(reason="连接不上模型服务")
    return ModelFailed(reason=f"返回内容无法读取，{name}")
