"""Completing a task: what is stored, what is asked for, and what is refused with which words."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from sync import plays
from sync.completion import Completion, check_many, complete, complete_many
from sync.enums import (
    CallDirection,
    DecisionCode,
    LinkChoice,
    OutboxState,
    RecordKind,
    TaskKind,
    TaskSource,
    TaskState,
)
from sync.inputs import Errors, check
from sync.models import Decision, OutboxRow, Record, Task
from teams.models import Organisation, Role, User
from tests.factories import (
    EnrolmentFactory,
    PlayStepFactory,
    RecordFactory,
    TaskFactory,
    TeamFactory,
    UserFactory,
    crm_id,
    the_connection,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2025, 3, 3, 12, tzinfo=UTC)


@pytest.fixture
def rep() -> User:
    return UserFactory.create()


def call(user: User, **said: Any) -> Completion:
    return Completion(**{"user": user, "kind": TaskKind.CALL, "subject": "Discovery call", **said})


def refused(completion: Completion) -> dict[str, list[str]]:
    """The codes by field; and nothing was stored."""
    before = (Task.objects.count(), Record.objects.count())
    with pytest.raises(ValidationError) as raised:
        complete(completion)
    assert (Task.objects.count(), Record.objects.count()) == before
    assert (Decision.objects.count(), OutboxRow.objects.count()) == (0, 0)
    return {field: [str(e.code) for e in errors] for field, errors in raised.value.error_dict.items()}


def message(completion: Completion, field: str) -> str:
    with pytest.raises(ValidationError) as raised:
        complete(completion)
    (text,) = raised.value.message_dict[field]
    return text


def open_task(user: User, record: Record | None = None, related: Record | None = None) -> Task:
    """The open task of a play with one step."""
    step = PlayStepFactory.create(subject="First call", description="Ask about winter.")
    plays.enrol(step.play, record or RecordFactory.create(), user, related)
    return Task.objects.get(step=step)


def decisions(task: Task) -> list[tuple[str, dict[str, Any]]]:
    return list(task.decisions.values_list("code", "detail"))


@time_machine.travel(NOW, tick=False)
def test_m1_everything_that_was_said_is_stored_and_asked_for(rep: User) -> None:
    hana, deal = RecordFactory.create(), RecordFactory.create(kind=RecordKind.OPPORTUNITY)
    task = complete(
        call(
            rep,
            description="They asked for prices.",
            completed_at=datetime(2025, 3, 3, 11, tzinfo=UTC),
            record=hana,
            related_record=deal.crm_id,
            call_direction=CallDirection.INBOUND,
            call_duration_seconds=75,
            call_disposition="Connected",
            phone_number=" (212) 555-0141 ",
        )
    )
    stored = Task.objects.get()
    assert stored == task
    assert (stored.user, stored.kind, stored.state) == (rep, TaskKind.CALL, TaskState.COMPLETED)
    assert (stored.subject, stored.description) == ("Discovery call", "They asked for prices.")
    assert stored.completed_at == datetime(2025, 3, 3, 11, tzinfo=UTC)
    assert (stored.call_direction, stored.call_duration_seconds) == ("inbound", 75)
    assert (stored.call_disposition, stored.phone_number) == ("Connected", "(212) 555-0141")
    assert stored.phone_e164 == "+12125550141"
    assert (stored.record, stored.related_record) == (hana, deal)
    assert (stored.who, stored.what, stored.link_choice) == (hana, deal, LinkChoice.EXPLICIT)
    assert (stored.is_orphan, stored.is_ad_hoc) == (False, True)
    row = OutboxRow.objects.get()
    assert (row.task, row.key, row.state, row.connection) == (task, task.key, OutboxState.PENDING, the_connection())
    assert decisions(task) == []


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("kind", TaskKind.values)
def test_m1_every_kind_ad_hoc_and_now(rep: User, kind: str) -> None:
    task = complete(Completion(user=rep, kind=kind, subject="Done"))
    assert (task.kind, task.completed_at, task.is_orphan) == (kind, NOW, kind == TaskKind.CALL)


def test_m1_m5_a_task_of_a_play_is_completed_in_place(rep: User) -> None:
    hana = RecordFactory.create()
    planned = open_task(rep, hana)
    task = complete(Completion(user=rep, task=planned, call_duration_seconds=60))
    stored = Task.objects.get()
    assert (stored.pk, stored.key, stored.created_at) == (planned.pk, planned.key, planned.created_at)
    assert (stored.state, stored.subject, stored.description) == ("completed", "First call", "Ask about winter.")
    assert (stored.who, stored.link_choice, stored.is_ad_hoc) == (hana, LinkChoice.PLAY, False)
    assert task.created_at == planned.created_at
    assert OutboxRow.objects.get().task == task


def test_m1_what_the_rep_says_replaces_what_was_planned(rep: User) -> None:
    deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY)
    task = complete(Completion(user=rep, task=open_task(rep), subject="Talked", description="", related_record=deal))
    task.refresh_from_db()
    assert (task.subject, task.description, task.what, task.link_choice) == ("Talked", "", deal, LinkChoice.PLAY)


@pytest.mark.parametrize("kind", [k for k in RecordKind if k != RecordKind.CASE])
def test_m2_four_kinds_can_be_chosen(rep: User, kind: RecordKind) -> None:
    record = RecordFactory.create(kind=kind)
    task = complete(call(rep, record=record))
    assert {task.who, task.what} == {record, None}


@pytest.mark.parametrize("field", ["record", "related_record"])
def test_m2_cases_are_refused_for_now(rep: User, field: str) -> None:
    case = RecordFactory.create(kind=RecordKind.CASE)
    assert refused(call(rep, **{field: case})) == {field: ["cases_off"]}
    assert refused(call(rep, **{field: case.crm_id})) == {field: ["cases_off"]}
    assert refused(call(rep, **{field: crm_id("500", 77)})) == {field: ["cases_off"]}
    assert message(call(rep, **{field: case}), field) == (
        "Cases are off until an admin has done their set-up. Choose the Case's Contact or Account, or leave it empty."
    )


@pytest.mark.parametrize("field", ["record", "related_record"])
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("0035g00000ABCDE", None),
        ("0035g00000ABCDEAAQ", "malformed"),  # a checksum of another id
        ("003", "malformed"),
        ("0035g0000 ABCDE", "malformed"),
        ("0035g00000ABCD\0", "malformed"),
        ("0055g00000ABCDE", "other_object"),
        ("00T5g00000ABCDE", "other_object"),
    ],
)
def test_m2_ids_are_judged_at_once(rep: User, field: str, given: str, code: str | None) -> None:
    the_connection()
    if code is None:
        complete(call(rep, **{field: given}))
        record = Record.objects.get()
        assert (record.kind, record.fetched_at, record.crm_id[:15]) == (RecordKind.CONTACT, None, given)
    else:
        assert refused(call(rep, **{field: given})) == {field: [code]}


def test_a_record_is_found_by_its_short_and_its_long_id(rep: User) -> None:
    hana = RecordFactory.create()
    assert complete(call(rep, record=hana.crm_id)).who == hana
    assert complete(call(rep, record=hana.crm_id[:15])).who == hana
    assert Record.objects.count() == 1


def test_m3_a_lead_keeps_the_person_and_the_log_says_so(rep: User) -> None:
    lead, deal = RecordFactory.create(kind=RecordKind.LEAD), RecordFactory.create(kind=RecordKind.OPPORTUNITY)
    task = complete(call(rep, record=lead, related_record=deal))
    task.refresh_from_db()
    assert (task.who, task.what, task.related_record) == (lead, None, deal)
    assert decisions(task) == [
        (DecisionCode.LEAD_WITHOUT_WHAT, {"kind": RecordKind.OPPORTUNITY, "crm_id": deal.crm_id})
    ]


def test_m3_two_people_are_refused(rep: User) -> None:
    one, other = RecordFactory.create(), RecordFactory.create(kind=RecordKind.LEAD)
    assert refused(call(rep, record=one, related_record=other)) == {"related_record": ["two_people"]}
    assert refused(call(rep, record=one, related_record=crm_id("003", 88))) == {"related_record": ["two_people"]}


def test_m4_a_call_is_matched_by_its_number_to_a_record_with_a_history(rep: User) -> None:
    hana = RecordFactory.create(phones=["212-555-0141"])
    EnrolmentFactory.create(record=hana)
    task = complete(call(rep, phone_number="(212) 555 0141"))
    task.refresh_from_db()
    assert (task.who, task.record, task.link_choice, task.is_orphan) == (hana, None, LinkChoice.MATCH, False)
    assert decisions(task) == [(DecisionCode.PERSON_MATCHED, {"by": "phone", "kind": "contact", "crm_id": hana.crm_id})]


def test_m4_an_email_is_matched_by_its_address(rep: User) -> None:
    hana = RecordFactory.create(emails=["Hana@Birch.example"])
    TaskFactory.create(who=hana)
    task = complete(Completion(user=rep, kind="email", subject="Offer", email_address=" HANA@birch.example "))
    assert (task.who, task.email_address) == (hana, "hana@birch.example")


def test_m4_the_organisations_region_decides_how_a_number_is_read(rep: User) -> None:
    organisation = Organisation.load()
    organisation.phone_region = "DE"
    organisation.save()
    hana = RecordFactory.create(phones=["+49 30 901820"])
    EnrolmentFactory.create(record=hana)
    assert complete(call(rep, phone_number="030 901820")).who == hana


def test_m4_without_a_history_a_match_is_written_unrelated(rep: User) -> None:
    RecordFactory.create(phones=["212-555-0141"])
    task = complete(call(rep, phone_number="(212) 555 0141"))
    assert (task.who, task.what, task.link_choice, task.is_orphan) == (None, None, LinkChoice.NONE, True)
    assert decisions(task) == [(DecisionCode.NO_HISTORY, {"by": "phone", "matches": 1})]
    # And the orphan doesn't make one.
    assert complete(call(rep, phone_number="(212) 555 0141")).is_orphan


@pytest.mark.parametrize("choice", [LinkChoice.PAGE, LinkChoice.EXPLICIT])
def test_m4_choosing_a_record_makes_its_history(rep: User, choice: LinkChoice) -> None:
    hana = RecordFactory.create(phones=["212-555-0141"])
    assert complete(call(rep, record=hana, choice=choice)).link_choice == choice
    assert complete(call(rep, phone_number="(212) 555 0141")).who == hana


@pytest.mark.parametrize("choice", [LinkChoice.PLAY, LinkChoice.MATCH, LinkChoice.NONE])
def test_m4_what_follows_from_the_task_can_not_be_claimed(rep: User, choice: LinkChoice) -> None:
    assert refused(call(rep, choice=choice)) == {"choice": ["choice"]}


def test_m4_within_a_batch_each_sees_the_history_of_those_before_it(rep: User) -> None:
    hana = RecordFactory.create(phones=["212-555-0141"])
    by_number = {"phone_number": "(212) 555 0141"}
    before, chosen, after = complete_many([call(rep, **by_number), call(rep, record=hana), call(rep, **by_number)])
    assert [getattr(task, "who", "") for task in (before, chosen, after)] == [None, hana, hana]


def test_m6_a_number_that_fits_nobody_makes_an_orphan(rep: User) -> None:
    the_connection()
    task = complete(call(rep, phone_number="+1 212 555 0199"))
    assert task.is_orphan
    assert list(Task.objects.orphans()) == [task]
    assert decisions(task) == [(DecisionCode.NO_MATCH, {"by": "phone"})]
    assert OutboxRow.objects.get().task == task


def test_before_a_crm_is_connected_tasks_wait_and_records_are_refused(rep: User) -> None:
    task = complete(call(rep, phone_number="+1 212 555 0199"))
    assert (Task.objects.get(), OutboxRow.objects.count()) == (task, 0)
    with pytest.raises(ValidationError) as raised:
        complete(call(rep, record=crm_id("003", 1)))
    assert raised.value.message_dict == {
        "record": [
            (
                "No CRM is connected yet, so there is no record to choose. Leave it empty, or let an admin connect "
                "the CRM (manage.py crm_connect)."
            )
        ]
    }


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"kind": None}, {"kind": ["required"]}),
        ({"kind": "meeting"}, {"kind": ["choice"]}),
        ({"subject": None}, {"subject": ["required"]}),
        ({"subject": " \n"}, {"subject": ["required"]}),
        ({"subject": "s" * 1_001}, {"subject": ["too_long"]}),
        ({"description": "d" * 1_000_001}, {"description": ["too_long"]}),
        ({"call_disposition": "d" * 256}, {"call_disposition": ["too_long"]}),
        ({"subject": "a\0b"}, {"subject": ["nul"]}),
        ({"description": "a\0b"}, {"description": ["nul"]}),
        ({"call_disposition": "a\0b"}, {"call_disposition": ["nul"]}),
        ({"phone_number": "+1 212 555 0141\0"}, {"phone_number": ["nul"]}),
        ({"kind": "email", "email_address": "a\0@example.com"}, {"email_address": ["nul"]}),
        ({"description": "a\ud83d"}, {"description": ["surrogate"]}),
        ({"phone_number": "call me"}, {"phone_number": ["malformed"]}),
        ({"phone_number": "12"}, {"phone_number": ["malformed"]}),
        ({"phone_number": "+1 212 555 0141" + " " * 60 + "1"}, {"phone_number": ["malformed"]}),
        ({"kind": "email", "email_address": "ann at example.com"}, {"email_address": ["malformed"]}),
        ({"email_address": "ann@example.com"}, {"email_address": ["not_an_email"]}),
        ({"call_direction": "sideways"}, {"call_direction": ["choice"]}),
        ({"call_duration_seconds": -1}, {"call_duration_seconds": ["out_of_range"]}),
        ({"call_duration_seconds": 2**31}, {"call_duration_seconds": ["out_of_range"]}),
        ({"kind": "email", "call_direction": "inbound"}, {"call_direction": ["not_a_call"]}),
        ({"kind": "other", "call_duration_seconds": 0}, {"call_duration_seconds": ["not_a_call"]}),
        ({"kind": "other", "call_disposition": "Busy"}, {"call_disposition": ["not_a_call"]}),
        ({"kind": "other", "phone_number": "+1 212 555 0141"}, {"phone_number": ["not_a_call"]}),
        ({"completed_at": datetime(2025, 3, 3, 11)}, {"completed_at": ["naive"]}),
        ({"completed_at": NOW + timedelta(minutes=5, seconds=1)}, {"completed_at": ["future"]}),
        ({"completed_at": datetime.max.replace(tzinfo=UTC)}, {"completed_at": ["future"]}),
        ({"completed_at": datetime(1999, 12, 31, 23, 59, tzinfo=UTC)}, {"completed_at": ["too_early"]}),
        ({"completed_at": datetime.min.replace(tzinfo=UTC)}, {"completed_at": ["too_early"]}),
        (
            {"kind": "email", "subject": "", "phone_number": "12", "record": "nonsense"},
            {"subject": ["required"], "phone_number": ["not_a_call"], "record": ["malformed"]},
        ),
    ],
)
def test_bad_input_is_refused_by_field(rep: User, said: dict[str, Any], expected: dict[str, list[str]]) -> None:
    the_connection()
    assert refused(call(rep, **said)) == expected


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("said", "field", "expected"),
    [
        (
            {"completed_at": datetime(2025, 3, 3, 11)},
            "completed_at",
            "The time has no time zone. Add one, like 2025-03-31T14:05:00+02:00.",
        ),
        (
            {"completed_at": NOW + timedelta(days=1)},
            "completed_at",
            "This time lies in the future. Enter when the task was completed, and check clock and time zone.",
        ),
        (
            {"subject": "a\0b"},
            "subject",
            "The text has a NUL character (U+0000), which no CRM can store. Remove it.",
        ),
        (
            {"subject": "s" * 1_001},
            "subject",
            "The text has 1001 characters; at most 1000 are possible. Shorten it.",
        ),
        (
            {"phone_number": "12"},
            "phone_number",
            (
                "This is not a phone number. Enter it with its country code, like +1 415 555 0132, or as it is "
                "dialled within US."
            ),
        ),
        (
            {"record": "00T5g00000ABCDE"},
            "record",
            (
                "An id that begins with 00T is none of an Account, Contact, Lead or Opportunity, and nothing else is "
                "written to. Choose one of them, or leave it empty."
            ),
        ),
    ],
)
def test_messages_name_the_remedy(rep: User, said: dict[str, Any], field: str, expected: str) -> None:
    the_connection()
    assert message(call(rep, **said), field) == expected


@time_machine.travel(NOW, tick=False)
def test_a_clock_may_be_five_minutes_ahead(rep: User) -> None:
    moment = NOW + timedelta(minutes=5)
    assert complete(call(rep, completed_at=moment)).completed_at == moment


def test_long_texts_emoji_and_right_to_left_are_stored_whole(rep: User) -> None:
    text = "שלום 👩‍👩‍👧 مرحبا\u200f " * 2_000
    assert len(text) > 30_000
    complete(call(rep, subject=text[:1_000], description=text + "d" * 40_000))
    task = Task.objects.get()
    assert (task.subject, task.description) == (text[:1_000], text + "d" * 40_000)


def test_a_completed_task_is_not_completed_again(rep: User) -> None:
    task = open_task(rep)
    complete(Completion(user=rep, task=task, subject="Talked"))
    with pytest.raises(ValidationError) as raised:
        complete(Completion(user=rep, task=task, subject="Talked again"))
    assert raised.value.message_dict == {"task": ["This task is completed already. Nothing was changed."]}
    assert (Task.objects.get().subject, OutboxRow.objects.count()) == ("Talked", 1)


def test_a_task_named_twice_in_a_batch_is_completed_once(rep: User) -> None:
    task = open_task(rep)
    first, second = complete_many([Completion(user=rep, task=task, subject=text) for text in ("One", "Two")])
    assert first == task
    assert isinstance(second, ValidationError)
    assert [error.code for error in second.error_dict["task"]] == ["already_completed"]
    assert (Task.objects.get().subject, OutboxRow.objects.count()) == ("One", 1)


def test_a_refused_completion_leaves_its_task_open_for_the_next(rep: User) -> None:
    task = open_task(rep)
    bad, good = complete_many([Completion(user=rep, task=task, subject=text) for text in ("", "Two")])
    assert isinstance(bad, ValidationError)
    assert (good, Task.objects.get().subject) == (task, "Two")


def test_a_skipped_task_is_refused(rep: User) -> None:
    task = open_task(rep)
    Task.objects.update(state=TaskState.SKIPPED)
    assert refused(Completion(user=rep, task=task)) == {"task": ["skipped"]}


def test_a_task_that_is_gone_is_refused(rep: User) -> None:
    task = open_task(rep)
    Task.objects.all().delete()
    assert refused(Completion(user=rep, task=task)) == {
        "task": ["unknown"],
        "kind": ["required"],
        "subject": ["required"],
    }


def test_the_kind_of_a_plays_task_is_its_own(rep: User) -> None:
    assert refused(Completion(user=rep, task=open_task(rep), kind=TaskKind.EMAIL)) == {"kind": ["other_kind"]}


def test_another_users_task_is_refused(rep: User) -> None:
    task = open_task(UserFactory.create(team=rep.team))
    assert refused(Completion(user=rep, task=task)) == {"task": ["other_user"]}


def test_a_deactivated_user_completes_nothing(rep: User) -> None:
    stale = User.objects.get(pk=rep.pk)
    User.objects.update(is_active=False)
    assert refused(call(stale)) == {"user": ["deactivated"]}


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("own_team", [True, False])
def test_who_may_complete_for_whom(rep: User, role: str, own_team: bool) -> None:
    actor = UserFactory.create(role=role, team=rep.team)
    assert rep.team is not None
    (rep.team if own_team else TeamFactory.create()).managers.add(actor)
    if role == Role.ADMIN or (role == Role.MANAGER and own_team):
        assert complete(call(rep, actor=actor)).user == rep
    else:
        assert refused(call(rep, actor=actor)) == {"user": ["not_visible"]}
    assert complete(call(actor, actor=actor)).user == actor


def test_each_actor_of_a_batch_is_judged(rep: User) -> None:
    other = UserFactory.create()
    manager, admin = UserFactory.create(role=Role.MANAGER), UserFactory.create(role=Role.ADMIN)
    assert rep.team is not None
    rep.team.managers.add(manager)
    results = complete_many([call(user, actor=actor) for actor in (manager, admin, other) for user in (rep, other)])
    allowed = [isinstance(result, Task) for result in results]
    assert allowed == [True, False, True, True, False, True]


def test_an_error_in_one_does_not_stop_the_others(rep: User) -> None:
    the_connection()
    good, bad, last = complete_many([call(rep), call(rep, record="nonsense"), call(rep, subject="Last")])
    assert isinstance(good, Task)
    assert isinstance(bad, ValidationError)
    assert isinstance(last, Task)
    assert (list(Task.objects.order_by("pk")), OutboxRow.objects.count()) == ([good, last], 2)


def test_no_record_is_made_for_a_completion_that_is_refused(rep: User) -> None:
    the_connection()
    (result,) = complete_many([call(rep, record=crm_id("003", 1), related_record=crm_id("00Q", 2))])
    assert isinstance(result, ValidationError)
    assert Record.objects.count() == 0


def test_no_completion_is_no_work() -> None:
    assert complete_many([]) == []


def mixed(rep: User, count: int) -> list[Completion]:
    """Of each: from a play, by an unknown id, by a record, matched, an orphan, an e-mail, refused."""
    admin = UserFactory.create(role=Role.ADMIN)
    deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY)
    step = PlayStepFactory.create()
    found = []
    for n in range(count):
        hana = RecordFactory.create(phones=[f"+1 212 555 {n:04d}"], emails=[f"p{n}@birch.example"])
        plays.enrol(step.play, hana, rep)
        found += [
            Completion(user=rep, task=Task.objects.get(enrolment__record=hana)),
            call(rep, record=crm_id("003", 1_000 + n), related_record=deal),
            call(rep, record=hana.crm_id, actor=admin),
            call(rep, phone_number=f"212 555 {n:04d}"),
            call(rep, phone_number=f"212 556 {n:04d}"),
            Completion(user=rep, kind=TaskKind.EMAIL, subject="Offer", email_address=f"p{n}@birch.example"),
            call(rep, subject=""),
        ]
    return found


@pytest.mark.parametrize("count", [3, 30])
def test_queries_do_not_grow_with_the_batch(rep: User, count: int) -> None:
    completions = mixed(rep, count)
    with CaptureQueriesContext(database) as queries:
        results = complete_many(completions)
    assert [isinstance(result, Task) for result in results] == [True, True, True, True, True, True, False] * count
    statements = [query["sql"] for query in queries.captured_queries]
    # Django cuts an INSERT for SQLite at 999 values, so that a long one becomes several.
    inserted = {sql.split("INTO ")[1].split()[0].strip('"') for sql in statements if sql.startswith("INSERT")}
    assert inserted == {"sync_task", "sync_record", "sync_decision", "sync_outboxrow"}
    assert len([sql for sql in statements if not sql.startswith("INSERT")]) == 15


TEXTS = st.text(st.characters(blacklist_categories=()), max_size=30)


@given(
    subject=TEXTS,
    phone=TEXTS,
    address=TEXTS,
    seconds=st.integers() | st.none(),
    moment=st.datetimes(timezones=st.none() | st.just(UTC)) | st.none(),
    kind=st.sampled_from([*TaskKind.values, "", "meeting"]),
)
def test_any_input_is_either_sound_or_refused(
    subject: str, phone: str, address: str, seconds: int | None, moment: datetime | None, kind: str
) -> None:
    completion = Completion(
        user=User(),
        kind=kind,
        subject=subject,
        phone_number=phone,
        email_address=address,
        call_duration_seconds=seconds,
        completed_at=moment,
    )
    errors = Errors()
    said = check(completion, None, NOW, "US", errors)
    assert (said is None) is bool(errors.by_field)
    if said is not None:
        assert "\0" not in said.subject + said.phone_number + said.email_address
        assert said.completed_at.tzinfo is not None
        assert bool(said.phone_number) == bool(said.phone_e164)


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run these in threads that begin together; a ValidationError is a result, too."""
    barrier = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        barrier.wait(10)
        try:
            return work()
        except ValidationError as error:
            return error
        finally:
            database.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(one, works))


@pytest.mark.django_db(transaction=True)
def test_two_who_complete_one_task_at_once_complete_it_once(rep: User) -> None:
    task = open_task(rep)
    results = at_once(*[lambda: complete(Completion(user=rep, task=task, subject="Talked"))] * 4)
    refusals = [result for result in results if isinstance(result, ValidationError)]
    assert [error.error_dict["task"][0].code for error in refusals] == ["already_completed"] * 3
    assert (Task.objects.count(), OutboxRow.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_who_name_a_new_record_at_once_share_it(rep: User) -> None:
    the_connection()
    named = crm_id("003", 1)
    tasks = at_once(*[lambda: complete(call(rep, record=named))] * 4)
    record = Record.objects.get()
    assert [task.who for task in tasks] == [record] * 4


def test_a_step_without_an_open_task_is_kept_with_the_task(rep: User) -> None:
    step = PlayStepFactory.create(kind=TaskKind.EMAIL, name="Follow up", subject="Winter, {contact}")
    assert refused(call(rep, step=step)) == {"kind": ["other_kind"]}
    record = RecordFactory.create()
    task = complete(Completion(user=rep, step=step, record=record, source=TaskSource.API))
    assert (task.step, task.kind, task.subject, task.enrolment) == (step, TaskKind.EMAIL, "Follow up", None)
    assert (task.link_choice, task.who, task.source) == (LinkChoice.PLAY, record, TaskSource.API)


def test_an_open_task_stays_where_it_came_from(rep: User) -> None:
    play_step = PlayStepFactory.create(kind=TaskKind.EMAIL)
    enrolment = plays.enrol(play_step.play, RecordFactory.create(), rep)
    task = complete(
        Completion(user=rep, task=enrolment.tasks.get(), step=play_step, source=TaskSource.API, is_track_and_sync=True)
    )
    task.refresh_from_db()
    assert (task.source, task.is_track_and_sync) == (TaskSource.PLAYBOOKS, True)


def test_only_e_mails_are_sent_through_track_and_sync(rep: User) -> None:
    assert refused(call(rep, is_track_and_sync=True)) == {"kind": ["not_an_email"]}


def test_check_many_says_what_would_be_refused_and_changes_nothing() -> None:
    rep, stranger = UserFactory.create(), UserFactory.create()
    sound = Completion(user=rep, kind=TaskKind.CALL, subject="Call")
    foreign = Completion(user=stranger, actor=rep, kind=TaskKind.CALL, subject="Call")
    fine, refused = check_many([sound, foreign])
    assert fine is None
    assert refused is not None
    assert list(refused.error_dict) == ["user"]
    assert not Task.objects.exists()
