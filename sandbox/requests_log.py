"""What was received, counted and readable back; bodies are kept while a fixed amount of memory holds them."""

import json
import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

_KEPT = 20_000
_BODY_BYTES = 48 * 1024 * 1024


@dataclass(slots=True)
class Received:
    """One request; `status` 0 means that the connection was dropped instead of answered."""

    at_ms: float
    method: str
    path: str
    label: str
    body: bytes
    request_id: str
    rows: int = 0
    status: int = 0
    number: int = 0
    era: int = 0

    def describe(self) -> dict[str, Any]:
        shown = {name: getattr(self, name) for name in ("number", "at_ms", "method", "path", "label", "rows", "status")}
        return shown | {"request_id": self.request_id, "body": _parsed(self.body)}


class RequestLog:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._era = 0
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self._era += 1
            self._entries: deque[Received] = deque(maxlen=_KEPT)
            self._with_body: deque[Received] = deque()
            self._body_bytes = 0
            self._number = 0
            self.calls: Counter[str] = Counter()
            self.api_calls = 0
            self.token_calls = 0

    def count(self, entry: Received, kind: str) -> None:
        """Called as a request comes in, before anything can go wrong with it."""
        with self._lock:
            entry.era = self._era
            self.calls[entry.label] += 1
            self.api_calls += kind == "data"
            self.token_calls += kind == "token"

    def add(self, entry: Received) -> None:
        """Called when it is answered; what came in before the log was cleared is no part of it any more."""
        with self._lock:
            if entry.era != self._era:
                return
            self._number += 1
            entry.number = self._number
            self._entries.append(entry)
            if entry.body:
                self._with_body.append(entry)
                self._body_bytes += len(entry.body)
            while self._body_bytes > _BODY_BYTES:
                oldest = self._with_body.popleft()
                self._body_bytes -= len(oldest.body)
                oldest.body = b""

    def since(self, number: int) -> list[dict[str, Any]]:
        with self._lock:
            found = [entry for entry in self._entries if entry.number > number]
        return [entry.describe() for entry in found]


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
