"""Each request in the time zone of who asks, who answers for what it changes."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from teams import audit
from teams.models import Organisation, User


class UserTimeZoneMiddleware:
    """Activates the user's time zone (the organisation's by default) for one request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, User):
            return self.get_response(request)
        with timezone.override(request.user.zone(Organisation.load())):
            return self.get_response(request)


class AuditMiddleware:
    """Holds who asks responsible in the audit. Addresses are not kept: the header that tells them can be forged."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with audit.during(request):
            return self.get_response(request)
