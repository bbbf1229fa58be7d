"""The promises about the way to the CRM, from completion.py through the real worker to the sandbox."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from django_q.models import OrmQ

from sandbox.control import SandboxControl
from sync import outbox
from sync.completion import Completion, complete, complete_many
from sync.enums import AttemptOutcome, ConnectionState, FailureMode, OutboxState, TaskKind
from sync.jobs import reconnect, sweep
from sync.models import Attempt, Connection, OutboxRow, Task, Trouble
from teams.models import Role, User
from tests.real_worker import work_off
from tests.sync.rows import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def call(user: User, subject: str = "Call") -> Completion:
    return Completion(user=user, kind=TaskKind.CALL, subject=subject)


def written(sandbox: SandboxControl) -> list[dict[str, Any]]:
    return [task for task in sandbox.rows("Task") if task.get("Playbooks_Key__c")]


def test_m1_a_completed_task_is_written_by_the_wake_up_alone(connection: Connection, sandbox: SandboxControl) -> None:
    task = complete(call(make_user()))
    jobs = work_off()
    assert [job["func"] for job in jobs] == ["sync.jobs.deliver"]
    assert [row["Playbooks_Key__c"] for row in written(sandbox)] == [task.key]
    assert OrmQ.objects.count() == 0


def test_b1_a_lost_answer_makes_no_second_task(connection: Connection, sandbox: SandboxControl) -> None:
    sandbox.add_fault("drop_after_commit", times=1, match={"path": "composite/sobjects"})
    complete(call(make_user()))
    work_off()
    assert OutboxRow.objects.get().state == OutboxState.DONE
    assert len(written(sandbox)) == 1
    outcomes = list(Attempt.objects.order_by("pk").values_list("outcome", flat=True))
    assert outcomes == [AttemptOutcome.UNKNOWN, AttemptOutcome.FOUND]


def test_b1_a_lost_wake_up_is_made_good_by_the_sweep(connection: Connection, sandbox: SandboxControl) -> None:
    complete(call(make_user()))
    OrmQ.objects.all().delete()
    assert work_off() == []
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=True):
        sweep()
        work_off()
    assert len(written(sandbox)) == 1


def test_b3_a_thousand_tasks_that_wait_together_cost_five_calls(
    connection: Connection, sandbox: SandboxControl
) -> None:
    user = make_user()
    before = sandbox.stats()["api_calls"]
    complete_many([call(user, f"Call {number}") for number in range(1000)])
    work_off()
    assert OutboxRow.objects.filter(state=OutboxState.DONE).count() == 1000
    assert sandbox.stats()["api_calls"] - before == 5
    assert len(written(sandbox)) == 1000


def test_m21_every_attempt_keeps_the_exact_code_and_message(connection: Connection, sandbox: SandboxControl) -> None:
    message = "The due date can't be before the contract's (see wiki, §4)."
    sandbox.add_fault("row_error", statusCode="FIELD_INTEGRITY_EXCEPTION", message=message, times=1)
    complete(call(make_user()))
    work_off()
    attempt = Attempt.objects.get()
    assert (attempt.outcome, attempt.error_code, attempt.error_message, attempt.http_status) == (
        AttemptOutcome.REFUSED,
        "FIELD_INTEGRITY_EXCEPTION",
        message,
        200,
    )
    assert attempt.request_id


def test_m23_what_was_completed_while_disconnected_syncs_when_the_access_user_is_back(
    connection: Connection, sandbox: SandboxControl
) -> None:
    User.objects.create_user("boss@example.com", name="Boss", role=Role.ADMIN)
    sandbox.add_fault("invalid_grant")
    sandbox.expire_sessions()
    rep = make_user()
    for number in range(3):
        complete(call(rep, f"Call {number}"))
        work_off()
    connection.refresh_from_db()
    assert connection.state == ConnectionState.DISCONNECTED
    assert Task.objects.count() == OutboxRow.objects.filter(state=OutboxState.PENDING).count() == 3
    assert [message.to for message in mail.outbox] == [["boss@example.com"]]

    sandbox.clear_faults()
    reconnect()
    work_off()
    assert len(written(sandbox)) == 3
    assert [message.to for message in mail.outbox] == [["boss@example.com"], ["boss@example.com"]]


def test_m24_a_failure_is_retried_says_so_after_thirty_days_and_can_be_retried_by_hand(
    connection: Connection, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("row_error", statusCode="STRING_TOO_LONG", message="Subject: data value too large")
    rep = make_user()
    complete(call(rep))
    work_off()
    start = timezone.now()
    with time_machine.travel(start, tick=True) as clock:
        for day in range(1, 32):
            clock.move_to(start + timedelta(days=day))
            sweep()
            work_off()
        row = OutboxRow.objects.get()
        assert (row.state, row.error_code) == (OutboxState.FAILED, "STRING_TOO_LONG")
        assert row.attempts == Attempt.objects.count() >= 30

        sandbox.clear_faults()
        assert outbox.retry_now([row], rep) == 1
        work_off()
    assert OutboxRow.objects.get().state == OutboxState.DONE


def test_m25_a_validation_rule_is_shown_in_its_own_words_with_who_can_mend_it(
    connection: Connection, sandbox: SandboxControl
) -> None:
    message = "A call needs a description."
    sandbox.change_schema(
        validation_rules=[
            {
                "object": "Task",
                "name": "Call_needs_description",
                "condition": {"field": "Description", "blank": True},
                "message": message,
            }
        ]
    )
    complete(call(make_user()))
    work_off()
    row = OutboxRow.objects.get()
    assert (row.error_code, row.error_message) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", message)
    assert FailureMode(row.failure_mode).actor == "admin"
    assert Trouble.objects.get().error_message == message
