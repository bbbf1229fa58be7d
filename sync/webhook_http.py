"""One POST to a receiver: signed, to a pinned address, bounded in time and size. Knows no model and no setting."""

import base64
import hashlib
import hmac
import http.client
import secrets
import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from sync.enums import WebhookError
from sync.webhook_address import Target

# Seconds: until somebody answers (TLS included), and for all of it.
CONNECT = 5.0
TOTAL = 10.0
# What follows the status is of little use, and mustn't hold anybody up.
BODY_PATIENCE = 2.0
BODY_LIMIT = 4096

SECRET_PREFIX = "whsec_"  # noqa: S105 - as Standard Webhooks writes them


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one POST. `error` is empty when the receiver took it (2xx)."""

    status: int | None = None
    error: WebhookError | None = None
    text: str = ""
    ms: int = 0


def new_secret() -> str:
    """Return a secret for signing: 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(event: str, at: int, body: bytes, signing_secrets: Iterable[str]) -> dict[str, str]:
    """Return the headers of Standard Webhooks: HMAC-SHA256 of "id.timestamp.body", one for each secret.

    `at` is in seconds since 1970. Where a secret was changed lately, both sign: the receiver knows one of them.
    """
    content = f"{event}.{at}.".encode() + body
    digests = [
        hmac.digest(base64.b64decode(secret.removeprefix(SECRET_PREFIX)), content, hashlib.sha256)
        for secret in signing_secrets
    ]
    return {
        "webhook-id": event,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }


class Line:
    """A connection to one receiver, kept for several POSTs. Not for several threads."""

    def __init__(self, target: Target) -> None:
        self._connection = _Connection(target)

    def post(self, headers: dict[str, str], body: bytes) -> Reply:
        """Send once. A kept connection that the receiver has closed meanwhile is made anew."""
        began = time.monotonic()
        reply = self._try(headers, body, began + TOTAL)
        return Reply(reply.status, reply.error, reply.text, round((time.monotonic() - began) * 1000))

    def close(self) -> None:
        self._connection.close()

    def _try(self, headers: dict[str, str], body: bytes, end: float) -> Reply:
        connection, is_kept = self._connection, self._connection.sock is not None
        connection.end = end
        try:
            connection.request("POST", connection.target.path, body, headers | {"Host": connection.target.host_header})
            response = connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            connection.close()
            return self._try(headers, body, end) if is_kept else Reply(error=_broken_at(connection))
        except TimeoutError:
            connection.close()
            return Reply(error=WebhookError.TIMEOUT)
        except ssl.SSLError:
            connection.close()
            return Reply(error=WebhookError.TLS)
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            return Reply(error=_broken_at(connection))
        return Reply(response.status, judged(response.status), self._read(response, end))

    def _read(self, response: http.client.HTTPResponse, end: float) -> str:
        """Return the beginning of what it says; the connection is kept only when that was all."""
        self._connection.end = min(end, time.monotonic() + BODY_PATIENCE)
        text = b""
        with suppress(OSError, http.client.HTTPException, ValueError):
            text = response.read(BODY_LIMIT)
        if not response.isclosed():
            self._connection.close()
        response.close()
        return text.decode(errors="replace")


def judged(status: int) -> WebhookError | None:
    """Return what is wrong with an HTTP status."""
    if 200 <= status < 300:
        return None
    if status == http.HTTPStatus.GONE:
        return WebhookError.GONE
    return WebhookError.REDIRECT if 300 <= status < 400 else WebhookError.REFUSED


def _broken_at(connection: "_Connection") -> WebhookError:
    return WebhookError.BROKEN if connection.was_connected else WebhookError.CONNECT


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket to one of the target's addresses, whatever its name means by now. Knows no proxy."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port)
        self.target = target
        self.end = 0.0
        self.was_connected = False

    def connect(self) -> None:
        """Try the addresses in turn until one answers."""
        self.was_connected = False
        end = min(self.end, time.monotonic() + CONNECT)
        left = list(self.target.ips)
        while left:
            ip = left.pop(0)
            sock = None
            try:
                # A machine without IPv6 refuses here already.
                sock = _PlainSocket(socket.AF_INET6 if ip.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
                sock.settimeout(_until(end) / (len(left) + 1))
                sock.connect((str(ip), self.target.port))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sock = self._secured(sock, end)
            except OSError:
                if sock is not None:
                    sock.close()
                if not left:
                    raise
            else:
                self.was_connected = True
                return

    def _secured(self, sock: "_PlainSocket", end: float) -> "_PlainSocket | _TlsSocket":
        secured: _PlainSocket | _TlsSocket = sock
        if self.target.scheme == "https":
            sock.settimeout(_until(end))
            secured = _tls().wrap_socket(sock, server_hostname=self.target.host)  # type: ignore[assignment]
        secured.connection = self
        return secured


class _PlainSocket(socket.socket):
    """Waits for no single byte longer than is left for all of them."""

    connection: _Connection

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_until(self.connection.end))
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(_until(self.connection.end))
        super().sendall(*args, **kwargs)


class _TlsSocket(ssl.SSLSocket):
    """The same, encrypted."""

    connection: _Connection

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_until(self.connection.end))
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(_until(self.connection.end))
        super().sendall(*args, **kwargs)


@cache
def _tls() -> ssl.SSLContext:
    """Trust whom the system trusts, and whom requests trusts: some systems have no list of their own."""
    context = ssl.create_default_context()
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    context.sslsocket_class = _TlsSocket
    return context


def _until(end: float) -> float:
    """Return the seconds that are left. Raises TimeoutError when none are."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
