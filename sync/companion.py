"""A process beside the cluster that is kept running: started anew when it ends or shows no sign of life."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from django.db import DatabaseError

from sync.cluster_group import ClusterGroup

logger = logging.getLogger(__name__)

LOOK_EVERY = 5.0  # seconds between two looks at its heartbeat
STEADY = 60.0
LONGEST_REST = 60.0


class Companion:
    """One command in a group of its own. `last_beat` reads when the process of that name was heard last."""

    def __init__(
        self,
        title: str,
        command: Sequence[str],
        records: Path,
        *,
        grace: float,
        patience: float,
        last_beat: Callable[[str], datetime | None],
    ) -> None:
        self._title = title
        self._command = command
        self._records = records
        self._grace = grace
        self._patience = patience
        self._last_beat = last_beat
        self._group: ClusterGroup | None = None
        self._failures = 0
        self._start_at = self._started_at = self._look_at = self._heard_at = 0.0
        self._beat: datetime | None = None

    def tick(self) -> None:
        """Look after it; called again and again."""
        now = time.monotonic()
        if self._group is None:
            if now >= self._start_at:
                self._start(now)
        elif (status := self._group.exit_status) is not None:
            self._start_again(f"ended with status {status}", now)
        elif now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            self._listen(self._group, now)

    def ask_to_end(self) -> None:
        """Let it come to its end while others are waited for."""
        if self._group is not None:
            self._group.ask_to_end()

    def end(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        if self._group is not None:
            self._group.end(self._grace, hurry=hurry)
            self._group = None

    def _start(self, now: float) -> None:
        self._group = ClusterGroup(self._command, self._records, self._grace)
        self._started_at = self._heard_at = now
        self._beat = None
        logger.info("%s %s was started in process group %d.", self._title, self._group.name, self._group.pid)

    def _listen(self, group: ClusterGroup, now: float) -> None:
        try:
            beat = self._last_beat(group.name)
        except DatabaseError:
            self._heard_at = now  # while the database is away nobody can be heard
            raise
        if beat != self._beat:
            self._beat, self._heard_at = beat, now
        elif now - self._heard_at > self._patience:
            self._start_again(f"shows no sign of life for {self._patience:g} seconds", now)

    def _start_again(self, trouble: str, now: float) -> None:
        assert self._group is not None
        logger.error("%s %s %s. It is ended and started anew.", self._title, self._group.name, trouble)
        self._group.end(0)
        self._group = None
        self._failures = 0 if now - self._started_at > STEADY else self._failures + 1
        self._start_at = now + (min(LONGEST_REST, 2.0 ** min(self._failures - 1, 10)) if self._failures else 0.0)
