"""Plays: ordered steps that a rep works through for a record."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.enums import TaskKind
from sync.models.record import Record
from teams.models import User


class Play(models.Model):
    """A named sequence of steps."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=150, unique=True)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Records can be enrolled in active plays only.")
    )

    class Meta:
        verbose_name = _("play")
        verbose_name_plural = _("plays")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PlayStep(models.Model):
    """One step: what to do, and how many days after the enrolment."""

    play = models.ForeignKey(Play, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=10, choices=TaskKind.choices)
    name = models.CharField(_("name"), max_length=150)
    day_offset = models.PositiveSmallIntegerField(_("day"), default=0, help_text=_("Days after the enrolment."))
    subject = models.CharField(_("subject"), max_length=255, blank=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        verbose_name = _("play step")
        verbose_name_plural = _("play steps")
        ordering = ["play", "position"]
        constraints = [models.UniqueConstraint(fields=["play", "position"], name="play_step_position_once")]

    def __str__(self) -> str:
        return self.name


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def visible_to(self, viewer: User) -> Self:
        """The enrolments of everyone whom `viewer` may see."""
        return self if viewer.sees_everyone else self.filter(user__in=User.objects.visible_to(viewer))

    def running(self) -> Self:
        return self.filter(ended_at=None)


class Enrolment(models.Model):
    """A record that a user works through a play; it gives the record a history (M4).

    It ends by itself with its last open task (`ended_by` is empty then), or because somebody ends it.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    play = models.ForeignKey(Play, verbose_name=_("play"), on_delete=models.PROTECT, related_name="enrolments")
    record = models.ForeignKey(Record, verbose_name=_("record"), on_delete=models.PROTECT, related_name="enrolments")
    related_record = models.ForeignKey(
        Record,
        verbose_name=_("related record"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="related_enrolments",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.PROTECT, related_name="enrolments"
    )
    created_at = models.DateTimeField(_("enrolled at"), auto_now_add=True)
    # Empty: the user themselves.
    enrolled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("enrolled by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("ended by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    end_reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [
            models.UniqueConstraint(
                fields=["play", "record"], condition=models.Q(ended_at=None), name="enrolment_once_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.play} – {self.record}"
