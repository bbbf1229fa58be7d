"""Correcting a task that the CRM refused: what is stored and sent, who may, what is in the way, who comes second."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database

from sandbox.control import SandboxControl
from sync import correcting, outbox
from sync.completion import Completion, complete
from sync.correcting import can_correct, correct, in_the_way, seen
from sync.decision_words import words
from sync.enums import CallDirection, DecisionCode, FailureMode, LinkChoice, OutboxState, RecordKind, TaskKind
from sync.errors import RowError
from sync.models import Connection, Decision, OutboxRow, Record, Task
from sync.reasons import reason
from teams.models import User
from tests.factories import ConnectionFactory, PlayFactory, PlayStepFactory, RecordFactory
from tests.people import People, people
from tests.real_worker import work_off
from tests.sync.failing import BUSY, LONG, RULE, answer_due, refuse

__all__ = ["people"]

pytestmark = pytest.mark.django_db

GONE = RowError(FailureMode.RELINK, "ENTITY_IS_DELETED", "entity is deleted")


def refused(user: User, error: RowError = LONG, **fields: Any) -> Task:
    connection = Connection.objects.first() or ConnectionFactory.create()
    [task] = refuse(connection, user, error)
    Task.objects.filter(pk=task.pk).update(**{"subject": "Quote", "description": "As agreed", **fields})
    task.refresh_from_db()
    return task


def newest(task: Task) -> OutboxRow:
    return OutboxRow.objects.filter(task=task).latest("pk")


def said(task: Task, **changes: Any) -> Completion:
    """What stands there, with changes."""
    values = {
        "user": task.user,
        "task": task,
        "kind": task.kind,
        "subject": task.subject,
        "description": task.description,
        "completed_at": task.completed_at,
        "record": task.record,
        "related_record": task.related_record,
        "call_direction": task.call_direction,
        "call_disposition": task.call_disposition,
        "phone_number": task.phone_number,
    }
    return Completion(**{**values, **changes})


def told(task: Task, by: User, was_seen: str | None = None, **changes: Any) -> tuple[str, str, str]:
    """The field, the code and the message of what is refused; nothing is changed then."""
    before = Task.objects.values().get(pk=task.pk), list(OutboxRow.objects.filter(task=task).values())
    with pytest.raises(ValidationError) as raised:
        correct(said(task, **changes), by, was_seen or seen(task))
    assert (Task.objects.values().get(pk=task.pk), list(OutboxRow.objects.filter(task=task).values())) == before
    [(field, (error,))] = raised.value.error_dict.items()
    return field, error.code or "", error.messages[0]


def test_it_is_stored_named_and_due_at_once(people: People) -> None:
    task = refused(people.rep)
    correct(said(task, subject="Offer", call_disposition="Reached"), people.rep, seen(task))
    task.refresh_from_db()
    assert (task.subject, task.description, task.call_disposition) == ("Offer", "As agreed", "Reached")
    first, second = task.decisions.order_by("pk")
    assert (first.code, first.detail) == (
        DecisionCode.CORRECTED,
        {"by": str(people.rep.uuid), "fields": ["subject", "call_disposition"]},
    )
    assert second.code == DecisionCode.RETRIED_BY_HAND
    row = OutboxRow.objects.get()
    assert (row.state, row.attempts) == (OutboxState.PENDING, 0)
    answer_due(row.connection, None)
    task.refresh_from_db()
    assert task.crm_id


def test_the_log_says_who_and_what_and_never_the_contents(people: People) -> None:
    task = refused(people.rep)
    correct(said(task, phone_number="+1 212 555 0141", description="Secret"), people.manager, seen(task))
    decision = Decision.objects.get(code=DecisionCode.CORRECTED)
    assert words(decision, {str(people.manager.uuid): "Mia"}, []) == "by Mia, description, phone number"
    assert "Secret" not in str(decision.detail)
    # Whose task it is stays.
    task.refresh_from_db()
    assert task.user == people.rep
    assert DecisionCode.COMPLETED_FOR not in task.decisions.values_list("code", flat=True)


def test_one_that_was_given_up_goes_out_again(people: People) -> None:
    task = refused(people.rep)
    OutboxRow.objects.update(state=OutboxState.FAILED)
    correct(said(task, subject="Offer"), people.rep, seen(task))
    assert newest(task).state == OutboxState.PENDING


def test_what_waits_for_an_admin_waits_on_without_it(people: People) -> None:
    task, other = refused(people.rep, RULE), refused(people.rep, RULE)
    correct(said(task, call_disposition="Reached"), people.rep, seen(task))
    row = newest(task)
    assert (row.trouble, row.failure_mode, row.error_code) == (None, "", "")
    assert reason(task, row, people.rep) == "It goes out in a moment."
    answer_due(row.connection, None)
    assert (newest(task).state, newest(other).trouble is None) == (OutboxState.DONE, False)


def test_somebody_elses_is_refused(people: People) -> None:
    task = refused(people.rep)
    for user in (people.colleague, people.other_rep, people.other_manager):
        assert told(task, user, actor=user, subject="Mine")[:2] == ("task", "unknown")


def test_the_checks_are_those_of_completing(people: People) -> None:
    task = refused(people.rep)
    assert told(task, people.rep, phone_number="12")[:2] == ("phone_number", "malformed")
    assert told(task, people.rep, subject=" ")[:2] == ("subject", "required")
    assert told(task, people.rep, email_address="ann@example.com")[:2] == ("email_address", "not_an_email")


def test_nothing_changed(people: People) -> None:
    task = refused(people.rep)
    assert told(task, people.rep)[:2] == ("task", correcting.UNCHANGED)


class TestInTheWay:
    @pytest.mark.parametrize(
        ("changes", "start"),
        [
            ({"state": OutboxState.SENDING}, "It is being sent; look again in a moment."),
            ({"state": OutboxState.CANCELLED}, "It was cancelled"),
            ({"state": OutboxState.DONE}, "It stands in the CRM already"),
            ({"in_doubt": True}, "It may stand in the CRM already"),
            ({"failure_mode": ""}, "It waits to be sent"),
        ],
    )
    def test_a_row_that_is_not_refused(self, people: People, changes: dict[str, Any], start: str) -> None:
        task = refused(people.rep)
        OutboxRow.objects.update(**changes)
        assert not can_correct(task, newest(task))
        field, code, message = told(task, people.rep, subject="Offer")
        assert (field, code) == ("task", "in_the_way")
        assert message.startswith(start)

    def test_one_that_stands_in_the_crm_and_one_that_was_never_asked_for(self, people: People) -> None:
        task = refused(people.rep, crm_id="00T000000000001EAA")
        assert str(in_the_way(task, newest(task))).startswith("It stands in the CRM already")
        task.crm_id = ""
        assert not in_the_way(task, newest(task))
        assert in_the_way(task, None)

    def test_an_older_row_on_its_way(self, people: People) -> None:
        task = refused(people.rep)
        row = OutboxRow.objects.get()
        OutboxRow.objects.create(
            connection=row.connection, task=task, key=task.key, state=OutboxState.FAILED, not_before=row.not_before
        )
        OutboxRow.objects.filter(pk=row.pk).update(state=OutboxState.SENDING)
        assert told(task, people.rep, subject="Offer")[2] == "It is being sent; look again in a moment."


class TestRecords:
    def test_another_record_for_one_that_was_deleted(self, people: People) -> None:
        gone, other = RecordFactory.create(), RecordFactory.create()
        task = refused(people.rep, GONE, record=gone, who=gone, link_choice=LinkChoice.EXPLICIT)
        correct(said(task, record=other), people.rep, seen(task))
        task.refresh_from_db()
        assert (task.record, task.who, task.what) == (other, other, None)
        assert Decision.objects.get(code=DecisionCode.CORRECTED).detail["fields"] == ["record"]

    def test_a_deleted_record_is_told(self, people: People) -> None:
        gone = RecordFactory.create(is_deleted=True)
        task = refused(people.rep, GONE, record=gone, who=gone)
        assert told(task, people.rep, subject="Offer")[:2] == ("record", "deleted")

    def test_without_a_record_it_is_matched_and_its_own_link_is_no_history(self, people: People) -> None:
        hana = RecordFactory.create(phones=["+1 212 555 0141"])
        task = refused(people.rep, record=hana, who=hana, phone_number="+1 212 555 0141", phone_e164="+12125550141")
        correct(said(task, record=None), people.rep, seen(task))
        task.refresh_from_db()
        assert (task.who, task.is_orphan) == (None, True)
        assert DecisionCode.NO_HISTORY in task.decisions.values_list("code", flat=True)

    def test_the_plays_record_stays_unless_the_crm_refuses_it(self, people: People) -> None:
        hana, other = RecordFactory.create(), RecordFactory.create()
        step = PlayStepFactory.create(play=PlayFactory.create())
        task = refused(people.rep, record=hana, who=hana, step=step)
        assert correcting.keeps_records(task, newest(task))
        correct(said(task, subject="Offer", record=None), people.rep, seen(task))
        task.refresh_from_db()
        assert (task.record, task.who, task.link_choice) == (hana, hana, LinkChoice.PLAY)
        answer_due(newest(task).connection, GONE)
        assert not correcting.keeps_records(task, newest(task))
        correct(said(task, record=other), people.rep, seen(task))
        task.refresh_from_db()
        assert (task.record, task.who, task.step) == (other, other, step)

    def test_a_lead_leaves_out_what_it_is_related_to(self, people: People) -> None:
        lead = RecordFactory.create(kind=RecordKind.LEAD)
        deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY)
        task = refused(people.rep)
        correct(said(task, record=lead, related_record=deal), people.rep, seen(task))
        assert DecisionCode.LEAD_WITHOUT_WHAT in task.decisions.values_list("code", flat=True)


class TestTwoAtOnce:
    def test_the_second_is_told_and_may_insist(self, people: People) -> None:
        task = refused(people.rep)
        was_seen = seen(task)
        correct(said(task, subject="Offer"), people.manager, was_seen)
        assert told(task, people.rep, was_seen, subject="Contract")[1:] == (
            "in_the_way",
            "It was corrected meanwhile. It waits to be sent: the CRM has not refused what stands there now.",
        )
        answer_due(newest(task).connection, LONG)
        field, code, message = told(task, people.rep, was_seen, subject="Contract")
        assert (field, code) == ("task", correcting.MEANWHILE)
        assert message.startswith("It was corrected meanwhile.")
        task.refresh_from_db()
        correct(said(task, subject="Contract"), people.rep, seen(task))
        assert Task.objects.get().subject == "Contract"

    def test_the_same_twice_is_no_alarm(self, people: People) -> None:
        task = refused(people.rep)
        was_seen = seen(task)
        correct(said(task, subject="Offer"), people.rep, was_seen)
        OutboxRow.objects.update(state=OutboxState.SENDING)
        assert told(task, people.rep, was_seen, subject="Offer")[:2] == ("task", correcting.SAME)
        assert Decision.objects.filter(code=DecisionCode.CORRECTED).count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_at_the_same_moment(self, people: People) -> None:
        task = refused(people.rep)
        was_seen = seen(task)

        def attempt(subject: str) -> bool:
            try:
                correct(said(task, subject=subject), people.rep, was_seen)
            except ValidationError:
                return False
            finally:
                database.close()
            return True

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(attempt, ["Offer", "Contract"]))
        assert sorted(done) == [False, True]
        assert Decision.objects.filter(code=DecisionCode.CORRECTED).count() == 1


class TestReason:
    def test_who_can_mend_it_is_told_so(self, people: People) -> None:
        task = refused(people.rep)
        row = newest(task)
        assert "You can mend it: correct it. Else it is tried again" in reason(task, row, people.rep)
        assert "The rep or you can mend it: correct it. Else" in reason(task, row, people.manager)
        assert "The rep can mend it; it is tried again" in reason(task, row)
        row.state = OutboxState.FAILED
        assert reason(task, row, people.rep).endswith("You can mend it: correct it.")
        assert reason(task, row, people.manager).endswith("The rep or you can mend it: correct it.")
        task.crm_id = "00T000000000001EAA"
        assert "correct it" not in reason(task, row, people.rep)

    @pytest.mark.parametrize("error", [RULE, BUSY])
    def test_what_others_mend_stays_theirs(self, people: People, error: RowError) -> None:
        task = refused(people.rep, error)
        assert "correct it" not in reason(task, newest(task), people.rep)


@pytest.mark.django_db(transaction=True)
def test_m25_what_the_crm_refused_for_its_data_is_corrected_and_synced_once(
    connection: Connection, sandbox: SandboxControl, people: People
) -> None:
    User.objects.update(crm_user_id=None)
    sandbox.add_fault(
        "row_error",
        statusCode="STRING_TOO_LONG",
        message="Result: data value too large (max length=8)",
        fields=["CallDisposition"],
        match={"object": "Task", "row": {"field": "CallDisposition", "equals": "Left a voicemail"}},
    )
    task = complete(
        Completion(
            user=people.rep,
            kind=TaskKind.CALL,
            subject="Quote",
            call_direction=CallDirection.OUTBOUND,
            call_disposition="Left a voicemail",
        )
    )
    work_off()
    row = newest(task)
    assert (row.state, row.failure_mode, row.error_code) == (OutboxState.PENDING, FailureMode.DATA, "STRING_TOO_LONG")
    assert not [r for r in sandbox.rows("Task") if r.get("Playbooks_Key__c") == task.key]
    task.refresh_from_db()
    correct(said(task, call_disposition="Voicemail"), people.rep, seen(task))
    work_off()
    outbox.retry_now([newest(task)], people.rep)
    work_off()
    (written,) = [r for r in sandbox.rows("Task") if r.get("Playbooks_Key__c") == task.key]
    assert (written["CallDisposition"], written["Subject"]) == ("Voicemail", "Quote")
    task.refresh_from_db()
    assert task.crm_id[:15] == written["Id"][:15]
    assert newest(task).state == OutboxState.DONE


@pytest.mark.django_db(transaction=True)
def test_m25_a_record_that_is_gone_is_exchanged(
    connection: Connection, sandbox: SandboxControl, people: People
) -> None:
    User.objects.update(crm_user_id=None)
    first, second = (row["Id"] for row in sandbox.rows("Contact")[:2])
    task = complete(Completion(user=people.rep, kind=TaskKind.OTHER, subject="Quote", record=first))
    sandbox.delete("Contact", first)
    work_off()
    task.refresh_from_db()
    row = newest(task)
    assert can_correct(task, row)
    other = Record.objects.create(connection=connection, kind=RecordKind.CONTACT, crm_id=second)
    correct(said(task, record=other), people.rep, seen(task))
    work_off()
    (written,) = [r for r in sandbox.rows("Task") if r.get("Playbooks_Key__c") == task.key]
    assert written["WhoId"][:15] == second[:15]
