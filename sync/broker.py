"""django-q2's brokers with a round trip of the cluster's own, by which its supervisor sees whether it works.

Every few seconds the pusher slips a beat among the jobs that it took from the queue. A worker answers it and the
monitor settles it; each writes its heartbeat, and so does the sentinel in its guard loop. A part that hangs, whatever
lock it waits for, falls silent. A beat through the queue itself would not do: with two clusters on one
queue, the one that works would answer for the one that hangs.
"""

import os
import time
import uuid
from typing import Any

from django import db
from django.dispatch import receiver
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.signals import post_execute, post_execute_in_worker
from django_q.signing import SignedPackage

from sync.models.job import CLUSTER_VARIABLE, Heartbeat

BEAT = "sync.jobs.beat"
BEAT_EVERY = 5.0  # seconds

Packages = list[tuple[Any, str]]  # what acknowledges a job (None: nothing does), and the signed job


class _RoundTrip:
    """Mixed into a broker; each process of the cluster has a copy, so the two clocks don't share an instance."""

    _asked_at = 0.0
    _guarded_at = 0.0

    def dequeue(self) -> Packages | None:
        """Take jobs from the queue, in the pusher, and add a beat when one is due."""
        packages: Packages | None = super().dequeue()  # type: ignore[misc]
        if not supervised() or time.monotonic() - self._asked_at < BEAT_EVERY:
            return packages
        self._asked_at = time.monotonic()
        return [*(packages or []), (None, _beat_package())]

    def set_stat(self, key: str, value: str, timeout: int) -> Any:
        """Store the cluster's figures, in the sentinel, twice a second: the place where it shows that it lives."""
        if supervised() and time.monotonic() - self._guarded_at >= BEAT_EVERY:
            db.close_old_connections()
            Heartbeat.beat("sentinel")
            self._guarded_at = time.monotonic()
        return super().set_stat(key, value, timeout)  # type: ignore[misc]


class OrmBroker(_RoundTrip, ORM):  # type: ignore[misc]
    """The queue in the database."""


class RedisBroker(_RoundTrip, Redis):  # type: ignore[misc]
    """The queue in Redis."""


def supervised() -> bool:
    """Whether this process belongs to a cluster that a supervisor watches."""
    return CLUSTER_VARIABLE in os.environ


def _beat_package() -> str:
    """A job as `async_task` would pack it."""
    number = uuid.uuid4().hex
    package: str = SignedPackage.dumps(
        {
            "id": number,
            "name": f"beat-{number[:8]}",
            "func": BEAT,
            "args": (),
            "kwargs": {},
            "started": timezone.now(),
            "save": False,
            "ack_failure": True,
        }
    )
    return package


@receiver(post_execute_in_worker, dispatch_uid="sync.broker.answer_of_worker")
def answer_of_worker(task: dict[str, Any], **_kwargs: Any) -> None:
    """Show that the monitor owes a sign of life from now on: while all workers are busy it has nothing to do."""
    if task["func"] == BEAT and supervised():
        Heartbeat.beat("answer")


@receiver(post_execute, dispatch_uid="sync.broker.beat_of_monitor")
def beat_of_monitor(task: dict[str, Any], **_kwargs: Any) -> None:
    """Show that the monitor lives: it acknowledges jobs, and those it doesn't would run again for ever."""
    if task["func"] == BEAT and supervised():
        db.close_old_connections()
        Heartbeat.beat("monitor")
