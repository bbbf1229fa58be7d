"""What of people is kept in the audit: the organisation, teams, users, their switches and how they log in."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db.models import Q, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.urls import reverse
from django.utils.translation import gettext as _

from teams import audit
from teams.models import EmailSwitch, Organisation, Team, User
from teams.scoped_admin import page_of


def _switches_of(viewer: User) -> QuerySet[EmailSwitch]:
    """The organisation's switches, and those of whom `viewer` may see."""
    return EmailSwitch.objects.filter(Q(user=None) | Q(user__in=User.objects.visible_to(viewer).values("pk")))


def _switch_page(switch: EmailSwitch) -> str:
    return page_of(switch.user) if switch.user else reverse("email_sync")


def _organisation_of(viewer: User) -> QuerySet[Organisation]:
    return Organisation.objects.all() if viewer.is_staff else Organisation.objects.none()


audit.keep(
    Organisation,
    ["name", "time_zone", "phone_region", "own_domains", "skip_internal_mail", "second_factor"],
    seen_by=_organisation_of,
    page=page_of,
)
audit.keep(Team, ["name"], many=["managers"], seen_by=Team.objects.visible_to, page=page_of)
audit.keep(
    User,
    ["email", "name", "role", "team", "mail_provider", "time_zone", "crm_user_id", "is_active", "invited_at"],
    seen_by=User.objects.visible_to,
    page=page_of,
)
audit.keep(EmailSwitch, ["user", "direction", "choice"], seen_by=_switches_of, page=_switch_page, related=("user",))


@receiver(post_save, sender=User, dispatch_uid="teams.audited.password")
def _note_password(instance: Any, created: bool, **_kwargs: Any) -> None:
    """Write that a password was set, and nothing of it.

    Django keeps the password in `_password` until the save that changes it ends; when it only hashes the same one
    anew, after a log-in, there is none.
    """
    if not created and instance._password is not None:  # noqa: SLF001 - Django's own sign of a new password
        audit.note(None, instance, {"password": ("", _("changed"))})


# Second factors: teams/second_factor.py, which also takes lost ones away.
@receiver(post_save, sender=SocialAccount, dispatch_uid="teams.audited.single_sign_on")
def _note_single_sign_on(instance: SocialAccount, created: bool, **_kwargs: Any) -> None:
    """Write that somebody can log in with another service; that they did is no change."""
    if created:
        audit.note(None, instance.user, {"single sign-on": ("", str(instance.provider).title())})


@receiver(post_delete, sender=SocialAccount, dispatch_uid="teams.audited.single_sign_on_gone")
def _note_single_sign_on_gone(instance: SocialAccount, **_kwargs: Any) -> None:
    audit.note(None, instance.user, {"single sign-on": (str(instance.provider).title(), "")})
