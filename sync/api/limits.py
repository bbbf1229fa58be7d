"""How many requests and tasks a token may hand in per minute, counted across all processes.

A process takes a share of the limit from the database and spends it from its memory, so that few requests write.
Never more than the limit is given out; with several processes the last few percent may stay unused.
"""

import time
from collections.abc import Iterable
from threading import Lock
from typing import Literal

from django.conf import settings
from django.db.models import BigIntegerField, Case, F, Q, Value, When
from django.db.models.expressions import CombinedExpression
from django.utils.translation import gettext as _

from sync.api.problems import Problem
from sync.models import ApiUse

Unit = Literal["requests", "tasks"]
# Of the limit: what a process takes at once.
_SHARE = 50
_MOST_PURSES = 1_000

# What this process may still give out, by token: (minute, {unit: left}).
_purses: dict[int, tuple[int, dict[Unit, int]]] = {}
_lock = Lock()


def limit_of(unit: Unit) -> int:
    limit: int = settings.API_REQUESTS_PER_MINUTE if unit == "requests" else settings.API_TASKS_PER_MINUTE
    return limit


def spend(token_id: int, unit: Unit, amount: int = 1) -> None:
    """Count `amount` for a token. Raises Problem 429 when its limit of this minute doesn't allow it."""
    now = time.time()
    minute = int(now // 60)
    with _lock:
        left = _purse(token_id, minute)
        if left[unit] < amount:
            left[unit] += _take(token_id, unit, amount - left[unit], minute)
        if left[unit] >= amount:
            left[unit] -= amount
            return
    wait = str(int((minute + 1) * 60 - now) + 1)
    raise Problem(429, "too_many_requests", _said(unit, wait), headers={"Retry-After": wait})


def forget() -> None:
    """Forget what this process has taken and not spent."""
    with _lock:
        _purses.clear()


def _said(unit: Unit, wait: str) -> str:
    words = {"limit": limit_of(unit), "wait": wait}
    if unit == "requests":
        return _("This token's limit is %(limit)s requests a minute. Try again in %(wait)s seconds.") % words
    return _("This token's limit is %(limit)s tasks a minute. Try again in %(wait)s seconds.") % words


def _purse(token_id: int, minute: int) -> dict[Unit, int]:
    of_minute, left = _purses.get(token_id, (-1, {}))
    if of_minute != minute:
        if len(_purses) >= _MOST_PURSES:
            _purses.clear()
        left = {"requests": 0, "tasks": 0}
        _purses[token_id] = (minute, left)
    return left


def _take(token_id: int, unit: Unit, missing: int, minute: int) -> int:
    """Count a share in the database, near the limit only what is missing; return how much, 0 when that is too much."""
    share = max(missing, limit_of(unit) // _SHARE)
    if taken := _first_that_fits(token_id, unit, (share, missing), minute):
        return taken
    if ApiUse.objects.filter(token=token_id).exists():
        return 0
    ApiUse.objects.bulk_create([ApiUse(token_id=token_id)], ignore_conflicts=True)
    return _first_that_fits(token_id, unit, (share, missing), minute)


def _first_that_fits(token_id: int, unit: Unit, amounts: Iterable[int], minute: int) -> int:
    for amount in dict.fromkeys(amounts):
        if amount <= limit_of(unit) and _counted(token_id, unit, amount, minute):
            return amount
    return 0


def _counted(token_id: int, unit: Unit, amount: int, minute: int) -> bool:
    """One statement, so that nobody counts twice. A clock that is behind counts for the minute that has begun."""
    other: Unit = "tasks" if unit == "requests" else "requests"
    begins = Q(minute__lt=minute)
    fits = Q(**{f"{unit}__lte": limit_of(unit) - amount})
    changes = {
        unit: _either(begins, Value(amount), F(unit) + Value(amount)),
        other: _either(begins, Value(0), F(other)),
        "minute": _either(begins, Value(minute), F("minute")),
    }
    return bool(ApiUse.objects.filter(begins | fits, token=token_id).update(**changes))


def _either(condition: Q, value: Value, otherwise: F | CombinedExpression) -> Case:
    return Case(When(condition, then=value), default=otherwise, output_field=BigIntegerField())
