"""Why a task stands where it stands, in words, and its whole story."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from sync import outbox
from sync.adoption import adopt, undo
from sync.completion import Completion, complete
from sync.decision_words import words
from sync.enums import AttemptOutcome, DecisionCode, FailureMode, OutboxState, RecordKind, TaskKind, TaskState
from sync.models import Attempt, Connection, Decision, OutboxRow, Task, Trouble
from sync.plays import enrol
from sync.reasons import at, reason
from sync.story import Entry, tell
from sync.task_page import MOST_ATTEMPTS, load
from teams.models import Role, User
from tests.factories import (
    ConnectionFactory,
    PlayFactory,
    PlayStepFactory,
    RecordFactory,
    TaskFactory,
    UserFactory,
    crm_id,
)
from tests.sync.failing import BUSY, LONG, RULE, answer_due, refuse

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


def told(task: Task, viewer: User | None = None) -> list[Entry]:
    return tell(load(Task.objects.get(pk=task.pk), viewer or task.user))


def titles(task: Task, viewer: User | None = None) -> list[str]:
    return [str(entry.title) for entry in told(task, viewer)]


def test_b2_story_tells_everything_in_the_order_of_time(connection: Connection) -> None:
    rep = UserFactory.create(name="Rosa Rep")
    task = complete(Completion(user=rep, kind=TaskKind.CALL, subject="Call", phone_number="+1 212 555 0141"))
    answer_due(connection, RULE)
    outbox.retry_now(OutboxRow.objects.all(), rep)
    answer_due(connection, None)
    assert titles(task) == [
        "Completed by Rosa Rep",
        "No record matches, so the task is unrelated",
        "Refused",
        "Retried by hand",
        "Written",
    ]
    asked, _unrelated, refused, _retried, _written = told(task)
    assert asked.lines[-1] == "No record was asked for."
    assert refused.attempt is not None
    assert (refused.attempt.error_code, refused.attempt.error_message, refused.attempt.request_id) == (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Say what was agreed.",
        "request-1",
    )
    assert (refused.actor, refused.attempt.http_status) == ("An admin", 200)


def test_story_of_a_play_begins_with_its_plan(connection: Connection) -> None:
    rep, play = UserFactory.create(name="Rosa Rep"), PlayFactory.create(name="Renewal")
    PlayStepFactory.create(play=play, name="First call", kind=TaskKind.CALL, subject="Call")
    record = RecordFactory.create(name="Hana Novak")
    enrol(play, record, rep)
    task = Task.objects.get()
    assert titles(task) == ["Planned by a play"]
    assert told(task)[0].lines[0] == "Renewal, step First call"
    complete(Completion(user=rep, task=task))
    assert titles(task)[:2] == ["Planned by a play", "Completed by Rosa Rep"]
    assert told(task)[1].lines[-1] == "Asked for: Contact Hana Novak (from a play)"


def test_story_names_who_completed_it_in_the_reps_name(connection: Connection) -> None:
    admin = UserFactory.create(name="Ada Admin", role=Role.ADMIN)
    rep = UserFactory.create(name="Rosa Rep")
    task = complete(Completion(user=rep, actor=admin, kind=TaskKind.OTHER, subject="Visit"))
    assert titles(task, admin)[0] == titles(task, rep)[0] == "Completed for Rosa Rep by Ada Admin"


def test_story_ends_with_what_comes(connection: Connection) -> None:
    (task,) = refuse(connection, UserFactory.create(), LONG)
    row = OutboxRow.objects.get()
    assert row.first_attempt_at is not None
    *_past, next_try, end = told(task)
    assert (next_try.title, next_try.at, next_try.is_ahead) == ("Next try", row.not_before, True)
    assert (end.title, end.at, end.is_ahead) == ("The 30 days end", row.first_attempt_at + timedelta(days=30), True)


def test_the_end_moves_while_the_connection_is_down(connection: Connection) -> None:
    (task,) = refuse(connection, UserFactory.create(), LONG)
    before = told(task)[-1].at
    Connection.objects.update(state="disconnected", down_since=timezone.now() - timedelta(days=2))
    after = told(task)[-1]
    assert (after.title, round((after.at - before) / timedelta(days=1))) == ("The 30 days end", 2)
    assert "Next try" not in titles(task)


def test_more_attempts_than_a_page_holds_are_left_out(connection: Connection) -> None:
    (task,) = refuse(connection, UserFactory.create(), RULE)
    row = OutboxRow.objects.get()
    first = datetime(2025, 1, 1, tzinfo=UTC)
    Attempt.objects.bulk_create(
        Attempt(
            row=row,
            task=task,
            connection=connection,
            key=row.key,
            started_at=first + timedelta(hours=number),
            outcome=AttemptOutcome.LOST,
        )
        for number in range(MOST_ATTEMPTS)
    )
    loaded = load(task, task.user)
    assert (len(loaded.attempts), loaded.attempts_left_out) == (MOST_ATTEMPTS, True)
    assert loaded.attempts[0].started_at == first + timedelta(hours=1)
    assert loaded.attempts[-1].outcome == AttemptOutcome.REFUSED


HANA = crm_id("003", 7)
CONTACT = {"kind": "contact", "crm_id": HANA}


@pytest.mark.parametrize(
    ("code", "detail", "said"),
    [
        (
            DecisionCode.PERSON_MATCHED,
            {"by": "phone", **CONTACT},
            f"by phone number, Contact Hana ({HANA})",
        ),
        (DecisionCode.LEAD_WITHOUT_WHAT, {"kind": "account", "crm_id": "001x"}, "Account 001x"),
        (DecisionCode.SEVERAL_MATCHES, {"by": "email", "matches": 2}, "by e-mail address, 2 records match"),
        (
            DecisionCode.TRUNCATED,
            {"slot": "description", "length": 40_000, "limit": 32_000},
            "description, 40000 characters, where the CRM takes 32000",
        ),
        (DecisionCode.FIELD_LEFT_OUT, {"slot": "play_name"}, "play name"),
        (DecisionCode.SNOOZED, {"from": None, "to": "2025-05-03", "by": "ann"}, "by Ann, to: 3 May 2025"),
        (
            DecisionCode.SKIPPED,
            {"by": "somebody", "why": "enrolment_ended"},
            "by someone outside your teams, because the play was ended for its record",
        ),
        (DecisionCode.GAVE_UP, {}, ""),
        (
            DecisionCode.ADOPTED,
            {"by": "ann", **CONTACT, "related_kind": "account", "related_crm_id": "001x"},
            f"by Ann, Contact Hana ({HANA}), Account 001x",
        ),
        (DecisionCode.ADOPTED, {"some_thing": ["a", "b"]}, "some thing: a, b"),
    ],
)
def test_words_of_a_decision(code: DecisionCode, detail: dict[str, Any], said: str) -> None:
    hana = RecordFactory.build(kind=RecordKind.CONTACT, name="Hana", crm_id=CONTACT["crm_id"], connection=None)
    decision = Decision(code=code, detail=detail, at=timezone.now())
    assert words(decision, {"ann": "Ann"}, [None, hana]) == said


def test_planned_by_hand_says_when_it_is_due() -> None:
    task = TaskFactory.create(state=TaskState.OPEN, completed_at=None, due_on=date(2025, 5, 3))
    (entry,) = told(task)
    assert (entry.title, entry.lines) == ("Planned", ("Due on 3 May 2025",))


def test_m6_story_of_an_adopted_call_names_who_adopted_it_and_what_was_asked_before(connection: Connection) -> None:
    rep = UserFactory.create(name="Rosa Rep")
    hana = RecordFactory.create(connection=connection, name="Hana Novak")
    task = complete(Completion(user=rep, kind=TaskKind.CALL, subject="Call", phone_number="+1 212 555 0141"))
    answer_due(connection, None)
    adoption = adopt(task, hana, rep)
    entries = {str(entry.title): entry for entry in told(task)}
    assert entries["Completed by Rosa Rep"].lines[-1] == "No record was asked for."
    adopted = entries["Adopted: the orphaned phone call was given a record"]
    assert adopted.lines == (f"by Rosa Rep, Contact Hana Novak ({hana.crm_id})",)
    assert "To be written to the CRM anew" in entries
    undo(adoption, rep)
    assert not load(Task.objects.get(), rep).is_adopted
    # The call has no record any more; that it had is still told by the record's name.
    for entry in told(Task.objects.get()):
        if "dopt" in str(entry.title):
            assert f"Contact Hana Novak ({hana.crm_id})" in entry.lines[0], entry.title
