"""One POST: where it goes, how long it may take, what it makes of answers."""

import base64
import errno
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync import webhook_http
from sync.enums import WebhookError
from sync.webhook_address import Target, target
from sync.webhook_http import Line, Reply, new_secret, signed_headers
from tests.sync.receivers import SECRET, drip, listening, raw, read_all, say_nothing

LOOPBACK = (ip_network("127.0.0.0/8"),)


def post(url: str, body: bytes = b"{}") -> Reply:
    line = Line(target(url, LOOPBACK))
    try:
        return line.post({"Content-Type": "application/json"}, body)
    finally:
        line.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_http, "CONNECT", 0.3)
    monkeypatch.setattr(webhook_http, "TOTAL", 0.3)
    monkeypatch.setattr(webhook_http, "BODY_PATIENCE", 0.2)


def test_signature_of_the_standard_webhooks_specification() -> None:
    """Its own example."""
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_new_secret_is_32_random_bytes() -> None:
    assert new_secret() != new_secret()
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"), validate=True)) == 32


def test_two_secrets_give_two_signatures() -> None:
    assert len(signed_headers("id", 1, b"", [SECRET, new_secret()])["webhook-signature"].split(" ")) == 2


def test_post_brings_headers_and_body() -> None:
    with listening() as receiver:
        receiver.answers, receiver.says = [200], b"thanks"
        reply = post(receiver.url + "?a=b", b'{"a": 1}')
    (got,) = receiver.got
    assert (got.path, got.body, got.headers["content-type"]) == ("/hook?a=b", b'{"a": 1}', "application/json")
    assert got.headers["host"] == receiver.url.split("/")[2]
    assert (reply.status, reply.error, reply.text) == (200, None, "thanks")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (202, None),
        (301, WebhookError.REDIRECT),
        (307, WebhookError.REDIRECT),
        (400, WebhookError.REFUSED),
        (410, WebhookError.GONE),
        (429, WebhookError.REFUSED),
        (503, WebhookError.REFUSED),
    ],
)
def test_post_judges_the_status_and_follows_nothing(status: int, error: WebhookError | None) -> None:
    with listening() as receiver, listening() as elsewhere:
        receiver.answers, receiver.headers = [status], {"Location": elsewhere.url}
        reply = post(receiver.url)
    assert (reply.status, reply.error) == (status, error)
    assert elsewhere.got == []


def test_a_line_is_kept_for_several_posts() -> None:
    with listening() as receiver:
        line = Line(target(receiver.url, LOOPBACK))
        for _ in range(3):
            assert line.post({}, b"{}").error is None
        line.close()
    assert (len(receiver.got), receiver.connections) == (3, 1)


def test_a_line_that_the_receiver_closed_is_made_anew() -> None:
    def once(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_RDWR)

    with raw(once) as url:
        line = Line(target(url, LOOPBACK))
        assert [line.post({}, b"{}").error for _ in range(3)] == [None, None, None]
        line.close()


def test_nobody_listens(unused_port: int) -> None:
    assert post(f"http://127.0.0.1:{unused_port}/").error == WebhookError.CONNECT


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    with listening() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        line = Line(Target("http", "two.example", port, "/hook", (ip_address("127.9.9.9"), ip_address("127.0.0.1"))))
        assert line.post({}, b"{}").error is None
        line.close()
    assert receiver.got[0].headers["host"] == f"two.example:{port}"


def test_without_ipv6_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    made = webhook_http._PlainSocket

    def without_ipv6(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return made(family, kind)

    monkeypatch.setattr(webhook_http, "_PlainSocket", without_ipv6)
    with listening() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        line = Line(Target("http", "two.example", port, "/hook", (ip_address("::1"), ip_address("127.0.0.1"))))
        assert line.post({}, b"{}").error is None
        line.close()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("behaviour", [say_nothing, drip])
def test_a_receiver_that_takes_its_time_is_left_in_time(behaviour: object) -> None:
    with raw(behaviour) as url:  # type: ignore[arg-type]
        assert post(url).error == WebhookError.TIMEOUT


@pytest.mark.usefixtures("impatient")
def test_a_body_that_never_ends_is_not_waited_for() -> None:
    """The status has said that it was taken."""

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\n.\r\n")
            time.sleep(0.02)

    with raw(endless) as url:
        reply = post(url)
    assert (reply.status, reply.error) == (200, None)


def test_a_long_body_is_not_read_to_its_end() -> None:
    with listening() as receiver:
        receiver.answers, receiver.says = [500], b"x" * 1_000_000
        assert len(post(receiver.url).text) == webhook_http.BODY_LIMIT


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 999999 x\r\n\r\n", b"\x00\xff", b""])
def test_what_is_no_http_is_broken(said: bytes) -> None:
    def say(connection: socket.socket) -> None:
        read_all(connection)
        connection.sendall(said)
        connection.shutdown(socket.SHUT_RDWR)

    with raw(say) as url:
        assert post(url).error == WebhookError.BROKEN


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port}")
    with listening() as receiver:
        assert post(receiver.url).error is None


def test_a_name_that_leads_elsewhere_a_moment_later_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is made to the addresses that were checked: nobody is asked for the name again."""
    with listening() as receiver:
        where = target(receiver.url, LOOPBACK)

        def asked(*_args: object, **_kwargs: object) -> None:
            raise AssertionError

        monkeypatch.setattr(socket, "getaddrinfo", asked)
        line = Line(where)
        assert line.post({}, b"{}").error is None
        line.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of its own for good.example."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "good.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("good.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    return path


@pytest.mark.parametrize(
    ("host", "trusted", "error"),
    [
        ("good.example", True, None),
        ("other.example", True, WebhookError.TLS),
        ("good.example", False, WebhookError.TLS),
    ],
)
def test_the_certificate_must_be_the_names_though_an_address_is_asked(
    certificate: Path, host: str, trusted: bool, error: WebhookError | None
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _address = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                asked, part = b"", b"-"
                while part and not asked.endswith(b"\r\n\r\n{}"):  # what is left unread would reset the connection
                    asked += (part := secured.recv(65536))
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except OSError:  # the other side doesn't trust it
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    webhook_http._tls.cache_clear()
    if trusted:
        webhook_http._tls().load_verify_locations(certificate)
    line = Line(Target("https", host, listener.getsockname()[1], "/", (ip_address("127.0.0.1"),)))
    try:
        assert line.post({}, b"{}").error == error
    finally:
        line.close()
        thread.join()
        listener.close()
        webhook_http._tls.cache_clear()
