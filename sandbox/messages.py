"""Requests and answers, as the server reads and writes them."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.errors import ApiError, malformed_json
from sandbox.faults import Target

_SECRETS = frozenset({"client_secret", "assertion", "refresh_token", "token", "password", "code", "code_verifier"})


@dataclass(slots=True)
class Request:
    """A request as it came in; header names are lower case. `base_url` is the address it came to."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    path: str = field(init=False)
    query: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.target)
        self.path = parts.path
        self.query = dict(parse_qsl(parts.query, keep_blank_values=True))

    @property
    def kind(self) -> str:
        """`data` counts against the daily limit; `token` and `other` do not."""
        if self.path == "/services/oauth2/token":
            return "token"
        return "data" if self.path.startswith("/services/data/v") else "other"

    def json(self) -> Any:
        """The body's JSON, None without a body; ApiError when it is none."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise malformed_json(f"Unexpected character in the request body: {error}") from error

    def form(self) -> dict[str, str]:
        return self.query | dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    def logged_body(self) -> bytes:
        """What may be read back: JSON as it came, a form without its secrets."""
        if self.kind == "data":
            return self.body
        form = {name: "***" if name in _SECRETS else value for name, value in self.form().items()}
        return json.dumps(form).encode() if form else b""


@dataclass(slots=True)
class Answer:
    """What goes back; `dropped` breaks the connection without a word."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json;charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False


def as_json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body, or with an empty one for None."""
    encoded = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    return Answer(status, encoded, headers=dict(headers or {}))


def inflated(body: bytes) -> bytes:
    """A gzip body opened; ValueError when it is none."""
    try:
        return gzip.decompress(body)
    except (OSError, EOFError) as error:
        raise ValueError("not gzip") from error


def parsed(request: Request) -> tuple[Target, Any]:
    """What faults match on, and the body's JSON (or the ApiError that it is none)."""
    if request.kind != "data":
        return Target(request.method, request.path), None
    try:
        body = request.json()
    except ApiError as error:
        return Target(request.method, request.path), error
    records = _records(body)
    objects = {one["attributes"].get("type") for one in records if isinstance(one.get("attributes"), dict)}
    objects |= {part for part in request.path.split("/")[4:] if part[:1].isupper()}
    return Target(request.method, request.path, frozenset(objects), records), body


def _records(body: Any) -> list[Mapping[str, Any]]:
    """The rows that a body carries, those inside composite calls included."""
    if not isinstance(body, dict):
        return []
    if isinstance(body.get("compositeRequest"), list):
        inner = [one.get("body") for one in body["compositeRequest"] if isinstance(one, dict)]
        return [record for one in inner for record in _records(one)]
    if isinstance(body.get("records"), list):
        return [one for one in body["records"] if isinstance(one, dict)]
    return [body]
