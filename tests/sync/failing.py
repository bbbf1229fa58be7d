"""Rows that the CRM refused, settled the way the engine does it."""

from sync import outbox, settling
from sync.enums import FailureMode, TaskKind, TaskState
from sync.errors import RowError
from sync.models import Connection, Task
from sync.settling import Answer, Call
from teams.models import User
from tests.factories import TaskFactory

RULE = RowError(FailureMode.CONFIGURATION, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Say what was agreed.", ("Subject",))
LONG = RowError(FailureMode.DATA, "STRING_TOO_LONG", "Result: data value too large (max length=40)", ("Result__c",))
BUSY = RowError(FailureMode.TRANSIENT, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")


def refuse(connection: Connection, user: User, error: RowError | None, count: int = 1) -> list[Task]:
    """Complete `count` tasks of `user`, and let the CRM answer each with `error`; without one it takes them."""
    tasks = TaskFactory.create_batch(count, user=user, kind=TaskKind.CALL, state=TaskState.COMPLETED)
    outbox.enqueue(connection, tasks)
    answer_due(connection, error)
    return tasks


def answer_due(connection: Connection, error: RowError | None) -> int:
    """Claim what is due and give every row the same answer; return how many there were."""
    total = 0
    while (batch := outbox.claim(connection, 200)).rows:
        attempts = outbox.start(connection, batch.token, batch.rows)
        answers = [
            Answer(row, attempts[row.pk], error=error)
            if error
            else Answer(row, attempts[row.pk], crm_id="00T000000000001EAA")
            for row in batch.rows
        ]
        settling.settle(connection, batch.token, answers, Call(200, "request-1"))
        total += len(batch.rows)
    return total
