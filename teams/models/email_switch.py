"""CRM Email Sync: the organisation's and each user's switches, and whose the last change was."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from teams.models.people import User


class EmailDirection(models.TextChoices):
    OUTBOUND = "outbound", _("Outbound")
    INBOUND = "inbound", _("Inbound")
    ATTACHMENTS = "attachments", _("Attachments")


class SwitchChoice(models.TextChoices):
    """A user's switch that is not chosen follows the organisation's; the organisation's is off then (M14)."""

    NOT_CHOSEN = "", _("Not chosen")
    ON = "on", _("On")
    OFF = "off", _("Off")


class EmailSwitch(models.Model):
    """One switch. Without a user it is the organisation's; attachments are the organisation's alone (M16).

    Rows are made when somebody first chooses. What is in force, and why, is for teams/email_sync.py to say.
    """

    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, null=True, blank=True, related_name="email_switches"
    )
    direction = models.CharField(_("direction"), max_length=12, choices=EmailDirection.choices)
    choice = models.CharField(_("choice"), max_length=3, choices=SwitchChoice.choices, blank=True)
    # Grows with every change: who saw number n may change the switch only while it is still n.
    version = models.PositiveIntegerField(default=0, editable=False)
    changed_by = models.ForeignKey(
        User, verbose_name=_("changed by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("CRM Email Sync switch")
        verbose_name_plural = _("CRM Email Sync switches")
        constraints = [
            models.UniqueConstraint(fields=["user", "direction"], name="email_switch_once_per_user"),
            models.UniqueConstraint(
                fields=["direction"], condition=Q(user=None), name="email_switch_once_per_organisation"
            ),
            models.CheckConstraint(
                condition=Q(user=None) | ~Q(direction=EmailDirection.ATTACHMENTS),
                name="email_attachments_organisation_only",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or _('organisation')}: {self.get_direction_display()}"
