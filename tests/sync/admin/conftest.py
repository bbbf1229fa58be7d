"""A connection, and for each of two teams a task on its way to the CRM."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from sync.enums import AuthFlow, OutboxState, RecordKind, TaskKind, TaskState
from sync.models import Connection, OutboxRow, Record, Task
from teams.models import User
from tests.people import People, people

__all__ = ["people"]

NOON = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)
SCHEMA: dict[str, Any] = {
    "fields": {},
    "values": {},
    "closed_status": "Completed",
    "has_key": True,
    "key_fallback": None,
    "missing": [],
}


@dataclass(frozen=True, slots=True)
class World:
    people: People
    connection: Connection
    record: Record
    task: Task  # the rep's, in north
    row: OutboxRow
    other_task: Task  # the other rep's, in south
    other_row: OutboxRow


def make_connection(**fields: Any) -> Connection:
    return Connection.objects.create(
        **{
            "auth_flow": AuthFlow.CLIENT_CREDENTIALS,
            "login_url": "https://northwind.my.salesforce.com",
            "instance_url": "https://northwind.my.salesforce.com",
            "org_id": "00D5g000001AAAAEA4",
            "access_user_id": "0055g000009BBBBAA4",
            "access_user_name": "Integration User",
            "schema": SCHEMA,
            **fields,
        }
    )


def make_task(connection: Connection | None, user: User, subject: str, state: str, **fields: Any) -> Task:
    """A completed call with one outbox row in `state`."""
    task = Task.objects.create(
        user=user,
        kind=TaskKind.CALL,
        state=TaskState.COMPLETED,
        completed_at=NOON,
        subject=subject,
        **fields,
    )
    if connection:
        OutboxRow.objects.create(connection=connection, task=task, key=task.key, state=state, not_before=NOON)
    return task


@pytest.fixture
def world(people: People) -> World:
    connection = make_connection()
    record = Record.objects.create(
        connection=connection,
        kind=RecordKind.CONTACT,
        crm_id="0035g00000XyZaBAAV",
        name="Carla Contact",
        owner=people.other_rep,
        fetched_at=NOON,
    )
    task = make_task(connection, people.rep, "Call about the offer", OutboxState.FAILED, who=record, record=record)
    other = make_task(connection, people.other_rep, "A stranger's call", OutboxState.FAILED, who=record)
    return World(people, connection, record, task, task.outbox_rows.get(), other, other.outbox_rows.get())
