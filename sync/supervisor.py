"""Watches a django-q2 cluster from outside, and ends and starts it anew when it hangs or dies.

A cluster whose idle worker was killed holds a lock that nobody gives back: it says "Working", runs nothing and ignores
SIGTERM. So nothing that it says of itself counts, only what its parts did: the heartbeats of the round trip in
sync/broker.py. The supervisor also rings the bell for rows that became due by themselves.
"""

import logging
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType

from django.db import DatabaseError, close_old_connections, connections
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from sync import health, outbox
from sync.cluster_group import ClusterGroup, end_stale
from sync.companion import Companion
from sync.enums import OutboxState
from sync.models import Connection, Heartbeat, OutboxRow

logger = logging.getLogger(__name__)

TICK = 0.5  # seconds between two looks at the process
LOOK_EVERY = 1.0  # seconds between two looks at the database
STEADY = 60.0  # a cluster that lived so long did not die at its start
LONGEST_REST = 60.0
DUE_FOR = timedelta(seconds=1)  # fresher rows have a bell of their own on the way
FORGET_AFTER = timedelta(days=1)
RING_AGAIN = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds. `hang`: without a sign of life; `stop`: for running jobs to end; `kill`: for a hang to obey SIGTERM."""

    hang: float
    stop: float
    kill: float = 3.0


class Pulse:
    """Since when each part of a cluster is silent, on the monotonic clock: a clock that is set doesn't kill anyone.

    The sentinel and the workers must be heard all the time; the monitor, once a worker has answered a beat.
    """

    def __init__(self, at: float) -> None:
        self._waiting_since: dict[str, float] = {"sentinel": at, "worker": at}
        self._beats: dict[str, datetime] = {}

    def hear(self, beats: Mapping[str, datetime], at: float) -> None:
        """Take note of the heartbeats (by sentinel, worker, answer, monitor) as they stand in the database."""
        new = {name for name, beat_at in beats.items() if self._beats.get(name) != beat_at}
        self._beats.update(beats)
        for name in new & {"sentinel", "worker"}:
            self._waiting_since[name] = at
        if "answer" in new:
            self._waiting_since.setdefault("monitor", at)
        if "monitor" in new:
            self._waiting_since.pop("monitor", None)

    def deafen(self, at: float) -> None:
        """Begin anew: while the database is away nobody can be heard."""
        self._waiting_since = {"sentinel": at, "worker": at}

    def silent(self, at: float, longer_than: float) -> list[str]:
        """Return the parts that were waited for longer than that many seconds."""
        return [part for part, since in self._waiting_since.items() if at - since > longer_than]


def rest_before_start(failures: int) -> float:
    """Return the seconds before the next start, after so many clusters in a row that did not live long."""
    return 0.0 if failures == 0 else min(LONGEST_REST, 2.0 ** min(failures - 1, 10))


def read_beats(cluster: str) -> dict[str, datetime]:
    """Return when each part of a cluster last showed that it lives."""
    rows = Heartbeat.objects.filter(name__endswith=f" {cluster}").values_list("name", "beat_at")
    return {name.split(" ")[0]: beat_at for name, beat_at in rows}


def ring_for_due_rows(now: datetime) -> list[Connection]:
    """Wake a worker for each connection with due rows on which nobody works; return those connections.

    A retry becomes due without anyone ringing, and a wake-up can be lost; the minute's sweep would find both later.
    """
    sending = OutboxRow.objects.filter(state=OutboxState.SENDING, not_before__gt=now)
    idle = Connection.objects.exclude(Exists(sending.filter(connection=OuterRef("pk")))).in_bulk()
    forgotten = [
        connection
        for connection in outbox.connections_with_due_rows(now - DUE_FOR)
        if connection.pk in idle and (connection.rung_at is None or connection.rung_at < now - RING_AGAIN)
    ]
    for connection in forgotten:
        outbox.ring(connection)
    return forgotten


class Supervisor:
    """One cluster at a time, until SIGTERM or SIGINT; a second signal cuts the wait for running jobs short.

    A companion is looked after beside it, and ends with it.
    """

    def __init__(
        self, command: Sequence[str], records: Path, patience: Patience, companion: Companion | None = None
    ) -> None:
        self._command = command
        self._records = records
        self._patience = patience
        self._companion = companion
        self._signals = 0
        self._database_answers = True

    def run(self) -> None:
        """Blocks until a signal ends it. Leaves no process behind."""
        before = {number: signal.signal(number, self._note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            for name in end_stale(self._records):
                logger.warning("Cluster %s had lost its supervisor and was killed.", name)
            failures = 0
            while not self._signals:
                failures = 0 if self._is_ready() and self._run_one() else failures + 1
                self._rest(rest_before_start(failures))
        finally:
            if self._companion:
                self._companion.end(hurry=lambda: self._signals > 1)
            for number, handler in before.items():
                signal.signal(number, handler)

    def _is_ready(self) -> bool:
        """A cluster without its database would only die with long tracebacks."""
        close_old_connections()
        if problem := health.database_problem():
            logger.error("The workers wait. %s", problem)
        return not problem

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _run_one(self) -> bool:
        """Start a cluster and end it when it must; return whether it lived long enough to be called steady."""
        started_at = time.monotonic()
        group = ClusterGroup(self._command, self._records, self._patience.stop)
        logger.info("Cluster %s was started in process group %d.", group.name, group.pid)
        try:
            trouble = self._watch(group)
        except BaseException:
            group.end(0)
            raise
        if self._companion and self._signals:
            self._companion.ask_to_end()
        if trouble:
            logger.error("Cluster %s %s. It is killed and started anew.", group.name, trouble)
            group.end(self._patience.kill, hurry=lambda: self._signals > 1)
        elif group.end(self._patience.stop, hurry=lambda: self._signals > 1):
            logger.info("Cluster %s has stopped.", group.name)
        else:
            logger.warning("Cluster %s did not stop in time and was killed; its rows are in doubt.", group.name)
        self._forget(group.name)
        return time.monotonic() - started_at > STEADY

    def _watch(self, group: ClusterGroup) -> str:
        """Return what is wrong with the cluster as soon as it is, or nothing when a signal asks to stop."""
        pulse = Pulse(time.monotonic())
        look_at = 0.0
        while not self._signals:
            status = group.exit_status
            if status is not None:
                return f"ended with status {status}"
            if time.monotonic() >= look_at:
                self._look(group, pulse)
                look_at = time.monotonic() + LOOK_EVERY
                if silent := pulse.silent(time.monotonic(), self._patience.hang):
                    return f"hangs: no sign of life from its {_listed(silent)} for {self._patience.hang:g} seconds"
            time.sleep(TICK)
        return ""

    def _look(self, group: ClusterGroup, pulse: Pulse) -> None:
        """Read the heartbeats and ring for due rows; whatever goes wrong, the watch goes on."""
        try:
            close_old_connections()
            pulse.hear(read_beats(group.name), time.monotonic())
            if not self._database_answers:
                logger.info("The database answers again.")
                pulse.deafen(time.monotonic())
                self._database_answers = True
            for connection in ring_for_due_rows(timezone.now()):
                logger.info("Rows are due and nobody works on them: rang.", extra={"connection": str(connection.uuid)})
            # Last: a companion that can't be started or ended must not make the cluster look dead.
            if self._companion:
                self._companion.tick()
        except DatabaseError as error:
            if self._database_answers:
                logger.error("The database doesn't answer (%s). The watch goes on.", type(error).__name__)
            self._database_answers = False
            connections.close_all()
            pulse.deafen(time.monotonic())
        except Exception:  # neither a broker that is away nor a companion must end the watch
            logger.exception("The watch over the outbox failed. It goes on.")

    def _forget(self, cluster: str) -> None:
        try:
            # Those of clusters whose machine went away, too.
            old = Q(beat_at__lt=timezone.now() - FORGET_AFTER)
            Heartbeat.objects.filter(old | Q(name__endswith=f" {cluster}")).delete()
        except DatabaseError as error:
            logger.warning("The heartbeats of cluster %s stay behind (%s).", cluster, type(error).__name__)
            connections.close_all()

    def _rest(self, seconds: float) -> None:
        if seconds and not self._signals:
            logger.info("The next start is in %g seconds.", seconds)
        end_at = time.monotonic() + seconds
        while not self._signals and time.monotonic() < end_at:
            time.sleep(TICK)


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)
