"""One page from the network, safely: listed hosts, public addresses, bounded size and time.

A name is looked up once and the connection goes to the address that was
checked, so that a second look-up cannot lead elsewhere; each redirection is
checked like the first address. Knows HTTP; not what is fetched or why.
"""

from __future__ import annotations

import http
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from rag.errors import FetchFailed

MAX_BYTES = 20 * 2**20
TIMEOUT_S = 60.0  # for one page with its redirections
MAX_REDIRECTIONS = 3
_PORTS = {"http": 80, "https": 443}
_MOVED = (301, 302, 303, 307, 308)
_PIECE = 65536
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; lingxue)",
    "Accept": "text/html,application/pdf,*/*;q=0.5",
    "Accept-Encoding": "identity",  # what is not packed cannot unpack to more than was counted
}
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came, where it came from in the end, and what the server says it is."""

    content: bytes
    url: str
    media_type: str


def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host; raise OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]).split("%")[0] for entry in found]


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public network, not of this machine or a local one."""
    known = ipaddress.ip_address(address)
    mapped = getattr(known, "ipv4_mapped", None)
    return (mapped or known).is_global and not known.is_multicast


@dataclass(frozen=True, slots=True)
class Fetcher:
    """How pages are fetched; `hosts` are the only ones asked, exactly as listed."""

    hosts: Collection[str]
    resolve: Resolve = look_up
    allowed: Callable[[str], bool] = is_public
    timeout_s: float = TIMEOUT_S
    max_bytes: int = MAX_BYTES

    def get(self, url: str) -> Fetched:
        """Fetch a page.

        Raises: FetchFailed, with the reason in Chinese.
        """
        clock = _Clock(self.timeout_s)
        asked = url
        try:
            for _ in range(MAX_REDIRECTIONS + 1):
                parts = self._checked(asked)
                response = self._ask(parts, clock)
                if response.status not in _MOVED:
                    return self._read(response, asked, clock)
                asked = urljoin(asked, response.getheader("Location") or "")
                response.close()
            raise _failed(url, f"转了 {MAX_REDIRECTIONS} 次还没有到")
        except (OSError, http.client.HTTPException) as err:
            reason = f"用时超过 {self.timeout_s:g} 秒" if clock.over else f"连接不上：{err}"
            raise _failed(url, reason) from err
        finally:
            clock.stop()

    def _checked(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as err:
            raise _failed(url, "地址写法不对") from err
        if parts.scheme not in _PORTS or not parts.hostname or parts.username:
            raise _failed(url, "只取 http、https 地址")
        name = parts.hostname if port in (None, _PORTS[parts.scheme]) else f"{parts.hostname}:{port}"
        if name not in self.hosts:
            raise _failed(url, f"{name} 不在目录列出的网站里")
        return parts

    def _ask(self, parts: SplitResult, clock: _Clock) -> http.client.HTTPResponse:
        host = parts.hostname or ""
        port = parts.port or _PORTS[parts.scheme]
        addresses = list(self.resolve(host, port))
        barred = [address for address in addresses if not self.allowed(address)]
        if barred or not addresses:
            raise _failed(parts.geturl(), f"{host} 指向本机或内网地址 {'、'.join(barred)}")
        plain = socket.create_connection((addresses[0], port), timeout=clock.left())
        clock.watch(plain)
        channel = plain
        if parts.scheme == "https":
            channel = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
            clock.watch(channel)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = channel
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", quote(path, safe="/%:@!$&'()*+,;=~?[]"), headers=_HEADERS)
        return connection.getresponse()

    def _read(self, response: http.client.HTTPResponse, url: str, clock: _Clock) -> Fetched:
        with response:
            if response.status != http.HTTPStatus.OK:
                raise _failed(url, f"网站答复 {response.status}")
            if (response.getheader("Content-Encoding") or "identity") != "identity":
                raise _failed(url, "网站送来的是压缩内容")
            content = bytearray()
            while piece := response.read1(_PIECE):
                content += piece
                if len(content) > self.max_bytes:
                    raise _failed(url, f"超过 {self.max_bytes // 2**20} MB")
            expected = response.getheader("Content-Length") or ""
            if clock.over or (expected.isdigit() and len(content) < int(expected)):
                raise OSError("没有收完")
            kind = response.headers.get_content_type()
        return Fetched(bytes(content), url, kind)


class _Clock:
    """Ends the connection when the time is over, however slowly bytes drip."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._end_at = time.monotonic() + seconds
        self._watched: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def left(self) -> float:
        """Seconds that remain, never quite none."""
        return max(0.1, self._end_at - time.monotonic())

    def watch(self, connection: socket.socket) -> None:
        self._watched = connection
        if self.over:
            self._end()

    def stop(self) -> None:
        self._timer.cancel()
        if self._watched is not None:
            self._watched.close()

    def _end(self) -> None:
        self.over = True
        if self._watched is not None:
            try:
                self._watched.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def _failed(url: str, reason: str) -> FetchFailed:
    return FetchFailed(url=url, reason=reason)
