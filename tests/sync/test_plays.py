"""Enrolling a record in a play."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync.completion import Completion, complete, complete_many
from sync.enums import DecisionCode, LinkChoice, RecordKind, TaskKind, TaskState
from sync.linking import with_history
from sync.models import Decision, Enrolment, Play, Task
from sync.plays import duplicate, end_enrolment, end_enrolments, end_finished, enrol
from sync.skipping import skip
from teams.models import Role, User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory, TaskFactory, UserFactory, crm_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def play() -> Play:
    """Three steps, made out of order."""
    play = PlayFactory.create()
    PlayStepFactory.create(play=play, position=2, kind=TaskKind.EMAIL, name="Follow up", day_offset=2)
    PlayStepFactory.create(
        play=play, position=1, name="Call", subject="First call to {them}", description="Ask about winter."
    )
    PlayStepFactory.create(play=play, position=3, kind=TaskKind.OTHER, name="Visit", day_offset=28)
    return play


@pytest.fixture
def rep() -> User:
    return UserFactory.create(time_zone="Europe/Berlin")


def refused(*args: Any, **kwargs: Any) -> dict[str, list[str | None]]:
    with pytest.raises(ValidationError) as raised:
        enrol(*args, **kwargs)
    assert Task.objects.count() == 0
    return {field: [error.code for error in errors] for field, errors in raised.value.error_dict.items()}


@time_machine.travel(datetime(2025, 3, 1, 23, 30, tzinfo=UTC), tick=False)
def test_steps_become_open_tasks_due_in_the_reps_days(play: Play, rep: User) -> None:
    """It is 2 March in Berlin already; clocks change before the last day."""
    hana, deal = RecordFactory.create(), RecordFactory.create(kind=RecordKind.OPPORTUNITY)
    enrolment = enrol(play, hana, rep, related_record=deal)
    assert (enrolment.play, enrolment.record, enrolment.related_record, enrolment.user) == (play, hana, deal, rep)
    tasks = list(Task.objects.order_by("step__position"))
    assert [(t.kind, t.subject, t.description, t.due_on) for t in tasks] == [
        ("call", "First call to {them}", "Ask about winter.", date(2025, 3, 2)),
        ("email", "Follow up", "", date(2025, 3, 4)),
        ("other", "Visit", "", date(2025, 3, 30)),
    ]
    for task in tasks:
        assert (task.state, task.user, task.enrolment) == (TaskState.OPEN, rep, enrolment)
        assert (task.record, task.related_record, task.link_choice) == (hana, deal, LinkChoice.PLAY)
        assert (task.who, task.what, task.completed_at) == (None, None, None)


def test_m4_an_enrolment_is_a_history(play: Play, rep: User) -> None:
    hana = RecordFactory.create()
    enrol(play, hana, rep)
    assert with_history([hana.pk]) == {hana.pk}


def test_a_record_is_in_a_play_once_at_a_time(play: Play, rep: User) -> None:
    hana = RecordFactory.create()
    first = enrol(play, hana, rep)
    with pytest.raises(ValidationError) as raised:
        enrol(play, hana, UserFactory.create())
    assert raised.value.message_dict == {"record": ["This record is in this play already. End that enrolment first."]}
    Enrolment.objects.filter(pk=first.pk).update(ended_at=timezone.now())
    enrol(play, hana, rep)
    assert Enrolment.objects.count() == 2


def test_a_play_must_be_active_and_have_steps(play: Play, rep: User) -> None:
    Play.objects.update(is_active=False)
    play.refresh_from_db()
    assert refused(play, RecordFactory.create(), rep) == {"play": ["inactive"]}
    assert refused(PlayFactory.create(), RecordFactory.create(), rep) == {"play": ["no_steps"]}


def test_what_can_not_be_enrolled(play: Play, rep: User) -> None:
    case, gone = RecordFactory.create(kind=RecordKind.CASE), RecordFactory.create(is_deleted=True)
    hana, lead = RecordFactory.create(), RecordFactory.create(kind=RecordKind.LEAD)
    assert refused(play, case, rep) == {"record": ["cases_off"]}
    assert refused(play, gone, rep) == {"record": ["deleted"]}
    missing = RecordFactory.create(fetched_at=None, missing_since=timezone.now())
    assert refused(play, missing, rep) == {"record": ["not_in_crm"]}
    assert refused(play, hana, rep, case) == {"related_record": ["cases_off"]}
    assert refused(play, hana, rep, lead) == {"related_record": ["two_people"]}


def test_only_those_who_see_an_active_user_enrol_for_them(play: Play, rep: User) -> None:
    manager, stranger = UserFactory.create(role=Role.MANAGER), UserFactory.create(role=Role.MANAGER)
    assert rep.team is not None
    rep.team.managers.add(manager)
    hana = RecordFactory.create()
    assert refused(play, hana, rep, actor=stranger) == {"user": ["not_visible"]}
    rep.is_active = False
    assert refused(play, hana, rep, actor=manager) == {"user": ["deactivated"]}
    rep.is_active = True
    assert enrol(play, hana, rep, actor=manager).user == rep


def texts_of(record: Any, user: User, subject: str, description: str = "", name: str = "Call") -> tuple[str, str]:
    play = PlayFactory.create(name="Renewal")
    PlayStepFactory.create(play=play, name=name, subject=subject, description=description)
    task = enrol(play, record, user).tasks.get()
    return task.subject, task.description


def test_a_steps_texts_are_filled_for_the_record_and_its_rep() -> None:
    rep = UserFactory.create(name="Mara Lindqvist")
    account = RecordFactory.create(kind=RecordKind.ACCOUNT, name="Birchwood")
    hana = RecordFactory.create(name="Hana Novak", fields={"FirstName": "Hana"}, account_crm_id=account.crm_id)
    text = "{first_name} / {name} / {account} / {rep_first_name} / {play}"
    assert texts_of(hana, rep, text, "Dear {first_name},\n{{rep}}: {rep}") == (
        "Hana / Hana Novak / Birchwood / Mara / Renewal",
        "Dear Hana,\n{rep}: Mara Lindqvist",
    )


@pytest.mark.parametrize(
    ("record", "account"),
    [
        ({"kind": RecordKind.ACCOUNT, "name": "Birchwood"}, "Birchwood"),
        ({"kind": RecordKind.LEAD, "fields": {"Company": "Nordlys"}}, "Nordlys"),
        ({"kind": RecordKind.LEAD, "fields": {"Company": None}}, "the account"),
        ({"kind": RecordKind.CONTACT}, "the account"),
        ({"kind": RecordKind.CONTACT, "account_crm_id": crm_id("001", 5)}, "the account"),
    ],
)
def test_the_account_of_a_record(rep: User, record: dict[str, Any], account: str) -> None:
    assert texts_of(RecordFactory.create(**record), rep, "Call {account}")[0] == f"Call {account}"


def test_a_record_of_which_only_the_id_is_known(rep: User) -> None:
    unknown = RecordFactory.create(name="", fetched_at=None)
    assert texts_of(unknown, rep, "Call {first_name}")[0] == f"Call {unknown.crm_id}"


def test_accounts_are_asked_for_only_where_a_text_names_them(play: Play, rep: User) -> None:
    hana = RecordFactory.create(account_crm_id=crm_id("001", 5))
    with CaptureQueriesContext(database) as queries:
        enrol(play, hana, rep)
    assert [query["sql"] for query in queries if "IN ('001" in query["sql"]] == []


def done(task: Task, user: User) -> Completion:
    return Completion(user=user, task=task)


def test_an_enrolment_ends_with_its_last_open_task(play: Play, rep: User) -> None:
    enrolment = enrol(play, RecordFactory.create(), rep)
    first, second, third = enrolment.tasks.order_by("step__position")
    complete(done(first, rep))
    skip(second, rep)
    enrolment.refresh_from_db()
    assert enrolment.ended_at is None
    complete(done(third, rep))
    enrolment.refresh_from_db()
    assert (enrolment.ended_at is not None, enrolment.ended_by, enrolment.end_reason) == (True, None, "")


def test_an_enrolment_ends_with_a_skip(play: Play, rep: User) -> None:
    enrolment = enrol(play, RecordFactory.create(), rep)
    first, second, third = enrolment.tasks.order_by("step__position")
    complete_many([done(first, rep), done(third, rep)])
    skip(second, rep)
    enrolment.refresh_from_db()
    assert enrolment.ended_at is not None


def test_a_finished_enrolment_leaves_room_for_the_next(play: Play, rep: User) -> None:
    hana = RecordFactory.create()
    complete_many([done(task, rep) for task in enrol(play, hana, rep).tasks.all()])
    assert enrol(play, hana, rep).ended_at is None
    assert with_history([hana.pk]) == {hana.pk}


@pytest.mark.parametrize("count", [3, 30])
def test_ending_what_is_finished_asks_twice(
    play: Play, rep: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    enrolments = [enrol(play, RecordFactory.create(), rep) for _number in range(count)]
    Task.objects.update(state=TaskState.SKIPPED)
    tasks = list(Task.objects.all())
    with django_assert_num_queries(2):
        end_finished(tasks)
    assert Enrolment.objects.exclude(ended_at=None).count() == len(enrolments)


def test_ad_hoc_tasks_end_nothing(rep: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    task = TaskFactory.create(user=rep)
    with django_assert_num_queries(0):
        end_finished([task])


def test_ending_by_hand_skips_what_is_open(play: Play, rep: User) -> None:
    hana = RecordFactory.create()
    enrolment = enrol(play, hana, rep)
    other = enrol(play, RecordFactory.create(), rep)
    first, second, third = enrolment.tasks.order_by("step__position")
    complete(done(first, rep))
    assert end_enrolment(enrolment, rep, " Not interested ")
    enrolment.refresh_from_db()
    assert (enrolment.ended_by, enrolment.end_reason) == (rep, "Not interested")
    assert [task.state for task in enrolment.tasks.order_by("step__position")] == ["completed", "skipped", "skipped"]
    skipped = Decision.objects.filter(code=DecisionCode.SKIPPED).order_by("task_id")
    assert [(each.task_id, each.detail) for each in skipped] == [
        (task.pk, {"by": str(rep.uuid), "why": "enrolment_ended"}) for task in (second, third)
    ]
    assert other.tasks.filter(state=TaskState.OPEN).count() == 3
    assert not end_enrolment(enrolment, rep)
    assert with_history([hana.pk]) == {hana.pk}


def test_only_those_who_see_the_rep_end_an_enrolment(play: Play, rep: User) -> None:
    enrolment = enrol(play, RecordFactory.create(), rep)
    for stranger in (UserFactory.create(role=Role.MANAGER), UserFactory.create(team=rep.team)):
        assert not end_enrolment(enrolment, stranger)
    assert enrolment.tasks.filter(state=TaskState.OPEN).count() == 3
    manager = UserFactory.create(role=Role.MANAGER)
    assert rep.team is not None
    rep.team.managers.add(manager)
    assert end_enrolments(Enrolment.objects.all(), manager) == 1


@pytest.mark.parametrize("count", [3, 9])
def test_ending_many_asks_a_fixed_number_of_questions(
    play: Play, rep: User, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(count):
        enrol(play, RecordFactory.create(), rep)
    with django_assert_num_queries(8):  # two of them the transaction's
        assert end_enrolments(Enrolment.objects.all(), rep, "Over") == count
    assert Task.objects.filter(state=TaskState.OPEN).count() == 0


def test_a_copy_of_a_play(play: Play) -> None:
    admin = UserFactory.create(role=Role.ADMIN)
    Play.objects.filter(pk=play.pk).update(name="Renewal")
    copy, second = duplicate(play, admin), duplicate(play, admin)
    assert (copy.name, copy.is_active, second.name) == ("Renewal (copy)", False, "Renewal (copy 2)")
    values = ("position", "kind", "name", "day_offset", "subject", "description")
    assert list(copy.steps.values_list(*values)) == list(play.steps.order_by("position").values_list(*values))
    Play.objects.filter(pk=play.pk).update(name="n" * 150)
    assert duplicate(play, admin).name == "n" * 143 + " (copy)"
