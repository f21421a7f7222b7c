"""What a command says: results on stdout, trouble and progress on stderr.

Knows no command.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def complain(message: object) -> None:
    """Say what went wrong, on one line."""
    sys.stderr.write(" ".join(str(message).split()) + "\n")


def show(text: str) -> None:
    """Write a result and a line end."""
    sys.stdout.write(text + "\n")


def show_json(value: Any) -> None:
    """Write a result as JSON."""
    show(json.dumps(value, ensure_ascii=False, indent=2))


def progress() -> Callable[[str, int, int], None]:
    """Return a callback that draws a progress bar on a terminal and is silent elsewhere."""
    from tqdm import tqdm

    bars: dict[str, tqdm[Any]] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            bars[stage] = tqdm(total=total, desc=stage, disable=None, file=sys.stderr, leave=False)
        bars[stage].update(done - bars[stage].n)

    return report
