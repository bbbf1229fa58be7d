"""How long tasks take to the CRM: the same figures from a database with percentiles and from one without."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from sync import speed as module
from sync.enums import OutboxState
from sync.models import OutboxRow
from sync.speed import Speed, of_times, percentile, speed
from tests.factories import ConnectionFactory, TaskFactory
from tests.people import People, people

__all__ = ["people"]


def seconds(*values: float) -> list[timedelta]:
    return [timedelta(seconds=value) for value in values]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ((), 0.5, None),
        ((7,), 0.95, 7),
        ((1, 3), 0.5, 2),
        ((1, 2, 10), 0.5, 2),
        ((0, 100), 0.95, 95),
    ],
)
def test_percentiles_lie_between_two_values(values: tuple[float, ...], share: float, expected: float | None) -> None:
    found = percentile(seconds(*values), share)
    assert found == (None if expected is None else timedelta(seconds=expected))


def write(people: People, now: datetime) -> list[tuple[datetime, datetime]]:
    """Rows that took 1, 2, 4 … seconds, one an hour and then one a day backwards; one that is too old, one undone."""
    org = ConnectionFactory.create()
    times = []
    for number in range(16):
        settled = now - (timedelta(hours=number) if number < 12 else timedelta(days=number - 10))
        times.append((settled - timedelta(seconds=2**number), settled))
    times.append((now - timedelta(days=9), now - timedelta(days=8)))
    for asked, settled in times:
        task = TaskFactory.create(user=people.rep)
        row = OutboxRow.objects.create(
            connection=org, task=task, state=OutboxState.DONE, not_before=now, settled_at=settled, key=task.key
        )
        OutboxRow.objects.filter(pk=row.pk).update(created_at=asked)
    task = TaskFactory.create(user=people.rep)
    OutboxRow.objects.create(connection=org, task=task, state=OutboxState.FAILED, not_before=now, settled_at=now)
    return times[:-1]


def test_any_database_gives_the_same_figures(people: People) -> None:
    now = timezone.now()
    times = write(people, now)
    expected = of_times(times, now)
    assert expected.steps == (1, 2, 2, 4, 3, 4)
    assert expected.day_median == timedelta(seconds=48)
    assert speed(people.admin, now) == expected
    assert speed(people.manager, now) == expected
    assert speed(people.other_manager, now) == Speed(None, None, None, None, (0,) * 6)


def test_a_sample_says_that_it_is_one(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    monkeypatch.setattr(module, "SAMPLE", 3)
    times = write(people, now)[:3]
    assert of_times(times, now).is_sample is True
    assert of_times(times[:2], now).is_sample is False
