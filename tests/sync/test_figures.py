"""How many tasks reached the CRM: days with clock changes, and what counts as what."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pytest_django import DjangoAssertNumQueries

from sync import figures, outbox
from sync.enums import OutboxState
from sync.models import OutboxRow
from tests.factories import ConnectionFactory, TaskFactory
from tests.people import People, people
from tests.sync.failing import answer_due

__all__ = ["people"]

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_ends_where_the_next_begins_also_when_clocks_change(day: date, hours: int) -> None:
    [(start, end)] = figures.edges([day], BERLIN)
    assert (end.astimezone(UTC) - start.astimezone(UTC)) == timedelta(hours=hours)


def test_a_task_that_is_sent_a_second_time_counts_once_where_it_stands_now(people: People) -> None:
    org = ConnectionFactory.create()
    day = date(2026, 5, 4)
    tasks = TaskFactory.create_batch(3, user=people.rep, completed_at=datetime(2026, 5, 4, 9, tzinfo=UTC))
    outbox.enqueue(org, tasks)
    answer_due(org, None)
    outbox.enqueue(org, tasks[:2])  # changed since
    OutboxRow.objects.filter(task=tasks[0], state=OutboxState.PENDING).update(state=OutboxState.FAILED)
    [found] = figures.of_days(people.manager, [day], UTC)
    assert (found.completed, found.synced, found.waiting, found.failed, found.cancelled) == (3, 1, 1, 1, 0)
    now = figures.now(people.manager)
    assert (now.waiting, now.failed, now.oldest) == (1, 1, tasks[1])


@pytest.mark.parametrize("days", [1, 14])
def test_days_take_two_queries(people: People, days: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    first = date(2026, 5, 4)
    with django_assert_num_queries(2):
        figures.of_days(people.manager, [first + timedelta(days=number) for number in range(days)], UTC)
