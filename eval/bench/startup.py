"""Start to first answer of the command line without a model, on a warm install.

    python -m eval.bench.startup

The peer is the same question with the bundled encoder loaded through
sentence-transformers, which is what a program assembled from that library
would do at every start. Seconds are wall-clock of whole processes.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 5
QUESTION = "党组织会议要多少人到会才能开？"
_ASK = "from rag.cli import main; raise SystemExit(main({arguments!r}))"
_PEER = (
    "import os; os.environ['HF_HUB_OFFLINE'] = '1'\n"
    "from sentence_transformers import SentenceTransformer\n"
    "from rag import embed\n"
    "model = SentenceTransformer(str(embed.BUNDLED))\n"
    "class Peer:\n"
    "    fingerprint = embed.StaticEncoder(embed.BUNDLED).fingerprint\n"
    "    def encode_query(self, text): return model.encode_query([text], normalize_embeddings=True)\n"
    "    def encode_documents(self, texts): return model.encode_document(texts, normalize_embeddings=True)\n"
    "from rag import assistant\n"
    "assistant.load_encoder = lambda setting: Peer()\n"
)


def seconds(code: str) -> float:
    """Run Python code in a new process; return its wall-clock seconds."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Index the bundled knowledge once, then time both ways in turn and print the medians."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--data-dir", str(Path(folder)), "--llm", "off"]
        first = seconds(_ASK.format(arguments=[*arguments, "index"]))
        ask = _ASK.format(arguments=[*arguments, "ask", QUESTION])
        ours, peer = [], []
        for _ in range(REPEATS):
            ours.append(seconds(ask))
            peer.append(seconds(_PEER + ask))
    mine, theirs = statistics.median(ours), statistics.median(peer)
    print(f"first index of knowledge/: {first:.2f} s")
    print(f"start to first answer, median of {REPEATS}: {mine:.2f} s (slowest {max(ours):.2f} s)")
    print(f"through sentence-transformers: {theirs:.2f} s; ratio {theirs / mine:.1f}")


if __name__ == "__main__":
    main()
