"""What a failed call says about the size of batches, and about the rows beside it."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from sandbox.control import SandboxControl
from sync.delivery import deliver
from sync.enums import FailureMode, OutboxState
from sync.models import Attempt, Connection, OutboxRow, Task, Trouble
from tests.sync.rows import complete

pytestmark = pytest.mark.django_db(transaction=True)

WRITES = {"path": "composite/sobjects"}


def batch_size_after(connection: Connection, rows: int) -> int:
    complete(connection, rows)
    deliver(connection.pk)
    connection.refresh_from_db()
    assert not OutboxRow.objects.unsettled().exists()
    return connection.batch_size


def test_one_lost_answer_says_nothing_about_the_size(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("drop_before_commit", times=1, match=WRITES)
    assert batch_size_after(connection, 10) == 200


def test_what_fails_at_every_large_size_is_remembered(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("http_error", status=503, match={**WRITES, "min_rows": 60})
    assert batch_size_after(connection, 200) == 50


def test_a_small_batch_that_fails_does_not_make_all_others_tiny(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("http_error", status=503, match={**WRITES, "min_rows": 3})
    assert batch_size_after(connection, 8) == 25


def test_a_remembered_size_is_not_raised_by_a_larger_one(connection: Connection, sandbox: SandboxControl) -> None:
    connection.remember_batch_size(4)
    sandbox.add_fault("http_error", status=503, match={**WRITES, "min_rows": 2})
    assert batch_size_after(connection, 4) == 4


def test_a_row_that_broke_its_batch_keeps_no_new_ones(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("poison", contains="Poison")
    complete(connection, 1, "Poison")
    deliver(connection.pk)
    new = complete(connection, 20)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=True):
        deliver(connection.pk)
    assert set(OutboxRow.objects.filter(task__in=new).values_list("state", "in_doubt")) == {(OutboxState.DONE, False)}
    assert Attempt.objects.filter(task__in=new).count() == 20


def test_what_is_too_much_beside_others_is_tried_alone(connection: Connection, sandbox: SandboxControl) -> None:
    heavy = {"row": {"field": "Subject", "contains": "Heavy"}}
    sandbox.add_fault("trigger_limit", above=1, match=heavy)
    complete(connection, 1, "Heavy")
    complete(connection, 5)
    deliver(connection.pk)
    assert set(OutboxRow.objects.values_list("state", flat=True)) == {OutboxState.DONE}


def test_m7_a_field_that_became_read_only_holds_up_no_row_of_its_batch(
    connection: Connection, sandbox: SandboxControl
) -> None:
    tasks = complete(connection, 5)
    Task.objects.update(call_disposition="Reached")
    sandbox.change_schema(fields=[{"object": "Task", "name": "CallDisposition", "createable": False}])
    Connection.objects.update(schema_at=timezone.now() - timedelta(hours=1))
    deliver(connection.pk)
    with time_machine.travel(timezone.now() + timedelta(seconds=5), tick=True):
        deliver(connection.pk)
    assert OutboxRow.objects.filter(task__in=tasks, state=OutboxState.DONE).count() == 5
    assert not Trouble.objects.exists()


def test_a_limit_that_one_row_meets_rests_that_row_and_not_the_connection(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.add_fault(
        "row_error",
        statusCode="LIMIT_EXCEEDED",
        message="The e-mails of the day are used up.",
        match={"row": {"field": "Subject", "contains": "Mailing"}},
    )
    (mailing,) = complete(connection, 1, "Mailing")
    complete(connection, 3)
    deliver(connection.pk)
    connection.refresh_from_db()
    assert connection.paused_until is None
    row = OutboxRow.objects.get(task=mailing)
    assert (row.state, row.error_code, row.attempts) == (OutboxState.PENDING, "LIMIT_EXCEEDED", 1)
    assert row.not_before > timezone.now() + timedelta(minutes=20)


def test_a_limit_that_every_row_meets_rests_the_connection(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("row_error", statusCode="STORAGE_LIMIT_EXCEEDED", message="storage limit exceeded")
    complete(connection, 3)
    deliver(connection.pk)
    connection.refresh_from_db()
    assert connection.pause_mode == FailureMode.LIMIT
    assert set(OutboxRow.objects.values_list("state", "attempts")) == {(OutboxState.PENDING, 0)}
