"""Times as the API takes them."""

import re
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from sync.inputs import Errors

# RFC 3339 and the shorter offsets of ISO 8601. Whether such a day exists, datetime says.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII | re.IGNORECASE)


def parsed(text: str, field: str, errors: Errors) -> datetime | None:
    """Return the time in UTC, or None after adding to `errors`."""
    text = text.strip()
    moment = None
    if len(text) < 64 and _TIME.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text.upper())
        except ValueError:
            moment = None
    if moment is None:
        message = _("This is no time. Write it in ISO 8601 with an offset, like 2025-03-31T14:05:00+02:00.")
        errors.add(field, message, "malformed")
    elif moment.utcoffset() is None:
        errors.add(field, _("The time has no offset. Add one, like 2025-03-31T14:05:00+02:00."), "naive")
    else:
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            errors.add(field, _("This time lies before the year 2000 or far in the future."), "out_of_range")
    return None
