"""Logging in with Google or Microsoft: for users who are here already, by the address that these vouch for."""

from dataclasses import dataclass
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.google.views import oauth2_callback as google_callback
from allauth.socialaccount.providers.google.views import oauth2_login as google_login
from allauth.socialaccount.providers.microsoft.views import oauth2_callback as microsoft_callback
from allauth.socialaccount.providers.microsoft.views import oauth2_login as microsoft_login
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from teams.models import User
from teams.pages import leave_for

_GOOGLES_OWN = ("gmail.com", "googlemail.com")
_LOG_INS = {"google": google_login, "microsoft": microsoft_login}
_CALLBACKS = {"google": google_callback, "microsoft": microsoft_callback}
NAMES = {"google": "Google", "microsoft": "Microsoft"}


@dataclass(frozen=True, slots=True)
class Button:
    name: str
    url: str


def buttons() -> list[Button]:
    """Return one button for each provider that the settings name."""
    return [Button(NAMES[provider], reverse(f"{provider}_login")) for provider in settings.SOCIALACCOUNT_PROVIDERS]


def vouched_email(provider: str, data: dict[str, Any]) -> str:
    """Return the address that the provider vouches for, in lower case; "" if it vouches for none.

    Google: `email_verified` alone is not enough. An account of one's own may carry a company's address for ever;
    only gmail.com and addresses of a Workspace (claim `hd`) are under Google's authority.
    Microsoft: the tenant is ours (the settings refuse "common"), so its admins vouch; guests belong to others.
    """
    match provider:
        case "google":
            email = str(data.get("email") or "").lower()
            domain = email.rpartition("@")[2]
            trusted = domain in _GOOGLES_OWN or bool(data.get("hd"))
            return email if data.get("email_verified") is True and trusted else ""
        case "microsoft":
            principal = str(data.get("userPrincipalName") or "")
            return "" if "#EXT#" in principal.upper() else str(data.get("mail") or principal).lower()
        case _:
            return ""


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Looks for the user by e-mail at each log-in. Nothing of the provider's is stored: User.email is the truth."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        email = vouched_email(sociallogin.account.provider, sociallogin.account.extra_data)
        user = User.objects.active().filter(email=email).first() if email else None
        # "connect" and the like would tie a foreign account to whoever is logged in.
        if user is None or sociallogin.state.get("process") != "login":
            name = NAMES[sociallogin.account.provider]
            raise ImmediateHttpResponse(render(request, "socialaccount/unknown.html", {"name": name}, status=403))
        sociallogin.user = user


def log_in(request: HttpRequest, provider: str) -> HttpResponse:
    """Ask before leaving for the provider (GET), and leave (POST)."""
    _refuse_unless_configured(provider)
    response: HttpResponse = _LOG_INS[provider](request)
    if response.status_code == 302:
        return leave_for(request, response["Location"], NAMES[provider])
    return response


def come_back(request: HttpRequest, provider: str) -> HttpResponse:
    _refuse_unless_configured(provider)
    response: HttpResponse = _CALLBACKS[provider](request)
    return response


def _refuse_unless_configured(provider: str) -> None:
    if provider not in settings.SOCIALACCOUNT_PROVIDERS:
        raise Http404
