"""Below /api/ nobody is logged in, and whatever goes wrong is said as problem+json."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from sync.api.problems import CONTENT_TYPE, of_status

API = "/api/"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class ApiMiddleware:
    """Stands before sessions: a browser's cookies mean nothing to the API, so no other site's page can use them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(API):
            return self.get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        request.COOKIES = {}
        response = self.get_response(request)
        if response.status_code >= 400 and response.get("Content-Type") != CONTENT_TYPE:
            response = _as_problem(response)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


def _as_problem(response: HttpResponseBase) -> HttpResponse:
    """Replace an error page, Django's own or that of an error nobody expected, and keep its headers."""
    problem = of_status(response.status_code).response()
    for name, value in response.items():
        if name not in ("Content-Type", "Content-Length", "Content-Security-Policy"):
            problem.headers.setdefault(name, value)
    return problem
