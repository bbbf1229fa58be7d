"""A gateway on the sandbox, without a database; and a server that answers with whatever bytes a test gives it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from sandbox.control import SandboxControl
from sync.crm.base import TaskSchema
from sync.crm.oauth import Login, Token, request_token
from sync.crm.salesforce import SalesforceCrm
from sync.enums import AuthFlow

TIMEOUT = 5


class Tokens:
    """A token source in memory that counts how often it was asked for another one."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self.renewed = 0
        self.token = self._ask()

    def get(self) -> Token:
        return self.token

    def renew(self, seen: Token) -> Token:
        assert seen == self.token
        self.renewed += 1
        self.token = self._ask()
        return self.token

    def _ask(self) -> Token:
        answer = request_token(self.login, TIMEOUT)
        return Token(self.renewed, answer.access_token, answer.instance_url)


class FixedTokens:
    """A token that can't be renewed."""

    def __init__(self, url: str) -> None:
        self.token = Token(1, "00D!secret-token", url)

    def get(self) -> Token:
        return self.token

    def renew(self, seen: Token) -> Token:
        raise AssertionError("nobody should ask for another token")


@pytest.fixture
def login(sandbox: SandboxControl) -> Login:
    return Login(AuthFlow.CLIENT_CREDENTIALS, sandbox.url, "sandbox-client", "sandbox-secret")


@pytest.fixture
def tokens(login: Login) -> Tokens:
    return Tokens(login)


@pytest.fixture
def crm(tokens: Tokens) -> Iterator[SalesforceCrm]:
    gateway = SalesforceCrm(tokens, "62.0", TIMEOUT)
    yield gateway
    gateway.close()


@pytest.fixture
def schema(crm: SalesforceCrm) -> TaskSchema:
    return crm.task_schema()


Answering = Callable[[bytes], str]


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Return a function that starts a server which answers every request with the same bytes, and gives its address."""
    servers: list[socket.socket] = []

    def serve(listener: socket.socket, answer: bytes) -> None:
        with suppress(OSError):
            while True:
                client, _address = listener.accept()
                with client:
                    client.recv(65536)
                    client.sendall(answer)

    def start(answer: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        servers.append(listener)
        threading.Thread(target=serve, args=(listener, answer), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in servers:
        listener.close()


def http(status: int, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """An HTTP answer that closes the connection; `length` announces another length than the body has."""
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
    return "\r\n".join([*head, *headers, "", ""]).encode() + body
