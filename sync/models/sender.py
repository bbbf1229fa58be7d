"""Other tools that hand tasks in through the HTTP API: who they are, their tokens, and what they handed in."""

import hashlib
import secrets
import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sync.encryption import EncryptedTextField
from sync.models.task import Task
from teams.models import Team, User

TOKEN_PREFIX = "pbk_"  # noqa: S105 - the same for all: scanners of leaked secrets find it


class Sender(models.Model):
    """A dialer or another tool. Its keys are its own: another sender's equal key is another task."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="senders",
        help_text=_("Whose users' tasks it may hand in and read. Empty: the whole organisation's."),
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Switched off, none of its tokens is accepted.")
    )
    is_outlook_plugin = models.BooleanField(
        _("Outlook plug-in"),
        default=False,
        help_text=_("What it hands in as Track and Sync is exempt from the blacklists, as mail sent from Outlook is."),
    )
    webhook_url = models.URLField(
        _("webhook address"),
        max_length=500,
        blank=True,
        help_text=_("Told by POST when a task of this sender is final. Empty: nobody is told."),
    )
    webhook_secret = EncryptedTextField(_("webhook secret"), blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def users(self) -> "models.QuerySet[User]":
        """The users whose tasks it may hand in and read."""
        users: models.QuerySet[User] = User.objects.all()
        return users if self.team_id is None else users.filter(team=self.team_id)


def digest_of(token: str) -> str:
    """Return what is stored of a token. Tokens are random and long, so a plain hash can't be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def usable(self, now: datetime) -> Self:
        """Neither revoked nor expired, of a sender that is active."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None, sender__is_active=True)


class ApiToken(models.Model):
    """A bearer token of a sender. It is shown once; a hash of it and its first characters are kept."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sender = models.ForeignKey(Sender, verbose_name=_("sender"), on_delete=models.CASCADE, related_name="tokens")
    hint = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.hint}…"

    @classmethod
    def issue(
        cls, sender: Sender, by: User | None = None, expires_at: datetime | None = None
    ) -> "tuple[ApiToken, str]":
        """Make a token; return it with its text, which nobody can see again."""
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            sender=sender, hint=text[:10], digest=digest_of(text), created_by=by, expires_at=expires_at
        )
        return token, text


class ReceivedTask(models.Model):
    """What a sender handed in under one of its keys: the task, or why there is none (B2), never a text."""

    sender = models.ForeignKey(Sender, on_delete=models.PROTECT, related_name="received")
    key = models.CharField(_("key"), max_length=255)
    # A keyed hash of what was handed in: the same key with other contents is an error.
    digest = models.CharField(max_length=64, editable=False)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    task = models.OneToOneField(Task, on_delete=models.PROTECT, null=True, related_name="received")
    # Of what a blacklist stopped, only this remains (B5).
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    stopped_by = models.JSONField(_("stopped by"), null=True, blank=True)
    received_at = models.DateTimeField(_("received at"), auto_now_add=True)

    class Meta:
        verbose_name = _("received task")
        verbose_name_plural = _("received tasks")
        constraints = [
            models.UniqueConstraint(fields=["sender", "key"], name="received_key_once_per_sender"),
            models.CheckConstraint(
                condition=Q(task__isnull=False) | Q(stopped_by__isnull=False), name="received_task_or_reason"
            ),
        ]
        indexes = [models.Index(fields=["sender", "received_at", "id"], name="received_by_time")]

    def __str__(self) -> str:
        return self.key
