"""What needs someone: a notice on the page and, if they chose so, by e-mail."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from teams.models.people import User


class NoticeKind(models.TextChoices):
    CONNECTION = "connection", _("The CRM is disconnected, or back")
    ERRORS = "errors", _("Errors that are new or growing")
    FILE_READY = "file_ready", _("A file that you asked for is ready")
    CRM_USERS = "crm_users", _("Users without a CRM user")
    WEBHOOKS = "webhooks", _("A webhook that nobody takes")


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, viewer: User) -> Self:
        """Notices are for one person alone, whatever their role."""
        return self.filter(user=viewer)

    def unread(self) -> Self:
        return self.filter(read_at=None, on_page=True)


class Notice(models.Model):
    """One thing that one user was told. `key` names the cause: while it is unread, it is told once."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(_("kind"), max_length=20, choices=NoticeKind.choices)
    key = models.CharField(max_length=100, blank=True, editable=False)
    title = models.CharField(_("title"), max_length=200)
    text = models.TextField(_("text"), blank=True)
    path = models.CharField(_("page"), max_length=300, blank=True)  # of this site, beginning with a slash
    on_page = models.BooleanField(default=True, editable=False)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)
    read_at = models.DateTimeField(_("read at"), null=True, blank=True)
    # When an e-mail is to be tried, the next time if one failed; empty: none is owed.
    email_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    emailed_at = models.DateTimeField(_("e-mailed at"), null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind", "key"], condition=Q(read_at=None) & ~Q(key=""), name="notice_once_while_unread"
            )
        ]
        indexes = [
            models.Index(fields=["user", "-created_at"], name="notice_newest"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notice_unread"),
            models.Index(fields=["email_due_at"], condition=Q(email_due_at__isnull=False), name="notice_to_email"),
        ]

    def __str__(self) -> str:
        return self.title


class NoticeChoice(models.Model):
    """How one user wants to be told of one kind. Without a row: on the page, and by e-mail what can't wait."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notice_choices")
    kind = models.CharField(_("kind"), max_length=20, choices=NoticeKind.choices)
    on_page = models.BooleanField(_("on the page"), default=True)
    by_email = models.BooleanField(_("by e-mail"), default=False)

    class Meta:
        verbose_name = _("notice choice")
        verbose_name_plural = _("notice choices")
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_choice_once")]

    def __str__(self) -> str:
        return str(self.get_kind_display())
