"""Kills processes at random points, with SIGKILL, as a machine that runs out of memory does."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, connections

from benchmarks.processes import Role, Running, kill, running, switches

BUSY_WORKER = f"{Role.WORKER}, busy"
_WAIT_FOR_MOMENT = 3.0  # seconds
_LONGEST_MOMENT = 0.5  # seconds
_WATCHED = 0.06  # seconds in which a busy process must have done something


@dataclass(frozen=True, slots=True)
class Card:
    """One kill: whom, whether while something is being sent, and whether all of that role in one cluster."""

    role: Role
    busy: bool
    everyone: bool = False


# Each is drawn before one is drawn again. Idle ones are few: after one a cluster hangs until its supervisor sees it.
DECK = (
    *[Card(Role.WORKER, busy=True)] * 6,
    *[Card(Role.WORKER, busy=True, everyone=True)] * 2,
    *[Card(Role.WORKER, busy=False)] * 2,
    Card(Role.MONITOR, busy=True),
    Card(Role.PUSHER, busy=True),
    Card(Role.SENTINEL, busy=True),
    Card(Role.MAIN, busy=True),
    Card(Role.LEADER, busy=True),
    Card(Role.SUPERVISOR, busy=True),
    Card(Role.MONITOR, busy=False),
    Card(Role.PUSHER, busy=False),
)
# What comes first: the point of it all, and nothing that makes a cluster hang.
FIRST = (Card(Role.WORKER, busy=True),) * 3


class Killer(threading.Thread):
    """Draws and kills until it is stopped. `is_busy` says whether anything is being sent just now."""

    def __init__(
        self, database_url: str, is_busy: Callable[[], bool], pause: tuple[float, float], chance: random.Random
    ) -> None:
        super().__init__(name="killer", daemon=True)
        self.kills: Counter[str] = Counter()
        self._database_url = database_url
        self._is_busy = is_busy
        self._pause = pause
        self._chance = chance
        self._stop_event = threading.Event()
        self._deck: list[Card] = list(FIRST)

    @property
    def total(self) -> int:
        return sum(self.kills.values())

    def stop(self) -> None:
        """Returns when no more is killed."""
        self._stop_event.set()
        self.join(30)

    def run(self) -> None:
        try:
            while not self._stop_event.wait(self._chance.uniform(*self._pause)):
                try:
                    # Those for whom it is not the moment come later.
                    while not self._kill_next() and not self._stop_event.is_set():
                        pass
                except DatabaseError as error:  # SQLite may be busy for long when a writer was killed
                    print(f"  a kill was left out: {type(error).__name__}", flush=True)
        finally:
            connections.close_all()

    def _kill_next(self) -> bool:
        if not self._deck:
            self._deck = self._chance.sample(DECK, len(DECK))
        card = self._deck.pop()
        self._wait_for_moment(card.busy)
        targets = [one for one in running(self._database_url) if one.role == card.role]
        active = self._active(targets)
        suitable = [one for one in targets if (one.pid in active) == card.busy]
        if not suitable:
            self._deck.insert(0, card)
            return False
        victim = self._chance.choice(suitable)
        everyone = [one for one in targets if one.cluster == victim.cluster]
        for one in everyone if card.everyone else [victim]:
            if kill(one):
                self.kills[f"{one.role}, {'busy' if one.pid in active else 'idle'}"] += 1
        return True

    def _wait_for_moment(self, busy: bool) -> None:
        """Wait until something (or nothing) was being sent for a random time; at once would hit the first call."""
        deadline = time.monotonic() + _WAIT_FOR_MOMENT
        left = self._chance.uniform(0, _LONGEST_MOMENT)
        while left > 0 and time.monotonic() < deadline and not self._stop_event.is_set():
            before = time.monotonic()
            is_moment = self._is_busy() == busy
            time.sleep(0.01)
            left -= (time.monotonic() - before) * is_moment

    def _active(self, targets: list[Running]) -> set[int]:
        """Which of them are doing something. For what is not a worker: whether anything is being sent."""
        before = {one.pid: switches(one.pid) for one in targets}
        time.sleep(_WATCHED)
        is_busy = self._is_busy()
        return {
            one.pid for one in targets if is_busy and (one.role != Role.WORKER or switches(one.pid) > before[one.pid])
        }
