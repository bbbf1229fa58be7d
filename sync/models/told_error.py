"""What was told of errors, so that a cause is told once, and again only when it grows."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from teams.models import Team


class ToldError(models.Model):
    """One cause (see `OutboxRow.signature`) as it was told to a team's managers; without a team, to the admins."""

    signature = models.CharField(max_length=64)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    tasks = models.PositiveIntegerField(_("tasks when it was told"))
    seen_at = models.DateTimeField(_("last seen at"))

    class Meta:
        verbose_name = _("told error")
        verbose_name_plural = _("told errors")
        constraints = [
            models.UniqueConstraint(fields=["signature", "team"], name="told_error_once_per_team"),
            models.UniqueConstraint(fields=["signature"], condition=Q(team=None), name="told_error_once_to_admins"),
        ]

    def __str__(self) -> str:
        return self.signature
