"""What the blacklists are asked about when a task is handed in through Track and Sync."""

import pytest

from blacklist.models import RuleKind
from sync import plays
from sync.enums import TaskKind, TaskState
from sync.models import OutboxRow, ReceivedTask, Task
from tests.factories import PlayFactory, PlayStepFactory, RecordFactory
from tests.people import People
from tests.sync.api.conftest import Dialer, make_rule, track_and_sync

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("field", ["subject", "description"])
def test_m17_texts_that_an_open_task_already_has_are_asked_about_too(
    dialer: Dialer, people: People, field: str
) -> None:
    """What is left out is the open task's own, and would be written to the CRM with it."""
    play, record = PlayFactory.create(), RecordFactory.create()
    step = PlayStepFactory.create(play=play, kind=TaskKind.EMAIL, **{field: "About the merger"})
    plays.enrol(play, record, people.rep)
    make_rule("merger", RuleKind.KEYWORD)
    said = track_and_sync(people.rep, record=record.crm_id, play=play.name, play_step=step.name)
    del said["subject"]
    assert dialer.post(said)["state"] == "stopped"
    assert ReceivedTask.objects.get().task is None
    assert Task.objects.get().state == TaskState.OPEN
    assert not OutboxRow.objects.exists()


def test_m17_a_steps_name_that_becomes_the_subject_is_asked_about_too(dialer: Dialer, people: People) -> None:
    play = PlayFactory.create()
    step = PlayStepFactory.create(play=play, kind=TaskKind.EMAIL, name="Merger mail")
    make_rule("merger", RuleKind.KEYWORD)
    said = track_and_sync(people.rep, play=play.name, play_step=step.name)
    del said["subject"]
    assert dialer.post(said)["state"] == "stopped"
    assert not Task.objects.exists()


@pytest.mark.parametrize(
    "address", ["HANA@Rival.Example", " hana@rival.example ", "hana@sub.rival.example", '"a@b.example"@rival.example']
)
def test_m17_an_address_is_asked_about_however_it_is_written(dialer: Dialer, people: People, address: str) -> None:
    make_rule("rival.example", RuleKind.DOMAIN)
    assert dialer.post(track_and_sync(people.rep, email_address=address))["state"] == "stopped"
