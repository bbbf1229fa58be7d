"""What is to be written to the CRM, each attempt at it, and what keeps many rows waiting for one cause."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connection as database
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from sync.enums import AttemptOutcome, FailureMode, ObjectType, OutboxState
from sync.models.connection import Connection
from sync.models.task import Task
from teams.models import User

UNSETTLED = (OutboxState.PENDING, OutboxState.SENDING)
# A row that is being sent again still has the error of its last attempt.
FAILING = (*UNSETTLED, OutboxState.FAILED)


class Trouble(models.Model):
    """One cause that an admin must mend, and for which equal rows wait. One row at a time is tried again."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="troubles")
    signature = models.CharField(max_length=64)
    failure_mode = models.CharField(_("failure mode"), max_length=20, choices=FailureMode.choices)
    error_code = models.CharField(_("code"), max_length=100)
    error_message = models.TextField(_("message"))
    first_at = models.DateTimeField(_("since"))
    next_probe_at = models.DateTimeField(_("next try"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("trouble")
        verbose_name_plural = _("troubles")
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "signature"], condition=Q(ended_at=None), name="trouble_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return self.error_code


class OutboxQuerySet(models.QuerySet["OutboxRow"]):
    def visible_to(self, viewer: User) -> Self:
        """The rows of everyone whom `viewer` may see."""
        return self if viewer.sees_everyone else self.filter(user__in=User.objects.visible_to(viewer).order_by())

    def unsettled(self) -> Self:
        """Waiting or being sent."""
        return self.filter(state__in=UNSETTLED)

    def due(self, now: datetime) -> Self:
        """Rows that may be taken: waiting long enough, or left behind by a worker whose lease has lapsed."""
        return self.unsettled().filter(not_before__lte=now)

    def undone(self, *states: OutboxState) -> Self:
        """Rows in one of these states, none of which is DONE.

        SQLite uses the partial index only when its condition is said, too; PostgreSQL would take that for a second,
        independent one, and expect far too few rows.
        """
        rows = self.filter(state__in=states)
        return rows.exclude(state=OutboxState.DONE) if database.vendor == "sqlite" else rows

    def newest(self) -> Self:
        """A row whose task has a newer one is history."""
        newer = OutboxRow.objects.filter(task=OuterRef("task"), pk__gt=OuterRef("pk"))
        return self.filter(~Exists(newer))

    def failing(self) -> Self:
        """Rows whose last attempt was refused and that have not passed since: they wait, are retried, or failed."""
        return self.newest().filter(state__in=FAILING).exclude(signature="")

    def retryable(self) -> Self:
        """Rows that can be tried at once by hand: those that wait or have failed."""
        return self.newest().filter(state__in=(OutboxState.PENDING, OutboxState.FAILED))

    def cancellable(self) -> Self:
        """Rows that can be given up by hand: those that wait or have failed, unless they may stand in the CRM."""
        return self.newest().filter(Q(state=OutboxState.PENDING, in_doubt=False) | Q(state=OutboxState.FAILED))

    def held(self, token: uuid.UUID) -> Self:
        """Rows that the holder of this lease may still settle."""
        return self.filter(lease_token=token, state=OutboxState.SENDING)


class OutboxRow(models.Model):
    """One thing to be written. The row is the truth; the queue is only a bell."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="outbox")
    object_type = models.CharField(max_length=10, choices=ObjectType.choices, default=ObjectType.TASK)
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="outbox_rows", null=True)
    # The task's, copied: a log of a million rows is narrowed to a user's or a team's without a join.
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, editable=False, db_index=False
    )
    key = models.CharField(max_length=32, editable=False)

    state = models.CharField(_("state"), max_length=10, choices=OutboxState.choices, default=OutboxState.PENDING)
    # Before that nobody takes it; while it is being sent, that is when the lease lapses.
    not_before = models.DateTimeField(_("next try"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # An earlier attempt's outcome is unknown: look first.
    in_doubt = models.BooleanField(_("in doubt"), default=False)
    # Changed here after the task was asked for: what stands in the CRM gives way to it.
    rewrites_who = models.BooleanField(default=False, editable=False)
    rewrites_what = models.BooleanField(default=False, editable=False)
    lease_token = models.UUIDField(null=True, editable=False)
    first_attempt_at = models.DateTimeField(_("first attempt at"), null=True, blank=True)
    # The connection's down time when the 30 days began: what came on top since then doesn't count.
    down_total_at_first = models.DurationField(default=timedelta, editable=False)

    failure_mode = models.CharField(_("failure mode"), max_length=20, choices=FailureMode.choices, blank=True)
    error_code = models.CharField(_("code"), max_length=100, blank=True)
    error_message = models.TextField(_("message"), blank=True)
    # What equal errors have in common (sync/troubles.py), when this row met it first, and when last.
    signature = models.CharField(max_length=64, blank=True, editable=False)
    error_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    error_at = models.DateTimeField(_("last error at"), null=True, blank=True, editable=False)
    trouble = models.ForeignKey(Trouble, on_delete=models.SET_NULL, null=True, blank=True, related_name="rows")
    created_at = models.DateTimeField(_("asked for at"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("outbox row")
        verbose_name_plural = _("outbox")
        constraints = [
            models.UniqueConstraint(
                fields=["task"], condition=Q(state=OutboxState.PENDING), name="outbox_one_waiting_per_task"
            ),
            models.UniqueConstraint(
                fields=["task"], condition=Q(state=OutboxState.SENDING), name="outbox_one_sending_per_task"
            ),
            models.CheckConstraint(
                condition=~Q(object_type=ObjectType.TASK) | Q(task__isnull=False, user__isnull=False),
                name="outbox_has_its_object",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "not_before", "id"], condition=Q(state__in=UNSETTLED), name="outbox_due"
            ),
            models.Index(fields=["trouble"], condition=Q(state=OutboxState.PENDING), name="outbox_trouble"),
            models.Index(fields=["lease_token"], condition=Q(state=OutboxState.SENDING), name="outbox_lease"),
            # The Task Sync Log, newest first: all of it, one user's, and what is not done.
            models.Index(fields=["created_at", "id"], name="outbox_log"),
            models.Index(fields=["user", "created_at", "id"], name="outbox_log_user"),
            models.Index(
                fields=["state", "created_at", "id"], condition=~Q(state=OutboxState.DONE), name="outbox_log_undone"
            ),
            models.Index(fields=["signature", "id"], condition=~Q(signature=""), name="outbox_failing"),
            models.Index(
                fields=["settled_at", "created_at"], condition=Q(state=OutboxState.DONE), name="outbox_synced"
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.user_id is None and self.task is not None:
            self.user_id = self.task.user_id
        super().save(*args, **kwargs)

    @property
    def next_try(self) -> datetime | None:
        """When it may be sent next: what waits for an admin is tried one at a time, each hour; None when it is over."""
        if self.state != OutboxState.PENDING:
            return None
        return min(self.not_before, self.trouble.next_probe_at) if self.trouble else self.not_before


class LogRow(OutboxRow):
    """What was asked of the CRM for one task, as the Task Sync Log shows it."""

    class Meta:
        proxy = True
        verbose_name = _("Task Sync Log")
        verbose_name_plural = _("Task Sync Log")


class Attempt(models.Model):
    """One try to write one row: made before the call, completed after it. Codes and messages, never payloads."""

    row = models.ForeignKey(OutboxRow, on_delete=models.CASCADE, related_name="tries")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="attempts", null=True)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="attempts")
    key = models.CharField(max_length=32)
    batch_size = models.PositiveSmallIntegerField(_("batch size"), default=1)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=AttemptOutcome.choices, default=AttemptOutcome.STARTED
    )
    failure_mode = models.CharField(_("failure mode"), max_length=20, choices=FailureMode.choices, blank=True)
    error_code = models.CharField(_("code"), max_length=100, blank=True)
    error_message = models.TextField(_("message"), blank=True)
    error_fields = models.JSONField(_("fields"), default=list, blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    request_id = models.CharField(_("CRM request id"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["started_at", "pk"]
        indexes = [
            models.Index(fields=["started_at"], name="attempt_started"),
            models.Index(fields=["error_code", "row"], condition=~Q(error_code=""), name="attempt_error_code"),
        ]

    def __str__(self) -> str:
        return str(self.get_outcome_display())
