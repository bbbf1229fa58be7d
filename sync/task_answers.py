"""What a sender is told of one of its tasks, by the HTTP API and by webhooks. Never a text of the task."""

from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from sync.enums import OutboxState, TaskState, TaskStatus
from sync.models import Attempt, OutboxRow, ReceivedTask, Record, Task
from sync.reasons import reason
from sync.sync_state import NEWEST_FIRST, newest_row

# The last ones of a task, which may have been tried for 30 days.
MOST_ATTEMPTS = 20

_STATUS = {
    OutboxState.PENDING: TaskStatus.WAITING,
    OutboxState.SENDING: TaskStatus.SENDING,
    OutboxState.DONE: TaskStatus.SYNCED,
    OutboxState.FAILED: TaskStatus.FAILED,
    OutboxState.CANCELLED: TaskStatus.CANCELLED,
}
_ROW_STATE = {status: state for state, status in _STATUS.items()}
_LAST_ATTEMPTS = Prefetch(
    "attempts", queryset=Attempt.objects.order_by("-started_at", "-pk")[:MOST_ATTEMPTS], to_attr="last_attempts"
)


def loaded(received: "QuerySet[ReceivedTask]") -> "QuerySet[ReceivedTask]":
    """Load what `answer` needs: two further queries, however many tasks."""
    attempts = Prefetch("task", queryset=_tasks().prefetch_related(_LAST_ATTEMPTS))
    return received.prefetch_related(attempts)


def loaded_for_status(received: "QuerySet[ReceivedTask]") -> "QuerySet[ReceivedTask]":
    """Load what `status` needs."""
    return received.prefetch_related(Prefetch("task", queryset=Task.objects.prefetch_related(NEWEST_FIRST)))


def _tasks() -> "QuerySet[Task]":
    return Task.objects.select_related("who", "what", "record", "related_record").prefetch_related(NEWEST_FIRST)


def status(received: ReceivedTask) -> TaskStatus:
    """How it fares, in one word."""
    task = received.task
    if task is None:
        return TaskStatus.STOPPED
    row = newest_row(task)
    if row is not None:
        return _STATUS[OutboxState(row.state)]
    if task.state == TaskState.OPEN:
        return TaskStatus.OPEN
    if task.state == TaskState.SKIPPED:
        return TaskStatus.SKIPPED
    return TaskStatus.SYNCED if task.crm_id else TaskStatus.WAITING


def with_status(received: "QuerySet[ReceivedTask]", wanted: TaskStatus) -> "QuerySet[ReceivedTask]":
    """Narrow to those whose `status` is `wanted`."""
    if wanted == TaskStatus.STOPPED:
        return received.filter(task=None)
    if wanted in (TaskStatus.OPEN, TaskStatus.SKIPPED):
        return received.filter(task__state=wanted.value)
    rows = OutboxRow.objects.filter(task=OuterRef("task"))
    newest = rows.filter(pk__in=OutboxRow.objects.newest(), state=_ROW_STATE[wanted])
    has_state = Exists(newest)
    if wanted not in (TaskStatus.WAITING, TaskStatus.SYNCED):
        return received.filter(has_state)
    in_crm = Q(task__crm_id="") if wanted == TaskStatus.WAITING else Q(task__isnull=False) & ~Q(task__crm_id="")
    without_row = Q(~Exists(rows), in_crm, task__state=TaskState.COMPLETED)
    return received.filter(Q(has_state) | without_row)


def answer(received: ReceivedTask) -> dict[str, Any]:
    """Return what the sender is told, as JSON's types; `received` comes from `loaded`."""
    state = status(received)
    task = received.task
    told: dict[str, Any] = {
        "id": str(received.uuid),
        "key": received.key,
        "state": state.value,
        "is_final": state.is_final,
        "reason": "",
        "stopped_by": None,
        "crm_task_id": None,
        "who": None,
        "what": None,
        "is_orphaned": False,
        "completed_at": None,
        "received_at": received.received_at.isoformat(),
        "next_try_at": None,
        "attempts": [],
    }
    if task is None:
        return told | _stopped(received)
    row = newest_row(task)
    next_try = row.next_try if row is not None else None
    return told | {
        "reason": reason(task, row, with_times=False),
        "crm_task_id": task.crm_id or None,
        "who": _crm_id(task.who),
        "what": _crm_id(task.what),
        "is_orphaned": task.is_orphan,
        "completed_at": task.completed_at.isoformat() if task.completed_at else None,
        "next_try_at": next_try.isoformat() if next_try else None,
        "attempts": [_attempt(one) for one in reversed(getattr(task, "last_attempts", []))],
    }


def _stopped(received: ReceivedTask) -> dict[str, Any]:
    """Which list stopped it; never what stands on the list."""
    if (received.stopped_by or {}).get("list") == "company":
        return {"stopped_by": "company", "reason": _("Stopped by the Company Blacklist. Nothing of it was kept.")}
    return {"stopped_by": "user", "reason": _("Stopped by the user's own blacklist. Nothing of it was kept.")}


def _crm_id(record: Record | None) -> str | None:
    return record.crm_id if record is not None else None


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "started_at": attempt.started_at.isoformat(),
        "finished_at": attempt.finished_at.isoformat() if attempt.finished_at else None,
        "outcome": attempt.outcome,
        "error_code": attempt.error_code,
        "error_message": attempt.error_message,
        "http_status": attempt.http_status,
        "request_id": attempt.request_id,
    }
