"""Settings that were made on the screen: one small file in the data directory, readable by its owner only.

The command line, the environment and the TOML file win over it. Knows which
settings may be made on the screen; not how they are shown.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rag.errors import DataDirUnusable
from rag.reasons import why

NAME = "settings.json"
FIELDS = ("llm_provider", "llm_base_url", "llm_model", "llm_api_key")


def read_saved(data_dir: Path) -> dict[str, str]:
    """Return the settings made on the screen; none where the file is missing or unreadable."""
    try:
        kept = json.loads((data_dir / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {name: value for name, value in kept.items() if name in FIELDS and isinstance(value, str)}


def without_key(data_dir: Path) -> dict[str, str]:
    """Return the settings made on the screen as they may be passed on: the key is its owner's."""
    return {name: value for name, value in read_saved(data_dir).items() if name != "llm_api_key"}


def save(data_dir: Path, values: dict[str, str]) -> None:
    """Keep settings; raise DataDirUnusable where they cannot be written."""
    kept: dict[str, Any] = {name: value for name, value in values.items() if name in FIELDS and value}
    partial = data_dir / f"{NAME}.part"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        # The key is in it: nobody else on this computer may read it.
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(kept, out, ensure_ascii=False)
        partial.replace(data_dir / NAME)
    except OSError as err:
        raise DataDirUnusable(path=data_dir, reason=why(err)) from err
