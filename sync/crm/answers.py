"""Reading Salesforce's answers: the three shapes of an error, the rows of a collection, the usage header."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from sync.crm.base import RowResult, Usage
from sync.crm.classify import classify
from sync.enums import FailureMode
from sync.errors import CrmError, RowError
from teams.crm_ids import to_18

_CODE_LENGTH = 100
_BARE_CODE = re.compile(r"[A-Za-z][A-Za-z_]{2,60}")
_USAGE = re.compile(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)")


def text(value: Any) -> str:
    """Return the CRM's words as they can be stored: PostgreSQL takes no NUL."""
    return ("" if value is None else str(value)).replace("\x00", "\ufffd")


def usage_of(headers: Mapping[str, str]) -> Usage | None:
    """Read `Sforce-Limit-Info: api-usage=18/5000`."""
    found = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
    return Usage(int(found[1]), int(found[2])) if found else None


def request_id_of(headers: Mapping[str, str]) -> str:
    """Read the id under which Salesforce's support finds the call, at most 64 characters."""
    return text(headers.get("Sforce-Request-Id", ""))[:64]


def request_error(status: int, body: bytes, request_id: str = "") -> CrmError:
    """Return the error of a call that was refused as a whole.

    Only a 5xx and a 408 leave open whether the call was carried out: every other status is a refusal.
    """
    code, message, fields = _words(status, body)
    return CrmError(
        classify(code, message, http_status=status, fields=fields),
        code,
        message,
        http_status=status,
        request_id=request_id,
        outcome_unknown=status >= 500 or status == 408,
        fields=fields,
    )


def unreadable(status: int, request_id: str = "") -> CrmError:
    """Return the error of a good status whose body isn't what the call answers: the CRM may have carried it out."""
    return CrmError(
        FailureMode.TRANSIENT,
        "UNREADABLE_ANSWER",
        _("The CRM answered HTTP %(status)s, but not in its API's format.") % {"status": status},
        http_status=status,
        request_id=request_id,
        outcome_unknown=True,
    )


def _words(status: int, body: bytes) -> tuple[str, str, tuple[str, ...]]:
    """The code, message and fields in the CRM's own words, or ours where it gave none."""
    try:
        data = json.loads(body)
    except ValueError:
        data = None
        bare = body[:80].decode(errors="replace").strip()
        if _BARE_CODE.fullmatch(bare):  # the identity service answers with a word alone, like Bad_OAuth_Token
            return bare, bare, ()
    first = data[0] if isinstance(data, list) and data else data
    if isinstance(first, dict):
        if first.get("errorCode"):
            return text(first["errorCode"])[:_CODE_LENGTH], text(first.get("message")), _fields(first)
        if first.get("error"):
            return text(first["error"])[:_CODE_LENGTH], text(first.get("error_description")), ()
    return f"HTTP_{status}", _("The CRM answered HTTP %(status)s without saying why.") % {"status": status}, ()


def row_results(
    data: Any, expected: int, status: int, request_id: str, *, key_field: str = "", created: bool = False
) -> tuple[RowResult, ...]:
    """Return the answers of a collection call in the rows' order.

    `created` is what a row's answer means that doesn't say it. Raises CrmError (outcome unknown) for an answer that
    doesn't fit the rows.
    """
    results: tuple[RowResult, ...] = ()
    if isinstance(data, Sequence) and not isinstance(data, str) and len(data) == expected:
        try:
            results = tuple(_row_result(row, key_field, created) for row in data)
        except (KeyError, TypeError, ValueError, AttributeError):
            results = ()
    if len(results) != expected or not expected:
        raise unreadable(status, request_id)
    return results


def _row_result(row: Mapping[str, Any], key_field: str, created: bool) -> RowResult:
    if row["success"] is True:
        return RowResult(crm_id=to_18(row["id"]), created=bool(row.get("created", created)))
    errors = row["errors"]
    error: Mapping[str, Any] = errors[0] if errors else {}
    code = text(error.get("statusCode") or "NO_ERROR_CODE")[:_CODE_LENGTH]
    message, fields = text(error.get("message")), _fields(error)
    mode = classify(code, message, fields=fields, key_field=key_field)
    return RowResult(error=RowError(mode, code, message, fields))


def _fields(error: Mapping[str, Any]) -> tuple[str, ...]:
    fields = error.get("fields")
    return tuple(text(name) for name in fields) if isinstance(fields, list) else ()
