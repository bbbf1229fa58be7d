"""Teams and their users: roles, and who sees whom."""

import uuid
from collections.abc import Iterable
from datetime import UTC
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.contrib.auth import get_backends
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from teams.crm_ids import CrmIdField
from teams.models.organisation import Organisation, validate_time_zone


class TeamQuerySet(models.QuerySet["Team"]):
    def visible_to(self, viewer: "User") -> Self:
        """Which teams `viewer` may see: managers their own, admins all."""
        if viewer.sees_everyone:
            return self
        return self.filter(managers=viewer) if viewer.role == Role.MANAGER else self.none()


class Team(models.Model):
    """Reps who share managers. A manager may have several teams, and a team several managers."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True)
    managers = models.ManyToManyField(
        "teams.User", verbose_name=_("managers"), related_name="managed_teams", blank=True
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    REP = "rep", _("Rep")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Admin")


class MailProvider(models.TextChoices):
    NONE = "none", _("None")
    GMAIL = "gmail", _("Gmail")
    OUTLOOK = "outlook", _("Outlook")
    SMTP = "smtp", _("SMTP")


class UserQuerySet(models.QuerySet["User"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def admins(self) -> Self:
        return self.active().filter(role=Role.ADMIN)

    def update(self, **values: Any) -> int:
        """Update as ever; who is deactivated that way loses their sessions, too (see User.deactivated_at)."""
        if values.get("is_active", True) is not True:
            values = {"deactivated_at": timezone.now(), **values}
        return super().update(**values)

    def visible_to(self, viewer: "User") -> Self:
        """Whom `viewer` may see: reps themselves, managers also their own teams, admins everyone.

        Everything else that belongs to a user is scoped through this one rule.
        """
        if viewer.sees_everyone:
            return self
        mine = models.Q(pk=viewer.pk)
        if viewer.role == Role.MANAGER:
            mine |= models.Q(team__in=Team.objects.filter(managers=viewer).values("pk"))
        return self.filter(mine)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())  # type: ignore[no-any-return]

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user, validated; without a password they can't log in until one is set."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user  # type: ignore[no-any-return]

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make an admin; the name is Django's, for its createsuperuser command."""
        return self.create_user(email, password, **{"role": Role.ADMIN, **fields})


class User(AbstractBaseUser):
    """Someone who logs in. Deactivated, never deleted: their tasks keep their name."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=150)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.REP)
    team = models.ForeignKey(
        Team, verbose_name=_("team"), on_delete=models.PROTECT, related_name="members", null=True, blank=True
    )
    mail_provider = models.CharField(
        _("mail provider"), max_length=10, choices=MailProvider.choices, default=MailProvider.NONE
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text=_("Empty: the organisation's."),
    )
    crm_user_id = CrmIdField(
        _("CRM user id"),
        null=True,
        blank=True,
        unique=True,
        help_text=_("The Salesforce user who owns this user's Tasks. Without it the Access User owns them."),
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Deactivate users instead of deleting them.")
    )
    # The last time; every session carries it, so that none from before works again after a reactivation.
    deactivated_at = models.DateTimeField(_("deactivated at"), null=True, blank=True, editable=False)
    invited_at = models.DateTimeField(_("invited at"), null=True, blank=True, editable=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["name", "email"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """Django's word for the name, which pages of the admin ask for."""
        return self.name

    def clean(self) -> None:
        self.email = self.email.strip().lower()
        self.crm_user_id = self.crm_user_id or None

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        if self._is_being_deactivated(fields):
            self.deactivated_at = timezone.now()
            if fields is not None:
                kwargs["update_fields"] = {*fields, "deactivated_at"}
        super().save(*args, **kwargs)

    def _is_being_deactivated(self, fields: Iterable[str] | None) -> bool:
        if self._state.adding or self.is_active or (fields is not None and "is_active" not in fields):
            return False
        return User.objects.active().filter(pk=self.pk).exists()  # type: ignore[no-any-return]

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what a session must carry to be taken; Django's own for whoever was never deactivated."""
        own: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]
        if self.deactivated_at is None:
            return own
        since = self.deactivated_at.astimezone(UTC).isoformat()
        return salted_hmac("teams.User.deactivated_at", own + since, secret=secret, algorithm="sha256").hexdigest()

    @property
    def is_staff(self) -> bool:
        """Who may enter the Manager App."""
        return self.is_active and self.role in (Role.MANAGER, Role.ADMIN)

    @property
    def is_superuser(self) -> bool:
        """Django's word for an admin; nobody is above the roles."""
        return self.is_active and self.role == Role.ADMIN

    @property
    def sees_everyone(self) -> bool:
        """Whether `visible_to` leaves nothing out: then nothing needs to be asked."""
        return self.role == Role.ADMIN

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        """Whether this user's role may do `perm` ("app.action_model"), with `obj` if one is meant."""
        return self.is_active and any(backend.has_perm(self, perm, obj) for backend in get_backends())

    def has_perms(self, perms: Iterable[str], obj: models.Model | None = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        prefix = f"{app_label}."
        return self.is_active and any(
            perm.startswith(prefix) for backend in get_backends() for perm in backend.get_all_permissions(self)
        )

    def zone(self, organisation: Organisation) -> ZoneInfo:
        """The user's time zone, or the organisation's."""
        return ZoneInfo(self.time_zone or organisation.time_zone)
