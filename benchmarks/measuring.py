"""Measuring one way of bringing tasks into the CRM, from the commit here to the commit there.

Both clocks are this machine's.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass

from django.db import transaction

from benchmarks.strategies import Strategy
from benchmarks.work import Reps
from sandbox.control import Commit, SandboxControl

_SETTLED_WITHIN = 120.0  # seconds
_LOOK_EVERY = 0.05


class NothingArrivesError(Exception):
    """What was completed did not reach the CRM in time."""


@dataclass(frozen=True, slots=True)
class Passage:
    """How some tasks got there. Seconds to the last one; milliseconds of each; calls by their label."""

    tasks: int
    seconds: float
    latencies_ms: tuple[float, ...]
    calls: Counter[str]

    @property
    def calls_per_1000(self) -> float:
        return self.calls.total() * 1000 / self.tasks


class Course:
    """Measures on an installation whose workers run."""

    def __init__(self, sandbox: SandboxControl, way: Strategy, reps: Reps) -> None:
        self.sandbox = sandbox
        self.way = way
        self.reps = reps
        self._seen = len(sandbox.commits())

    def together(self, count: int) -> Passage:
        """All in one transaction."""
        before = Counter(self.sandbox.stats()["calls"])
        began_ms = self._complete(count)
        return self._passage([began_ms] * count, before)

    def trickling(self, per_second: float, seconds: float) -> Passage:
        """One after the other, at an even pace."""
        before = Counter(self.sandbox.stats()["calls"])
        began = time.monotonic()
        began_ms = []
        for number in range(round(per_second * seconds)):
            time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            began_ms.append(self._complete(1))
        return self._passage(began_ms, before)

    def idle(self, count: int, chance: random.Random) -> Passage:
        """One at a time, each a random moment after the last has arrived."""
        before = Counter(self.sandbox.stats()["calls"])
        began_ms: list[float] = []
        latencies: list[float] = []
        for _each in range(count):
            time.sleep(chance.uniform(0.2, 0.6))
            began_ms.append(self._complete(1))
            latencies += self._passage(began_ms[-1:], before).latencies_ms
        calls = Counter(self.sandbox.stats()["calls"]) - before
        return Passage(count, sum(latencies) / 1000, tuple(latencies), calls)

    def _complete(self, count: int) -> float:
        """Complete so many in one transaction; return when it was committed, in epoch milliseconds."""
        work = self.reps.work(count)
        moments: list[float] = []
        with transaction.atomic():
            # The first to be told of the commit: before the bell is rung.
            transaction.on_commit(lambda: moments.append(time.time() * 1000))
            self.way.complete(work, together=True)
        return moments[0]

    def drain(self) -> list[Commit]:
        """Wait until nothing is waiting; return what was written since the last time."""
        deadline = time.monotonic() + _SETTLED_WITHIN
        while waiting := self.way.waiting([]):
            if time.monotonic() > deadline:
                raise NothingArrivesError(f"{waiting} tasks have not arrived.")
            time.sleep(_LOOK_EVERY)
        new = self.sandbox.commits(self._seen)
        self._seen += len(new)
        return new

    def _passage(self, began_ms: list[float], before: Counter[str]) -> Passage:
        """Wait until all have arrived. The n-th Task that is committed there counts as the n-th completed here."""
        new = self.drain()
        arrived_ms = [one["at_ms"] for one in new if one["object"] == "Task"]
        if len(arrived_ms) != len(began_ms):
            raise NothingArrivesError(f"{len(arrived_ms)} Tasks were written for {len(began_ms)} tasks.")
        latencies = tuple(there - here for here, there in zip(began_ms, arrived_ms, strict=True))
        seconds = (arrived_ms[-1] - began_ms[0]) / 1000
        return Passage(len(began_ms), seconds, latencies, Counter(self.sandbox.stats()["calls"]) - before)
