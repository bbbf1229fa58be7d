"""Skipping a task, taking it back, and putting it off: by whom, until when, and once."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from sync import plays
from sync.completion import Completion, complete
from sync.enums import DecisionCode, TaskState
from sync.models import Decision, Enrolment, OutboxRow, Task
from sync.skipping import skip, unskip
from sync.snoozing import snooze
from teams.models import User
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory
from tests.people import People, people

__all__ = ["people"]

pytestmark = pytest.mark.django_db


def enrolled(user: User, steps: int = 2) -> list[Task]:
    """The open tasks of a record that was enrolled today."""
    play = PlayFactory.create()
    for position in range(1, steps + 1):
        PlayStepFactory.create(play=play, position=position)
    enrolment = plays.enrol(play, RecordFactory.create(), user)
    return list(enrolment.tasks.order_by("pk"))


def decided(task: Task) -> list[tuple[str, dict[str, object]]]:
    return list(Decision.objects.filter(task=task).order_by("pk").values_list("code", "detail"))


def code_of(caught: pytest.ExceptionInfo[ValidationError], field: str) -> str:
    (error,) = caught.value.error_dict[field]
    return str(error.code)


def test_a_skipped_task_is_not_sent_and_says_who_skipped_it(people: People) -> None:
    task, _other = enrolled(people.rep)
    assert skip(task, people.rep).state == TaskState.SKIPPED
    task.refresh_from_db()
    assert (task.state, task.completed_at) == (TaskState.SKIPPED, None)
    assert decided(task) == [(DecisionCode.SKIPPED, {"by": str(people.rep.uuid)})]
    assert OutboxRow.objects.count() == 0


def test_a_skip_is_taken_back(people: People) -> None:
    task, _other = enrolled(people.rep)
    due_on = task.due_on
    skip(task, people.rep)
    unskip(task, people.manager)
    task.refresh_from_db()
    assert (task.state, task.due_on) == (TaskState.OPEN, due_on)
    assert [code for code, _detail in decided(task)] == [DecisionCode.SKIPPED, DecisionCode.SKIP_UNDONE]


def test_nothing_is_skipped_twice_nor_after_it_was_completed(people: People) -> None:
    task, other = enrolled(people.rep)
    skip(task, people.rep)
    with pytest.raises(ValidationError) as caught:
        skip(task, people.rep)
    assert code_of(caught, "task") == "skipped"
    complete(Completion(user=people.rep, task=other))
    for act in (skip, unskip):
        with pytest.raises(ValidationError) as caught:
            act(other, people.rep)
        assert code_of(caught, "task") == "completed"


def test_what_is_open_is_not_opened_again(people: People) -> None:
    task, _other = enrolled(people.rep)
    with pytest.raises(ValidationError) as caught:
        unskip(task, people.rep)
    assert code_of(caught, "task") == "open"


@pytest.mark.parametrize("role", ["rep", "manager", "admin"])
def test_managers_and_admins_skip_for_the_rep(people: People, role: str) -> None:
    task, _other = enrolled(people.rep)
    skip(task, getattr(people, role))


@pytest.mark.parametrize("role", ["other_rep", "other_manager", "colleague"])
def test_nobody_else_skips_or_snoozes(people: People, role: str) -> None:
    task, _other = enrolled(people.rep)
    stranger = getattr(people, role)
    for act in (skip, unskip):
        with pytest.raises(Task.DoesNotExist):
            act(task, stranger)
    with pytest.raises(Task.DoesNotExist):
        snooze(task, timezone.localdate() + timedelta(days=1), stranger)


def test_skipping_the_last_task_ends_the_play_and_taking_it_back_lets_it_go_on(people: People) -> None:
    (task,) = enrolled(people.rep, 1)
    skip(task, people.rep)
    assert Enrolment.objects.get().ended_at is not None
    unskip(task, people.rep)
    assert Enrolment.objects.get().ended_at is None


def test_no_task_is_opened_again_of_a_play_that_somebody_ended(people: People) -> None:
    task, _other = enrolled(people.rep)
    plays.end_enrolment(Enrolment.objects.get(), people.rep)
    with pytest.raises(ValidationError) as caught:
        unskip(task, people.rep)
    assert code_of(caught, "task") == "ended"


def test_no_task_is_opened_again_when_the_record_is_in_the_play_anew(people: People) -> None:
    (task,) = enrolled(people.rep, 1)
    skip(task, people.rep)
    enrolment = Enrolment.objects.get()
    plays.enrol(enrolment.play, enrolment.record, people.rep)
    with pytest.raises(ValidationError) as caught:
        unskip(task, people.rep)
    assert code_of(caught, "task") == "ended"


def test_snoozing_moves_the_day_and_says_from_when_to_when(people: People) -> None:
    task, _other = enrolled(people.rep)
    today = timezone.localdate()
    snooze(task, today + timedelta(days=3), people.rep)
    task.refresh_from_db()
    assert (task.due_on, task.state) == (today + timedelta(days=3), TaskState.OPEN)
    detail = {"from": f"{today}", "to": f"{today + timedelta(days=3)}", "by": str(people.rep.uuid)}
    assert decided(task) == [(DecisionCode.SNOOZED, detail)]


@pytest.mark.parametrize(("days", "code"), [(-1, "past"), (366, "too_far"), (0, "same")])
def test_days_that_will_not_do(people: People, days: int, code: str) -> None:
    task, _other = enrolled(people.rep)
    with pytest.raises(ValidationError) as caught:
        snooze(task, timezone.localdate() + timedelta(days=days), people.rep)
    assert code_of(caught, "until") == code
    assert decided(task) == []


def test_a_late_task_may_be_done_today(people: People) -> None:
    task, _other = enrolled(people.rep)
    Task.objects.filter(pk=task.pk).update(due_on=timezone.localdate() - timedelta(days=9))
    assert snooze(task, timezone.localdate(), people.rep).due_on == timezone.localdate()


def test_only_what_is_open_is_snoozed(people: People) -> None:
    task, other = enrolled(people.rep)
    skip(task, people.rep)
    complete(Completion(user=people.rep, task=other))
    for each in (task, other):
        with pytest.raises(ValidationError) as caught:
            snooze(each, timezone.localdate() + timedelta(days=1), people.rep)
        assert code_of(caught, "task") in ("skipped", "completed")


@time_machine.travel(datetime(2025, 3, 5, 12, 0, tzinfo=UTC), tick=False)
def test_the_day_is_that_of_the_tasks_user(people: People) -> None:
    people.rep.time_zone = "Pacific/Auckland"  # the 6th already
    people.rep.save()
    task, _other = enrolled(people.rep)
    with pytest.raises(ValidationError) as caught:
        snooze(task, date(2025, 3, 5), people.manager)
    assert code_of(caught, "until") == "past"


def test_a_task_skipped_before_somebody_ended_the_play_stays_skipped(people: People) -> None:
    task, _other = enrolled(people.rep)
    skip(task, people.rep)
    plays.end_enrolment(Enrolment.objects.get(), people.manager)
    with pytest.raises(ValidationError) as caught:
        unskip(task, people.rep)
    assert code_of(caught, "task") == "ended"
    assert Enrolment.objects.get().ended_at is not None
