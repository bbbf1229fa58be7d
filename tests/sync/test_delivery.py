"""The engine against the sandbox, over HTTP: lost answers, outages, limits, big batches, changed set-ups."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from sandbox.control import SandboxControl
from sync import connecting, jobs, outbox, refresh
from sync.delivery import deliver
from sync.enums import AttemptOutcome, ConnectionState, DecisionCode, FailureMode, OutboxState
from sync.mapping import map_task
from sync.models import Attempt, Connection, Decision, OutboxRow, Task, Trouble
from tests.sync.rows import complete, make_user

# Transactions as in production: the engine never holds one over HTTP.
pytestmark = pytest.mark.django_db(transaction=True)


def run(connection: Connection, hours: float = 0, times: int = 1) -> None:
    """Deliver what is due, the clock moved on by `hours` first, each of `times` times."""
    for round_ in range(1, times + 1):
        with time_machine.travel(timezone.now() + timedelta(hours=hours * round_), tick=True):
            deliver(connection.pk)


def states() -> dict[str, int]:
    found = list(OutboxRow.objects.values_list("state", flat=True))
    return {state: found.count(state) for state in set(found)}


def tasks_in_crm(sandbox: SandboxControl) -> list[dict[str, Any]]:
    return [task for task in sandbox.rows("Task") if task.get("Playbooks_Key__c") or task.get("CallObject")]


def writes(sandbox: SandboxControl) -> int:
    calls = sandbox.stats()["calls"]
    return sum(count for call, count in calls.items() if "composite/sobjects" in call)


def test_b3_tasks_that_wait_together_share_a_call(connection: Connection, sandbox: SandboxControl) -> None:
    complete(connection, 450)
    before = sandbox.stats()["api_calls"]
    run(connection)
    assert states() == {OutboxState.DONE: 450}
    assert len(tasks_in_crm(sandbox)) == 450
    assert sandbox.stats()["api_calls"] - before == 3


def test_what_the_crm_said_is_written_down(connection: Connection, sandbox: SandboxControl) -> None:
    (task,) = complete(connection)
    run(connection)
    task.refresh_from_db()
    (in_crm,) = tasks_in_crm(sandbox)
    assert (task.crm_id, in_crm["Playbooks_Key__c"]) == (in_crm["Id"], task.key)
    assert task.synced_at is not None
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.http_status, attempt.batch_size) == (AttemptOutcome.WRITTEN, 200, 1)
    assert attempt.request_id
    assert attempt.finished_at is not None


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drop_after_commit"},
        {"kind": "drop_before_commit"},
        {"kind": "http_error", "status": 503},
        {"kind": "http_error", "status": 500, "body": "<html>Oops</html>", "content_type": "text/html"},
        {"kind": "http_error", "status": 200, "body": "<html>Maintenance</html>", "content_type": "text/html"},
    ],
    ids=lambda fault: "-".join(str(fault.get(name, "")) for name in ("kind", "status", "content_type")),
)
def test_b1_an_unclear_answer_makes_no_duplicate_and_loses_nothing(
    connection: Connection, sandbox: SandboxControl, fault: dict[str, Any]
) -> None:
    sandbox.add_fault(**{"times": 1, "match": {"path": "composite/sobjects"}, **fault})
    complete(connection, 7)
    run(connection, times=3, hours=0.1)
    assert states() == {OutboxState.DONE: 7}
    assert sandbox.stats()["duplicates"] == []
    assert len(tasks_in_crm(sandbox)) == 7
    assert Attempt.objects.filter(outcome=AttemptOutcome.UNKNOWN).count() == 7


def test_b1_an_answer_later_than_the_time_out_is_found(
    connection: Connection, sandbox: SandboxControl, settings: Any
) -> None:
    settings.SYNC_HTTP_TIMEOUT = 1
    connecting.forget_gateways()
    sandbox.add_fault("answer_late", ms=1500, times=1, match={"path": "composite/sobjects"})
    complete(connection, 3)
    run(connection, times=2, hours=0.1)
    assert states() == {OutboxState.DONE: 3}
    assert len(tasks_in_crm(sandbox)) == 3
    assert Decision.objects.filter(code=DecisionCode.FOUND_IN_CRM).count() == 3
    assert Attempt.objects.filter(outcome=AttemptOutcome.FOUND).count() == 3


def test_b1_a_killed_worker_leaves_a_row_that_is_looked_up(connection: Connection, sandbox: SandboxControl) -> None:
    (task,) = complete(connection)
    batch = outbox.claim(connection, 10)
    outbox.start(connection, batch.token, batch.rows)
    schema = connection.task_schema
    assert schema is not None
    connecting.gateway(connection).write_tasks([map_task(task, schema, ZoneInfo("UTC")).row], schema)
    run(connection, hours=1)
    assert states() == {OutboxState.DONE: 1}
    assert len(tasks_in_crm(sandbox)) == 1
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {AttemptOutcome.LOST, AttemptOutcome.FOUND}


def test_what_somebody_edited_meanwhile_is_not_overwritten(connection: Connection, sandbox: SandboxControl) -> None:
    (task,) = complete(connection)
    sandbox.add("Task", {"Subject": "Edited in the CRM", "Playbooks_Key__c": task.key, "Status": "Deferred"})
    OutboxRow.objects.update(in_doubt=True)
    run(connection)
    (in_crm,) = tasks_in_crm(sandbox)
    assert (in_crm["Subject"], in_crm["Status"]) == ("Edited in the CRM", "Deferred")
    # What it lacked was added.
    assert in_crm["ActivityDate"]
    assert states() == {OutboxState.DONE: 1}


def test_what_was_deleted_in_the_crm_is_not_made_again(connection: Connection, sandbox: SandboxControl) -> None:
    (task,) = complete(connection)
    row = sandbox.add("Task", {"Subject": "x", "Playbooks_Key__c": task.key})
    sandbox.delete("Task", row["Id"])
    OutboxRow.objects.update(in_doubt=True)
    run(connection)
    assert states() == {OutboxState.DONE: 1}
    assert [task["IsDeleted"] for task in tasks_in_crm(sandbox)] == [True]
    assert Decision.objects.filter(code=DecisionCode.DELETED_IN_CRM).count() == 1


def test_a_poison_row_stands_alone_and_keeps_nobody(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("poison", contains="Poison")
    complete(connection, 30)
    complete(connection, 1, "Poison")
    complete(connection, 30)
    run(connection)
    assert states() == {OutboxState.DONE: 60, OutboxState.PENDING: 1}
    row = OutboxRow.objects.get(state=OutboxState.PENDING)
    assert (row.failure_mode, row.attempts, row.in_doubt) == (FailureMode.TRANSIENT, 1, True)
    connection.refresh_from_db()
    assert connection.batch_size == 200
    sandbox.clear_faults()
    run(connection, hours=1)
    assert states() == {OutboxState.DONE: 61}
    assert sandbox.stats()["duplicates"] == []


def test_an_org_whose_triggers_break_gets_smaller_batches_and_they_are_remembered(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("trigger_limit", above=50)
    complete(connection, 200)
    run(connection)
    assert states() == {OutboxState.DONE: 200}
    assert sandbox.stats()["duplicates"] == []
    connection.refresh_from_db()
    assert connection.batch_size == 50
    complete(connection, 100)
    before = writes(sandbox)
    run(connection)
    assert writes(sandbox) - before == 2


def test_a_small_batch_size_grows_back_slowly(connection: Connection, sandbox: SandboxControl) -> None:
    connection.remember_batch_size(40)
    run(connection)
    connection.refresh_from_db()
    assert connection.batch_size == 40
    run(connection, hours=1.01)
    connection.refresh_from_db()
    assert connection.batch_size == 50


def test_a_trigger_that_breaks_for_one_row_is_a_matter_for_an_admin(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("trigger_limit", match={"row": {"field": "Subject", "contains": "Heavy"}})
    complete(connection, 1, "Heavy")
    complete(connection, 5)
    run(connection)
    assert states() == {OutboxState.DONE: 5, OutboxState.PENDING: 1}
    assert Trouble.objects.get().error_message == "TaskTrigger: System.LimitException: Too many SOQL queries: 101"


def test_while_all_writes_fail_the_connection_rests_and_calls_are_saved(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("http_error", status=503, match={"path": "composite/sobjects"})
    complete(connection, 200)
    run(connection)
    connection.refresh_from_db()
    assert connection.paused_until is not None
    assert writes(sandbox) < 20
    assert connection.batch_size == 200
    sandbox.clear_faults()
    run(connection, hours=1, times=2)
    assert states() == {OutboxState.DONE: 200}
    mended = Connection.objects.get()
    assert (mended.paused_until, mended.pause_count) == (None, 0)


def test_while_the_crm_is_away_nothing_is_charged(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("drop_before_commit")
    complete(connection, 20)
    run(connection)
    connection.refresh_from_db()
    assert connection.pause_mode == FailureMode.TRANSIENT
    assert set(OutboxRow.objects.values_list("attempts", "state")) == {(0, OutboxState.PENDING)}
    run(connection)  # resting: nothing is tried
    assert writes(sandbox) == 1
    sandbox.clear_faults()
    run(connection, hours=1, times=2)
    assert states() == {OutboxState.DONE: 20}


def test_after_a_pause_one_small_batch_goes_first(connection: Connection, sandbox: SandboxControl) -> None:
    connection.pause(FailureMode.TRANSIENT, "TIMEOUT", "", timezone.now() - timedelta(seconds=1))
    complete(connection, 50)
    run(connection)
    assert states() == {OutboxState.DONE: 50}
    sizes = Attempt.objects.order_by("pk").values_list("batch_size", flat=True)
    assert (sizes[0], sizes[49]) == (10, 40)


def test_after_a_pause_only_one_worker_tries(connection: Connection) -> None:
    connection.pause(FailureMode.TRANSIENT, "TIMEOUT", "", timezone.now() - timedelta(seconds=1))
    one, other = Connection.objects.get(), Connection.objects.get()
    later = timezone.now() + timedelta(minutes=1)
    assert one.take_half_open(timezone.now(), later)
    assert not other.take_half_open(timezone.now(), later)


def test_a_busy_row_is_tried_again_by_itself(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("lock_row", times=2)
    complete(connection, 4)
    run(connection)
    assert states() == {OutboxState.DONE: 2, OutboxState.PENDING: 2}
    assert set(OutboxRow.objects.filter(state=OutboxState.PENDING).values_list("error_code", "attempts")) == {
        ("UNABLE_TO_LOCK_ROW", 1)
    }
    run(connection, hours=1)
    assert states() == {OutboxState.DONE: 4}


def test_what_was_halted_with_its_neighbours_costs_no_attempt(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("processing_halted", times=1)
    complete(connection)
    run(connection)
    assert OutboxRow.objects.get().attempts == 0
    run(connection, hours=0.1)
    assert states() == {OutboxState.DONE: 1}


def test_an_expired_session_is_renewed_unnoticed(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.expire_sessions()
    complete(connection, 3)
    run(connection)
    assert states() == {OutboxState.DONE: 3}
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {AttemptOutcome.WRITTEN}


@pytest.mark.parametrize(("fault", "wait"), [("limit_day", timedelta(minutes=4)), ("limit_concurrent", timedelta(0))])
def test_a_limit_rests_the_connection_and_charges_no_row(
    connection: Connection, sandbox: SandboxControl, fault: str, wait: timedelta
) -> None:
    sandbox.add_fault(fault)
    complete(connection, 5)
    run(connection)
    connection.refresh_from_db()
    assert (connection.pause_mode, connection.error_code) == (FailureMode.LIMIT, "REQUEST_LIMIT_EXCEEDED")
    assert connection.paused_until is not None
    assert connection.paused_until - timezone.now() > wait
    assert set(OutboxRow.objects.values_list("attempts", "state")) == {(0, OutboxState.PENDING)}
    sandbox.clear_faults()
    run(connection, hours=2)
    assert states() == {OutboxState.DONE: 5}


def test_m23_a_lost_access_user_stops_everything_loses_nothing_and_is_said_once(
    connection: Connection, sandbox: SandboxControl
) -> None:
    make_user("admin@example.com")
    make_admin("boss@example.com")
    sandbox.add_fault("inactive_user")
    sandbox.expire_sessions()
    complete(connection, 5)
    run(connection, times=3)
    connection.refresh_from_db()
    assert connection.state == ConnectionState.DISCONNECTED
    assert set(OutboxRow.objects.values_list("attempts", "state")) == {(0, OutboxState.PENDING)}
    assert [message.to for message in mail.outbox] == [["boss@example.com"]]
    jobs.reconnect()
    connection.refresh_from_db()
    assert connection.state == ConnectionState.DISCONNECTED

    sandbox.clear_faults()
    jobs.reconnect()
    connection.refresh_from_db()
    assert connection.state == ConnectionState.CONNECTED
    assert len(mail.outbox) == 2
    run(connection)
    assert states() == {OutboxState.DONE: 5}
    assert len(tasks_in_crm(sandbox)) == 5


def test_sessions_that_end_twice_in_a_row_are_not_a_lost_access_user(
    connection: Connection, sandbox: SandboxControl
) -> None:
    make_admin("boss@example.com")
    sandbox.add_fault("invalid_session", times=2)
    complete(connection, 5)
    run(connection)
    connection.refresh_from_db()
    assert (connection.state, connection.pause_mode) == (ConnectionState.CONNECTED, FailureMode.SESSION)
    run(connection, hours=0.1)
    assert states() == {OutboxState.DONE: 5}
    assert mail.outbox == []


def test_m23_an_access_user_whose_new_tokens_are_all_refused_is_lost(
    connection: Connection, sandbox: SandboxControl
) -> None:
    make_admin("boss@example.com")
    sandbox.add_fault("invalid_session", times=100)
    complete(connection, 5)
    run(connection, hours=0.1, times=6)
    connection.refresh_from_db()
    assert (connection.state, connection.error_code) == (ConnectionState.DISCONNECTED, "INVALID_SESSION_ID")
    assert [message.to for message in mail.outbox] == [["boss@example.com"]]
    assert set(OutboxRow.objects.values_list("attempts", "state")) == {(0, OutboxState.PENDING)}


def make_admin(email: str) -> None:
    user = make_user(email)
    user.role = "admin"
    user.save()


def test_m25_a_validation_rule_speaks_in_its_own_words(connection: Connection, sandbox: SandboxControl) -> None:
    message = "Say what was agreed (required since May)."
    sandbox.add_fault(
        "row_error",
        statusCode="FIELD_CUSTOM_VALIDATION_EXCEPTION",
        message=message,
        fields=["Description"],
        match={"row": {"field": "Subject", "contains": "Refused"}},
    )
    complete(connection, 3, "Refused")
    complete(connection, 2)
    run(connection)
    assert states() == {OutboxState.DONE: 2, OutboxState.PENDING: 3}
    row = OutboxRow.objects.filter(state=OutboxState.PENDING)[0]
    assert (row.error_code, row.error_message) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", message)
    assert FailureMode(row.failure_mode) == FailureMode.CONFIGURATION
    attempt = Attempt.objects.filter(outcome=AttemptOutcome.REFUSED)[0]
    assert (attempt.error_code, attempt.error_message) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", message)
    assert attempt.error_fields == ["Description"]

    # Mended in the CRM: one probe goes out within the hour, and the rest follows by itself.
    sandbox.clear_faults()
    with time_machine.travel(timezone.now() + timedelta(hours=1, minutes=1), tick=True):
        jobs.sweep()
        deliver(connection.pk)
        deliver(connection.pk)
    assert states() == {OutboxState.DONE: 5}


def test_m7_a_field_that_vanishes_is_left_out_at_once(connection: Connection, sandbox: SandboxControl) -> None:
    complete(connection)
    sandbox.change_schema(fields=[{"object": "Task", "name": "CallObject", "hidden": True}])
    Task.objects.update(phone_number="+1 212 555 0100", phone_e164="+12125550100")
    run(connection, hours=0.5, times=2)
    assert states() == {OutboxState.DONE: 1}
    assert Decision.objects.get(code=DecisionCode.FIELD_LEFT_OUT).detail == {"slot": "call_object"}
    assert "CallObject" not in tasks_in_crm(sandbox)[0]


@pytest.fixture
def keyless(sandbox: SandboxControl, request: pytest.FixtureRequest) -> Connection:
    """A connection to an org that lacks the key field."""
    sandbox.change_schema(fields=[{"object": "Task", "name": "Playbooks_Key__c", "removed": True}])
    connection: Connection = request.getfixturevalue("connection")
    return connection


@pytest.mark.parametrize("fault", ["drop_after_commit", "drop_before_commit"])
def test_b1_without_the_key_field_an_unclear_answer_rests_and_is_then_looked_up(
    keyless: Connection, sandbox: SandboxControl, fault: str
) -> None:
    sandbox.add_fault(fault, times=1, match={"path": "composite/sobjects"})
    complete(keyless, 4)
    run(keyless)
    assert set(OutboxRow.objects.values_list("state", "in_doubt")) == {(OutboxState.PENDING, True)}
    due_in = OutboxRow.objects.order_by("not_before")[0].not_before - timezone.now()
    assert due_in > timedelta(minutes=10)
    run(keyless, hours=0.3, times=3)
    assert states() == {OutboxState.DONE: 4}
    keys = [task["CallObject"] for task in tasks_in_crm(sandbox)]
    assert (len(keys), len(set(keys))) == (4, 4)


def test_a_record_that_the_crm_does_not_have_is_refused_in_plain_words(
    connection: Connection, sandbox: SandboxControl
) -> None:
    (lost,) = complete(connection)
    complete(connection, 2)
    record = refresh.known(connection, ["003000000000999AAA"])["003000000000999AAA"]
    Task.objects.filter(pk=lost.pk).update(who=record)
    run(connection)
    assert states() == {OutboxState.DONE: 2, OutboxState.PENDING: 1}
    row = OutboxRow.objects.get(task=lost)
    assert (row.error_code, row.failure_mode) == ("RECORD_NOT_FOUND", FailureMode.DATA)
    assert len(tasks_in_crm(sandbox)) == 2


def test_an_object_that_may_not_be_read_holds_up_its_own_tasks_only(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.change_schema(permissions={"Opportunity": {"read": False}})
    (hidden,) = complete(connection)
    complete(connection, 2)
    record = refresh.known(connection, ["006000000000999AAA"])["006000000000999AAA"]
    Task.objects.filter(pk=hidden.pk).update(what=record)
    run(connection)
    assert states() == {OutboxState.DONE: 2, OutboxState.PENDING: 1}
    row = OutboxRow.objects.get(task=hidden)
    assert (row.attempts, bool(row.error_code)) == (1, True)
    assert Connection.objects.get().paused_until is None


def test_fields_that_changed_during_a_pause_do_not_prolong_it(connection: Connection, sandbox: SandboxControl) -> None:
    connection.pause(FailureMode.TRANSIENT, "TIMEOUT", "", timezone.now() - timedelta(seconds=1))
    complete(connection)
    Task.objects.update(phone_number="+1 212 555 0100", phone_e164="+12125550100")
    sandbox.change_schema(fields=[{"object": "Task", "name": "CallObject", "removed": True}])
    Connection.objects.update(schema_at=timezone.now() - timedelta(hours=1))
    run(connection)
    run(connection, hours=0.01)
    assert states() == {OutboxState.DONE: 1}
    assert Connection.objects.get().paused_until is None
