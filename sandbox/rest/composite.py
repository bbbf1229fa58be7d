"""`/composite`: up to 25 calls in one, later ones referring to the answers of earlier ones."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.errors import ApiError, RowError
from sandbox.rest.call import Call, Response, refuse_conditions

_MOST = 25
_MOST_LARGE = 5
_REFERENCE = re.compile(r"@\{([^}]*)\}")
_STEP = re.compile(r"([A-Za-z_]\w*)|\[(\d+)\]")

Dispatch: TypeAlias = Callable[[Call], Response]


class _NoValueError(Exception):
    """A reference leads nowhere, because the call it names failed or has no such part."""


def serve(call: Call, dispatch: Dispatch) -> Response:
    call.allow("POST")
    body = call.json_object()
    requests = body.get("compositeRequest")
    if not isinstance(requests, list) or not requests:
        raise ApiError(400, "INVALID_INPUT", "The compositeRequest list is required")
    _check(requests)
    all_or_none = body.get("allOrNone") is True
    start = call.transaction.mark()
    answers: dict[str, Response] = {}
    for request in requests:
        answers[request["referenceId"]] = answer = _one(call, request, answers, dispatch)
        if all_or_none and not _succeeded(answer):
            call.transaction.roll_back(start)
            return Response(200, {"compositeResponse": _rolled_back(requests, request, answer)})
    return Response(200, {"compositeResponse": [_shown(name, answer) for name, answer in answers.items()]})


def _check(requests: list[Any]) -> None:
    if len(requests) > _MOST:
        raise ApiError(400, "LIMIT_EXCEEDED", f"Limit of {_MOST} subrequests exceeded: {len(requests)}")
    names = set()
    large = 0
    for request in requests:
        name = request.get("referenceId") if isinstance(request, dict) else None
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z]\w*", name):
            raise ApiError(400, "INVALID_INPUT", f"Provided referenceId ({name}) is not valid")
        if name in names:
            raise ApiError(400, "INVALID_INPUT", f"referenceId {name} is not unique")
        names.add(name)
        large += bool(re.search(r"/(query|queryAll|composite/sobjects)([/?]|$)", str(request.get("url"))))
    if large > _MOST_LARGE:
        raise ApiError(400, "LIMIT_EXCEEDED", f"Limit of {_MOST_LARGE} query and collection subrequests exceeded")


def _one(call: Call, request: dict[str, Any], answers: dict[str, Response], dispatch: Dispatch) -> Response:
    mark = call.transaction.mark()
    try:
        refuse_conditions(request.get("httpHeaders") or {})
        url = _resolved(str(request.get("url")), answers)
        body = _resolved(request.get("body"), answers)
        return dispatch(_inner(call, str(request.get("method", "")).upper(), url, body))
    except _NoValueError as missing:
        error = ApiError(400, "PROCESSING_HALTED", f"Invalid reference specified. No value for {missing} found")
    except RowError as refused:
        error = refused.as_api_error()
    except ApiError as refused:
        error = refused
    call.transaction.roll_back(mark)
    return Response(error.status, error.body())


def _inner(call: Call, method: str, url: str, body: Any) -> Call:
    parts = urlsplit(url)
    match = re.fullmatch(r"/services/data/v(\d+\.\d)/(.+)", parts.path)
    path = [unquote(one) for one in match[2].strip("/").split("/")] if match else []
    if match is None or parts.netloc or path == ["composite"]:
        raise ApiError(400, "INVALID_INPUT", f"The url '{url}' cannot be used in a composite request")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Call(call.org, call.transaction, call.user_id, method, match[1], path, query, body, call.headers)


def _resolved(value: Any, answers: dict[str, Response]) -> Any:
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _lookup(match[1], answers), value)
    if isinstance(value, list):
        return [_resolved(one, answers) for one in value]
    if isinstance(value, dict):
        return {name: _resolved(one, answers) for name, one in value.items()}
    return value


def _lookup(reference: str, answers: dict[str, Response]) -> str:
    """`ref.id` or `ref.records[0].Id` in the answers so far."""
    steps = _STEP.findall(reference)
    answer = answers.get(steps[0][0]) if steps else None
    if answer is None or answer.status >= 300:
        raise _NoValueError(reference)
    value = answer.body
    for name, index in steps[1:]:
        try:
            value = value[int(index)] if index else value[name]
        except (LookupError, TypeError) as error:
            raise _NoValueError(reference) from error
    if not isinstance(value, (str, int, float)):
        raise _NoValueError(reference)
    return str(value)


def _succeeded(answer: Response) -> bool:
    if answer.status >= 300:
        return False
    rows = answer.body if isinstance(answer.body, list) else []
    return all(row.get("success", True) for row in rows if isinstance(row, dict))


def _rolled_back(requests: list[Any], culprit: Any, answer: Response) -> list[dict[str, Any]]:
    message = "The transaction was rolled back since another operation in the same transaction failed."
    halted = Response(400, ApiError(400, "PROCESSING_HALTED", message).body())
    return [_shown(one["referenceId"], answer if one is culprit else halted) for one in requests]


def _shown(name: str, answer: Response) -> dict[str, Any]:
    return {
        "body": answer.body,
        "httpHeaders": answer.headers,
        "httpStatusCode": answer.status,
        "referenceId": name,
    }
