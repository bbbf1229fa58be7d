"""Rows of which nobody knows whether the CRM has them: they are looked up, get on, and keep nobody."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from sandbox.control import SandboxControl
from sync import connecting, outbox
from sync.delivery import deliver
from sync.enums import AttemptOutcome, FailureMode, OutboxState
from sync.models import Attempt, Connection, OutboxRow, Task
from tests.sync.rows import complete, make_user

# Transactions as in production: the engine never holds one over HTTP.
pytestmark = pytest.mark.django_db(transaction=True)

WRITES = {"path": "composite/sobjects"}


def deliver_after(connection: Connection, later: timedelta = timedelta()) -> None:
    with time_machine.travel(timezone.now() + later, tick=True):
        deliver(connection.pk)


def found_without_its_day(sandbox: SandboxControl, task: Task) -> None:
    """The task stands in the CRM, where somebody emptied a field since."""
    sandbox.add("Task", {"Subject": task.subject, "Playbooks_Key__c": task.key, "Status": "Completed"})
    OutboxRow.objects.filter(task=task).update(in_doubt=True)


@pytest.fixture
def keyless(sandbox: SandboxControl, request: pytest.FixtureRequest) -> Connection:
    """A connection to an org that lacks the key field."""
    sandbox.change_schema(fields=[{"object": "Task", "name": "Playbooks_Key__c", "removed": True}])
    connection: Connection = request.getfixturevalue("connection")
    return connection


class TestPatches:
    @pytest.fixture(autouse=True)
    def short_jobs(self, settings: Any) -> None:
        """A delivery that would go on for ever ends soon."""
        settings.SYNC_JOB_TIMEOUT = 4

    def test_one_that_is_refused_waits_like_any_other_refusal(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        (task,) = complete(connection)
        found_without_its_day(sandbox, task)
        sandbox.add_fault(
            "row_error",
            statusCode="FIELD_CUSTOM_VALIDATION_EXCEPTION",
            message="Closed Tasks are locked.",
            match=WRITES,
        )
        before = sandbox.stats()["api_calls"]
        deliver(connection.pk)
        row = OutboxRow.objects.get()
        assert (row.state, row.attempts, row.error_message) == (OutboxState.PENDING, 1, "Closed Tasks are locked.")
        assert row.trouble is not None
        assert sandbox.stats()["api_calls"] - before == 2  # the look and the patch

    def test_one_that_breaks_its_call_stands_alone_and_waits(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        for task in complete(connection, 2):
            found_without_its_day(sandbox, task)
        sandbox.add_fault("http_error", status=500, match=WRITES)
        deliver(connection.pk)
        assert set(OutboxRow.objects.values_list("state", "attempts")) == {(OutboxState.PENDING, 1)}


class TestLooks:
    def test_one_that_the_crm_refuses_keeps_no_new_rows(self, connection: Connection, sandbox: SandboxControl) -> None:
        for name in ("Playbooks_Key__c", "CallObject"):
            sandbox.change_schema(fields=[{"object": "Task", "name": name, "hidden": True}])
        connecting.read_schema(connection, connecting.gateway(connection))
        (old,) = complete(connection)
        OutboxRow.objects.update(in_doubt=True)
        new = complete(connection, 3)
        deliver(connection.pk)
        assert set(OutboxRow.objects.filter(task__in=new).values_list("state", flat=True)) == {OutboxState.DONE}
        waiting = OutboxRow.objects.get(task=old)
        assert (waiting.state, waiting.error_code) == (OutboxState.PENDING, "NO_KEY_FIELD")
        connection.refresh_from_db()
        assert connection.paused_until is None

    def test_a_field_that_vanished_is_not_asked_for_again(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        complete(connection)
        Task.objects.update(phone_number="+1 212 555 0100", phone_e164="+12125550100")
        OutboxRow.objects.update(in_doubt=True)
        sandbox.change_schema(fields=[{"object": "Task", "name": "CallObject", "hidden": True}])
        deliver_after(connection, timedelta(minutes=30))
        deliver_after(connection, timedelta(minutes=31))
        assert OutboxRow.objects.get().state == OutboxState.DONE


class TestWithoutTheKeyField:
    def test_b1_a_killed_workers_rows_rest_before_they_are_looked_up(
        self, keyless: Connection, sandbox: SandboxControl
    ) -> None:
        complete(keyless)
        batch = outbox.claim(keyless, 10)
        outbox.start(keyless, batch.token, batch.rows)
        deliver_after(keyless, timedelta(minutes=5))
        assert sandbox.stats("CallObject")["rows_written"] == {}
        deliver_after(keyless, timedelta(minutes=15))
        assert OutboxRow.objects.get().state == OutboxState.DONE

    def test_b1_a_retry_by_hand_does_not_shorten_the_rest(self, keyless: Connection, sandbox: SandboxControl) -> None:
        complete(keyless)
        sandbox.add_fault("drop_before_commit", times=1, match=WRITES)
        deliver(keyless.pk)
        assert outbox.retry_now(OutboxRow.objects.all(), make_user()) == 1
        assert OutboxRow.objects.get().not_before > timezone.now() + timedelta(minutes=10)

    def test_one_lost_answer_says_nothing_about_the_size(self, keyless: Connection, sandbox: SandboxControl) -> None:
        complete(keyless)
        sandbox.add_fault("drop_before_commit", times=1, match=WRITES)
        deliver(keyless.pk)
        keyless.refresh_from_db()
        assert keyless.batch_size == 200

    def test_rows_that_were_not_sent_need_no_rest(self, keyless: Connection, sandbox: SandboxControl) -> None:
        (old,) = complete(keyless)
        OutboxRow.objects.update(in_doubt=True)
        complete(keyless, 4)
        sandbox.add_fault("drop_before_commit", times=1, match={**WRITES, "min_rows": 2})
        deliver(keyless.pk)
        assert OutboxRow.objects.get(task=old).not_before < timezone.now() + timedelta(minutes=1)

    def test_a_poison_row_stands_alone_at_last_and_is_charged(
        self, keyless: Connection, sandbox: SandboxControl
    ) -> None:
        sandbox.add_fault("poison", contains="Poison")
        complete(keyless, 3)
        (poison,) = complete(keyless, 1, "Poison")
        complete(keyless, 4)
        for round_ in range(1, 9):
            deliver_after(keyless, timedelta(minutes=13 * round_))
        assert set(OutboxRow.objects.exclude(task=poison).values_list("state", flat=True)) == {OutboxState.DONE}
        row = OutboxRow.objects.get(task=poison)
        assert (row.state, row.failure_mode, row.in_doubt) == (OutboxState.PENDING, FailureMode.TRANSIENT, True)
        assert row.attempts > 0
        keys = [task["CallObject"] for task in sandbox.rows("Task") if task.get("CallObject")]
        assert (len(keys), len(set(keys))) == (7, 7)


class TestKeyFieldThatComesAndGoes:
    def test_b1_what_was_sent_before_it_came_is_found(self, keyless: Connection, sandbox: SandboxControl) -> None:
        complete(keyless, 2)
        sandbox.add_fault("drop_after_commit", times=1, match=WRITES)
        deliver(keyless.pk)
        key = {"object": "Task", "name": "Playbooks_Key__c", "removed": False, "externalId": True, "unique": True}
        sandbox.change_schema(fields=[key])
        keyless.refresh_from_db()
        assert connecting.read_schema(keyless, connecting.gateway(keyless))
        assert keyless.task_schema is not None
        assert keyless.task_schema.has_key
        deliver_after(keyless, timedelta(minutes=15))
        deliver_after(keyless, timedelta(minutes=16))
        assert set(OutboxRow.objects.values_list("state", flat=True)) == {OutboxState.DONE}
        assert len([t for t in sandbox.rows("Task") if t["Subject"] in ("Call 0", "Call 1")]) == 2

    def test_b1_what_was_sent_before_it_went_waits_for_it(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        complete(connection, 2)
        batch = outbox.claim(connection, 10)
        outbox.start(connection, batch.token, batch.rows)
        for row in batch.rows:
            assert row.task is not None
            sandbox.add("Task", {"Subject": row.task.subject, "Playbooks_Key__c": row.key})
        sandbox.change_schema(fields=[{"object": "Task", "name": "Playbooks_Key__c", "hidden": True}])
        assert connecting.read_schema(connection, connecting.gateway(connection))
        deliver_after(connection, timedelta(minutes=30))
        assert set(OutboxRow.objects.values_list("state", "error_code")) == {(OutboxState.PENDING, "INVALID_FIELD")}
        new = complete(connection)
        deliver_after(connection, timedelta(minutes=31))
        assert OutboxRow.objects.get(task=new[0]).state == OutboxState.DONE
        sandbox.change_schema(fields=[{"object": "Task", "name": "Playbooks_Key__c", "hidden": False}])
        assert connecting.read_schema(connection, connecting.gateway(connection))
        OutboxRow.objects.filter(state=OutboxState.PENDING).update(not_before=timezone.now())
        deliver(connection.pk)
        assert set(OutboxRow.objects.values_list("state", flat=True)) == {OutboxState.DONE}
        assert len([t for t in sandbox.rows("Task") if t["Subject"] in ("Call 0", "Call 1")]) == 3
        assert not Attempt.objects.filter(outcome=AttemptOutcome.STARTED).exists()

    def test_b1_a_change_after_it_came_looks_where_the_create_was_sent(
        self, keyless: Connection, sandbox: SandboxControl
    ) -> None:
        """The second row is younger than the key field, the Task that may stand in the CRM is not."""
        (task,) = complete(keyless)
        sandbox.add("Task", {"Subject": task.subject, "CallObject": task.key})
        OutboxRow.objects.update(state=OutboxState.FAILED, in_doubt=True)
        key = {"object": "Task", "name": "Playbooks_Key__c", "removed": False, "externalId": True, "unique": True}
        sandbox.change_schema(fields=[key])
        assert connecting.read_schema(keyless, connecting.gateway(keyless))
        with time_machine.travel(timezone.now() + timedelta(hours=1), tick=True):
            outbox.enqueue_rewrite(keyless, task, who=True, what=False)
            deliver(keyless.pk)
        assert list(OutboxRow.objects.order_by("pk").values_list("state", flat=True)) == [
            OutboxState.FAILED,
            OutboxState.DONE,
        ]
        assert len([t for t in sandbox.rows("Task") if t["Subject"] == task.subject]) == 1
