"""`/query` and `/queryAll`, in pages."""

import re
import secrets
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.errors import ApiError
from sandbox.rest import setup_objects
from sandbox.rest.call import Call, Response
from sandbox.soql.execution import Result, run

_LARGEST_PAGE = 2000
_SMALLEST_PAGE = 200
_OPEN_CURSORS = 100


@dataclass(slots=True)
class Cursor:
    """A query whose further pages may still be asked for."""

    result: Result
    page: int


def serve(call: Call, rest: list[str]) -> Response:
    call.allow("GET")
    if rest:
        return _further(call, rest[0])
    text = call.query.get("q")
    if not text:
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    if (answer := setup_objects.serve(call, text)) is not None:
        return answer
    user = call.org.store.row("User", call.user_id) or {}
    zone = ZoneInfo(user.get("TimeZoneSidKey") or "UTC")
    result = run(text, call.org.schema, call.org.store, zone, deleted=call.path[0] == "queryAll")
    if result.projection is None:
        return Response(200, {"totalSize": result.total, "done": True, "records": []})
    return _page(call, Cursor(result, _page_size(call)), None, 0)


def _page_size(call: Call) -> int:
    """`Sforce-Query-Options: batchSize=N`, between 200 and 2,000."""
    match = re.search(r"batchSize\s*=\s*(\d+)", call.headers.get("sforce-query-options") or "", re.IGNORECASE)
    wanted = int(match[1]) if match else _LARGEST_PAGE
    return max(_SMALLEST_PAGE, min(_LARGEST_PAGE, wanted))


def _further(call: Call, locator: str) -> Response:
    name, _, start = locator.partition("-")
    cursor = call.org.cursors.get(name)
    if cursor is None or not start.isdigit():
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, cursor, name, int(start))


def _page(call: Call, cursor: Cursor, name: str | None, start: int) -> Response:
    result = cursor.result
    end = start + cursor.page
    body: dict[str, Any] = {"totalSize": result.total, "done": end >= result.total}
    if end < result.total:
        name = name or _keep(call, cursor)
        body["nextRecordsUrl"] = f"{call.base}/query/{name}-{end}"
    body["records"] = result.records(start, cursor.page, call.base)
    return Response(200, body)


def _keep(call: Call, cursor: Cursor) -> str:
    cursors = call.org.cursors
    while len(cursors) >= _OPEN_CURSORS:
        del cursors[next(iter(cursors))]
    name = "01g" + secrets.token_hex(8)[:15].upper()
    cursors[name] = cursor
    return name
