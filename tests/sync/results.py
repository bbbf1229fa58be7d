"""What tests of Task Sync Results share: tasks of the last days, and files read as a spreadsheet reads them."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from sync.enums import AttemptOutcome, FailureMode, OutboxState, TaskKind, TaskState
from sync.models import Attempt, Connection, OutboxRow, Task, TaskSyncExport
from teams.models import User


def make_done(connection: Connection | None, user: User, subject: str, state: str = "", **fields: Any) -> Task:
    """A task completed an hour ago, with one row in `state` (empty: never asked for)."""
    at = timezone.now() - timedelta(hours=1)
    values = {"kind": TaskKind.CALL, "state": TaskState.COMPLETED, "completed_at": at, **fields}
    task = Task.objects.create(user=user, subject=subject, **values)
    if state and connection:
        OutboxRow.objects.create(connection=connection, task=task, key=task.key, state=state, not_before=at)
    return task


def make_many(connection: Connection, user: User, count: int, at: datetime) -> None:
    """Synced tasks, all completed at the same moment: an import does that."""
    tasks = Task.objects.bulk_create(
        Task(user=user, kind=TaskKind.OTHER, state=TaskState.COMPLETED, completed_at=at, subject=f"Task {number}")
        for number in range(count)
    )
    OutboxRow.objects.bulk_create(
        OutboxRow(
            connection=connection,
            task=task,
            user=user,
            key=task.key,
            state=OutboxState.DONE,
            not_before=at,
        )
        for task in tasks
    )


def refuse(task: Task, code: str, message: str, **fields: Any) -> Attempt:
    """One refused attempt at the task's row."""
    row = task.outbox_rows.get()
    values = {
        "started_at": timezone.now(),
        "finished_at": timezone.now(),
        "outcome": AttemptOutcome.REFUSED,
        "failure_mode": FailureMode.DATA,
        "http_status": 200,
        "request_id": f"req-{row.tries.count() + 1}",
        **fields,
    }
    return Attempt.objects.create(
        row=row, task=task, connection=row.connection, key=row.key, error_code=code, error_message=message, **values
    )


def files() -> list[Path]:
    return sorted((settings.VAR_DIR / "exports").glob("*"))


def bytes_of(export: TaskSyncExport) -> bytes:
    path: Path = settings.VAR_DIR / "exports" / export.file_name
    return path.read_bytes()


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
