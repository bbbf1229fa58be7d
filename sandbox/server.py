"""The HTTP server: one thread a connection, kept alive, answering for one org."""

import gzip
import socket
import struct
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from types import TracebackType
from typing import Any, Self

from sandbox import control_api
from sandbox.control import SandboxControl
from sandbox.front import Front
from sandbox.messages import Answer, Request, inflated
from sandbox.org import Org

_MOST_HEADER_BYTES = 16_384
_MOST_BODY_BYTES = 50 * 1024 * 1024
_WORTH_GZIP = 1024


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], sandbox: "RunningSandbox") -> None:
        super().__init__(address, _Handler)
        self.sandbox = sandbox
        host, port = self.server_address[:2]
        self.base_url = f"http://{host!s}:{port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that vanished is no news; anything else is shown as usual."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _serve(self) -> None:
        size = len(self.requestline) + sum(len(name) + len(value) + 4 for name, value in self.headers.items())
        if size > _MOST_HEADER_BYTES:
            self.close_connection = True
            self._send(Answer(414, b"<html><body><h1>URI Too Long</h1></body></html>", "text/html;charset=UTF-8"))
            return
        try:
            body = self._body()
        except ValueError as error:
            self.close_connection = True
            self._send(Answer(400, str(error).encode(), "text/plain"))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body, self.server.base_url)
        sandbox = self.server.sandbox
        if request.path.startswith("/sandbox/"):
            self._send(control_api.serve(sandbox, request))
        else:
            self._send(sandbox.front.serve(request))

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815 - http.server wants these names

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = self._chunks()
        else:
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 <= length <= _MOST_BODY_BYTES:
                raise ValueError("body too large")
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionResetError("the client vanished while it was sending")
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            body = inflated(body)
        return body

    def _chunks(self) -> bytes:
        parts = []
        total = 0
        while (size := int(self.rfile.readline(20).split(b";")[0] or b"0", 16)) > 0:
            total += size
            if total > _MOST_BODY_BYTES:
                raise ValueError("body too large")
            parts.append(self.rfile.read(size))
            if len(parts[-1]) < size:
                raise ConnectionResetError("the client vanished while it was sending")
            self.rfile.readline(2)
        while self.rfile.readline(1000).strip():
            pass
        return b"".join(parts)

    def _send(self, answer: Answer) -> None:
        if answer.dropped:
            self._reset()
            return
        body = answer.body
        headers = dict(answer.headers)
        if len(body) > _WORTH_GZIP and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", answer.content_type)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _reset(self) -> None:
        """Break the connection so that the client sees a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
        """Nothing: `/sandbox/requests` has it all."""


class RunningSandbox:
    """A sandbox that answers at `url` until `stop()`; a context manager."""

    def __init__(
        self,
        port: int = 0,
        latency_ms: float = 0,
        data: Mapping[str, Any] | None = None,
        public_key: str | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.host = host
        self.org = Org(data, public_key)
        self.front = Front(self.org, latency_ms)
        self._servers: list[_Server] = []
        self.url = self._listen(port)
        self.control = SandboxControl(self.url)

    def move(self) -> str:
        """Answer at one more address, which token answers name from now on; sessions end."""
        url = self._listen(0)
        with self.org.lock:
            self.org.instance_url = url
            self.org.oauth.expire_all()
        return url

    def stop(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()

    def _listen(self, port: int) -> str:
        server = _Server((self.host, port), self)
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), name="sandbox", daemon=True).start()
        return server.base_url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    port: int = 0,
    latency_ms: float = 0,
    data: Mapping[str, Any] | None = None,
    public_key: str | None = None,
) -> RunningSandbox:
    """Start a sandbox in threads of this process, at a free port when it is 0; latency is per call."""
    return RunningSandbox(port, latency_ms, data, public_key)
