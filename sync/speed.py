"""How long tasks take to the CRM: from being asked for, in the moment of completion, to standing there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database
from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Q

from sync.enums import OutboxState
from sync.models import OutboxRow
from teams.models import User

# The steps of the picture; what took longer than the last stands beside it.
STEPS = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(hours=1),
)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
# A database without percentiles is asked for so many of the latest.
SAMPLE = 10_000


@dataclass(frozen=True, slots=True)
class Speed:
    """Median and 95th percentile of the last 24 hours and 7 days, None where nothing was synced.

    `steps` counts the 7 days' tasks by STEPS, with one more for what took longer. `is_sample`: of the latest SAMPLE.
    """

    day_median: timedelta | None
    day_p95: timedelta | None
    week_median: timedelta | None
    week_p95: timedelta | None
    steps: tuple[int, ...]
    is_sample: bool = False


class Percentile(Aggregate):
    """PostgreSQL's PERCENTILE_CONT of a duration."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def speed(viewer: User, now: datetime) -> Speed:
    """Measure what `viewer` may see: one query."""
    rows = OutboxRow.objects.visible_to(viewer).filter(state=OutboxState.DONE, settled_at__gte=now - WEEK)
    if database.vendor == "postgresql":
        took = ExpressionWrapper(F("settled_at") - F("created_at"), output_field=DurationField())
        today = Q(settled_at__gte=now - DAY)
        found = rows.aggregate(
            day_median=Percentile(took, share=0.5, filter=today),
            day_p95=Percentile(took, share=0.95, filter=today),
            week_median=Percentile(took, share=0.5),
            week_p95=Percentile(took, share=0.95),
            all=Count("pk"),
            **{f"step{n}": Count("pk", filter=Q(settled_at__lte=F("created_at") + s)) for n, s in enumerate(STEPS)},
        )
        up_to = [found.pop(f"step{number}") for number in range(len(STEPS))]
        steps = _between([*up_to, found.pop("all")])
        return Speed(**found, steps=steps)
    times = rows.order_by("-settled_at").values_list("created_at", "settled_at")[:SAMPLE]
    return of_times([(asked, settled) for asked, settled in times if settled], now)


def of_times(times: Sequence[tuple[datetime, datetime]], now: datetime) -> Speed:
    """Measure pairs of when it was asked for and when it stood in the CRM, of the last 7 days."""
    week = sorted(settled - asked for asked, settled in times)
    day = sorted(settled - asked for asked, settled in times if settled >= now - DAY)
    up_to = [sum(took <= step for took in week) for step in STEPS]
    return Speed(
        day_median=percentile(day, 0.5),
        day_p95=percentile(day, 0.95),
        week_median=percentile(week, 0.5),
        week_p95=percentile(week, 0.95),
        steps=_between([*up_to, len(week)]),
        is_sample=len(times) == SAMPLE,
    )


def percentile(ordered: Sequence[timedelta], share: float) -> timedelta | None:
    """Return the value below which `share` of them lie, between two of them if need be, as PostgreSQL does."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def _between(up_to: Sequence[int]) -> tuple[int, ...]:
    """Turn counts of "at most so long" into counts of each step."""
    return tuple(count - before for before, count in zip([0, *up_to], up_to, strict=False))
