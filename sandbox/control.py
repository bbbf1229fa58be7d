"""The control API from the other side: what tests, the demo and the harnesses call."""

import base64
import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict
from urllib.parse import urlencode, urlsplit


class Stats(TypedDict):
    """Counters since the last reset; `keys` counts Tasks a key, deleted ones included."""

    calls: dict[str, int]
    api_calls: int
    token_calls: int
    rows_written: dict[str, int]
    rows: dict[str, int]
    keys: dict[str, int]
    duplicates: list[str]


class Commit(TypedDict):
    """One committed row; `at_ms` is epoch milliseconds."""

    number: int
    object: str
    id: str
    key: str | None
    operation: str
    at_ms: float


class Received(TypedDict):
    """One received request; `status` is 0 when the connection was dropped instead of answered."""

    number: int
    at_ms: float
    method: str
    path: str
    label: str
    rows: int
    status: int
    request_id: str
    body: Any


class ControlError(Exception):
    """The sandbox did not understand the request."""


Row: TypeAlias = dict[str, Any]


class SandboxControl:
    """Drives the sandbox at `url`. Each call is a connection of its own, so threads may share one object."""

    def __init__(self, url: str, timeout: float = 30) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._timeout = timeout

    def health(self) -> dict[str, Any]:
        return dict(self._call("GET", "health"))

    def reset(self) -> None:
        """Back to the seed data: no faults, no sessions, counters at zero, schema as it was."""
        self._call("POST", "reset")

    def set_latency(self, milliseconds: float) -> None:
        self._call("PATCH", "latency", {"ms": milliseconds})

    def stats(self, key_field: str | None = None) -> Stats:
        """`key_field` counts the Tasks by another field than the key field."""
        stats: Stats = self._call("GET", "stats", query={"key_field": key_field} if key_field else None)
        return stats

    def commits(self, since: int = 0) -> list[Commit]:
        """Commits after that number, in their order."""
        commits: list[Commit] = self._call("GET", "commits", query={"since": since})
        return commits

    def requests(self, since: int = 0) -> list[Received]:
        """Requests after that number, oldest first; the oldest of many are forgotten."""
        requests: list[Received] = self._call("GET", "requests", query={"since": since})
        return requests

    def rows(self, sobject: str) -> list[Row]:
        """All rows of a type, deleted ones included, with the fields that are set."""
        return list(self._call("GET", f"objects/{sobject}"))

    def row(self, sobject: str, record_id: str) -> Row:
        return dict(self._call("GET", f"objects/{sobject}/{record_id}"))

    def add(self, sobject: str, values: Mapping[str, Any]) -> Row:
        """Put a row in without any check; returns it with its id."""
        return dict(self._call("POST", f"objects/{sobject}", values))

    def add_all(self, sobject: str, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
        return list(self._call("POST", f"objects/{sobject}", list(rows)))

    def edit(self, sobject: str, record_id: str, values: Mapping[str, Any]) -> Row:
        """Change a row as though a user of the CRM did."""
        return dict(self._call("PATCH", f"objects/{sobject}/{record_id}", values))

    def delete(self, sobject: str, record_id: str) -> Row:
        """Move a row to the recycle bin as though a user of the CRM did."""
        return dict(self._call("DELETE", f"objects/{sobject}/{record_id}"))

    def faults(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "faults"))

    def add_fault(self, kind: str, **spec: Any) -> dict[str, Any]:
        """Switch a fault on; README.md lists kinds and parameters. Returns it with its `id`."""
        return dict(self._call("POST", "faults", {"kind": kind, **spec}))

    def remove_fault(self, fault_id: int) -> None:
        self._call("DELETE", f"faults/{fault_id}")

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def schema(self) -> dict[str, Any]:
        return dict(self._call("GET", "schema"))

    def change_schema(self, **changes: Any) -> dict[str, Any]:
        """Fields, validation rules, permissions, features, limits: README.md lists the changes."""
        return dict(self._call("PATCH", "schema", changes))

    def install_package(self, zipped: bytes, *, assigned: bool = True) -> list[str]:
        """Deploy a Metadata API zip; without `assigned` its permission set is given to nobody. Returns the fields."""
        answer = self._call("POST", "package", {"zip": base64.b64encode(zipped).decode(), "assigned": assigned})
        return list(answer["fields"])

    def register_client(self, client_id: str, **details: Any) -> dict[str, Any]:
        """`client_secret`, `public_key` (PEM) and `user_id` of a connected app."""
        return dict(self._call("POST", "clients", {"client_id": client_id, **details}))

    def refresh_token(self, client_id: str | None = None, user_id: str | None = None) -> str:
        """A refresh token as a log-in in the browser would have given it."""
        answer = self._call("POST", "tokens", {"client_id": client_id, "user_id": user_id})
        return str(answer["refresh_token"])

    def expire_sessions(self, refresh_tokens: bool = False) -> None:
        self._call("DELETE", "tokens", {"refresh_tokens": refresh_tokens})

    def _call(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        target = f"/sandbox/{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, target, payload, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read() or b"null")
        finally:
            connection.close()
        if response.status != 200:
            raise ControlError(answer.get("error", response.status))
        return answer
