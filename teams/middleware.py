"""Each request in the time zone of who asks, who answers for what it changes, and who may go on."""

from collections.abc import Callable

from django.contrib.auth import SESSION_KEY
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import resolve, reverse
from django.utils import timezone

from teams import audit
from teams.models import Organisation, User
from teams.second_factor import has_second_factor, is_required_of

GetResponse = Callable[[HttpRequest], HttpResponse]

# Where somebody may go who must set up a second factor first.
_ON_THE_WAY = frozenset(
    {
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "account_reauthenticate",
        "account_logout",
        "account_set_password",
        "account_change_password",
        "logout",
        "favicon",
    }
)


class EndedSessionMiddleware:
    """Throws away the session of who was deactivated, so that activating them again doesn't revive it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if SESSION_KEY in request.session and not request.user.is_authenticated:
            request.session.flush()
        return self.get_response(request)


class UserTimeZoneMiddleware:
    """Activates the user's time zone (the organisation's by default) for one request.

    And sends those who need a second factor and have none to set one up, since both ask for the organisation.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, User):
            return self.get_response(request)
        organisation = Organisation.load()
        with timezone.override(request.user.zone(organisation)):
            if is_required_of(request.user, organisation) and not has_second_factor(request.user):
                return self._set_up_first(request)
            return self.get_response(request)

    def _set_up_first(self, request: HttpRequest) -> HttpResponse:
        if resolve(request.path_info).url_name in _ON_THE_WAY:
            request.second_factor_missing = True  # type: ignore[attr-defined]  # its page says why one is there
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("mfa_index"))


class AuditMiddleware:
    """Holds who asks responsible in the audit. Addresses are not kept: the header that tells them can be forged."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with audit.during(request):
            return self.get_response(request)
