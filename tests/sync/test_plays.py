"""Enrolling a record in a play."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from sync.enums import LinkChoice, RecordKind, TaskKind, TaskState
from sync.linking import with_history
from sync.models import Enrolment, Play, Task
from sync.plays import enrol
from teams.models import Role, User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory, UserFactory

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
