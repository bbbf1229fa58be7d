"""What goes wrong on demand: faults, switched on over HTTP, that fire on the calls and rows they match."""

import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import RowError
from sandbox.matching import check, holds

REQUEST_KINDS = frozenset(
    {
        "latency",
        "drop_before_commit",
        "http_error",
        "invalid_session",
        "api_disabled",
        "limit_day",
        "limit_concurrent",
        "poison",
    }
)
ANSWER_KINDS = frozenset({"drop_after_commit", "answer_late"})
ROW_KINDS = frozenset({"lock_row", "trigger_limit", "row_error", "processing_halted"})
TOKEN_KINDS = frozenset({"invalid_grant", "inactive_user", "invalid_client"})
CONSENT_KINDS = frozenset({"consent_refused"})
KINDS = REQUEST_KINDS | ANSWER_KINDS | ROW_KINDS | TOKEN_KINDS | CONSENT_KINDS | {"instance_url_moves"}
_PARAMS = {
    "latency": {"ms"},
    "answer_late": {"ms"},
    "http_error": {"status", "body", "content_type", "after_commit"},
    "api_disabled": {"code", "message"},
    "limit_day": {"code", "message"},
    "limit_concurrent": {"code", "message"},
    "poison": {"contains", "field", "message", "code"},
    "lock_row": {"statusCode", "message", "fields"},
    "processing_halted": {"statusCode", "message", "fields"},
    "row_error": {"statusCode", "message", "fields"},
    "trigger_limit": {"statusCode", "message", "fields", "above"},
    "invalid_grant": {"description"},
    "inactive_user": {"description"},
    "invalid_client": {"description"},
    "consent_refused": {"error", "description"},
}
_OWN = frozenset({"kind", "times", "probability", "seed", "match"})
_MATCH = frozenset({"method", "path", "object", "min_rows", "row"})


class UnknownFaultError(ValueError):
    """The fault asks for something unknown."""


@dataclass(slots=True)
class Fault:
    """One fault: `times` None means for ever; `probability` is drawn from a generator with the given seed."""

    id: int
    kind: str
    times: int | None
    probability: float
    match: Mapping[str, Any]
    params: Mapping[str, Any]
    random: random.Random
    fired: int = 0

    def draw(self) -> bool:
        """Whether it fires now; counts when it does."""
        if self.times is not None and self.fired >= self.times:
            return False
        if self.probability < 1 and self.random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def describe(self) -> dict[str, Any]:
        shown = {"id": self.id, "kind": self.kind, "times": self.times, "probability": self.probability}
        return shown | {"match": dict(self.match), "fired": self.fired} | dict(self.params)


@dataclass(frozen=True, slots=True)
class Target:
    """What a fault's `match` looks at: one call as it came in."""

    method: str
    path: str
    objects: frozenset[str] = frozenset()
    records: list[Mapping[str, Any]] = field(default_factory=list)


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._next_id = 1
        self._rows: list[Fault] = []

    def add(self, spec: Mapping[str, Any]) -> Fault:
        """Switch a fault on; UnknownFaultError or ConditionError when it cannot be understood."""
        kind = spec.get("kind")
        if kind not in KINDS:
            raise UnknownFaultError(f"unknown kind {kind!r}; known: {', '.join(sorted(KINDS))}")
        match = spec.get("match") or {}
        if unknown := set(match) - _MATCH:
            raise UnknownFaultError(f"unknown match {', '.join(sorted(unknown))}; known: {', '.join(sorted(_MATCH))}")
        check(match.get("row") or {})
        params = {name: value for name, value in spec.items() if name not in _OWN}
        if unknown := set(params) - _PARAMS.get(kind, set()):
            raise UnknownFaultError(f"unknown parameter {', '.join(sorted(unknown))} of {kind}")
        times = spec.get("times", 1 if kind in ("invalid_session", "instance_url_moves") else None)
        with self._lock:
            seeded = random.Random(spec.get("seed", self._next_id))
            chance = float(spec.get("probability", 1))
            fault = Fault(self._next_id, kind, times, chance, match, params, seeded)
            self._next_id += 1
            self._faults.append(fault)
            self._rows = [one for one in self._faults if one.kind in ROW_KINDS]
        return fault

    def remove(self, fault_id: int | None = None) -> int:
        """Switch one fault off, or all of them; returns how many."""
        with self._lock:
            kept = [] if fault_id is None else [one for one in self._faults if one.id != fault_id]
            removed = len(self._faults) - len(kept)
            self._faults = kept
            self._rows = [one for one in kept if one.kind in ROW_KINDS]
        return removed

    def describe(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.describe() for fault in self._faults]

    def draw(self, kinds: Iterable[str], target: Target) -> list[Fault]:
        """The faults of these kinds that fire on the call, in the order they were added."""
        if not self._faults:
            return []
        with self._lock:
            return [fault for fault in self._faults if fault.kind in kinds and _hit(fault, target) and fault.draw()]

    def check_row(self, sobject: str, body: Mapping[str, Any], rows: int) -> None:
        """Raise the RowError of the first row fault that fires on this row of a call with that many rows."""
        if not self._rows:
            return
        with self._lock:
            for fault in self._rows:
                if _row_hit(fault, sobject, body, rows) and fault.draw():
                    raise _row_error(fault)


def _hit(fault: Fault, target: Target) -> bool:
    match = fault.match
    path = match.get("path")
    if path is None and fault.kind in REQUEST_KINDS | ANSWER_KINDS and "/services/data/" not in target.path:
        return False
    if path is not None and path not in target.path:
        return False
    if "method" in match and match["method"].upper() != target.method:
        return False
    if "object" in match and match["object"] not in target.objects:
        return False
    if len(target.records) < match.get("min_rows", 0):
        return False
    condition = match.get("row")
    if fault.kind == "poison" and "contains" in fault.params:
        condition = {"field": fault.params.get("field", "Subject"), "contains": fault.params["contains"]}
    return condition is None or any(holds(condition, record) for record in target.records)


def _row_hit(fault: Fault, sobject: str, body: Mapping[str, Any], rows: int) -> bool:
    match = fault.match
    if rows <= fault.params.get("above", 0) or rows < match.get("min_rows", 0):
        return False
    return match.get("object", sobject) == sobject and holds(match.get("row") or {}, body)


_ROW_ERRORS = {
    "lock_row": ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
    "trigger_limit": (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        "TaskTrigger: System.LimitException: Too many SOQL queries: 101",
    ),
    "processing_halted": (
        "PROCESSING_HALTED",
        "The transaction was rolled back since another row was halted",
    ),
    "row_error": ("UNKNOWN_EXCEPTION", "An unexpected error occurred"),
}


def _row_error(fault: Fault) -> RowError:
    code, message = _ROW_ERRORS[fault.kind]
    params = fault.params
    return RowError(params.get("statusCode", code), params.get("message", message), params.get("fields", ()))
