"""What all tests share: a network that ends at this machine, a sandbox, and a connection to it."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

if TYPE_CHECKING:
    from pytest_django import Settings

    from sandbox.control import SandboxControl
    from sandbox.server import RunningSandbox
    from sync.models import Connection

_LOCAL_NAMES = {None, "", "localhost", b"", b"localhost"}


class NetworkUsedError(RuntimeError):
    """A test tried to leave this machine."""


def _refuse_strangers(host: Any) -> None:
    if host in _LOCAL_NAMES:
        return
    try:
        if ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback:
            return
    except ValueError:
        pass
    raise NetworkUsedError(f"Tests reach loopback addresses only, not {host!r}.")


@pytest.fixture(scope="session", autouse=True)
def network_guard() -> Iterator[None]:
    """Refuse to resolve or connect to anything but loopback. (libpq is not seen: it has its own sockets.)"""
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_strangers(address[0])

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check(self, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check(self, address)
        return connect_ex(self, address)

    def guarded_resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_strangers(host)
        return resolve(host, *args, **kwargs)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_resolve)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Put SQLite's test database in a file of this run; threads and processes share it as in production."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture
def unused_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator["RunningSandbox"]:
    """One stand-in for Salesforce per test process."""
    from sandbox.server import start  # noqa: PLC0415 - only for those who need it

    with start() as running:
        yield running


@pytest.fixture
def sandbox(running_sandbox: "RunningSandbox") -> "SandboxControl":
    """The sandbox as new: its first data, no faults, nothing counted."""
    running_sandbox.control.reset()
    return running_sandbox.control


@pytest.fixture
def salesforce_settings(
    sandbox: "SandboxControl", running_sandbox: "RunningSandbox", settings: "Settings"
) -> "Settings":
    """Settings that point at the sandbox, with its default client."""
    settings.SALESFORCE_LOGIN_URL = running_sandbox.url
    settings.SALESFORCE_CLIENT_ID = "sandbox-client"
    settings.SALESFORCE_CLIENT_SECRET = "sandbox-secret"
    settings.SALESFORCE_JWT_KEY_FILE = ""
    settings.SALESFORCE_JWT_USERNAME = ""
    settings.SYNC_HTTP_TIMEOUT = 5
    return settings


@pytest.fixture
def connection(db: None, salesforce_settings: "Settings") -> Iterator["Connection"]:
    """The organisation's connection to the sandbox, as crm_connect makes it."""
    from sync.connecting import connect, forget_gateways  # noqa: PLC0415 - only for those who need it

    yield connect().connection
    forget_gateways()
