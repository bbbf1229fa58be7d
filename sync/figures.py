"""How many tasks reached the CRM, how many did not, and how long it took: as one viewer may see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from django.db.models import Case, Count, Exists, IntegerField, Min, OuterRef, Q, Value, When

from sync.enums import OutboxState, TaskState
from sync.models import OutboxRow, Task
from teams.models import User

_UNDONE = [state for state in OutboxState if state != OutboxState.DONE]


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What became of the tasks that were completed on one day, by where they stand now."""

    day: date
    completed: int
    waiting: int  # or being sent
    failed: int
    cancelled: int

    @property
    def synced(self) -> int:
        return self.completed - self.waiting - self.failed - self.cancelled


@dataclass(frozen=True, slots=True)
class NowFigures:
    """What there is of all days. `oldest` waits longest, and was asked for at `oldest_at`."""

    waiting: int
    failed: int
    orphans: int
    oldest: Task | None
    oldest_at: datetime | None


def edges(days: Sequence[date], zone: tzinfo) -> list[tuple[datetime, datetime]]:
    """Return each day's first moment and the next day's, in a time zone whose clocks may change in between."""
    return [(_midnight(day, zone), _midnight(day + timedelta(days=1), zone)) for day in days]


def of_days(viewer: User, days: Sequence[date], zone: tzinfo) -> list[DayFigures]:
    """Return the figures of days that follow one another: two queries.

    What isn't done is counted, and the rest is taken as synced: the done are many, the others few. A task for which
    nothing was ever asked (there was no connection) counts among the synced here; see `unasked`.
    """
    spans = edges(days, zone)
    whole = Q(completed_at__gte=spans[0][0], completed_at__lt=spans[-1][1])
    completed = (
        Task.objects.visible_to(viewer)
        .filter(whole)
        .aggregate(**{f"day{number}": Count("pk", filter=_within("", *span)) for number, span in enumerate(spans)})
    )
    undone = (
        OutboxRow.objects.newest()
        .visible_to(viewer)
        .exclude(state=OutboxState.DONE)
        # No row is older than its task's completion. By that, and not by the days, which would lead through all tasks.
        .filter(state__in=_UNDONE, created_at__gte=spans[0][0] - timedelta(days=1))
        .order_by()
        .annotate(
            number=Case(
                *(When(_within("task__", *span), then=Value(number)) for number, span in enumerate(spans)),
                output_field=IntegerField(),
            )
        )
        .values_list("number", "state")
        .annotate(tasks=Count("pk"))
    )
    counts = {(number, state): tasks for number, state, tasks in undone}
    return [
        DayFigures(
            day=day,
            completed=completed[f"day{number}"],
            waiting=counts.get((number, OutboxState.PENDING), 0) + counts.get((number, OutboxState.SENDING), 0),
            failed=counts.get((number, OutboxState.FAILED), 0),
            cancelled=counts.get((number, OutboxState.CANCELLED), 0),
        )
        for number, day in enumerate(days)
    ]


def unasked(viewer: User, day: date, zone: tzinfo) -> int:
    """Return how many of a day's completed tasks nobody was asked to write: one query."""
    [span] = edges([day], zone)
    tasks = Task.objects.visible_to(viewer).filter(_within("", *span), state=TaskState.COMPLETED, outbox_rows=None)
    return tasks.count()


def now(viewer: User) -> NowFigures:
    """Return what waits, failed and is an orphan, whenever it was completed: four queries."""
    rows = OutboxRow.objects.visible_to(viewer)
    # A task that was changed while it is being sent has two: the newer one counts.
    newer = OutboxRow.objects.filter(task=OuterRef("task"), state=OutboxState.PENDING)
    waiting = rows.unsettled().aggregate(
        pending=Count("pk", filter=Q(state=OutboxState.PENDING)),
        sending=Count("pk", filter=Q(~Exists(newer), state=OutboxState.SENDING)),
        at=Min("created_at"),
    )
    oldest = None
    if waiting["at"]:
        oldest = rows.unsettled().filter(created_at=waiting["at"]).select_related("task").order_by("pk").first()
    return NowFigures(
        waiting=waiting["pending"] + waiting["sending"],
        failed=rows.newest().filter(state=OutboxState.FAILED).count(),
        orphans=Task.objects.visible_to(viewer).orphans().count(),
        oldest=oldest.task if oldest else None,
        oldest_at=waiting["at"],
    )


def _within(path: str, start: datetime, end: datetime) -> Q:
    return Q(**{f"{path}completed_at__gte": start, f"{path}completed_at__lt": end})


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
