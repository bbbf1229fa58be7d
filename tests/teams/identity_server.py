"""A stand-in for Google's and Microsoft's log-in over real HTTP: it hands out what it was told to say of a person."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

CLIENT_ID, SECRET = "the-client", "the-secret"


@dataclass
class IdentityServer:
    """`person` is what the provider says of whoever logs in there: claims of Google's, or fields of Graph's."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    audience: str = CLIENT_ID
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def consent(self, address: str) -> dict[str, str]:
        """Be the browser at the provider: agree, and return what it is sent back with."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert query["client_id"] == CLIENT_ID
        code = secrets.token_hex(8)
        self.codes[code] = query
        return {"code": code, "state": query["state"]}

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form["code"], None)
        if asked is None or form["client_secret"] != SECRET or form["redirect_uri"] != asked["redirect_uri"]:
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return None
        access = secrets.token_hex(8)
        self.tokens.add(access)
        claims = {"iss": "https://accounts.google.com", "aud": self.audience, "exp": time.time() + 60, **self.person}
        id_token = jwt.encode(claims, "x" * 32, "HS256")
        return {"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": id_token}


def _handler(server: IdentityServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = server.token({name: values[0] for name, values in parse_qs(body).items()})
            self.answer(200 if answer else 400, answer or {"error": "invalid_grant"})

        def do_GET(self) -> None:
            known = self.headers.get("Authorization", "").removeprefix("Bearer ") in server.tokens
            self.answer(200 if known else 401, server.person if known else {"error": {"message": "no"}})

        def answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler


@contextmanager
def running_identity_server() -> Iterator[IdentityServer]:
    identity = IdentityServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(identity))
    identity.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield identity
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
