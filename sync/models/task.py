"""A task: what a rep was asked to do and did, and what was decided on its way to the CRM."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.enums import CallDirection, DecisionCode, LinkChoice, TaskKind, TaskSource, TaskState
from sync.models.play import Enrolment, PlayStep
from sync.models.record import Record
from teams.crm_ids import CrmIdField
from teams.models import User


def new_key() -> str:
    """The key that a task carries into the CRM: made with it, never changed, in lower case only."""
    return uuid.uuid4().hex


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, viewer: User) -> Self:
        """The tasks of everyone whom `viewer` may see."""
        return self if viewer.sees_everyone else self.filter(user__in=User.objects.visible_to(viewer))

    def orphans(self) -> Self:
        """Completed calls that stand in the CRM without a record (M6)."""
        return self.filter(is_orphan=True)


class Task(models.Model):
    """A call, an e-mail or something else, from a play or ad hoc."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(max_length=32, unique=True, default=new_key, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.PROTECT, related_name="tasks"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=TaskKind.choices)
    state = models.CharField(_("state"), max_length=10, choices=TaskState.choices, default=TaskState.OPEN)
    source = models.CharField(
        _("came from"), max_length=10, choices=TaskSource.choices, default=TaskSource.PLAYBOOKS, editable=False
    )
    # Sent through Track and Sync: logged whatever the switches of CRM Email Sync say (M17).
    is_track_and_sync = models.BooleanField(_("Track and Sync"), default=False, editable=False)
    enrolment = models.ForeignKey(
        Enrolment,
        verbose_name=_("enrolment"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tasks",
    )
    step = models.ForeignKey(
        PlayStep,
        verbose_name=_("play step"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tasks",
        help_text=_("Empty: the task is ad hoc."),
    )
    due_on = models.DateField(_("due on"), null=True, blank=True)
    completed_at = models.DateTimeField(_("completed at"), null=True, blank=True)
    subject = models.CharField(_("subject"), max_length=1000)
    description = models.TextField(_("description"), blank=True)

    call_direction = models.CharField(_("direction"), max_length=10, choices=CallDirection.choices, blank=True)
    call_duration_seconds = models.PositiveIntegerField(_("duration in seconds"), null=True, blank=True)
    call_disposition = models.CharField(_("disposition"), max_length=255, blank=True)
    phone_number = models.CharField(_("phone number"), max_length=64, blank=True)
    phone_e164 = models.CharField(_("normalised number"), max_length=32, blank=True, db_index=True)
    email_address = models.CharField(_("e-mail address"), max_length=254, blank=True, db_index=True)

    # What was asked for …
    record = models.ForeignKey(
        Record,
        verbose_name=_("record"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tasks",
    )
    related_record = models.ForeignKey(
        Record,
        verbose_name=_("related record"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="related_tasks",
    )
    link_choice = models.CharField(_("record was"), max_length=10, choices=LinkChoice.choices, default=LinkChoice.NONE)
    # … and what was decided: WhoId and WhatId in the CRM.
    who = models.ForeignKey(
        Record,
        verbose_name=_("person"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tasks_as_who",
    )
    what = models.ForeignKey(
        Record,
        verbose_name=_("related to"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tasks_as_what",
    )
    is_orphan = models.BooleanField(_("orphaned phone call"), default=False)

    crm_id = CrmIdField(_("CRM Task id"), blank=True, db_index=True)
    synced_at = models.DateTimeField(_("synced at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state=TaskState.COMPLETED) | models.Q(completed_at__isnull=False),
                name="task_completed_has_time",
            ),
            models.UniqueConstraint(
                fields=["enrolment", "step"],
                condition=models.Q(enrolment__isnull=False),
                name="task_once_per_step",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-completed_at"], name="task_user_completed"),
            models.Index(fields=["user", "due_on"], condition=models.Q(state=TaskState.OPEN), name="task_user_due"),
            models.Index(
                fields=["user", "-due_on"], condition=models.Q(state=TaskState.SKIPPED), name="task_user_skipped"
            ),
            models.Index(fields=["-completed_at"], name="task_completed"),
            models.Index(fields=["-completed_at"], condition=models.Q(is_orphan=True), name="task_orphans"),
        ]

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def is_ad_hoc(self) -> bool:
        return self.step_id is None


class Decision(models.Model):
    """One thing that was decided about a task, when, and on what ground (`detail`: names, counts and lengths only)."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="decisions")
    at = models.DateTimeField(_("at"))
    code = models.CharField(_("decision"), max_length=30, choices=DecisionCode.choices)
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return str(self.get_code_display())
