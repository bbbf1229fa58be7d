"""What runs when, and the jobs that run."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Failure, Schedule
from django_q.models import Task as Job

from sync import jobs
from sync.models import JobLease, OutboxRow
from sync.schedules import SCHEDULES, Scheduled, set_schedules
from tests.sync.rows import complete, make_connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("scheduled", SCHEDULES, ids=lambda scheduled: scheduled.job)
def test_each_schedule_names_a_job_that_runs(scheduled: Scheduled) -> None:
    import_string(f"sync.jobs.{scheduled.job}")()


def test_setting_them_twice_makes_no_second_one_and_keeps_the_next_run() -> None:
    set_schedules()
    later = timezone.now() + timedelta(hours=5)
    Schedule.objects.update(next_run=later)
    set_schedules()
    assert set(Schedule.objects.values_list("func", "minutes", "next_run")) == {
        (f"sync.jobs.{scheduled.job}", scheduled.minutes, later) for scheduled in SCHEDULES
    }


def test_one_that_the_list_no_longer_names_ends() -> None:
    Schedule.objects.create(name="old", func="sync.jobs.old", schedule_type=Schedule.DAILY)
    Schedule.objects.create(name="theirs", func="elsewhere.job", schedule_type=Schedule.DAILY)
    set_schedules()
    assert set(Schedule.objects.values_list("name", flat=True)) == {"theirs", *(each.job for each in SCHEDULES)}


def test_a_job_that_still_runs_is_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    org = make_connection()
    org.mark_disconnected("invalid_grant", "")
    tried = []
    monkeypatch.setattr("sync.connecting.reconnect", lambda connection: tried.append(connection.pk))
    token = JobLease.take("reconnect", 60)
    assert token is not None
    jobs.reconnect()
    assert tried == []
    JobLease.give_back("reconnect", token)
    jobs.reconnect()
    assert tried == [org.pk]


def test_tidy_forgets_old_failures_and_ended_sessions_and_asks_for_what_slipped_through() -> None:
    now = timezone.now()
    complete(None, 2)
    make_connection()
    for name, age in (("old", timedelta(days=31)), ("young", timedelta(days=29))):
        Job.objects.create(id=name, name=name, func="f", started=now, stopped=now - age, success=False)
        Session.objects.create(session_key=name, session_data="", expire_date=now + timedelta(days=30) - age)
    jobs.tidy()
    assert list(Failure.objects.values_list("name", flat=True)) == ["young"]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["young"]
    assert OutboxRow.objects.count() == 2
