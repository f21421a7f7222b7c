"""Switches off what libraries would send home. Call before they are imported.

Everything works without a network; a user who wants a model from the hub
sets HF_HUB_OFFLINE=0.
"""

from __future__ import annotations

import os

_ALWAYS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "LANGSMITH_TRACING": "false",  # would send questions and documents to a third party
    "LANGCHAIN_TRACING_V2": "false",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
_UNLESS_SET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def stay_offline() -> None:
    """Set the variables that keep every library quiet."""
    os.environ.update(_ALWAYS)
    for name, value in _UNLESS_SET.items():
        os.environ.setdefault(name, value)
