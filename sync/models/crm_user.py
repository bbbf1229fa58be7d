"""Which CRM user a user is: what the last look-up by e-mail found, so that pages needn't ask the CRM."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.enums import CrmUserFinding


class CrmUserLookup(models.Model):
    """What the last look-up found for one user.

    `candidates` are the CRM users with that e-mail, at most ten: [{"id", "name", "username", "is_active", "is_free"}].
    Which of them the user is stands on the user alone.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="crm_user_lookup"
    )
    finding = models.CharField(_("finding"), max_length=20, choices=CrmUserFinding.choices)
    candidates = models.JSONField(_("candidates"), default=list)
    at = models.DateTimeField(_("looked up at"))

    class Meta:
        verbose_name = _("look-up of a CRM user")
        verbose_name_plural = _("look-ups of CRM users")

    def __str__(self) -> str:
        return f"{self.user}: {self.get_finding_display()}"

    def candidate(self, crm_id: str | None) -> dict[str, Any] | None:
        """Return the candidate with this id (18 characters), if there is one."""
        return next((each for each in self.candidates if each["id"] == crm_id), None)
