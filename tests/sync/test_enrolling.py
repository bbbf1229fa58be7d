"""Enrolling many records at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sync.completion import Completion, complete
from sync.enrolling import ChangedError, Plan, enrol_many, plan
from sync.enums import RecordKind, TaskState
from sync.linking import with_history
from sync.models import Enrolment, Play, PlayStep, Record, Task
from sync.plays import end_enrolment, enrol
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory
from tests.people import People, people

__all__ = ["people"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def play() -> Play:
    play = PlayFactory.create(name="Renewal")
    PlayStepFactory.create(play=play, position=1, subject="Call {first_name} at {account}")
    PlayStepFactory.create(play=play, position=2, name="Write", day_offset=2)
    return play


def whose(plan: Plan) -> list[tuple[Record, User]]:
    return sorted(plan.pairs, key=lambda pair: pair[0].pk)


def left_out(plan: Plan) -> dict[Record, str]:
    return {each.record: each.code for each in plan.left_out}


def test_m4_many_are_enrolled_for_one_and_have_a_history(people: People, play: Play) -> None:
    records = [RecordFactory.create(fields={"FirstName": f"Ann{n}"}) for n in range(3)]
    done = enrol_many(play, records, people.rep, people.manager)
    assert [(each.record, each.user, each.enrolled_by) for each in done.enrolments] == [
        (record, people.rep, people.manager) for record in records
    ]
    tasks = Task.objects.filter(state=TaskState.OPEN).order_by("record_id", "step__position")
    assert [task.subject for task in tasks] == [
        text for n in range(3) for text in (f"Call Ann{n} at the account", "Write")
    ]
    assert with_history(record.pk for record in records) == {record.pk for record in records}


def test_each_for_its_owner_as_far_as_they_can_be(people: People, play: Play) -> None:
    User.objects.filter(pk=people.colleague.pk).update(is_active=False)
    mine, gone, strange, nobodys = (
        RecordFactory.create(owner=owner) for owner in (people.rep, people.colleague, people.other_rep, None)
    )
    done = enrol_many(play, [mine, gone, strange, nobodys], None, people.manager)
    assert whose(done) == [(mine, people.rep)]
    assert left_out(done) == {gone: "owner_deactivated", strange: "owner_not_visible", nobodys: "no_owner"}
    assert str(done.left_out[1].reason) == "its owner is outside your teams"
    assert Enrolment.objects.get().user == people.rep


def test_what_is_left_out(people: People, play: Play) -> None:
    case, gone = RecordFactory.create(kind=RecordKind.CASE), RecordFactory.create(is_deleted=True)
    missing = RecordFactory.create(fetched_at=None, missing_since=timezone.now())
    enrolled, fine = RecordFactory.create(), RecordFactory.create()
    enrol(play, enrolled, people.rep)
    done = enrol_many(play, [case, gone, missing, enrolled, fine, fine], people.rep, people.manager)
    assert left_out(done) == {
        case: "cases_off",
        gone: "deleted",
        missing: "not_in_crm",
        enrolled: "already_enrolled",
    }
    assert [each.record for each in done.enrolments] == [fine]


def test_a_related_record_that_does_not_fit_leaves_out(people: People, play: Play) -> None:
    deal = RecordFactory.create(kind=RecordKind.OPPORTUNITY)
    hana, account = RecordFactory.create(), RecordFactory.create(kind=RecordKind.ACCOUNT)
    done = enrol_many(play, [hana, account], people.rep, people.manager, deal)
    assert left_out(done) == {account: "no_person"}
    assert [(each.record, each.related_record) for each in done.enrolments] == [(hana, deal)]


def test_a_plan_changes_nothing(people: People, play: Play) -> None:
    made = plan(play, [RecordFactory.create()], people.rep, people.manager)
    assert (len(made.pairs), made.enrolments, Enrolment.objects.count()) == (1, [], 0)


def test_play_and_user_must_do(people: People, play: Play) -> None:
    record = RecordFactory.create()
    with pytest.raises(ValidationError) as raised:
        enrol_many(play, [record], people.other_rep, people.manager)
    assert raised.value.error_dict["user"][0].code == "not_visible"
    Play.objects.update(is_active=False)
    with pytest.raises(ValidationError) as raised:
        enrol_many(play, [record], people.rep, people.manager)
    assert raised.value.error_dict["play"][0].code == "inactive"
    assert Enrolment.objects.count() == 0


def test_nothing_is_done_by_another_plan_than_the_one_that_was_seen(people: People, play: Play) -> None:
    first, second = RecordFactory.create(), RecordFactory.create()
    seen = plan(play, [first, second], people.rep, people.manager).fingerprint
    enrol(play, second, people.rep)
    with pytest.raises(ChangedError) as raised:
        enrol_many(play, [first, second], people.rep, people.manager, expected=seen)
    assert Enrolment.objects.count() == 1
    assert whose(raised.value.plan) == [(first, people.rep)]
    assert len(enrol_many(play, [first, second], people.rep, people.manager, expected=seen_now(raised)).pairs) == 1


def seen_now(raised: pytest.ExceptionInfo[ChangedError]) -> str:
    return raised.value.plan.fingerprint


def test_a_plan_knows_other_steps_and_other_reps(people: People, play: Play) -> None:
    record = RecordFactory.create()
    prints = {plan(play, [record], user, people.admin).fingerprint for user in (people.rep, people.other_rep)}
    PlayStep.objects.filter(position=1).update(subject="Other")
    prints.add(plan(play, [record], people.rep, people.admin).fingerprint)
    assert len(prints) == 3


def test_what_is_done_for_others_is_in_the_audit(people: People, play: Play) -> None:
    enrol_many(play, [RecordFactory.create(name="Hana")], people.rep, people.manager)
    enrol_many(play, [RecordFactory.create()], people.rep, people.rep)
    (entry,) = LogEntry.objects.filter(content_type__model="enrolment")
    assert (entry.actor, entry.action, entry.object_repr) == (people.manager, LogEntry.Action.CREATE, "Renewal – Hana")
    assert entry.changes == {"user": ["", "Rosa Rep"]}


@pytest.mark.parametrize("count", [3, 30])
def test_questions_do_not_grow_with_the_records(people: People, play: Play, count: int) -> None:
    account = RecordFactory.create(kind=RecordKind.ACCOUNT)
    records = [RecordFactory.create(owner=people.rep, account_crm_id=account.crm_id) for _number in range(count)]
    ContentType.objects.get_for_model(Enrolment)  # asked for once in a process
    with CaptureQueriesContext(database) as queries:
        enrol_many(play, records, None, people.manager)
    statements = [query["sql"] for query in queries]
    # Django cuts an INSERT for SQLite at 999 values, so that a long one becomes several.
    inserted = {sql.split("INTO ")[1].split()[0].strip('"') for sql in statements if sql.startswith("INSERT")}
    assert inserted == {"sync_enrolment", "sync_task", "auditlog_logentry"}
    assert len([sql for sql in statements if not sql.startswith("INSERT")]) == 8


def at_once(*things: Callable[[], Any]) -> list[Any]:
    """Do things in threads of their own that start together."""
    together = Barrier(len(things))

    def do(thing: Callable[[], Any]) -> Any:
        try:
            together.wait()
            return thing()
        finally:
            database.close()

    with ThreadPoolExecutor(len(things)) as pool:
        return list(pool.map(do, things))


@pytest.mark.django_db(transaction=True)
def test_two_managers_at_once_enrol_each_record_once(people: People, play: Play) -> None:
    records = [RecordFactory.create() for _number in range(5)]
    done = at_once(*(lambda: enrol_many(play, records, people.rep, people.admin) for _number in range(2)))
    assert sorted(len(each.enrolments) for each in done) == [0, 5]
    assert sorted(len(each.left_out) for each in done) == [0, 5]
    assert (Enrolment.objects.count(), Task.objects.count()) == (5, 10)


@pytest.mark.django_db(transaction=True)
def test_the_last_two_tasks_completed_at_once_end_the_enrolment(people: People, play: Play) -> None:
    tasks = list(enrol(play, RecordFactory.create(), people.rep).tasks.all())
    at_once(*(partial(complete, Completion(user=people.rep, task=task)) for task in tasks))
    assert Enrolment.objects.get().ended_at is not None


@pytest.mark.django_db(transaction=True)
def test_completing_and_ending_at_once_leave_nothing_open(people: People, play: Play) -> None:
    enrolment = enrol(play, RecordFactory.create(), people.rep)
    first, *_others = enrolment.tasks.order_by("step__position")

    def completing() -> str:
        try:
            return complete(Completion(user=people.rep, task=first)).state
        except ValidationError as refused:
            return refused.error_dict["task"][0].code or ""

    state, ended = at_once(completing, partial(end_enrolment, enrolment, people.admin))
    assert (state, ended) in {("completed", True), ("skipped", True)}
    assert not enrolment.tasks.filter(state=TaskState.OPEN).exists()
