"""Signs of life of the workers, and who runs what."""

import os
import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

# Names the supervised cluster that a process belongs to; set by sync/cluster_group.py, empty elsewhere.
CLUSTER_VARIABLE = "WORKERS_CLUSTER"


class Heartbeat(models.Model):
    """When a part of a cluster last did something. Judged from outside: a cluster can hang while it says it works.

    Each cluster has rows of its own ("worker 3f2a…"), so that the one that hangs is not hidden by the one that works.
    """

    name = models.CharField(max_length=50, unique=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str = "worker") -> None:
        """Say that this part (worker, monitor, sentinel) of this process's cluster lives."""
        row, now = cls._row(name), timezone.now()
        if not cls.objects.filter(name=row).update(beat_at=now):
            cls.objects.get_or_create(name=row, defaults={"beat_at": now})

    @classmethod
    def end(cls, name: str) -> None:
        """Say that this part ended as it should: nobody misses it."""
        cls.objects.filter(name=cls._row(name)).delete()

    @staticmethod
    def _row(name: str) -> str:
        return f"{name} {os.environ.get(CLUSTER_VARIABLE, '')}".strip()


class JobLease(models.Model):
    """One run at a time: a schedule doesn't look whether its last run still runs."""

    name = models.CharField(max_length=50, unique=True)
    token = models.UUIDField(default=uuid.uuid4)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, seconds: float) -> uuid.UUID | None:
        """Return a token when nobody else runs `name`, else None. It lapses after `seconds`."""
        now = timezone.now()
        cls.objects.get_or_create(name=name, defaults={"until": now})
        token = uuid.uuid4()
        free = cls.objects.filter(Q(until__lte=now), name=name)
        return token if free.update(token=token, until=now + timedelta(seconds=seconds)) else None

    @classmethod
    def give_back(cls, name: str, token: uuid.UUID) -> None:
        """End a run before its lease lapses."""
        cls.objects.filter(name=name, token=token).update(until=timezone.now())
