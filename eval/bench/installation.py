"""A whole installation on this computer: PostgreSQL, a Chroma server, replicas of the app, nginx with TLS.

Real programs, each started as `docs/deploy.md` says and stopped again; nginx
runs the file that is shipped, `docs/deploy/nginx.conf`, with only addresses,
certificate and user replaced, and so does Caddy, which may stand in its place.
For the tests of the installation and the load test alike. Knows programs and
ports; not what is asked of them.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from eval.bench.services import ROOT, START_S, CannotStart, Service, free_port, program, until
from rag.assistant import Assistant
from rag.config import Settings

SITE = ROOT / "docs" / "deploy" / "nginx.conf"
CADDY_SITE = SITE.with_name("Caddyfile")
PASSWORD = "一个长长的密码呀"  # noqa: S105 - of accounts that live as long as a test
ADMIN = "校长"
# The command `chroma`, also where its script is not on the path.
_CHROMA = "import sys; from chromadb.cli.cli import app; sys.argv[0] = 'chroma'; app()"
S = TypeVar("S", bound=Service)


def chroma_server(folder: Path) -> Service:
    """Return a Chroma server over a folder, not started yet."""
    port = free_port()
    command = [sys.executable, "-c", _CHROMA, "run", "--path", str(folder / "chroma"), "--port", str(port)]
    return Service(
        [*command, "--host", "127.0.0.1"],
        port,
        log=folder / "chroma.log",
        environment={"ANONYMIZED_TELEMETRY": "False"},
    )


@contextmanager
def postgres() -> Iterator[tuple[Service, str]]:
    """Run a PostgreSQL server of its own over a new cluster; yield it and the address of its database."""
    initdb, server = program("initdb"), program("postgres")
    user = "postgres" if getattr(os, "geteuid", lambda: 1)() == 0 else None  # root is refused
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="lingxue-pg-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        made = subprocess.run(
            [initdb, "-D", str(folder / "db"), "-A", "trust", "-U", "lingxue", "-E", "UTF8", "--no-sync"],
            cwd=folder,
            user=user,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise CannotStart(f"initdb: {made.stderr}")
        command = [server, "-D", str(folder / "db"), "-p", str(port), "-h", "127.0.0.1", "-k", ""]
        # SIGTERM would wait until every client has gone.
        service = Service(command, port, log=folder / "postgres.log", user=user, ending=signal.SIGINT)
        try:
            service.start().ready()
            if not until(lambda: _accepts(port), START_S):
                raise CannotStart(f"postgres: {service.said[-2000:]}")
            yield service, f"postgresql://lingxue@127.0.0.1:{port}/postgres"
        finally:
            service.stop()


def _accepts(port: int) -> bool:
    """Tell whether a PostgreSQL server has finished starting: it listens before that."""
    asked = [program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(asked, check=False).returncode == 0


def replica(folder: Path, data: Path, **settings: str) -> Service:
    """Return one replica of the app over a data directory, not started yet; settings are LINGXUE_*."""
    port = free_port()
    command = [sys.executable, "-m", "rag", "--data-dir", str(data), "serve", "--port", str(port)]
    given = {f"LINGXUE_{name.upper()}": value for name, value in settings.items()}
    return Service(command, port, log=folder / f"replica-{port}.log", environment=given)


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a self-signed certificate for 127.0.0.1; return its file and a context that trusts it alone."""
    pem = folder / "lingxue.pem"
    made = subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(pem),
         "-out", str(folder / "cert.pem")],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise CannotStart(f"openssl: {made.stderr.decode(errors='replace')}")
    with pem.open("ab") as out:
        out.write((folder / "cert.pem").read_bytes())
    return pem, ssl.create_default_context(cafile=folder / "cert.pem")


class Proxy(Service):
    """nginx or Caddy: its `port` is that of https, `http_port` the one that sends people there."""

    def __init__(self, command: list[str], port: int, http_port: int, *, log: Path) -> None:
        super().__init__(command, port, log=log)
        self.http_port = http_port


def nginx(folder: Path, replicas: list[int], pem: Path) -> Proxy:
    """Return nginx with the shipped site before replicas at these ports, not started yet."""
    https, http = free_port(), free_port()
    places = {
        r"(?:\n *server 127\.0\.0\.1:\d+( [^;]+);)+": "".join(
            f"\n    server 127.0.0.1:{port}\\1;" for port in replicas
        ),
        r"listen 443\b": f"listen 127.0.0.1:{https}",
        r"listen 80\b": f"listen 127.0.0.1:{http}",
        r"listen \[::\].*\n": "",
        r"lingxue\.example\.edu\.cn": "127.0.0.1",
        r"(ssl_certificate\w*) +[^;]+;": f"\\1 {pem};",
    }
    (folder / "site.conf").write_text(_moved(SITE, places), encoding="utf-8")
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    root = "user root;" if getattr(os, "geteuid", lambda: 1)() == 0 else ""
    main = (
        f"{root} daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; worker_processes 1;\n"
        f"events {{}}\nhttp {{ access_log off; {paths}\ninclude {folder}/site.conf; }}\n"
    )
    (folder / "nginx.conf").write_text(main, encoding="utf-8")
    command = [program("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    if checked.returncode:
        raise CannotStart(f"nginx -t: {checked.stderr}")
    return Proxy(command, https, http, log=folder / "nginx.out")


def caddy(folder: Path, replicas: list[int], pem: Path) -> Proxy:
    """Return Caddy with the shipped site before replicas at these ports, not started yet."""
    https, http = free_port(), free_port()
    places = {
        r"^lingxue\.example\.edu\.cn \{": f"127.0.0.1 {{\n\ttls {pem} {pem}",
        r"(?: 127\.0\.0\.1:\d+)+": "".join(f" 127.0.0.1:{port}" for port in replicas),
    }
    options = f"{{\n\tadmin off\n\tskip_install_trust\n\thttp_port {http}\n\thttps_port {https}\n}}\n"
    (folder / "Caddyfile").write_text(options + _moved(CADDY_SITE, places), encoding="utf-8")
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    return Proxy(command, https, http, log=folder / "caddy.log")


def _moved(file: Path, places: dict[str, str]) -> str:
    """A shipped file with what stands in these places replaced.

    Raises: CannotStart where one is not in it.
    """
    site = file.read_text(encoding="utf-8")
    for pattern, replacement in places.items():
        site, times = re.subn(pattern, replacement, site, flags=re.MULTILINE)
        if not times:
            raise CannotStart(f"{file.name} has nothing like {pattern}")
    return site


class Installation:
    """Everything together: `address` is the public one, `trust` what its certificate is checked with."""

    def __init__(self, folder: Path, stack: ExitStack, count: int) -> None:
        self.data = folder / "data"
        self.postgres, url = stack.enter_context(postgres())
        self.chroma = self._run(stack, chroma_server(folder)).ready()
        self.settings = {
            "database_url": url,
            "chroma_url": f"http://127.0.0.1:{self.chroma.port}",
            "login": "always",
            "llm": "off",
            "log": "json",
        }
        with self.assistant() as assistant:
            assistant.index()
            assistant.records.accounts.add(ADMIN, PASSWORD, "管理员")
        self.replicas = [self._run(stack, replica(folder, self.data, **self.settings)) for _ in range(count)]
        pem, self.trust = certificate(folder)
        for one in self.replicas:
            one.ready()
        self.nginx = self._run(stack, nginx(folder, [one.port for one in self.replicas], pem))
        self.nginx.ready()
        self.address = f"https://127.0.0.1:{self.nginx.port}"

    def _run(self, stack: ExitStack, service: S) -> S:
        stack.callback(service.stop)
        service.start()
        return service

    @contextmanager
    def assistant(self) -> Iterator[Assistant]:
        """Open the installation's data in this process, as its commands do."""
        given: dict[str, Any] = {**self.settings, "data_dir": self.data}
        assistant = Assistant(Settings(**given))
        try:
            yield assistant
        finally:
            assistant.close()


@contextmanager
def installed(folder: Path, *, replicas: int = 2) -> Iterator[Installation]:
    """Run an installation in a folder, over `folder/data` where that is there already.

    Raises: CannotStart where a program is missing.
    """
    for name in ("initdb", "nginx", "openssl"):
        program(name)
    with ExitStack() as stack:
        yield Installation(folder, stack, replicas)
