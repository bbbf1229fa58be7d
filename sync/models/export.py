"""A file of Task Sync Results: what was asked for, by whom, how far it is, and until when it is kept."""

from datetime import datetime, timedelta
from typing import Self
from uuid import UUID, uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.enums import ExportState
from teams.models import User

UNFINISHED = (ExportState.WAITING, ExportState.RUNNING)


class TaskSyncExportQuerySet(models.QuerySet["TaskSyncExport"]):
    def visible_to(self, viewer: User) -> Self:
        """Files are for one person alone, whatever their role: each holds what its asker may see."""
        return self.filter(requested_by=viewer)

    def unfinished(self) -> Self:
        return self.filter(state__in=UNFINISHED)

    def due(self, now: datetime) -> Self:
        """Files that nobody has in hand: a wake-up was lost, or a worker."""
        return self.unfinished().filter(lease_until__lte=now)

    def outdated(self, now: datetime) -> Self:
        """Files whose time is over, and those that were given up so long ago."""
        return self.filter(expires_at__lte=now)

    def held(self, token: UUID) -> Self:
        """The file that the holder of this lease may still write."""
        return self.filter(lease_token=token, state=ExportState.RUNNING)


class TaskSyncExport(models.Model):
    """One CSV file, prepared in short slices, each from where the last one ended (sync/tasklog.py)."""

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    requested_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="task_sync_exports")
    # What was chosen: user (pk), team (pk), state; each may be missing.
    filters = models.JSONField(default=dict)
    # The users (pk) whose tasks may stand in the file, as the asker might see them at the time; None: everyone.
    users = models.JSONField(null=True)
    since = models.DateTimeField()
    until = models.DateTimeField()

    state = models.CharField(_("state"), max_length=10, choices=ExportState.choices, default=ExportState.WAITING)
    error = models.CharField(_("what went wrong"), max_length=300, blank=True)
    file_name = models.CharField(max_length=100, blank=True, editable=False)
    rows_total = models.PositiveIntegerField(null=True)
    rows_done = models.PositiveIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    # Where the next slice begins: after this task.
    after_at = models.DateTimeField(null=True)
    after_pk = models.BigIntegerField(null=True)
    # How many workers were lost over it.
    lost = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("asked for at"), auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(_("deleted at"))

    objects = TaskSyncExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("Task Sync Results")
        verbose_name_plural = _("Task Sync Results")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["created_at"], condition=Q(state__in=UNFINISHED), name="export_unfinished")]

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED

    @property
    def is_ready(self) -> bool:
        return self.state == ExportState.READY

    @property
    def percentage(self) -> int | None:
        """Return 0 to 100, None before it is known how many rows there are."""
        if self.rows_total is None:
            return None
        return min(100, 100 * self.rows_done // self.rows_total) if self.rows_total else 100

    def time_left(self, now: datetime) -> timedelta | None:
        """Return how long the rest takes if it goes on as it went so far; None when nobody can say yet."""
        if self.started_at is None or self.rows_total is None or not self.rows_done:
            return None
        rest = max(0, self.rows_total - self.rows_done)
        return (now - self.started_at) * rest / self.rows_done

    def take(self, given: UUID, now: datetime, seconds: float) -> bool:
        """Take it for so long if it was handed on with the token `given`, or if nobody has it in hand any more.

        A worker that was lost over it is counted, and its bytes count no more. A new token shuts out whoever had it.
        """
        if not self.is_unfinished:
            return False
        lapsed = self.lease_until is not None and self.lease_until <= now
        if self.lease_token != given and not lapsed:
            return False
        changes: dict[str, object] = {
            "state": ExportState.RUNNING,
            "lease_token": uuid4(),
            "lease_until": now + timedelta(seconds=seconds),
        }
        if self.lease_token != given and self.state == ExportState.RUNNING:
            changes |= {"lost": self.lost + 1, "bytes": 0}
        same = TaskSyncExport.objects.filter(pk=self.pk, lease_token=self.lease_token, state=self.state)
        taken = same.filter(lease_until=self.lease_until).update(**changes)
        for name, value in changes.items() if taken else ():
            setattr(self, name, value)
        return bool(taken)

    def settle(self, **changes: object) -> bool:
        """Write `changes` if it is still ours to write, and then alone; whether it was."""
        assert self.lease_token is not None
        ours = TaskSyncExport.objects.filter(pk=self.pk).held(self.lease_token).update(**changes)
        if ours:
            for name, value in changes.items():
                setattr(self, name, value)
        return bool(ours)

    def end(self, state: ExportState) -> bool:
        """Cancel or withdraw it, whoever works on it; whether there was anything to end."""
        ended = TaskSyncExport.objects.filter(pk=self.pk, state__in=(*UNFINISHED, ExportState.READY)).update(
            state=state, lease_token=None, lease_until=None, finished_at=timezone.now()
        )
        return bool(ended)
