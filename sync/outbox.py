"""The outbox: enqueue, claim, settle. The row is the truth; the queue is only a bell."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce, Least
from django.utils import timezone
from django_q.tasks import async_task

from sync import webhook_events
from sync.enums import AttemptOutcome, DecisionCode, FailureMode, OutboxState, TaskState
from sync.models import Attempt, Connection, Decision, OutboxRow, Task
from sync.models.outbox import OutboxQuerySet
from teams.models import User

# A wake-up that nobody has answered for so long may be lost: the next completion rings again.
BELL_PATIENCE = timedelta(seconds=1)
# Rows that became due so lately are fresh: they go first, and the backlog gets what is left.
FRESH_FOR = timedelta(minutes=5)
FRESH_SHARE = 0.75


def enqueue(connection: Connection | None, tasks: Sequence[Task]) -> None:
    """Ask for tasks to be written, in the caller's transaction; wake a worker after its commit.

    Without a connection nothing is asked for yet: `enqueue_missing` does it once there is one.
    """
    if connection is None or not tasks:
        return
    now = timezone.now()
    # A waiting row sends the newest state anyway, so a second one is not needed.
    OutboxRow.objects.bulk_create(
        [
            OutboxRow(connection=connection, task=task, user_id=task.user_id, key=task.key, not_before=now)
            for task in tasks
        ],
        ignore_conflicts=True,
    )
    transaction.on_commit(partial(ring, connection), robust=True)


def enqueue_rewrite(connection: Connection | None, task: Task, *, who: bool, what: bool) -> None:
    """Ask for a completed task's changed `who` or `what` to be written; the caller's transaction has locked the task.

    A row that waits takes it up, at once where what was refused may pass now. One that is being sent may have read the
    old state, so a second one waits behind it. What was cancelled before it got to the CRM stays cancelled.
    """
    if connection is None:
        return
    rows = OutboxRow.objects.filter(task=task)
    newest = rows.order_by("-pk").values_list("state", flat=True).first()
    if newest == OutboxState.CANCELLED and not task.crm_id:
        return
    now = timezone.now()
    may_pass_now = Q(in_doubt=False, failure_mode__in=(FailureMode.DATA, FailureMode.RELINK))
    changes: dict[str, object] = {"not_before": Case(When(may_pass_now, then=Value(now)), default=F("not_before"))}
    changes |= {"rewrites_who": True} if who else {}
    changes |= {"rewrites_what": True} if what else {}
    # Whoever retries a failed row by hand at this moment may come first: then theirs takes it up.
    while not rows.filter(state=OutboxState.PENDING).update(**changes):
        in_doubt = rows.filter(state=OutboxState.FAILED, in_doubt=True).exists()
        rested = now + timedelta(seconds=settings.SYNC_QUIET if in_doubt and _is_keyless(connection) else 0)
        row = OutboxRow(
            connection=connection,
            task=task,
            user_id=task.user_id,
            key=task.key,
            not_before=rested,
            in_doubt=in_doubt,
        )
        OutboxRow.objects.bulk_create([row], ignore_conflicts=True)
    transaction.on_commit(partial(ring, connection), robust=True)


def enqueue_missing(connection: Connection) -> int:
    """Ask for completed tasks that were never asked for (there was no connection); return how many."""
    missing = Task.objects.filter(state=TaskState.COMPLETED, outbox_rows=None).order_by("pk")
    total = 0
    while tasks := list(missing[:1000]):
        with transaction.atomic():
            enqueue(connection, tasks)
        total += len(tasks)
    return total


def ring(connection: Connection) -> None:
    """Wake a worker, unless a wake-up waits already: many completions in a moment need only one."""
    now = timezone.now()
    quiet = Q(rung_at=None) | Q(rung_at__lt=now - BELL_PATIENCE)
    if Connection.objects.filter(quiet, pk=connection.pk).update(rung_at=now):
        async_task("sync.jobs.deliver", connection.pk, save=False)


def answer(connection: Connection) -> None:
    """Say that the bell was heard: whatever comes from now on rings again."""
    Connection.objects.filter(pk=connection.pk).update(rung_at=None)


def connections_with_due_rows(now: datetime) -> list[Connection]:
    """Return the connections that could send something now."""
    due = OutboxRow.objects.due(now).filter(connection=OuterRef("pk"))
    return [connection for connection in Connection.objects.filter(Exists(due)) if connection.may_send(now)]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one connection that one worker holds until its lease lapses."""

    token: uuid.UUID
    rows: tuple[OutboxRow, ...]


def claim(connection: Connection, size: int) -> Batch:
    """Take up to `size` due rows for settings.SYNC_LEASE seconds: fresh ones first, but not only.

    A row whose object has another row being sent or in doubt is left alone. A row whose lease has lapsed is taken
    again, in doubt.
    """
    now = timezone.now()
    token = uuid.uuid4()
    with transaction.atomic():
        taken = _due_ids(connection, size, now)
        lapsed = [pk for pk, state in taken.items() if state == OutboxState.SENDING]
        if lapsed:
            Attempt.objects.filter(row__in=lapsed, outcome=AttemptOutcome.STARTED).update(
                outcome=AttemptOutcome.LOST, finished_at=now
            )
        OutboxRow.objects.filter(pk__in=taken).update(
            in_doubt=Case(When(state=OutboxState.SENDING, then=Value(True)), default=F("in_doubt")),
            state=OutboxState.SENDING,
            lease_token=token,
            not_before=now + timedelta(seconds=settings.SYNC_LEASE),
        )
    rows = (
        OutboxRow.objects.filter(lease_token=token, state=OutboxState.SENDING)
        .select_related("task__user", "task__who", "task__what", "task__step__play")
        .order_by("pk")
    )
    return Batch(token, tuple(rows))


def _due_ids(connection: Connection, size: int, now: datetime) -> dict[int, str]:
    """Return ids and states of the rows to take, locked where the database can; others' locks are skipped."""
    busy = OutboxRow.objects.filter(
        Q(state=OutboxState.SENDING) | Q(state=OutboxState.PENDING, in_doubt=True), task=OuterRef("task")
    ).exclude(pk=OuterRef("pk"))
    due = OutboxRow.objects.due(now).filter(connection=connection).exclude(Exists(busy))
    if database.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True, of=("self",))
    due = due.order_by("not_before", "pk")
    fresh_since = now - FRESH_FOR
    pairs = due.values_list("pk", "state")
    fresh = list(pairs.filter(not_before__gt=fresh_since)[:size])
    backlog = list(pairs.filter(not_before__lte=fresh_since)[:size])
    share = max(round(size * FRESH_SHARE), size - len(backlog))
    return dict((fresh[:share] + backlog)[:size])


def start(connection: Connection, token: uuid.UUID, rows: Iterable[OutboxRow]) -> dict[int, Attempt]:
    """Write an attempt for each row that is still ours, before the call; return them by the row's pk.

    Renews the lease. Rows that another worker took over meanwhile are missing from the answer and must not be sent.
    """
    now = timezone.now()
    lease = now + timedelta(seconds=settings.SYNC_LEASE)
    if _is_keyless(connection):
        # Whoever takes over looks first, which is of use only after the quiet time.
        lease += timedelta(seconds=settings.SYNC_QUIET)
    down = connection.down_time(now)
    with transaction.atomic():
        held = OutboxRow.objects.held(token).filter(pk__in=[row.pk for row in rows])
        first = When(first_attempt_at=None, then=Value(down))
        renewed = held.update(
            not_before=lease,
            down_total_at_first=Case(first, default=F("down_total_at_first")),
            first_attempt_at=Coalesce("first_attempt_at", Value(now)),
        )
        ours = set(held.values_list("pk", flat=True)) if renewed else set()
        mine = [row for row in rows if row.pk in ours]
        for row in mine:
            if row.first_attempt_at is None:
                row.first_attempt_at, row.down_total_at_first = now, down
        attempts = Attempt.objects.bulk_create(
            Attempt(
                row=row,
                task_id=row.task_id,
                connection=connection,
                key=row.key,
                batch_size=len(mine),
                started_at=now,
            )
            for row in mine
        )
    return {attempt.row_id: attempt for attempt in attempts}


def _is_keyless(connection: Connection) -> bool:
    schema = connection.task_schema
    return schema is not None and not schema.has_key


def retry_now(rows: Iterable[OutboxRow], by: User, *, as_backlog: bool = False) -> int:
    """Make failed and waiting rows due at once, their 30 days begun anew; return how many.

    Rows that are being sent, done or cancelled are left as they are. One that waits with others for an admin tries for
    all of them. Without a key field, those in doubt rest for the quiet time: a look before it would tell nothing.
    As backlog they don't keep the tasks that are completed now.
    """
    now = timezone.now()
    rested = now + timedelta(seconds=settings.SYNC_QUIET)
    keyless = [each.pk for each in Connection.objects.all() if _is_keyless(each)]
    unclear = Q(in_doubt=True, connection__in=keyless)
    return _by_hand(
        OutboxRow.objects.retryable(),
        rows,
        by,
        DecisionCode.RETRIED_BY_HAND,
        changes={
            "state": OutboxState.PENDING,
            "not_before": Case(
                When(unclear & Q(state=OutboxState.FAILED), then=Value(rested)),
                When(unclear, then=Least("not_before", Value(rested))),
                default=Value(now - FRESH_FOR if as_backlog else now),
            ),
            "attempts": 0,
            "first_attempt_at": None,
            "settled_at": None,
        },
    )


def cancel(rows: Iterable[OutboxRow], by: User) -> int:
    """Give up waiting or failed rows; return how many.

    A row whose last attempt's outcome is unknown can't be cancelled: it may stand in the CRM already, and is
    looked up first.
    """
    return _by_hand(
        OutboxRow.objects.cancellable(),
        rows,
        by,
        DecisionCode.CANCELLED_BY_HAND,
        changes={"state": OutboxState.CANCELLED, "settled_at": timezone.now(), "trouble": None},
    )


def _by_hand(
    allowed: OutboxQuerySet, rows: Iterable[OutboxRow], by: User, code: DecisionCode, changes: dict[str, object]
) -> int:
    now = timezone.now()
    asked = allowed.filter(pk__in=[row.pk for row in rows])
    with transaction.atomic():
        # Tasks first, then rows, each in order: who changes a task does the same, and may just be making a newer row.
        theirs = Task.objects.filter(pk__in=asked.values("task")).order_by("pk")
        locked = list(theirs.select_for_update(no_key=True).values_list("pk", flat=True))
        found = asked.filter(task__in=locked).select_for_update().order_by("pk")
        tasks = dict(found.values_list("pk", "task_id"))
        changed = OutboxRow.objects.filter(pk__in=tasks).update(**changes)
        Decision.objects.bulk_create(
            Decision(task_id=task, at=now, code=code, detail={"by": str(by.uuid)}) for task in tasks.values() if task
        )
        if code == DecisionCode.CANCELLED_BY_HAND:
            webhook_events.note(webhook_events.hearers_of(task for task in tasks.values() if task), now)
        for connection in Connection.objects.filter(outbox__in=tasks).distinct():
            transaction.on_commit(partial(ring, connection), robust=True)
    return changed
