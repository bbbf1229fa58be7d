"""The org: everything the sandbox knows, under one lock, and the way back to how it began."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.faults import Faults
from sandbox.oauth import OAuth
from sandbox.objects import standard_schema
from sandbox.objects.activity import KEY_FIELD
from sandbox.requests_log import RequestLog
from sandbox.schema import Schema, ValidationRule
from sandbox.seed import plant
from sandbox.store import Store

VERSIONS = ("60.0", "61.0", "62.0", "63.0", "64.0")


@dataclass(slots=True)
class Limits:
    """`used` counts this sandbox's own calls on top of what others are said to have used."""

    daily_max: int = 100_000
    daily_used: int = 0


@dataclass(slots=True)
class Org:
    """Held under `lock` by every call while it reads or writes."""

    data: Mapping[str, Any] | None = None
    public_key: str | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    log: RequestLog = field(default_factory=RequestLog)
    faults: Faults = field(default_factory=Faults)

    id: str = field(init=False)
    instance_url: str | None = field(init=False)
    schema: Schema = field(init=False)
    store: Store = field(init=False)
    oauth: OAuth = field(init=False)
    limits: Limits = field(init=False)
    validation_rules: list[ValidationRule] = field(init=False)
    cursors: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to the seed: no faults, no tokens, counters at zero."""
        with self.lock:
            self.faults.remove()
            self.log.clear()
            self.instance_url = None
            self.limits = Limits()
            self.validation_rules = []
            self.cursors = {}
            self.schema = standard_schema()
            self.store = Store(self.schema, KEY_FIELD)
            self.oauth = OAuth(self)
            self.id = ""
            plant(self, self.data)
            self.store.commits.clear()
            self.store.rows_written.clear()
