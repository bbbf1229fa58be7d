"""Receivers of webhooks on loopback: one that answers as told, one that accepts and says nothing, one that drips."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sync.models import ReceivedTask, Sender, Task

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@dataclass(frozen=True, slots=True)
class Got:
    """One POST as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_signed(self) -> bool:
        """Whether one of its signatures is ours, by the words of the Standard Webhooks specification."""
        content = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        digest = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), content, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(digest).decode()}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """`answers` are HTTP statuses, the last one for ever; `url` is where it listens."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [204])
    got: list[Got] = field(default_factory=list)
    connections: int = 0
    judge: Callable[[Got], int] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    says: bytes = b""

    def answer(self, got: Got) -> int:
        self.got.append(got)
        if self.judge:
            return self.judge(got)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def listening() -> Iterator[Receiver]:
    """A receiver that answers 204 until it is told otherwise."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            receiver.connections += 1

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.answer(Got(self.path, headers, body)))
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.says)))
            self.end_headers()
            self.wfile.write(receiver.says)

        def log_message(self, *_args: Any) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def raw(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does with each connection whatever `behave` does; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def quietly(connection: socket.socket) -> None:
        with suppress(OSError):  # the other side has had enough
            behave(connection)

    def accept() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            accepted.append(connection)
            threading.Thread(target=quietly, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in accepted:
            connection.close()


def read_all(connection: socket.socket) -> None:
    """Read one POST whose body is {}: what is left unread would reset the connection."""
    read = b""
    while not read.endswith(b"{}"):
        part = connection.recv(65536)
        if not part:
            return
        read += part


def say_nothing(_connection: socket.socket) -> None:
    """Accept, and never answer."""


def drip(connection: socket.socket) -> None:
    """A byte of a header every so often, so that no single wait is long."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while True:
        connection.sendall(b".")
        time.sleep(0.02)


def make_sender(name: str, url: str, **fields: Any) -> Sender:
    return Sender.objects.create(name=name, webhook_url=url, webhook_secret=SECRET, **fields)


def hand_in(sender: Sender, tasks: list[Task]) -> list[ReceivedTask]:
    """Make these tasks the sender's."""
    return ReceivedTask.objects.bulk_create(
        ReceivedTask(sender=sender, key=f"key-{task.pk}", digest="d", uuid=task.uuid, task=task, user_id=task.user_id)
        for task in tasks
    )
