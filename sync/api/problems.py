"""Errors as problem+json (RFC 9457), everywhere below /api/."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from sync.inputs import Errors

CONTENT_TYPE = "application/problem+json"
# The API's names of what completions call otherwise.
FIELDS = {
    "call_direction": "call.direction",
    "call_duration_seconds": "call.duration_seconds",
    "call_disposition": "call.disposition",
    "task": "play_step",
    "choice": "record",
}


class Problem(Exception):  # noqa: N818 - what RFC 9457 calls it
    """What is wrong with a request. `code` is for programs, `detail` for people, `errors` name fields."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.more = more

    def response(self) -> HttpResponse:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.more,
        }
        if self.errors is not None:
            body["errors"] = self.errors
        return HttpResponse(json.dumps(body), status=self.status, content_type=CONTENT_TYPE, headers=self.headers)


def invalid(errors: list[dict[str, str]]) -> Problem:
    return Problem(422, "invalid", _("Something in the request is wrong; see errors."), errors=errors)


def fields_of(errors: Errors) -> list[dict[str, str]]:
    """Return errors as they are told: field, code and message of each, by the API's names."""
    return [
        {"field": FIELDS.get(name, name), "code": error.code or "invalid", "message": " ".join(error.messages)}
        for name, found in errors.by_field.items()
        for error in found
    ]


def of_status(status: int) -> Problem:
    """Return what is said where only the status is known."""
    details = {
        400: _("The request can't be read."),
        403: _("This is not allowed."),
        404: _("There is nothing at this address. See /api/v1/docs for what there is."),
        405: _("This address doesn't answer to this method. The header Allow names those it answers to."),
        413: _("The request is too large."),
        500: _("Something went wrong here. Nothing was stored. Try again later; the error was logged."),
    }
    try:
        code = HTTPStatus(status).name.lower()
    except ValueError:
        status, code = 500, HTTPStatus.INTERNAL_SERVER_ERROR.name.lower()
    return Problem(status, code, details.get(status, HTTPStatus(status).description))
