"""What goes wrong in the CRM while tasks go out."""

from collections import Counter
from dataclasses import dataclass, field

from sandbox.control import SandboxControl

POISON = "poison"
TRIGGER_ABOVE = 50  # rows
# Without these a run proves nothing.
BROKEN_WRITES = ("drop_before_commit", "drop_after_commit", "answer_late")
ESSENTIAL = (*BROKEN_WRITES, "poison", "trigger_limit")


@dataclass
class Faults:
    """The sandbox's faults in three stages: gusts of a storm, calm (only what its set-up refuses), healed."""

    sandbox: SandboxControl
    http_timeout: float
    seed: int
    fired: Counter[str] = field(default_factory=Counter)

    def gust(self) -> None:
        """A fifth of the connections dropped, half of them after the commit; late and broken answers, locked rows."""
        late_ms = self.http_timeout * 1000 + 1000
        self._add("drop_before_commit", probability=0.09)
        self._add("drop_after_commit", probability=0.09)
        self._add("answer_late", probability=0.02, ms=late_ms)
        self._add("http_error", probability=0.01, status=503)
        self._add("http_error", probability=0.01, status=502, after_commit=True)
        self._add("invalid_session", probability=0.02, times=5)
        # These for certain: a write that nobody hears of, and where it counts most, of many rows.
        self._add("drop_after_commit", times=2, match={"path": "sobjects", "object": "Task", "min_rows": 1})
        writes = {"path": "sobjects", "method": "PATCH", "min_rows": 5}
        self._add("drop_after_commit", times=1, match=writes)
        self._add("drop_before_commit", times=1, match=writes)
        self._add("answer_late", times=1, ms=late_ms, match=writes)
        self._add("lock_row", probability=0.02, match={"object": "Task"})

    def certain(self, kind: str) -> None:
        """The next write breaks in this way: no gust promises that each of its faults meets one."""
        late = {"ms": self.http_timeout * 1000 + 1000} if kind == "answer_late" else {}
        self._add(kind, times=1, match={"path": "sobjects", "object": "Task", "min_rows": 1}, **late)

    def calm(self) -> None:
        """The CRM works again, but for a row that breaks its batch and triggers that break above 50 rows."""
        self.heal()
        self._set_up()

    def heal(self) -> None:
        """Nothing is wrong any more."""
        for fault in self.sandbox.faults():
            if fault["kind"] != "latency":
                self.fired[fault["kind"]] += fault["fired"]
        self.sandbox.clear_faults()

    def _set_up(self) -> None:
        for _each in range(2):
            self._add("latency", probability=0.5, ms=35)
        self._add("poison", contains=POISON)
        self._add("trigger_limit", above=TRIGGER_ABOVE)

    def _add(self, kind: str, **params: object) -> None:
        self.seed += 1
        self.sandbox.add_fault(kind, seed=self.seed, **params)
