"""How django-allauth's pages for logging in fit in: sign-up closed, links to this site, our words."""

import logging
import time
from typing import Any
from urllib.parse import urljoin

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.account.forms import LoginForm, ResetPasswordForm
from allauth.core.exceptions import ImmediateHttpResponse
from django import forms
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from teams.models import User

logger = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Users are made by managers and admins (teams/admin/user.py), never by whoever comes along."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        # One sentence for all of it: a stranger learns neither who works here nor who was deactivated.
        "email_password_mismatch": _("E-mail and password don't fit together, or the user is deactivated."),
        "too_many_login_attempts": _("Too many wrong tries. Wait five minutes, or ask for a new password."),
        "incorrect_password": _("This is not your password."),
        "enter_current_password": _("This is not your password."),
        "rate_limited": _("Too many wrong tries. Wait five minutes."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link for an e-mail; on this site, whatever host the request named."""
        return password_link(*key.split("-", 1))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("my_profile")

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        # Whoever was locked out by wrong tries and has a new password may use it at once.
        self._delete_login_attempts_cached_email(self.request, email=user.email)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count wrong tries by address alone: the host and port that django-allauth adds are anybody's to choose."""
        return str(credentials.get("email", "")).strip().lower()

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask for the password again before the second factor is changed, unless it was given minutes ago."""
        if not super().is_reauthentication_required(app=app, **kwargs):
            return False
        records = get_authentication_records(self.request, self.request.user)
        newest = max((record["at"] for record in records), default=0.0)
        return bool(time.time() - newest > app_settings.REAUTHENTICATION_TIMEOUT)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Send the link to the address that we know, not to what somebody typed."""
        super().send_password_reset_mail(user, user.email, context)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        super().send_mail(template_prefix, email, {"site_url": settings.SITE_URL, **context})

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Tell somebody what changed about their log-in. It is changed already: a mail server can't stop it."""
        try:
            super().send_notification_mail(*args, **kwargs)
        except OSError:
            logger.exception("A notice about a changed log-in could not be sent")

    def render_mail(self, *args: Any, **kwargs: Any) -> EmailMessage:
        message: EmailMessage = super().render_mail(*args, **kwargs)
        # Links in it are secrets of one person: no out-of-office answer, please.
        message.extra_headers.setdefault("Auto-Submitted", "auto-generated")
        return message


class LogInForm(LoginForm):  # type: ignore[misc]
    """E-mail and password; without a mark the log-in ends with the browser."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail")
        self.fields["password"].help_text = ""
        self.fields["remember"].label = _("Keep me logged in for two weeks")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        self.fields["login"].widget.attrs["autocomplete"] = "username"


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Send the mail, or say that none can be sent: alike for every address."""
        try:
            email: str = super().save(request, **kwargs)
        except OSError:
            logger.exception("A link to choose a password could not be sent")
            raise ImmediateHttpResponse(render(request, "account/mail_failed.html", status=503)) from None
        return email


def password_link(uid: str, token: str) -> str:
    """Return the address at which who holds the token chooses a password."""
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
    return urljoin(settings.SITE_URL, path)
