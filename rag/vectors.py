"""Nearest neighbours among chunk vectors: Chroma in this process, a Chroma server, or exact search.

Chroma's own files are not durable and damaged ones can end the process, so an
embedded collection is opened by one process at a time, and only when its files
are byte for byte what they were when they last worked (the *seal*), or after
`rag.probe` has tried them in a process of its own. The only user of chromadb.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from filelock import FileLock, Timeout

from rag.atomic import write_text

if TYPE_CHECKING:
    from rag.types import Matrix

BATCH = 2000  # Chroma refuses more than 5,461 records at once
SELF = 1e-3  # cosine distance below which a record has found itself
PROBE_S = 120.0
SERVER_S = 5.0  # a server that does not answer in this time is taken as gone
COLLECTION = "chunks"
_SEAL = "seal.json"


class Unavailable(Exception):
    """Chroma cannot be used just now: another process has it, or its server is away."""


class Damaged(Exception):
    """A collection has to be built again."""


class EmbeddedCollection:
    """The Chroma collection in a folder, held by this process until it is closed."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open a collection that is whole, or make an empty one.

        Raises: Unavailable: another process has it. Damaged: it is not whole.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = FileLock(folder.with_suffix(".lock"), timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except (Timeout, OSError) as err:
            raise Unavailable("另一个领学程序正在使用向量库") from err
        try:
            if not create and not _sealed(folder) and not probe(folder):
                raise Damaged("向量库没有通过检查")
            self._client = _client(folder)
            self.collection = _make(self._client, COLLECTION) if create else _get(self._client, COLLECTION)
        except BaseException:
            self._lock.release()
            raise

    def query(self, queries: Matrix, k: int) -> tuple[list[list[str]], Matrix]:
        """Return ids and cosine distances (queries, k) of the nearest records."""
        return _query(self.collection, queries, k)

    def add(self, ids: Sequence[str], vectors: Matrix) -> None:
        """Add records, at most `BATCH` at once."""
        self.collection.add(ids=list(ids), embeddings=vectors)

    def count(self) -> int:
        """Return the number of records."""
        return int(self.collection.count())

    def seal(self) -> None:
        """Note the files as they are now. Chroma changes them when it opens them, and not after that."""
        with suppress(OSError):  # a folder that cannot be written is probed every time
            write_text(self._folder.parent / _SEAL, json.dumps(_digests(self._folder)))

    def close(self) -> None:
        """Let go of the files."""
        self._client.close()
        self._lock.release()

    @property
    def name(self) -> str:
        """Nothing to remember: the folder is the name."""
        return ""


class ServerCollection:
    """A collection on a Chroma server; every call ends within `SERVER_S` seconds."""

    def __init__(self, url: str, name: str, *, create: bool = False) -> None:
        """Connect; raise Unavailable where the server is away, Damaged where it lacks the collection."""
        self.name = name
        self._calls = ThreadPoolExecutor(max_workers=8, thread_name_prefix="chroma")
        self._client = self._call(_http_client, url)
        try:
            self.collection = self._call(_make if create else _get, self._client, name)
        except Unavailable:
            self.close()
            raise
        except Exception as err:
            self.close()
            raise Damaged(f"向量服务器上没有这个库：{type(err).__name__}") from err

    def _call(self, work: Any, *values: Any, timeout_s: float = SERVER_S) -> Any:
        try:
            return self._calls.submit(work, *values).result(timeout=timeout_s)
        except TooSlow as err:
            raise Unavailable(f"向量服务器 {timeout_s:g} 秒没有回应") from err
        except Exception as err:
            if _is_connection(err):
                raise Unavailable(f"连接不上向量服务器：{type(err).__name__}") from err
            raise

    def query(self, queries: Matrix, k: int) -> tuple[list[list[str]], Matrix]:
        """Return ids and cosine distances (queries, k) of the nearest records."""
        found: tuple[list[list[str]], Matrix] = self._call(_query, self.collection, queries, k)
        return found

    def add(self, ids: Sequence[str], vectors: Matrix) -> None:
        """Add records, at most `BATCH` at once; large batches may take a minute."""
        self._call(lambda: self.collection.add(ids=list(ids), embeddings=vectors), timeout_s=60.0)

    def count(self) -> int:
        """Return the number of records."""
        return int(self._call(self.collection.count))

    def delete_others(self, names: Sequence[str]) -> None:
        """Delete collections that are no longer used; one that is gone already does not matter."""
        for name in names:
            with suppress(Exception):
                self._call(self._client.delete_collection, name)

    def seal(self) -> None:
        """Do nothing: the server looks after its own files."""

    def close(self) -> None:
        """Let go of the connection and its threads; one that hangs is not waited for."""
        with suppress(Exception):
            for client in (self._client, self._client._admin_client):
                client._server._session.close()  # which Chroma leaves to the garbage collector
            self._client.close()
        self._calls.shutdown(wait=False, cancel_futures=True)


Collection = EmbeddedCollection | ServerCollection


def exact(vectors: Matrix, query: Matrix, k: int) -> list[tuple[int, float]]:
    """Return (row, cosine similarity) of the k rows of (n, dim) nearest to a (1, dim) unit vector."""
    scores = vectors @ query[0]
    k = min(k, len(scores))
    best = np.argpartition(-scores, k - 1)[:k] if k else np.zeros(0, dtype=int)
    return [(int(row), float(scores[row])) for row in best[np.argsort(-scores[best], kind="stable")]]


def lost(collection: Collection, vectors: Matrix, done: Callable[[int], None]) -> list[int]:
    """Return the rows of (n, dim) vectors that are not their own nearest neighbour, or twins of it."""
    missing: list[int] = []
    for first in range(0, len(vectors), 200):
        batch = vectors[first : first + 200]
        _, distances = collection.query(batch, 1)
        missing += (first + np.flatnonzero(distances[:, 0] > SELF)).tolist()
        done(first + len(batch))
    return missing


def probe(folder: Path) -> bool:
    """Try a collection in a process of its own: damaged files can end the process that opens them."""
    command = [sys.executable, "-m", "rag.probe", str(folder.resolve())]
    try:
        finished = subprocess.run(
            command,
            cwd=Path(__file__).resolve().parent.parent,
            capture_output=True,
            timeout=PROBE_S,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return finished.returncode == 0


def open_unchecked(folder: Path) -> Any:
    """Open a collection without a look at its files: for `rag.probe` alone. Returns (client, collection)."""
    client = _client(folder)
    return client, _get(client, COLLECTION)


def _sealed(folder: Path) -> bool:
    try:
        kept = json.loads((folder.parent / _SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(kept == _digests(folder))


def _digests(folder: Path) -> dict[str, str]:
    """Return what every file holds, and the version of Chroma: another one may read them differently."""
    import chromadb

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): file_digest(path) for path in files}
    return {**found, "": chromadb.__version__}


def file_digest(path: Path) -> str:
    """Return the BLAKE2b digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _client(folder: Path) -> Any:
    import chromadb

    return chromadb.PersistentClient(path=str(folder), settings=_settings())


def _http_client(url: str) -> Any:
    import chromadb

    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 8000)
    return chromadb.HttpClient(parts.hostname or "", port, ssl=secure, settings=_settings())


def _settings() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False, allow_reset=False, _env_file=None)  # type: ignore[call-arg]


def _make(client: Any, name: str) -> Any:
    return client.create_collection(
        name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )


def _get(client: Any, name: str) -> Any:
    return client.get_collection(name, embedding_function=None)


def _query(collection: Any, queries: Matrix, k: int) -> tuple[list[list[str]], Matrix]:
    found = collection.query(query_embeddings=queries, n_results=k, include=["distances"])
    rows = [[float(d) for d in row] + [2.0] * (k - len(row)) for row in found["distances"]]
    return found["ids"], np.array(rows, dtype=np.float32)


def _is_connection(err: BaseException) -> bool:
    """Tell whether an error means that the server is away: Chroma wraps httpx's in a ValueError."""
    names = {type(e).__module__.split(".")[0] for e in (err, err.__cause__, err.__context__) if e}
    return bool(names & {"httpx", "httpcore"}) or "connect" in str(err).lower()
