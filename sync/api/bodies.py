"""What stands in a request's body: JSON within bounds, or a problem that says what is wrong with it."""

import json
from typing import Any, NoReturn

from django.http import HttpRequest
from django.utils.translation import gettext as _

from sync.api.problems import Problem

# A list of 1,000 tasks with 10,000 characters each.
MOST_BYTES = 10_000_000


def read_json(request: HttpRequest) -> Any:
    """Return what the body says. Raises Problem 400, 413 or 415."""
    if request.content_type != "application/json":
        raise Problem(415, "unsupported_media_type", _("Send JSON, with Content-Type: application/json."))
    raw = _read(request)
    try:
        return json.loads(raw.decode(), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise _malformed(_("The body is not UTF-8.")) from None
    except json.JSONDecodeError as error:
        words = {"line": error.lineno, "column": error.colno}
        raise _malformed(_("The body is not JSON: see line %(line)s, column %(column)s.") % words) from None
    except RecursionError:
        raise _malformed(_("The body is nested too deeply.")) from None
    except ValueError:
        raise _malformed(_("A number in the body can't be read: NaN, Infinity, or too many digits.")) from None


def _read(request: HttpRequest) -> bytes:
    """Read the body up to the limit, whatever its header says."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        announced = 0
    raw = request.read(MOST_BYTES + 1) if announced <= MOST_BYTES else b""
    if announced > MOST_BYTES or len(raw) > MOST_BYTES:
        detail = _("The body is larger than %(most)s bytes. Send fewer tasks at once.") % {"most": MOST_BYTES}
        raise Problem(413, "content_too_large", detail)
    return bytes(raw)


def _malformed(detail: str) -> Problem:
    return Problem(400, "malformed", detail)


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError
