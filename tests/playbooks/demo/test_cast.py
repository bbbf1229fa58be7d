"""What the demo leaves its rep to do."""

import pytest
from django.utils import timezone

from playbooks.demo.cast import Cast, leave_open
from sync import worklist
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory, UserFactory


@pytest.mark.django_db
def test_the_rep_has_something_late_due_today_and_to_come() -> None:
    for name, days in (("First three weeks", (0, 2, 5)), ("Renewal", (0, 7))):
        play = PlayFactory.create(name=name)
        for position, day in enumerate(days):
            PlayStepFactory.create(play=play, position=position, day_offset=day)
    amara = UserFactory.create(name="Amara Osei")
    records = {name: RecordFactory.create(name=name) for name in ("Hannah Lee", "Sofia Marchetti")}
    leave_open(Cast({amara.name: amara}, records, {}))
    today = timezone.localdate()
    due = [(task.due_on - today).days for task in worklist.of(amara, worklist.Show.TODAY, today) if task.due_on]
    assert due == [-2, 0, 0]
    assert worklist.counts(amara, today)[worklist.Show.UPCOMING] == "2"
