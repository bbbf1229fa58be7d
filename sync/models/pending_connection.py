"""A log-in in the browser that nobody has accepted yet."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils import timezone

from sync.crm.base import Usage
from sync.encryption import EncryptedTextField
from teams.crm_ids import CrmIdField

# Long enough to read what the Access User may do, and to ask somebody.
KEPT = timedelta(minutes=30)
# Nobody is accepting it any more when its token is revoked.
_MARGIN = timedelta(minutes=5)


class PendingConnectionQuerySet(models.QuerySet["PendingConnection"]):
    def live(self, now: datetime | None = None) -> Self:
        """Those that can still be accepted."""
        return self.filter(created_at__gt=(now or timezone.now()) - KEPT)

    def lapsed(self, now: datetime | None = None) -> Self:
        """Those that nobody accepted in time; their tokens still work until they are revoked."""
        return self.filter(created_at__lte=(now or timezone.now()) - KEPT - _MARGIN)

    def without_tokens(self) -> Self:
        """Read no token before it is needed: a lost key must not keep anybody from beginning again."""
        return self.defer("access_token", "refresh_token")


class PendingConnection(models.Model):
    """What an admin let in and sees before it counts: for them alone, and for half an hour."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    login_url = models.URLField()
    instance_url = models.URLField()
    access_token = EncryptedTextField()
    refresh_token = EncryptedTextField()
    org_id = CrmIdField()
    org_name = models.CharField(max_length=255, blank=True)
    access_user_id = CrmIdField()
    access_user_name = models.CharField(max_length=255)
    username = models.CharField(max_length=255, default="")
    # As crm.base.ObjectAccess and TaskSchema write themselves.
    access = models.JSONField()
    schema = models.JSONField()
    api_used = models.PositiveIntegerField(null=True)
    api_limit = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = PendingConnectionQuerySet.as_manager()

    def __str__(self) -> str:
        return self.access_user_name

    @property
    def usage(self) -> Usage | None:
        if self.api_used is None or self.api_limit is None:
            return None
        return Usage(self.api_used, self.api_limit)

    def readable_token(self) -> str:
        """Return the token whose end ends all of this log-in; empty when no key reads it, or when it is gone."""
        try:
            token: str = self.refresh_token
        except (ImproperlyConfigured, PendingConnection.DoesNotExist):
            return ""
        return token

    def minutes_left(self, now: datetime) -> int:
        """Return for how long it can still be accepted."""
        return max(0, round((self.created_at + KEPT - now).total_seconds() / 60))
