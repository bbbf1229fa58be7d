"""An orphaned phone call that was given a record, and what stood before, so that it can be undone."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sync.enums import LinkChoice
from sync.models.record import Record
from sync.models.task import Task
from teams.models import User


class AdoptionQuerySet(models.QuerySet["Adoption"]):
    def visible_to(self, viewer: User) -> Self:
        """The adoptions of the tasks that `viewer` may see."""
        return self if viewer.sees_everyone else self.filter(task__user__in=User.objects.visible_to(viewer))

    def standing(self) -> Self:
        """Those that nobody has undone."""
        return self.filter(undone_at=None)


class Adoption(models.Model):
    """One adoption of one task: who gave it which record. Undone, it stays as what happened."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    task = models.ForeignKey(Task, verbose_name=_("task"), on_delete=models.CASCADE, related_name="adoptions")
    at = models.DateTimeField(_("adopted at"))
    by = models.ForeignKey(User, verbose_name=_("adopted by"), on_delete=models.PROTECT, related_name="+")
    record = models.ForeignKey(Record, verbose_name=_("record"), on_delete=models.PROTECT, related_name="adoptions")
    related_record = models.ForeignKey(
        Record, verbose_name=_("related record"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    before_who = models.ForeignKey(
        Record, verbose_name=_("person before"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    before_what = models.ForeignKey(
        Record, verbose_name=_("related to before"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    before_choice = models.CharField(
        _("record was before"), max_length=10, choices=LinkChoice.choices, default=LinkChoice.NONE
    )
    was_orphan = models.BooleanField(_("was an orphaned phone call"), default=True)

    undone_at = models.DateTimeField(_("undone at"), null=True, blank=True)
    undone_by = models.ForeignKey(
        User, verbose_name=_("undone by"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = AdoptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("adoption")
        verbose_name_plural = _("adoptions")
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["task"], condition=Q(undone_at=None), name="adoption_once_at_a_time")
        ]
        indexes = [models.Index(fields=["-at"], condition=Q(undone_at=None), name="adoption_standing")]

    def __str__(self) -> str:
        return str(self.uuid)
