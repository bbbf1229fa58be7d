"""The connection to one org: who we are there, whether it works, and what its Task looks like."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.crm.base import TaskSchema, Usage
from sync.encryption import EncryptedTextField
from sync.enums import AuthFlow, ConnectionState, FailureMode
from teams.crm_ids import CrmIdField

if TYPE_CHECKING:
    from teams.models import User

MAX_BATCH = 200  # records in one collection call
BATCH_GROWS_EVERY = timedelta(hours=1)
_NEW_TOKEN = ["access_token", "refresh_token", "instance_url", "token_number", "token_lease_until"]


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def of_organisation(self) -> Self:
        """The Access User's connection; a rep's own has a user."""
        return self.filter(user=None)

    def lost(self) -> Self:
        """Those whose Access User the CRM no longer lets in; not those that a person disconnected."""
        return self.filter(state=ConnectionState.DISCONNECTED, disconnected_by=None)

    def without_tokens(self) -> Self:
        """Read no token: pages have no business with them, and a lost key must not keep anybody from connecting."""
        return self.defer("access_token", "refresh_token")


class Connection(models.Model):
    """One CRM user in one org. Reconnecting to another org is refused."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="connection",
        help_text=_("Empty: the Access User, who works for everyone."),
    )
    auth_flow = models.CharField(_("sign-in"), max_length=20, choices=AuthFlow.choices)
    login_url = models.URLField(_("log-in address"))
    instance_url = models.URLField(_("instance address"), blank=True)
    org_id = CrmIdField(_("org id"), unique=True)
    access_user_id = CrmIdField(_("Access User's id"))
    access_user_name = models.CharField(_("Access User"), max_length=255)
    org_name = models.CharField(_("org"), max_length=255, blank=True)

    access_token = EncryptedTextField(blank=True, editable=False)
    refresh_token = EncryptedTextField(blank=True, editable=False)
    # Counts the tokens: whoever saw number n fail may replace it only while it is still n.
    token_number = models.PositiveBigIntegerField(default=0, editable=False)
    token_lease_until = models.DateTimeField(null=True, editable=False)

    state = models.CharField(
        _("state"), max_length=20, choices=ConnectionState.choices, default=ConnectionState.CONNECTED
    )
    down_since = models.DateTimeField(_("disconnected since"), null=True, blank=True)
    # Who disconnected it on purpose: then only a person connects it again.
    disconnected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("disconnected by"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    # All the time it was ever down; the 30 days of a row stand still meanwhile.
    down_total = models.DurationField(default=timedelta, editable=False)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    pause_mode = models.CharField(_("paused because"), max_length=20, choices=FailureMode.choices, blank=True)
    pause_count = models.PositiveIntegerField(default=0, editable=False)
    error_code = models.CharField(_("last error's code"), max_length=100, blank=True)
    error_message = models.TextField(_("last error"), blank=True)
    error_at = models.DateTimeField(_("last error at"), null=True, blank=True)

    api_used = models.PositiveIntegerField(_("API calls used"), null=True, blank=True)
    api_limit = models.PositiveIntegerField(_("API calls allowed"), null=True, blank=True)
    api_seen_at = models.DateTimeField(_("API usage seen at"), null=True, blank=True)

    schema = models.JSONField(null=True, editable=False)
    schema_at = models.DateTimeField(_("fields read at"), null=True, blank=True)
    # What the Access User may do with each object, as it was last looked at (crm.base.ObjectAccess).
    access = models.JSONField(null=True, editable=False)
    access_at = models.DateTimeField(null=True, editable=False)
    batch_size = models.PositiveSmallIntegerField(_("batch size"), default=MAX_BATCH)
    batch_size_at = models.DateTimeField(null=True, editable=False)

    rung_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("connected first at"), auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")

    def __str__(self) -> str:
        return self.access_user_name

    @property
    def task_schema(self) -> TaskSchema | None:
        """The org's Task as it was last read."""
        return TaskSchema.from_json(self.schema) if self.schema else None

    @property
    def usage(self) -> Usage | None:
        if self.api_used is None or self.api_limit is None:
            return None
        return Usage(self.api_used, self.api_limit)

    def readable_token(self) -> str:
        """Return the token whose end ends all of this log-in, as it is stored now; empty when no key reads it."""
        try:
            row = Connection.objects.only("access_token", "refresh_token").get(pk=self.pk)
        except ImproperlyConfigured:
            return ""
        token: str = row.refresh_token or row.access_token
        return token

    def down_time(self, now: datetime) -> timedelta:
        """All the time this connection was down, up to `now`."""
        return self.down_total + (now - self.down_since if self.down_since else timedelta())

    def may_send(self, now: datetime) -> bool:
        """Whether something can be sent: connected, and no pause is running."""
        return self.state == ConnectionState.CONNECTED and (self.paused_until is None or self.paused_until <= now)

    def pause(self, mode: FailureMode, code: str, message: str, until: datetime) -> None:
        """Rest until then, because the CRM is out of reach or its limits are used up: no row is to blame.

        Several workers that meet one cause at once are one pause: who comes later can only make it longer.
        """
        values = {
            "paused_until": until,
            "pause_mode": mode,
            "error_code": code[:100],
            "error_message": message,
            "error_at": timezone.now(),
        }
        as_seen = Connection.objects.filter(pk=self.pk, paused_until=self.paused_until)
        if not as_seen.update(pause_count=models.F("pause_count") + 1, **values):
            Connection.objects.filter(
                models.Q(paused_until=None) | models.Q(paused_until__lt=until), pk=self.pk
            ).update(**values)
        self.refresh_from_db(fields=["paused_until", "pause_mode", "pause_count"])

    def take_half_open(self, now: datetime, until: datetime) -> bool:
        """After a pause, let one worker try first: True for that one, and the others rest on until then."""
        seen = Connection.objects.filter(pk=self.pk, paused_until=self.paused_until, paused_until__lte=now)
        if not seen.update(paused_until=until):
            return False
        self.paused_until = until
        return True

    def resume(self) -> bool:
        """End the pause that this worker tried first after; True when it did.

        Another worker may have begun a new pause meanwhile: that one stays.
        """
        if self.paused_until is None:
            return False
        mine = Connection.objects.filter(pk=self.pk, paused_until=self.paused_until)
        changed = mine.update(paused_until=None, pause_mode="", pause_count=0)
        self.paused_until, self.pause_mode, self.pause_count = None, "", 0
        return bool(changed)

    def remember_batch_size(self, size: int) -> None:
        """Remember the batch size that works."""
        self.batch_size, self.batch_size_at = max(1, min(size, MAX_BATCH)), timezone.now()
        # Not save(): that asks for the row as it was, for the audit, which keeps what people change.
        Connection.objects.filter(pk=self.pk).update(batch_size=self.batch_size, batch_size_at=self.batch_size_at)

    def grow_batch_size(self, now: datetime) -> None:
        """Let a reduced batch size grow back slowly: a quarter an hour."""
        if self.batch_size < MAX_BATCH and self.batch_size_at and self.batch_size_at <= now - BATCH_GROWS_EVERY:
            self.remember_batch_size(-(-self.batch_size * 5 // 4))

    def mark_disconnected(self, code: str, message: str, *, seen_token: int | None = None) -> bool:
        """Say that the Access User is lost, in the CRM's words; True for the one caller that changed it.

        With `seen_token`, only while that token is the newest: the loss of an older one tells nothing.
        """
        now = timezone.now()
        values = {"down_since": now, "error_code": code[:100], "error_message": message, "error_at": now}
        up = Connection.objects.filter(pk=self.pk, state=ConnectionState.CONNECTED)
        if seen_token is not None:
            up = up.filter(token_number=seen_token)
        changed = bool(up.update(state=ConnectionState.DISCONNECTED, **values))
        self.refresh_from_db(fields=["state", *values])
        return changed

    def disconnect(self, by: "User") -> str:
        """Take the Access User away on purpose, whatever state it is in; return the token that is to be revoked.

        Nobody uses the stored tokens afterwards, and whoever is renewing them can't store another one. The token is
        empty when there is none, and when no key reads it any more.
        """
        with transaction.atomic():
            this = Connection.objects.filter(pk=self.pk)
            row = this.select_for_update().defer("access_token", "refresh_token").get()
            token, now = row.readable_token(), timezone.now()
            this.update(
                state=ConnectionState.DISCONNECTED,
                # From now on it is down because of a person; for how long it was lost before is kept.
                down_total=row.down_time(now),
                down_since=now,
                disconnected_by=by,
                error_code="",
                error_message="",
                error_at=None,
                access_token="",
                refresh_token="",
                token_lease_until=None,
                token_number=models.F("token_number") + 1,
            )
        self.refresh_from_db()
        return token

    def mark_connected(self, *, by_hand: bool = False) -> bool:
        """Say that the Access User is back; True for the one caller that changed it. Its down time is counted once.

        What a person disconnected comes back `by_hand` alone.
        """
        self.refresh_from_db(fields=["state", "down_since", "down_total"])
        down_total = self.down_time(timezone.now())
        away = Connection.objects.filter(state=ConnectionState.DISCONNECTED) if by_hand else Connection.objects.lost()
        down = away.filter(pk=self.pk, down_since=self.down_since, down_total=self.down_total)
        values = {
            "down_since": None,
            "disconnected_by": None,
            "down_total": down_total,
            "error_code": "",
            "error_message": "",
            "error_at": None,
        }
        changed = bool(down.update(state=ConnectionState.CONNECTED, **values))
        self.refresh_from_db(fields=["state", *values])
        return changed

    def note_failed_reconnection(self, code: str, message: str) -> None:
        """Keep why the Access User could not come back."""
        down = Connection.objects.lost().filter(pk=self.pk)
        down.update(error_code=code[:100], error_message=message, error_at=timezone.now())

    def claim_token_refresh(self, seen_number: int, seconds: float, *, lost: bool = False) -> bool:
        """Become the one who replaces token `seen_number`; the claim lapses after `seconds`.

        False when somebody else is at it, has done it, or has found that the Access User is lost; with `lost`, when
        it isn't lost or was disconnected on purpose. Committed at once: others must see it.
        """
        now = timezone.now()
        free = models.Q(token_lease_until=None) | models.Q(token_lease_until__lte=now)
        with transaction.atomic(durable=True):
            those = Connection.objects.lost() if lost else Connection.objects.filter(state=ConnectionState.CONNECTED)
            mine = those.filter(free, pk=self.pk, token_number=seen_number)
            return bool(mine.update(token_lease_until=now + timedelta(seconds=seconds)))

    def give_up_token_refresh(self, seen_number: int) -> None:
        """Let somebody else try: no new token came."""
        Connection.objects.filter(pk=self.pk, token_number=seen_number).update(token_lease_until=None)

    def store_token(
        self, access_token: str, instance_url: str, refresh_token: str | None = None, *, replacing: int | None = None
    ) -> bool:
        """Keep a new token, encrypted, and end the claim to replace the old one; None keeps the refresh token.

        With `replacing`, only in the place of that token number: False when another one, or none, has taken it.
        """
        values: dict[str, Any] = {"access_token": access_token, "instance_url": instance_url}
        if refresh_token is not None:
            values["refresh_token"] = refresh_token
        seen = Connection.objects.filter(pk=self.pk)
        if replacing is not None:
            seen = seen.filter(token_number=replacing)
        stored = seen.update(token_number=models.F("token_number") + 1, token_lease_until=None, **values)
        self.refresh_from_db(fields=_NEW_TOKEN)
        return bool(stored)

    def note_usage(self, usage: Usage | None) -> None:
        """Keep how many of the org's API calls are used up, when the CRM said so."""
        if usage is None or usage == self.usage:
            return
        self.api_used, self.api_limit, self.api_seen_at = usage.used, usage.limit, timezone.now()
        Connection.objects.filter(pk=self.pk).update(
            api_used=self.api_used, api_limit=self.api_limit, api_seen_at=self.api_seen_at
        )
