"""A loopback OpenAI-compatible server whose behaviour a test chooses; real HTTP, no model."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def _chunk(text, finish=None):
    delta = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    return {
        **delta,
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}],
    }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((headers, json.loads(self.rfile.read(length))))
        mode = self.server.mode
        if mode == "429-once":
            mode = "429" if len(self.server.requests) == 1 else "normal"
        if mode.isdigit():
            self._error(int(mode))
        elif mode == "not-json":
            self._body(b"<html>gateway</html>", "text/html")
        elif mode == "stall":
            time.sleep(self.server.stall_s)
        else:
            self._stream(mode)

    def _error(self, status):
        body = json.dumps({"error": {"message": "sk-secret is wrong", "type": "x", "code": "x"}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(body)

    def _body(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, mode):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        reply = self.server.reply
        pieces = [reply[i : i + 3] for i in range(0, len(reply), 3)]
        try:
            for number in range(100_000 if mode == "endless" else 1):
                for i, piece in enumerate(pieces):
                    if mode == "cut" and i == len(pieces) // 2:
                        return
                    if mode == "bad-json" and i == 1:
                        self.wfile.write(b'data: {"choices": [{"delta": \n\n')
                        return
                    self.wfile.write(f"data: {json.dumps(_chunk(piece))}\n\n".encode())
                    self.wfile.flush()
                    if mode == "slow" and number == 0 and i == 0:
                        time.sleep(self.server.pause_s)
            self.wfile.write(f"data: {json.dumps(_chunk('', 'stop'))}\n\n".encode())
            self.wfile.write(b"data: [DONE]\n\n")
        except (BrokenPipeError, ConnectionResetError):
            pass


@contextmanager
def loopback_model(reply="", mode="normal", *, pause_s=0.5, stall_s=5, host="127.0.0.1"):
    """Serve one reply in one mode: normal, slow, cut, bad-json, endless, stall, not-json, 429-once, a status.

    A slow reply begins with a pause after its first piece.
    """
    server = ThreadingHTTPServer((host, 0), _Handler)
    server.daemon_threads = True
    server.pause_s, server.stall_s = pause_s, stall_s
    server.reply, server.mode, server.requests = reply, mode, []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
