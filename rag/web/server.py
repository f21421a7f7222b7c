"""The web server: listens where the settings say, by default on this computer only, and serves the site."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from typing import TYPE_CHECKING

from rag.errors import BadSettings
from rag.offline import stay_offline
from rag.reasons import why

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.config import Settings

GRACE_S = 2  # open pages keep a connection; stopping does not wait for them


def serve(assistant: Assistant) -> None:
    """Serve the web app until it is stopped; raise BadSettings for a port that cannot be had."""
    stay_offline()
    settings = assistant.settings
    with _listen(settings) as listener:
        import uvicorn

        from rag.web.site import build_app

        if settings.log == "json":
            from rag.web.operations import log_as_json

            log_as_json()
        app = build_app(assistant)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=GRACE_S,
        )
        logging.getLogger("uvicorn.error").addFilter(_no_cancelled)
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        sys.stderr.write(f"领学已启动：http://{shown}:{settings.port} （按 Ctrl+C 停止）\n")
        sys.stderr.flush()
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            sys.stderr.write("已停止。\n")
        finally:
            assistant.close()


def _no_cancelled(record: logging.LogRecord) -> bool:
    """Tell whether to log: that stopping cut off an answer under way is no error."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _listen(settings: Settings) -> socket.socket:
    """Open the listening socket before anything is built, so that a port in use is told at once."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # on Windows the option lets two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError as err:
        listener.close()
        reason = f"这个地址和端口不能用：{why(err)}。可用 --port 换一个端口"
        raise BadSettings(
            name="LINGXUE_PORT", value=f"{settings.host}:{settings.port}", reason=reason
        ) from err
    return listener
