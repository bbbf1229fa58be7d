"""Inviting users: an e-mail with a link at which they choose their password."""

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from teams.link_tokens import tokens
from teams.models import User
from teams.sign_in import password_link


class CannotInviteError(ValueError):
    """This user can't be invited; the text says why."""


def invite(user: User, by: User | None = None) -> None:
    """Send `user` the link, and note when. `by` is named in the mail.

    The link ends after PASSWORD_RESET_TIMEOUT, with the first log-in, with a new password or address, and when they are
    deactivated. Raises
    CannotInviteError for who is deactivated, and OSError (SMTPException is one) if the mail can't be handed over:
    nothing is noted then.
    """
    if not user.is_active:
        raise CannotInviteError(_("%(name)s is deactivated. Activate them first.") % {"name": user})
    context = {
        "user": user,
        "by": by,
        "link": password_link(user_pk_to_url_str(user), tokens.make_token(user)),
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
        "site_url": settings.SITE_URL,
        "single_sign_on": bool(settings.SOCIALACCOUNT_PROVIDERS),
    }
    EmailMessage(
        subject=_("Your access to Playbooks"),
        body=render_to_string("account/email/invitation.txt", context),
        to=[user.email],
        headers={"Auto-Submitted": "auto-generated"},
    ).send()
    user.invited_at = timezone.now()
    user.save(update_fields=["invited_at"])
