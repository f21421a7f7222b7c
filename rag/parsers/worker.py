"""The process behind `sandbox`: reads requests line by line, answers line by line.

A request is {"path": …}; an answer {"parsed": …} or {"error": class, "values":
…} or {"os_error": [errno, text]}; blank lines before it are signs of life.
Heavy libraries load with the first file that needs them, so that starting
costs little.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rag.errors import LingxueError
from rag.parsers import ocr, parse_file


def answer(path: Path) -> dict[str, Any]:
    """Parse a file and put the outcome into a form that JSON can carry."""
    try:
        return {"parsed": asdict(parse_file(path))}
    except LingxueError as err:
        values = {key: str(value) for key, value in err.values.items()}
        return {
            "error": type(err).__name__,
            "values": values,
            "fatal": isinstance(err.__cause__, MemoryError),
        }
    except OSError as err:
        return {"os_error": [err.errno or 0, err.strerror or type(err).__name__]}


def limit_memory(memory_bytes: int) -> None:
    """Bound this process's address space where the system can; elsewhere only time is bounded."""
    if sys.platform == "win32":
        return
    try:
        import resource
    except ImportError:
        return
    with suppress(ValueError, OSError):  # macOS knows the limit and refuses to set it
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, hard))


def main() -> None:
    """Serve requests from stdin until it closes."""
    # C libraries may print to descriptor 1: the answers get a descriptor of their own.
    out = os.fdopen(os.dup(1), "w", encoding="ascii", newline="\n")
    os.dup2(2, 1)
    limit_memory(int(sys.argv[1]))

    def beat() -> None:
        out.write("\n")
        out.flush()

    ocr.on_page = beat
    for line in sys.stdin:
        reply = answer(Path(json.loads(line)["path"]))
        out.write(json.dumps(reply) + "\n")
        out.flush()
        if reply.get("fatal"):
            return  # memory ran out: what is left of the heap is not to be trusted


if __name__ == "__main__":
    main()
