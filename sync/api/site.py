"""The API at /api/v1/: its addresses and how errors are said (docs/decisions/0021-http-api.md)."""

import json
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Path, Query
from ninja.errors import AuthenticationError
from ninja.errors import ValidationError as Unsound

from sync.api import openapi, reading
from sync.api.bearer import Bearer, unauthorised
from sync.api.bodies import read_json
from sync.api.limits import limit_of, spend
from sync.api.problems import Problem, invalid, of_status
from sync.api.receiving import receive, told
from sync.api.schemas import MOST_TASKS, TaskQuery
from sync.api.words import plain, said
from sync.models import ApiToken


class Api(NinjaAPI):
    """Its document says all that is answered: bodies and errors are our own, so ninja can't know them."""

    def get_openapi_schema(self, **said: Any) -> Any:
        return openapi.completed(super().get_openapi_schema(**said))


api = Api(
    title="Playbooks CRM Sync",
    version="1",
    description=openapi.DESCRIPTION,
    urls_namespace="api",
    auth=Bearer(),
    openapi_extra={"tags": openapi.TAGS},
)


@api.post("/tasks", operation_id="handTasksIn", summary="Hand in tasks", tags=["Tasks"])
def hand_in(request: HttpRequest) -> HttpResponse:
    """Hand in one completed task, or a list of up to 1,000.

    Each is taken once per key. They go to the CRM in the background: ask for their state, or be told by webhook.
    """
    token = _token(request)
    given = read_json(request)
    if isinstance(given, dict):
        spend(token.pk, "tasks")
        (item,) = receive(token.sender, [given])
        if not item.errors:
            return _json(told(item), 202)
        if item.errors[0]["code"] == "key_conflict":
            raise Problem(409, "key_conflict", item.errors[0]["message"], errors=item.errors)
        raise invalid(item.errors)
    if not isinstance(given, list):
        raise Problem(422, "invalid", _("Send a task, {…}, or a list of tasks, [{…}, …]."), errors=[])
    most = min(MOST_TASKS, limit_of("tasks"))
    if len(given) > most:
        raise Problem(413, "too_many_tasks", _("Send at most %(most)s tasks at once.") % {"most": most})
    if given:
        spend(token.pk, "tasks", len(given))
    return _json([told(item) for item in receive(token.sender, given)], 202)


@api.get("/tasks", operation_id="listTasks", summary="List tasks", tags=["Tasks"])
def list_tasks(request: HttpRequest, query: Query[TaskQuery]) -> HttpResponse:
    """List what this token's sender has handed in, in the order of receipt, page by page.

    Of a token for one team, those of users who are in it now.
    """
    unknown = sorted(set(request.GET) - set(TaskQuery.model_fields))
    if unknown:
        message = _("There is no such parameter. There are: %(known)s.") % {"known": ", ".join(TaskQuery.model_fields)}
        raise invalid([{"field": plain(n), "code": "unknown_field", "message": message} for n in unknown[:20]])
    return _json(reading.page(_token(request).sender, query))


@api.get("/tasks/{uuid:task}", operation_id="getTask", summary="Get a task", tags=["Tasks"])
def get_task(request: HttpRequest, task: Path[UUID]) -> HttpResponse:
    """Tell how one task fares: its state, why, and each attempt to write it."""
    return _json(reading.one(_token(request).sender, task))


def nothing_here(_request: HttpRequest) -> HttpResponse:
    """Answer at all other addresses below /api/."""
    return of_status(404).response()


nothing_here.csrf_exempt = True  # type: ignore[attr-defined]


def _token(request: HttpRequest) -> ApiToken:
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    return token


def _json(told: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(told), status=status, content_type="application/json")


@api.exception_handler(Problem)
def _problem(_request: HttpRequest, problem: Problem) -> HttpResponse:
    return problem.response()


@api.exception_handler(AuthenticationError)
def _unauthorised(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return unauthorised().response()


@api.exception_handler(Http404)
def _not_found(_request: HttpRequest, _error: Http404) -> HttpResponse:
    return of_status(404).response()


@api.exception_handler(Unsound)
def _unsound(_request: HttpRequest, unsound: Unsound) -> HttpResponse:
    """What ninja found wrong with a parameter."""
    return invalid([said(error, error["loc"][1:]) for error in unsound.errors]).response()


@api.exception_handler(Exception)
def _unexpected(_request: HttpRequest, error: Exception) -> HttpResponse:
    """Leave it to Django, which logs it; the middleware says it as a problem."""
    raise error
