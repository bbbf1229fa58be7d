"""What the OpenAPI document says beyond what django-ninja knows of the addresses: bodies, answers, errors."""

from typing import Any

from pydantic.json_schema import models_json_schema

from sync.api.problems import CONTENT_TYPE
from sync.api.schemas import MOST_TASKS, ItemOut, ProblemOut, TaskIn, TaskOut, TaskPage

DESCRIPTION = (
    "Dialers and other tools hand completed tasks in here; Playbooks writes them to the CRM, each exactly once. "
    "Errors are application/problem+json (RFC 9457)."
)
TAGS = [{"name": "Tasks", "description": "What was done, and how it fares on its way to the CRM."}]

_REFERENCE = "#/components/schemas/{model}"
_PROBLEMS = {
    400: "The body is no JSON, or the request can't be read.",
    401: "No token, or one that isn't accepted.",
    404: "No such task of this sender.",
    409: "The key was used for another task.",
    413: "Too many bytes, or too many tasks.",
    415: "The body is not announced as application/json.",
    422: "Something is wrong with a field; see errors.",
    429: "The token's limit is used up; Retry-After says for how many seconds.",
    500: "Something went wrong here.",
}
_CALL = {
    "key": "call-4711",
    "kind": "call",
    "user": "rosa@example.com",
    "subject": "Discovery call",
    "completed_at": "2025-03-31T14:05:00+02:00",
    "phone_number": "+1 212 555 0141",
    "call": {"direction": "outbound", "duration_seconds": 75, "disposition": "Connected"},
}
_MAIL = {
    "key": "mail-42",
    "kind": "email",
    "user": "rosa@example.com",
    "subject": "Prices for the winter season",
    "email_address": "hana@customer.example",
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}},
}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Add bodies and answers to ninja's document."""
    _definitions, schemas = models_json_schema(
        [(TaskIn, "validation"), *((model, "serialization") for model in (ItemOut, TaskOut, TaskPage, ProblemOut))],
        ref_template=_REFERENCE,
    )
    document["components"].setdefault("schemas", {}).update(schemas["$defs"])
    tasks, one = (document["paths"][path] for path in ("/api/v1/tasks", "/api/v1/tasks/{task}"))
    body = _json(_one_or_many("TaskIn", MOST_TASKS))
    body["application/json"]["examples"] = {
        "one": {"summary": "One task", "value": _CALL},
        "many": {"summary": "A list of tasks", "value": [_CALL, _MAIL]},
    }
    tasks["post"]["requestBody"] = {"required": True, "content": body}
    tasks["post"]["responses"] = {
        "202": {
            "description": "What became of each, in order. Of a list also those that were refused.",
            "content": _json(_one_or_many("ItemOut", MOST_TASKS)),
        },
        **_problems(400, 401, 409, 413, 415, 422, 429, 500),
    }
    tasks["get"]["responses"] = {
        "200": {"description": "One page.", "content": _json(_reference("TaskPage"))},
        **_problems(400, 401, 422, 429, 500),
    }
    one["get"]["responses"] = {
        "200": {"description": "The task.", "content": _json(_reference("TaskOut"))},
        **_problems(400, 401, 404, 429, 500),
    }
    for parameter in tasks["get"]["parameters"]:
        # In an address there is no null.
        said = parameter["schema"]
        for choice in said.pop("anyOf", ()):
            said.update(choice if choice["type"] != "null" else {})
    return document


def _reference(model: str) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model)}


def _one_or_many(model: str, most: int) -> dict[str, Any]:
    return {"anyOf": [_reference(model), {"type": "array", "items": _reference(model), "maxItems": most}]}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _problems(*statuses: int) -> dict[str, Any]:
    return {
        str(status): {
            "description": _PROBLEMS[status],
            "content": {CONTENT_TYPE: {"schema": _reference("ProblemOut")}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in statuses
    }
