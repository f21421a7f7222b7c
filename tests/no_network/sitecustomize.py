"""Loaded by every Python child of the tests: records and refuses look-ups of names that are not local."""

import os
import socket

_log = os.environ.get("LINGXUE_TEST_LOOKUPS")
_own = os.environ.get("LINGXUE_TEST_OWN")  # this computer's address in its network
_real = socket.getaddrinfo


def _watched(host, *args, **kwargs):
    name = host.decode() if isinstance(host, bytes) else host
    local = name in {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", _own, None} or str(name).startswith(
        "127."
    )
    if not local:
        with open(_log, "a", encoding="utf-8") as file:  # noqa: PTH123 - before anything else is imported
            file.write(f"{name}\n")
        raise OSError(f"a child process looked up {name!r}: nothing may reach the network")
    return _real(host, *args, **kwargs)


if _log:
    socket.getaddrinfo = _watched
