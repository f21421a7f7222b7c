"""Counting and cutting text by tokens, offline. The only user of tiktoken.

tiktoken's own `get_encoding` downloads its ranks at first use. The ranks of
Qwen's tokenizer come inside the package `dashscope`, so the encoding is
built from that file: exact for Qwen, a fair budget for any Chinese model.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

# The split pattern that the Qwen tokenizer publishes with its ranks.
_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@lru_cache(maxsize=1)
def _encoding() -> Encoding:
    from tiktoken import Encoding
    from tiktoken.load import load_tiktoken_bpe

    spec = find_spec("dashscope")  # located, not imported: the package opens log files
    if spec is None or spec.origin is None:
        raise FileNotFoundError("dashscope/resources/qwen.tiktoken: package dashscope is not installed")
    ranks = load_tiktoken_bpe(str(Path(spec.origin).parent / "resources" / "qwen.tiktoken"))
    return Encoding("qwen", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens={})


def count(text: str) -> int:
    """Count the tokens of a text; marks like <|im_end|> in it are plain text."""
    return len(_encoding().encode_ordinary(text))


def counts(texts: list[str]) -> list[int]:
    """Count the tokens of many texts."""
    encode = _encoding().encode_ordinary  # tiktoken's own batch starts a thread a call
    return [len(encode(text)) for text in texts]


def truncate(text: str, max_tokens: int) -> str:
    """Return the longest beginning of a text within a number of tokens, whole characters only."""
    encoding = _encoding()
    tokens = encoding.encode_ordinary(text)
    if len(tokens) <= max_tokens:
        return text
    return encoding.decode_bytes(tokens[:max_tokens]).decode("utf-8", errors="ignore")
