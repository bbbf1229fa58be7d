"""The large organisation of the benchmarks still fits the models."""

import pytest

from benchmarks.bulk import Size, fill
from sync.enums import OutboxState
from sync.models import Attempt, OutboxRow, Task
from teams.models import Team, User


@pytest.mark.django_db(transaction=True)
def test_every_row_is_whole() -> None:
    fill(Size(teams=4, users=20, records=10, tasks=400))
    assert [model.objects.count() for model in (Team, User, Task, OutboxRow, Attempt)] == [4, 23, 400, 400, 400]
    states = {state: OutboxRow.objects.filter(state=state).count() for state in OutboxState}
    assert states == {"pending": 4, "sending": 0, "done": 390, "failed": 4, "cancelled": 2}
    for row in OutboxRow.objects.select_related("task").order_by("pk")[:50]:
        assert row.task
        assert (row.user_id, row.key) == (row.task.user_id, row.task.key)
    Task.objects.all()[0].full_clean()
    User.objects.get(name="Rep 7").full_clean(exclude=["password"])
