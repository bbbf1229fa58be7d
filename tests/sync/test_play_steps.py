"""Which step of which play a program names, and the open task that waits for it."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from sync import plays
from sync.enums import RecordKind
from sync.models import Play, Record, Task
from sync.play_steps import FoundStep, NamedStep, find_steps
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def rep() -> User:
    return UserFactory.create()


@pytest.fixture
def play() -> Play:
    play = PlayFactory.create(name="Straße nach Süden")
    PlayStepFactory.create(play=play, position=20, name="Second call")
    PlayStepFactory.create(play=play, position=10, name="First call")
    PlayStepFactory.create(play=play, position=30, name="Visit")
    PlayStepFactory.create(play=play, position=40, name="visit")
    return play


def named(rep: User, play: str, step: str, record: Record | str | None = None) -> NamedStep:
    return NamedStep(play, step, rep.pk, record)


def found(one: NamedStep) -> FoundStep:
    (result,) = find_steps([one])
    assert isinstance(result, FoundStep), result
    return result


def refused(one: NamedStep) -> dict[str, list[Any]]:
    (result,) = find_steps([one])
    assert isinstance(result, ValidationError), result
    return {field: [error.code for error in errors] for field, errors in result.error_dict.items()}


def open_task(play: Play, record: Record, rep: User, step: str = "First call") -> Task:
    return Task.objects.get(enrolment=plays.enrol(play, record, rep), step__name=step)


@pytest.mark.parametrize("step", ["First call", " FIRST CALL ", "1"])
@pytest.mark.parametrize("name", ["Straße nach Süden", " STRASSE NACH SÜDEN "])
def test_finds_a_step_by_its_name_or_place(rep: User, play: Play, name: str, step: str) -> None:
    result = found(named(rep, name, step))
    assert (result.step.name, result.step.play, result.task) == ("First call", play, None)


def test_finds_a_play_by_its_uuid(rep: User, play: Play) -> None:
    assert found(named(rep, str(play.uuid).upper(), "second call")).step.position == 20


def test_finds_a_name_as_it_stands_among_names_in_another_case(rep: User, play: Play) -> None:
    other = PlayFactory.create(name="STRASSE NACH SÜDEN")
    PlayStepFactory.create(play=other, name="First call")
    assert found(named(rep, "STRASSE NACH SÜDEN", "First call")).step.play == other
    assert found(named(rep, "Straße nach Süden", "visit")).step.position == 40
    assert refused(named(rep, "strasse nach süden", "First call")) == {"play": ["ambiguous"]}


@pytest.mark.parametrize(
    ("play_name", "step", "codes"),
    [
        ("Nowhere", "First call", {"play": ["unknown"]}),
        ("", "First call", {"play": ["required"]}),
        ("Straße nach Süden", " ", {"play_step": ["required"]}),
        ("Straße nach Süden", "Third call", {"play_step": ["unknown"]}),
        ("Straße nach Süden", "5", {"play_step": ["unknown"]}),
        ("Straße nach Süden", "0", {"play_step": ["unknown"]}),
        ("Straße nach Süden", "9" * 5000, {"play_step": ["unknown"]}),
        ("Straße nach Süden", "VISIT", {"play_step": ["ambiguous"]}),
    ],
)
def test_says_at_which_field_nothing_was_found(
    rep: User, play: Play, play_name: str, step: str, codes: dict[str, list[str]]
) -> None:
    assert refused(named(rep, play_name, step)) == codes


def test_finds_the_open_task_of_a_record_that_is_in_the_play(rep: User, play: Play) -> None:
    record, account = RecordFactory.create(), RecordFactory.create(kind=RecordKind.ACCOUNT)
    task = Task.objects.get(enrolment=plays.enrol(play, record, rep, account), step__name="First call")
    for given in (record, record.crm_id, record.crm_id[:15], account.crm_id):
        assert found(named(rep, play.name, "First call", given)).task == task
    assert found(named(rep, play.name, "First call")).task is None
    assert found(named(rep, play.name, "First call", "no id")).task is None
    assert found(named(UserFactory.create(), play.name, "First call", record)).task is None


def test_gives_an_open_task_out_once(rep: User, play: Play) -> None:
    record, account = RecordFactory.create(), RecordFactory.create(kind=RecordKind.ACCOUNT)
    plays.enrol(play, record, rep, account)
    steps = [named(rep, play.name, "First call", given) for given in (record, record, account)]
    assert [isinstance(one, FoundStep) and one.task is not None for one in find_steps(steps)] == [True, False, False]


def test_a_task_of_an_ended_enrolment_waits_for_nobody(rep: User, play: Play) -> None:
    record = RecordFactory.create()
    task = open_task(play, record, rep)
    type(task.enrolment).objects.update(ended_at=task.created_at)  # type: ignore[union-attr]
    assert found(named(rep, play.name, "First call", record)).task is None


@pytest.mark.parametrize("count", [3, 30])
def test_asks_three_times_however_many(rep: User, play: Play, count: int) -> None:
    steps = []
    for number in range(count):
        record = RecordFactory.create()
        own = PlayFactory.create()
        PlayStepFactory.create(play=own, name="Step")
        open_task(play, record, rep)
        steps += [named(rep, play.name, "First call", record), named(rep, own.name, "Step", f"{number}")]
    with CaptureQueriesContext(database) as queries:
        results = find_steps([*steps, None])
    assert len(queries) == 3
    assert sum(isinstance(one, FoundStep) and one.task is not None for one in results) == count
    assert results[-1] is None


def test_asks_nothing_when_no_step_is_named() -> None:
    with CaptureQueriesContext(database) as queries:
        assert find_steps([None, None]) == [None, None]
    assert len(queries) == 0
