"""Salesforce's way of writing times: UTC, milliseconds, `+0000`. Such text compares as the times do."""

import re
from datetime import UTC, date, datetime, timedelta

_DATETIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(Z|[+-]\d\d:?\d\d)", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def stamp(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def now_stamp() -> str:
    """The current time in whole seconds, as Salesforce keeps audit fields."""
    return stamp(datetime.now(UTC).replace(microsecond=0))


def parse_datetime(text: str) -> str | None:
    """A date and time with an offset (or `Z`), brought to UTC; None when it is not one."""
    match = _DATETIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    micro = int((match[7] or "0").ljust(6, "0"))
    try:
        moment = datetime(year, month, day, hour, minute, second, micro, UTC)
        return stamp(moment - _offset(match[8]))
    except (ValueError, OverflowError):
        return None


def _offset(text: str) -> timedelta:
    if text in "Zz":
        return timedelta()
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))


def parse_date(text: str) -> str | None:
    """`YYYY-MM-DD` of a real day, or None."""
    if _DATE.fullmatch(text) is None:
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text
