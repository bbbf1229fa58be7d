"""Outbox rows for tests of the engine, made the way the application makes them."""

from datetime import timedelta

from django.utils import timezone

from sync import outbox
from sync.enums import AuthFlow, TaskKind, TaskState
from sync.models import Connection, OutboxRow, Task
from teams.models import User


def make_connection() -> Connection:
    """A connection that no HTTP stands behind."""
    return Connection.objects.create(
        auth_flow=AuthFlow.CLIENT_CREDENTIALS,
        login_url="http://127.0.0.1:1",
        org_id="00D000000000001EAA",
        access_user_id="005000000000001AAA",
        access_user_name="Access User",
    )


def make_user(email: str = "rep@example.com") -> User:
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, name="Rep")


def complete(connection: Connection | None, count: int = 1, subject: str = "Call") -> list[Task]:
    """Completed tasks without a record, asked for on `connection`."""
    user = make_user()
    tasks = Task.objects.bulk_create(
        Task(
            user=user,
            kind=TaskKind.CALL,
            state=TaskState.COMPLETED,
            completed_at=timezone.now(),
            subject=f"{subject} {number}",
        )
        for number in range(count)
    )
    outbox.enqueue(connection, tasks)
    return tasks


def make_due(rows_of: list[Task], ago: timedelta = timedelta(seconds=1)) -> None:
    """Move the clock of waiting rows instead of waiting."""
    OutboxRow.objects.filter(task__in=rows_of).update(not_before=timezone.now() - ago)
