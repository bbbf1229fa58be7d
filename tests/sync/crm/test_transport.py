"""HTTP that fails: what it was, and whether the CRM may have carried the request out."""

import socket
import ssl
from pathlib import Path

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NameResolutionError, ProtocolError
from urllib3.exceptions import SSLError as TlsError

from sandbox.control import SandboxControl
from sync.crm.transport import network_error, new_session
from sync.enums import FailureMode
from tests.sync.crm.conftest import Answering, http


def failure_of(url: str, timeout: float = 5) -> tuple[str, bool]:
    with new_session(url, timeout) as session, pytest.raises(requests.RequestException) as failure:
        session.get(url + "/services")
    error = network_error(failure.value)
    assert error.mode == FailureMode.TRANSIENT
    assert str(error) == error.code
    return error.code, error.outcome_unknown


def test_b1_a_refused_connection_was_not_carried_out(unused_port: int) -> None:
    assert failure_of(f"http://127.0.0.1:{unused_port}") == ("UNREACHABLE", False)


def test_b1_a_failed_handshake_was_not_carried_out(sandbox: SandboxControl) -> None:
    assert failure_of(sandbox.url.replace("http:", "https:")) == ("TLS_FAILED", False)


def test_b1_a_name_that_is_not_found_was_not_carried_out() -> None:
    pool = requests.Session().get_adapter("https://x").poolmanager.connection_from_url("https://x")  # type: ignore[attr-defined]
    reason = NameResolutionError("x", pool.ConnectionCls("x"), socket.gaierror())
    error = network_error(requests.ConnectionError(MaxRetryError(pool, "/", reason)))
    assert (error.code, error.outcome_unknown) == ("UNREACHABLE", False)


def test_b1_a_connection_that_took_too_long_was_not_carried_out() -> None:
    error = network_error(requests.ConnectTimeout())
    assert (error.code, error.outcome_unknown) == ("CONNECT_TIMEOUT", False)


def test_b1_a_late_answer_leaves_the_outcome_open(sandbox: SandboxControl) -> None:
    sandbox.add_fault("latency", ms=2000, match={"path": "/services"}, times=1)
    assert failure_of(sandbox.url, timeout=0.2) == ("TIMEOUT", True)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP", http(200, b"half of it", length=100)],
    ids=["dropped", "dropped in the head", "dropped in the body"],
)
def test_b1_a_broken_connection_leaves_the_outcome_open(answering: Answering, answer: bytes) -> None:
    assert failure_of(answering(answer)) == ("CONNECTION_LOST", True)


def test_b1_a_secure_connection_that_breaks_later_leaves_the_outcome_open() -> None:
    broken = MaxRetryError(None, "/", TlsError(ssl.SSLEOFError(8, "EOF occurred")))  # type: ignore[arg-type]
    error = network_error(requests.exceptions.SSLError(broken))
    assert (error.code, error.outcome_unknown) == ("CONNECTION_LOST", True)


def test_an_unverified_certificate_was_not_carried_out() -> None:
    refused = MaxRetryError(None, "/", TlsError(ssl.SSLCertVerificationError(1, "bad")))  # type: ignore[arg-type]
    error = network_error(requests.exceptions.SSLError(refused))
    assert (error.code, error.outcome_unknown) == ("TLS_FAILED", False)


def test_whatever_else_leaves_the_outcome_open() -> None:
    error = network_error(requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError())))
    assert (error.code, error.outcome_unknown) == ("CONNECTION_LOST", True)


def test_a_redirect_is_not_followed(answering: Answering, sandbox: SandboxControl) -> None:
    sandbox.reset()
    url = answering(http(302, b"", f"Location: {sandbox.url}/services/data"))
    assert failure_of(url) == ("REDIRECTED", False)
    assert sandbox.requests() == []


def test_a_session_reaches_its_own_host_only(sandbox: SandboxControl, unused_port: int) -> None:
    with new_session(f"http://127.0.0.1:{unused_port}", 5) as session, pytest.raises(requests.exceptions.InvalidSchema):
        session.get(sandbox.url + "/services/data")
    assert sandbox.requests() == []


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port}")


@pytest.mark.usefixtures("proxied")
def test_this_machine_is_reached_past_the_proxy(sandbox: SandboxControl) -> None:
    with new_session(sandbox.url, 5) as session:
        assert session.get(sandbox.url + "/services/data").status_code == 200


@pytest.mark.usefixtures("proxied")
def test_salesforce_is_reached_through_the_proxy() -> None:
    assert failure_of("https://northwind.my.salesforce.com") == ("PROXY_FAILED", False)


def test_a_netrc_does_not_replace_the_token(
    sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something")
    monkeypatch.setenv("NETRC", str(netrc))
    with new_session(sandbox.url, 5) as session:
        sent = session.get(sandbox.url + "/services/data", headers={"Authorization": "Bearer x"}).request
    assert sent.headers["Authorization"] == "Bearer x"
