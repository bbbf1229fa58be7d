"""When to try again. Pure: times in, times out."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sync.enums import FailureMode

RETRY_FOR = timedelta(days=30)
PROBE_EVERY = timedelta(hours=1)

# What an admin must mend waits as one trouble, and one row of it is tried each hour.
ADMIN_MODES = frozenset({FailureMode.PERMISSION, FailureMode.CONFIGURATION, FailureMode.OTHER, FailureMode.TOO_BIG})
# What says nothing about the row itself costs it no attempt.
UNCHARGED_MODES = frozenset({FailureMode.FREE, FailureMode.SESSION, FailureMode.CONNECTION})
# The connection is to blame, not a row: everything stops until it works again.
HALTING_MODES = frozenset({FailureMode.CONNECTION, FailureMode.SESSION, FailureMode.LIMIT})

Uniform = Callable[[float, float], float]


def deadline(first_attempt_at: datetime, down_at_first: timedelta, down_now: timedelta) -> datetime:
    """Return when the 30 days end: the clock stands while the connection is down (M24).

    `down_at_first` and `down_now` are the connection's whole down time at the first attempt and now.
    """
    return first_attempt_at + RETRY_FOR + (down_now - down_at_first)


def delay(mode: FailureMode, attempts: int, uniform: Uniform, age: timedelta = timedelta()) -> timedelta:
    """Return how long a row waits after its `attempts`-th charged failure, with jitter; `age`: since its first.

    Transient errors: full jitter up to 2, 4, 8 … seconds, an hour at most. What the rep must mend, and what
    waits for a merge to be followed: an hour, doubled up to a day. Free ones, which are not counted: a moment, and a
    tenth of their age when they don't end. A limit that this row alone meets, like that of an org's own automation:
    up to an hour.
    """
    if mode == FailureMode.FREE:
        return max(timedelta(seconds=uniform(0.5, 3)), min(age / 10, timedelta(hours=1)))
    if mode == FailureMode.LIMIT:
        return timedelta(hours=uniform(0.5, 1))
    if mode in (FailureMode.DATA, FailureMode.RELINK):
        hours = min(24.0, 2.0 ** min(attempts - 1, 5))
        return timedelta(hours=hours * uniform(0.9, 1))
    return timedelta(seconds=uniform(1, min(3600.0, 2.0 ** min(attempts, 12))))


def pause(mode: FailureMode, message: str, count: int, uniform: Uniform) -> timedelta:
    """Return how long a connection rests after its `count`-th pause in a row.

    Of the two messages of REQUEST_LIMIT_EXCEEDED one tells of concurrent requests, which pass in seconds; the
    day's total needs minutes at least (Salesforce sends no Retry-After).
    """
    if mode == FailureMode.LIMIT and "concurrent" not in message.lower():
        return timedelta(minutes=min(60.0, 5 * 2.0 ** min(count, 4)) * uniform(0.9, 1))
    return timedelta(seconds=uniform(0.5, 1) * min(300.0, 2.0 ** min(count, 9)))
