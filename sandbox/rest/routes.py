"""From a call's path to the function that answers it."""

import re

from sandbox.errors import not_found
from sandbox.org import VERSIONS
from sandbox.rest import collections, composite, describe, limits, query, records
from sandbox.rest.call import Call, Response

_DATA = re.compile(r"/services/data/v(\d+\.\d)(?:/(.*))?")


def split(path: str) -> tuple[str, list[str]] | None:
    """Version and segments of a path below `/services/data/`, still quoted; None for any other path."""
    match = _DATA.fullmatch(path)
    if match is None:
        return None
    return match[1], [part for part in (match[2] or "").split("/") if part]


def label(method: str, path: str) -> str:
    """The name a call is counted under: `PATCH composite/sobjects/Task`, `GET query`, `POST oauth2/token`."""
    parts = split(path)
    if parts is None:
        return f"{method} {path.removeprefix('/services/').strip('/')}"
    segments = parts[1]
    if segments[:2] == ["composite", "sobjects"]:
        kept = segments[:3]
    elif segments[:1] == ["sobjects"]:
        kept = segments if segments[2:] == ["describe"] else segments[:2]
    else:
        kept = segments[:1]
    return f"{method} {'/'.join(kept)}".rstrip()


def dispatch(call: Call) -> Response:
    """ApiError or RowError when refused; what is unknown is NOT_FOUND."""
    if call.version not in VERSIONS:
        raise not_found()
    match call.path:
        case []:
            answer = describe.resources(call)
        case ["limits"]:
            answer = limits.serve(call)
        case ["query" | "queryAll", *rest] if len(rest) <= 1:
            answer = query.serve(call, rest)
        case ["composite"]:
            answer = composite.serve(call, dispatch)
        case ["composite", "sobjects", *rest] if len(rest) <= 2:
            answer = collections.serve(call, rest)
        case ["sobjects"]:
            answer = describe.everything(call)
        case ["sobjects", name, *rest] if len(rest) <= 2:
            answer = _sobject(call, name, rest)
        case _:
            raise not_found()
    return answer


def _sobject(call: Call, name: str, rest: list[str]) -> Response:
    sobject = call.sobject(name)
    match rest:
        case []:
            call.allow("GET", "POST")
            return describe.basics(call, sobject) if call.method == "GET" else records.create(call, sobject)
        case ["describe"]:
            return describe.one(call, sobject)
        case [record]:
            return records.by_id(call, sobject, record)
        case [field, value]:
            return records.by_external_id(call, sobject, field, value)
    raise not_found()
