"""Tasks whose who or what changes after they were asked for: the CRM gets the newest, and nothing else is touched."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from sandbox.control import SandboxControl
from sync import connecting, outbox, settling
from sync.delivery import deliver
from sync.enums import AttemptOutcome, DecisionCode, FailureMode, OutboxState, RecordKind
from sync.errors import RowError
from sync.models import Attempt, Connection, Decision, OutboxRow, Record, Task
from sync.settling import Answer, Call
from teams.crm_ids import to_18
from tests.factories import RecordFactory
from tests.sync.rows import complete, make_user

# Transactions as in production: the engine never holds one over HTTP.
pytestmark = pytest.mark.django_db(transaction=True)

WRITES = {"path": "composite/sobjects"}


def run(connection: Connection, later: timedelta = timedelta()) -> None:
    with time_machine.travel(timezone.now() + later, tick=True):
        deliver(connection.pk)


def contact(connection: Connection, sandbox: SandboxControl, last_name: str = "Novak") -> Record:
    """A mirrored Contact that the sandbox has."""
    found = [row for row in sandbox.rows("Contact") if row["LastName"] == last_name]
    crm_id = to_18(found[0]["Id"] if found else sandbox.add("Contact", {"LastName": last_name})["Id"])
    return Record.objects.filter(crm_id=crm_id).first() or RecordFactory.create(connection=connection, crm_id=crm_id)


def relate(connection: Connection, task: Task, who: Record | None) -> None:
    Task.objects.filter(pk=task.pk).update(who=who)
    task.refresh_from_db()
    outbox.enqueue_rewrite(connection, task, who=True, what=False)


def in_crm(sandbox: SandboxControl, task: Task) -> dict[str, Any]:
    (row,) = [row for row in sandbox.rows("Task") if row["Subject"] == task.subject]
    return dict(row)


def states(task: Task) -> list[str]:
    return list(OutboxRow.objects.filter(task=task).order_by("pk").values_list("state", flat=True))


def api_calls(sandbox: SandboxControl) -> int:
    return int(sandbox.stats()["api_calls"])


@pytest.fixture
def keyless(sandbox: SandboxControl, request: pytest.FixtureRequest) -> Connection:
    """A connection to an org that lacks the key field."""
    sandbox.change_schema(fields=[{"object": "Task", "name": "Playbooks_Key__c", "removed": True}])
    connection: Connection = request.getfixturevalue("connection")
    return connection


class TestChanges:
    def test_only_the_relation_is_written_and_what_was_edited_in_the_crm_stays(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        (task,) = complete(connection)
        run(connection)
        sandbox.edit("Task", in_crm(sandbox, task)["Id"], {"Description": "Edited", "WhatId": deal(sandbox)})
        hana = contact(connection, sandbox)
        relate(connection, task, hana)
        run(connection)
        row = in_crm(sandbox, task)
        assert (row["WhoId"], row["WhatId"], row["Description"]) == (hana.crm_id, deal(sandbox), "Edited")
        relate(connection, task, None)
        run(connection)
        row = in_crm(sandbox, task)
        assert (row["WhoId"], row["WhatId"], row["Description"]) == (None, deal(sandbox), "Edited")
        assert states(task) == [OutboxState.DONE] * 3

    def test_a_lead_leaves_no_room_for_anything_else(self, connection: Connection, sandbox: SandboxControl) -> None:
        (task,) = complete(connection)
        run(connection)
        sandbox.edit("Task", in_crm(sandbox, task)["Id"], {"WhatId": deal(sandbox)})
        crm_id = to_18(sandbox.rows("Lead")[0]["Id"])
        relate(connection, task, RecordFactory.create(connection=connection, kind=RecordKind.LEAD, crm_id=crm_id))
        run(connection)
        row = in_crm(sandbox, task)
        assert (row["WhoId"], row["WhatId"]) == (crm_id, None)

    def test_b3_two_hundred_changes_cost_one_call(self, connection: Connection, sandbox: SandboxControl) -> None:
        tasks = complete(connection, 200)
        run(connection)
        hana = contact(connection, sandbox)
        for task in tasks:
            relate(connection, task, hana)
        before = api_calls(sandbox)
        run(connection)
        assert api_calls(sandbox) - before == 1
        assert {row["WhoId"] for row in sandbox.rows("Task") if row.get("Playbooks_Key__c")} == {hana.crm_id}

    def test_changes_and_new_tasks_of_one_batch_keep_each_other_not(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        (old,) = complete(connection)
        run(connection)
        relate(connection, old, contact(connection, sandbox))
        sandbox.add_fault("row_error", statusCode="FIELD_CUSTOM_VALIDATION_EXCEPTION", message="Locked.", times=1)
        new = complete(connection, 2, "New")
        run(connection)
        assert OutboxRow.objects.filter(task__in=new, state=OutboxState.DONE).count() == 2
        row = OutboxRow.objects.get(state=OutboxState.PENDING)
        assert (row.task, row.failure_mode, row.error_message) == (old, FailureMode.CONFIGURATION, "Locked.")

    def test_a_relation_that_the_org_hides_is_left_out_and_said(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        (task,) = complete(connection)
        run(connection)
        sandbox.change_schema(fields=[{"object": "Task", "name": "WhoId", "hidden": True}])
        connecting.read_schema(connection, connecting.gateway(connection))
        relate(connection, task, contact(connection, sandbox))
        run(connection)
        assert Decision.objects.get(code=DecisionCode.FIELD_LEFT_OUT).detail == {"slot": "who"}


class TestDoubt:
    def lost(self, connection: Connection, sandbox: SandboxControl, fault: str) -> Task:
        """A change whose answer got lost, and whose look failed, too."""
        (task,) = complete(connection)
        run(connection)
        relate(connection, task, contact(connection, sandbox))
        sandbox.add_fault(fault, times=1, match=WRITES)
        sandbox.add_fault("http_error", status=503, times=1, match={"path": "query"})
        run(connection)
        assert list(OutboxRow.objects.filter(task=task, in_doubt=True).values_list("state", flat=True)) == ["pending"]
        return task

    def test_b1_one_that_did_not_arrive_is_written(self, connection: Connection, sandbox: SandboxControl) -> None:
        task = self.lost(connection, sandbox, "drop_before_commit")
        assert in_crm(sandbox, task).get("WhoId") is None
        run(connection, timedelta(minutes=15))
        assert in_crm(sandbox, task)["WhoId"] == contact(connection, sandbox).crm_id
        assert states(task) == [OutboxState.DONE] * 2

    def test_b1_one_that_arrived_is_not_written_again(self, connection: Connection, sandbox: SandboxControl) -> None:
        task = self.lost(connection, sandbox, "drop_after_commit")
        stamp = in_crm(sandbox, task)["SystemModstamp"]
        run(connection, timedelta(minutes=15))
        assert (in_crm(sandbox, task)["SystemModstamp"], states(task)) == (stamp, [OutboxState.DONE] * 2)
        assert Attempt.objects.latest("pk").outcome == AttemptOutcome.FOUND

    def test_one_lost_answer_is_made_up_for_at_once(self, connection: Connection, sandbox: SandboxControl) -> None:
        tasks = complete(connection, 2)
        run(connection)
        hana = contact(connection, sandbox)
        for task in tasks:
            relate(connection, task, hana)
        sandbox.add_fault("drop_before_commit", times=1, match=WRITES)
        run(connection)
        assert [in_crm(sandbox, task)["WhoId"] for task in tasks] == [hana.crm_id] * 2
        assert set(OutboxRow.objects.values_list("state", flat=True)) == {OutboxState.DONE}

    def test_without_a_key_field_it_is_looked_up_by_id_at_once(
        self, keyless: Connection, sandbox: SandboxControl
    ) -> None:
        (task,) = complete(keyless)
        run(keyless)
        relate(keyless, task, contact(keyless, sandbox))
        sandbox.add_fault("drop_after_commit", times=1, match=WRITES)
        run(keyless)
        assert states(task) == [OutboxState.DONE] * 2
        assert in_crm(sandbox, task)["WhoId"] == contact(keyless, sandbox).crm_id


class TestWhileItsCreateIsUnderWay:
    @pytest.mark.parametrize("fault", ["drop_before_commit", "drop_after_commit"])
    def test_b1_a_change_while_the_create_is_in_doubt(
        self, connection: Connection, sandbox: SandboxControl, fault: str
    ) -> None:
        (task,) = complete(connection)
        sandbox.add_fault(fault, times=1, match=WRITES)
        sandbox.add_fault("http_error", status=503, times=1, match={"path": "query"})
        run(connection)
        hana, mara = contact(connection, sandbox), contact(connection, sandbox, "Lindqvist")
        relate(connection, task, hana)
        relate(connection, task, mara)
        assert states(task) == [OutboxState.PENDING]
        run(connection, timedelta(minutes=15))
        assert (in_crm(sandbox, task)["WhoId"], states(task)) == (mara.crm_id, [OutboxState.DONE])

    def test_b1_taken_back_while_the_create_is_in_doubt(self, connection: Connection, sandbox: SandboxControl) -> None:
        """What was found has the relation that was sent, and must lose it."""
        (task,) = complete(connection)
        relate(connection, task, contact(connection, sandbox))
        sandbox.add_fault("drop_after_commit", times=1, match=WRITES)
        sandbox.add_fault("http_error", status=503, times=1, match={"path": "query"})
        run(connection)
        assert in_crm(sandbox, task)["WhoId"]
        relate(connection, task, None)
        run(connection, timedelta(minutes=15))
        assert (in_crm(sandbox, task)["WhoId"], states(task)) == (None, [OutboxState.DONE])

    def test_a_change_while_it_is_being_sent_follows_when_it_is_done(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        (task,) = complete(connection)
        batch = outbox.claim(connection, 10)
        hana = contact(connection, sandbox)
        relate(connection, task, hana)
        assert states(task) == [OutboxState.SENDING, OutboxState.PENDING]
        attempts = outbox.start(connection, batch.token, batch.rows)
        crm_id = to_18(sandbox.add("Task", {"Subject": task.subject, "Playbooks_Key__c": task.key})["Id"])
        (row,) = batch.rows
        settling.settle(connection, batch.token, [Answer(row, attempts[row.pk], crm_id=crm_id)], Call(200))
        run(connection)
        assert (in_crm(sandbox, task)["WhoId"], states(task)) == (hana.crm_id, [OutboxState.DONE] * 2)

    @pytest.mark.parametrize("mode", [FailureMode.DATA, FailureMode.CONFIGURATION, FailureMode.TRANSIENT])
    def test_a_change_goes_out_when_the_first_is_refused(
        self, connection: Connection, sandbox: SandboxControl, mode: FailureMode
    ) -> None:
        (task,) = complete(connection)
        batch = outbox.claim(connection, 10)
        hana = contact(connection, sandbox)
        relate(connection, task, hana)
        attempts = outbox.start(connection, batch.token, batch.rows)
        error = RowError(mode, "REFUSED", "No.")
        answers = [Answer(row, attempts[row.pk], error=error) for row in batch.rows]
        settling.settle(connection, batch.token, answers, Call(200))
        assert states(task) == [OutboxState.CANCELLED, OutboxState.PENDING]
        run(connection)
        assert (in_crm(sandbox, task)["WhoId"], states(task)[-1]) == (hana.crm_id, OutboxState.DONE)

    @pytest.mark.parametrize("gave_up", [True, False])
    def test_b1_the_doubt_of_the_first_is_inherited(
        self, connection: Connection, sandbox: SandboxControl, gave_up: bool
    ) -> None:
        """It wrote the Task, whose answer got lost: waiting or given up, the second finds it."""
        (task,) = complete(connection)
        batch = outbox.claim(connection, 10)
        sandbox.add("Task", {"Subject": task.subject, "Playbooks_Key__c": task.key, "Description": "Edited"})
        hana = contact(connection, sandbox)
        relate(connection, task, hana)
        attempts = outbox.start(connection, batch.token, batch.rows)
        settling.put_in_doubt(batch.token, batch.rows)
        (row,) = batch.rows
        row.in_doubt, row.first_attempt_at = True, timezone.now() - timedelta(days=31 if gave_up else 1)
        error = RowError(FailureMode.TRANSIENT, "SERVER_UNAVAILABLE", "Later.")
        settling.settle(connection, batch.token, [Answer(row, attempts[row.pk], error=error)], Call(503))
        assert states(task) == [OutboxState.FAILED if gave_up else OutboxState.CANCELLED, OutboxState.PENDING]
        run(connection, timedelta(minutes=15))
        found = in_crm(sandbox, task)
        assert (found["WhoId"], found["Description"], states(task)[-1]) == (hana.crm_id, "Edited", OutboxState.DONE)

    def test_b1_a_change_after_the_create_was_given_up_in_doubt_looks_first(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        (task,) = complete(connection)
        sandbox.add("Task", {"Subject": task.subject, "Playbooks_Key__c": task.key, "Description": "Edited"})
        OutboxRow.objects.update(state=OutboxState.FAILED, in_doubt=True)
        relate(connection, task, contact(connection, sandbox))
        run(connection)
        assert in_crm(sandbox, task)["Description"] == "Edited"
        assert states(task) == [OutboxState.FAILED, OutboxState.DONE]

    def test_b1_without_a_key_field_the_second_rests_as_the_first_would(
        self, keyless: Connection, sandbox: SandboxControl
    ) -> None:
        (task,) = complete(keyless)
        batch = outbox.claim(keyless, 10)
        outbox.start(keyless, batch.token, batch.rows)
        settling.put_in_doubt(batch.token, batch.rows)
        relate(keyless, task, contact(keyless, sandbox))
        settling.release(batch.token, batch.rows, timezone.now() + timedelta(minutes=10))
        row = OutboxRow.objects.get(state=OutboxState.PENDING)
        assert (row.in_doubt, row.rewrites_who) == (True, True)
        assert row.not_before > timezone.now() + timedelta(minutes=9)


class TestGone:
    def synced_and_related(self, connection: Connection, sandbox: SandboxControl) -> Task:
        (task,) = complete(connection)
        run(connection)
        relate(connection, task, contact(connection, sandbox))
        return task

    @pytest.mark.parametrize("purged", [True, False])
    def test_a_task_that_was_deleted_in_the_crm_is_said_to_be_and_not_tried_again(
        self, connection: Connection, sandbox: SandboxControl, purged: bool
    ) -> None:
        task = self.synced_and_related(connection, sandbox)
        if purged:
            Task.objects.update(crm_id=to_18("00TZz0000000001"))
        else:
            sandbox.delete("Task", in_crm(sandbox, task)["Id"])
        run(connection)
        assert states(task) == [OutboxState.DONE] * 2
        assert Decision.objects.filter(task=task, code=DecisionCode.DELETED_IN_CRM).count() == 1
        code = "INVALID_CROSS_REFERENCE_KEY" if purged else "ENTITY_IS_DELETED"
        assert Attempt.objects.get(outcome=AttemptOutcome.REFUSED).error_code == code

    def test_a_record_that_was_deleted_in_the_crm_is_told_as_the_crm_says_it(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        gone = contact(connection, sandbox, "Nemo")
        (task,) = complete(connection)
        run(connection)
        relate(connection, task, gone)
        sandbox.delete("Contact", gone.crm_id)
        run(connection)
        row = OutboxRow.objects.get(state=OutboxState.PENDING)
        assert (row.failure_mode, row.error_code, row.in_doubt) == (FailureMode.RELINK, "ENTITY_IS_DELETED", False)
        hana = contact(connection, sandbox)
        relate(connection, task, hana)
        assert OutboxRow.objects.get(pk=row.pk).not_before <= timezone.now()
        run(connection)
        assert (in_crm(sandbox, task)["WhoId"], states(task)) == (hana.crm_id, [OutboxState.DONE] * 2)


class TestByHand:
    def test_what_was_cancelled_before_it_got_there_stays_cancelled(
        self, connection: Connection, sandbox: SandboxControl
    ) -> None:
        (task,) = complete(connection)
        outbox.cancel(OutboxRow.objects.all(), make_user())
        relate(connection, task, contact(connection, sandbox))
        assert states(task) == [OutboxState.CANCELLED]

    def test_without_a_connection_nothing_is_asked_for(self) -> None:
        (task,) = complete(None)
        outbox.enqueue_rewrite(None, task, who=True, what=False)
        assert not OutboxRow.objects.exists()


def deal(sandbox: SandboxControl) -> str:
    (row,) = [row for row in sandbox.rows("Opportunity") if row["Name"] == "Birchwood winter season"]
    return to_18(row["Id"])


@pytest.mark.postgres
def test_b1_a_change_that_is_just_made_is_seen_by_whoever_settles(connection: Connection) -> None:
    """Two rows of one task would wait otherwise, and the whole batch could not be settled."""
    (task,) = complete(connection)
    batch = outbox.claim(connection, 10)
    attempts = outbox.start(connection, batch.token, batch.rows)
    error = RowError(FailureMode.DATA, "REFUSED", "No.")
    answers = [Answer(row, attempts[row.pk], error=error) for row in batch.rows]

    def settle() -> None:
        settling.settle(connection, batch.token, answers, Call(200))

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            locked = Task.objects.select_for_update().get(pk=task.pk)
            outbox.enqueue_rewrite(connection, locked, who=True, what=False)
            settled = threads.submit(closing, settle)
            wait_until_it_waits(settled)
        settled.result(timeout=30)
    assert states(task) == [OutboxState.CANCELLED, OutboxState.PENDING]


@pytest.mark.postgres
@pytest.mark.parametrize("state", [OutboxState.PENDING, OutboxState.FAILED])
@pytest.mark.parametrize("by_hand", [outbox.retry_now, outbox.cancel])
def test_who_acts_by_hand_and_who_changes_the_task_wait_for_each_other_in_one_order(
    connection: Connection, state: OutboxState, by_hand: Callable[..., int]
) -> None:
    (task,) = complete(connection)
    OutboxRow.objects.update(state=state)
    rows, user = list(OutboxRow.objects.all()), make_user()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            locked = Task.objects.select_for_update().get(pk=task.pk)
            acted = threads.submit(closing, partial(by_hand, rows, user))
            wait_until_it_waits(acted)
            outbox.enqueue_rewrite(connection, locked, who=True, what=False)
        acted.result(timeout=30)
    newest = OutboxRow.objects.latest("pk")
    assert newest.rewrites_who
    assert OutboxRow.objects.filter(state=OutboxState.PENDING).count() <= 1


@pytest.mark.postgres
def test_who_settles_holds_tasks_in_one_order_done_and_refused(connection: Connection) -> None:
    first, second = complete(connection, 2)
    batch = outbox.claim(connection, 10)
    attempts = outbox.start(connection, batch.token, batch.rows)
    error = RowError(FailureMode.DATA, "REFUSED", "No.")
    answers = [
        Answer(row, attempts[row.pk], crm_id=to_18("00TZz0000000001"))
        if row.task == first
        else Answer(row, attempts[row.pk], error=error)
        for row in batch.rows
    ]
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            locked = Task.objects.select_for_update(no_key=True)
            locked.get(pk=first.pk)
            settled = threads.submit(closing, lambda: settling.settle(connection, batch.token, answers, Call(200)))
            wait_until_it_waits(settled)
            locked.get(pk=second.pk)
        settled.result(timeout=30)
    assert (states(first), states(second)) == ([OutboxState.DONE], [OutboxState.PENDING])


def closing(work: Callable[[], object]) -> None:
    try:
        work()
    finally:
        database.close()


def wait_until_it_waits(future: "Future[None]") -> None:
    """Until somebody waits for a lock of the caller's, or has not needed to."""
    waiting = False
    while not (future.done() or waiting):
        with database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            waiting = bool(cursor.fetchone()[0])
