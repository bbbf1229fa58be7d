"""What a record's page shows of the work on it: the plays it is in, open tasks and history, as far as one may see them.

Records are shared by all who sign in; tasks and enrolments are their users'. Of what is outside somebody's sight a page
tells how much there is, never what.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from sync.enums import TaskKind, TaskState
from sync.models import Enrolment, OutboxRow, Record, Task
from sync.models.outbox import UNSETTLED
from sync.models.play import EnrolmentQuerySet
from sync.models.task import TaskQuerySet
from sync.reasons import reason
from sync.sync_state import NEWEST_FIRST, SyncState, newest_row, sync_state
from teams.models import User

PER_PAGE = 20
LAST_PAGE = 1_000
ENDED_SHOWN = 5
# How often a page asks whether what it shows as unsettled is settled, every two seconds, and about how many tasks.
MOST_LOOKS, WATCHED = 45, 10
TASK_ICONS = {TaskKind.CALL: "call", TaskKind.EMAIL: "mail", TaskKind.OTHER: "task_alt"}
_OPEN_SHOWN = 50


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A task on its record's page."""

    task: Task
    icon: str
    other: Record | None  # what it is linked to besides the page's record
    days_late: int
    days_ahead: int | None  # None: it has no day
    state: SyncState | None  # of what was completed
    reason: str
    is_unsettled: bool

    @classmethod
    def of(cls, task: Task, record: Record, today: date, viewer: User) -> "WorkRow":
        is_done = task.state == TaskState.COMPLETED
        row = newest_row(task) if is_done else None
        ahead = (task.due_on - today).days if task.due_on else None
        linked = (task.who, task.what) if is_done else (task.record, task.related_record)
        return cls(
            task=task,
            icon=TASK_ICONS[TaskKind(task.kind)],
            other=next((one for one in linked if one is not None and one.pk != record.pk), None),
            days_late=max(0, -(ahead or 0)),
            days_ahead=ahead,
            state=sync_state(task, row) if is_done else None,
            reason=reason(task, row, viewer) if is_done else "",
            is_unsettled=is_unsettled(row),
        )


def is_unsettled(row: OutboxRow | None) -> bool:
    return row is not None and row.state in UNSETTLED


@dataclass(slots=True)
class Work:
    """A page of it."""

    opened: list[WorkRow]
    done: list[WorkRow]
    number: int
    has_next: bool
    others: int  # tasks that the viewer may not see
    is_cut: bool = False  # more is open than is shown
    watched: list[str] = field(default_factory=list)  # UUIDs of tasks that will be settled

    @property
    def has_previous(self) -> bool:
        return self.number > 1


def work_on(record: Record, viewer: User, number: int) -> Work:
    """Return one page of a record's tasks: what is open, and what was done, the latest first."""
    number = min(max(number, 1), LAST_PAGE)
    start = (number - 1) * PER_PAGE
    seen = about(record).visible_to(viewer)
    today = timezone.localdate()
    opened = _described(seen.filter(state=TaskState.OPEN)).order_by(F("due_on").asc(nulls_last=True), "pk")
    done = _described(seen.filter(state=TaskState.COMPLETED)).prefetch_related(NEWEST_FIRST)
    rows = [
        WorkRow.of(task, record, today, viewer)
        for task in done.order_by("-completed_at", "-pk")[start : start + PER_PAGE + 1]
    ]
    shown = rows[:PER_PAGE]
    todo = [WorkRow.of(task, record, today, viewer) for task in opened[: _OPEN_SHOWN + 1]] if number == 1 else []
    return Work(
        opened=todo[:_OPEN_SHOWN],
        is_cut=len(todo) > _OPEN_SHOWN,
        done=shown,
        number=number,
        has_next=len(rows) > PER_PAGE,
        others=0 if viewer.sees_everyone else about(record).exclude(pk__in=seen.values("pk")).count(),
        watched=[str(row.task.uuid) for row in shown if row.is_unsettled][:WATCHED],
    )


def about(record: Record) -> TaskQuerySet:
    """Return the tasks of a record: those that it is linked to, and the open ones for which it was chosen."""
    chosen = Q(record=record) | Q(related_record=record)
    return Task.objects.filter(Q(who=record) | Q(what=record) | (chosen & ~Q(state=TaskState.COMPLETED)))


def _described(tasks: TaskQuerySet) -> TaskQuerySet:
    return tasks.select_related("user", "record", "related_record", "who", "what", "step__play")


def watched(record: Record, viewer: User, uuids: Iterable[str]) -> list[WorkRow]:
    """Return the rows of those tasks of a record that a page watches."""
    tasks = _described(about(record).visible_to(viewer).filter(uuid__in=list(uuids)[:WATCHED]))
    today = timezone.localdate()
    return [WorkRow.of(task, record, today, viewer) for task in tasks.prefetch_related(NEWEST_FIRST).order_by("pk")]


@dataclass(slots=True)
class Enrolments:
    running: list[Enrolment]
    ended: list[Enrolment]
    others: int  # running ones that the viewer may not see


def enrolments_of(record: Record, viewer: User) -> Enrolments:
    """Return the plays that a record is in, each with how many of its steps are done and which comes next."""
    on_record = Enrolment.objects.filter(Q(record=record) | Q(related_record=record))
    seen = _with_steps(on_record.visible_to(viewer))
    unseen = on_record.running().exclude(pk__in=on_record.visible_to(viewer).values("pk"))
    running = list(seen.running().order_by("-created_at", "-pk")[:_OPEN_SHOWN])
    unseen = on_record.running().exclude(pk__in=on_record.visible_to(viewer).values("pk"))
    return Enrolments(
        running=running,
        ended=list(seen.exclude(ended_at=None).order_by("-ended_at", "-pk")[:ENDED_SHOWN]),
        others=0 if viewer.sees_everyone else unseen.count(),
    )


def _with_steps(enrolments: EnrolmentQuerySet) -> EnrolmentQuerySet:
    """Each by questions of its own: joined, PostgreSQL would read all tasks for a record with few."""
    theirs = Task.objects.filter(enrolment=OuterRef("pk"))
    opened = theirs.filter(state=TaskState.OPEN)
    upcoming = opened.order_by("step__position")
    return enrolments.select_related("play", "user", "record", "related_record").annotate(
        steps=_count(theirs),
        steps_open=_count(opened),
        next_step=Subquery(upcoming.values("step__name")[:1]),
        next_due=Subquery(upcoming.values("due_on")[:1]),
    )


def _count(tasks: TaskQuerySet) -> Coalesce:
    counted = tasks.order_by().values("enrolment").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)
