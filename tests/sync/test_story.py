"""Why a task stands where it stands, in words, and its whole story."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from sync.enums import FailureMode, OutboxState, TaskState
from sync.models import Connection, OutboxRow, Task, Trouble
from sync.reasons import at, reason
from tests.factories import ConnectionFactory, TaskFactory, UserFactory
from tests.sync.failing import BUSY, LONG, RULE, refuse

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    return ConnectionFactory.create()


def why(task: Task) -> str:
    return reason(task, OutboxRow.objects.filter(task=task).order_by("-pk").first())


def test_reason_names_the_validation_rules_words_and_the_next_try(connection: Connection) -> None:
    (task,) = refuse(connection, UserFactory.create(), RULE)
    said = why(task)
    assert said.startswith("Refused by a validation rule of the CRM: Say what was agreed. An admin can mend it; ")
    assert said.endswith(f"it is tried again {at(Trouble.objects.get().next_probe_at)}.")


def test_reason_names_what_the_rep_can_mend(connection: Connection) -> None:
    (task,) = refuse(connection, UserFactory.create(), LONG)
    start = "Something in the task doesn't fit: Result: data value too large (max length=40). The rep can mend it; "
    assert why(task).startswith(start)


def test_reason_of_what_passes_by_itself_asks_nobody(connection: Connection) -> None:
    (task,) = refuse(connection, UserFactory.create(), BUSY)
    start = "The CRM is busy or out of reach for a moment. Nobody has to do anything: it is tried again "
    assert why(task).startswith(start)


def test_reason_of_the_states(connection: Connection) -> None:
    (task,) = refuse(connection, UserFactory.create(), RULE)
    rows = OutboxRow.objects.filter(task=task)
    rows.update(state=OutboxState.FAILED)
    assert "It was given up after 30 days. An admin can mend it; then it can be retried." in why(task)
    rows.update(failure_mode=FailureMode.DATA)
    assert "It was given up after 30 days. The rep can mend it; then it can be retried." in why(task)
    rows.update(state=OutboxState.SENDING)
    assert why(task) == "It is being sent to the CRM."
    rows.update(state=OutboxState.CANCELLED)
    assert why(task) == "It was cancelled by hand and is not sent to the CRM."


def test_reason_of_what_waits(connection: Connection) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    task = TaskFactory.create()
    assert why(task) == "No CRM is connected yet. It goes out by itself once an admin has connected one."
    row = OutboxRow.objects.create(connection=connection, task=task, key=task.key, not_before=timezone.now())
    assert why(task) == "It goes out in a moment."
    Connection.objects.update(paused_until=soon)
    assert why(task) == f"The CRM takes nothing at the moment. It goes out {at(soon)}."
    OutboxRow.objects.filter(pk=row.pk).update(in_doubt=True)
    assert why(task).startswith("The CRM's last answer got lost. Playbooks looks there before it sends again, ")
    connection.mark_disconnected("INVALID", "gone")
    assert why(task).startswith("The Access User is disconnected.")


def test_reason_of_what_is_not_sent(connection: Connection) -> None:
    task = TaskFactory.build(state=TaskState.OPEN)
    assert reason(task, None) == "It is not completed: nothing is sent before that."
    task.state = TaskState.SKIPPED
    assert reason(task, None) == "It was skipped: nothing is sent."
    task.state, task.crm_id = TaskState.COMPLETED, "00T000000000001EAA"
    assert reason(task, None) == "It stands in the CRM."


def test_reason_of_a_synced_task_says_when(connection: Connection) -> None:
    (task,) = refuse(connection, UserFactory.create(), None)
    task.refresh_from_db()
    assert task.synced_at is not None
    assert why(task) == f"It was written to the CRM {at(task.synced_at)}."


def test_a_long_message_is_shortened_in_lists(connection: Connection) -> None:
    (task,) = refuse(connection, UserFactory.create(), RULE)
    OutboxRow.objects.update(error_message="word\n" * 200)
    assert "word word" in why(task)
    assert "word…. An admin" in why(task)
    assert len(why(task)) < 320


def test_another_days_time_is_said_with_its_day() -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    assert at(tomorrow) == f"on {date_format(timezone.localtime(tomorrow), 'DATETIME_FORMAT')}"
