"""The dashboard: its numbers are those of the lists that they lead to, for each viewer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync import outbox
from sync.enums import ConnectionState, OutboxState, TaskKind
from sync.models import Connection, OutboxRow, Task
from teams.models import User
from tests.factories import TaskFactory
from tests.people import People, logged_in, people
from tests.sync.admin.conftest import make_connection
from tests.sync.failing import LONG, RULE, answer_due, refuse

__all__ = ["people"]

# Near midnight: in Berlin it is the next day already, in New York still the day before.
NOW = datetime(2026, 7, 14, 22, 30, tzinfo=UTC)


def complete(org: Connection | None, user: User, at: datetime, count: int = 1, **fields: Any) -> list[Task]:
    tasks = TaskFactory.create_batch(count, user=user, completed_at=at, **fields)
    outbox.enqueue(org, tasks)
    return tasks


def give_up(tasks: list[Task]) -> None:
    OutboxRow.objects.filter(task__in=tasks).update(state=OutboxState.FAILED, settled_at=timezone.now(), trouble=None)


@pytest.fixture
def org(people: People) -> Connection:
    return make_connection(api_used=12_345, api_limit=100_000)


@pytest.fixture
def busy(org: Connection, people: People) -> Connection:
    """Tasks of two teams and of several days, in each state."""
    for user in (people.rep, people.other_rep, people.rep):
        for hours in (0, 1, 20, 26, 40):
            complete(org, user, NOW - timedelta(hours=hours))
    answer_due(org, None)
    give_up(complete(org, people.rep, NOW - timedelta(hours=2), 2))
    give_up(complete(org, people.other_rep, NOW - timedelta(days=3)))
    complete(org, people.rep, NOW - timedelta(minutes=5), 3)
    complete(org, people.other_rep, NOW - timedelta(days=20), is_orphan=True, kind=TaskKind.CALL)
    outbox.cancel(OutboxRow.objects.filter(task__in=complete(org, people.rep, NOW)), people.admin)
    return org


def tiles(viewer: User) -> dict[str, Any]:
    sections = logged_in(viewer).get("/manager/").context["sections"]
    return {f"{heading}: {tile.label}": tile for heading, found in sections for tile in found}


def numbers(viewer: User) -> dict[str, str]:
    return {label: tile.number for label, tile in tiles(viewer).items()}


COUNTED = [
    "Completed today: completed",
    "Completed today: synced",
    "Completed today: waiting",
    "Completed today: failed",
    "Completed today: cancelled",
    "Now: waiting or being sent",
    "Now: failed",
    "Now: orphaned phone calls",
]


@pytest.mark.parametrize(
    ("viewer", "zone"),
    [
        ("admin", "UTC"),
        ("manager", "Europe/Berlin"),
        ("manager", "America/New_York"),
        ("other_manager", "UTC"),
        ("colleague", "UTC"),
    ],
)
def test_every_number_is_that_of_its_list(busy: Connection, people: People, viewer: str, zone: str) -> None:
    user = getattr(people, viewer)
    user.time_zone = zone
    user.save()
    with time_machine.travel(NOW, tick=False):
        found = tiles(user)
        client = logged_in(user)
        for label in COUNTED:
            if label in found:
                listed = client.get(found[label].url).context["cl"].result_list
                assert (label, found[label].number) == (label, str(len(listed)))
        pictures = client.get("/manager/").context["pictures"]
        cells = [cell for _label, row in pictures[0].rows for cell in row]
        assert len(cells) == 14 * 4
        for cell in cells[: 2 * 4]:
            assert cell.number == str(len(client.get(cell.url).context["cl"].result_list))


def test_the_day_is_that_of_the_viewers_zone(busy: Connection, people: People) -> None:
    figures = {}
    with time_machine.travel(NOW, tick=False):
        for zone in ("UTC", "Europe/Berlin"):
            people.manager.time_zone = zone
            people.manager.save()
            found = numbers(people.manager)
            figures[zone] = [found.get(label, "-") for label in COUNTED[:5]]
    # In Berlin it is half past midnight.
    assert figures == {"UTC": ["12", "6", "3", "2", "1"], "Europe/Berlin": ["6", "2", "3", "0", "1"]}


def test_numbers_are_of_whom_the_viewer_may_see(busy: Connection, people: People) -> None:
    with time_machine.travel(NOW, tick=False):
        seen = [numbers(viewer) for viewer in (people.admin, people.manager, people.other_manager, people.colleague)]
    assert [found["Completed today: completed"] for found in seen] == ["15", "12", "3", "0"]
    assert [found["Now: failed"] for found in seen] == ["3", "2", "1", "0"]
    assert [found["Now: waiting or being sent"] for found in seen] == ["4", "3", "1", "0"]
    assert [found["Now: orphaned phone calls"] for found in seen] == ["1", "0", "1", "0"]


def test_open_errors_are_the_viewers_cards(org: Connection, people: People) -> None:
    refuse(org, people.rep, RULE, 2)
    refuse(org, people.other_rep, RULE)
    refuse(org, people.other_rep, LONG)
    for viewer, count in ((people.admin, 2), (people.manager, 1), (people.other_manager, 2), (people.colleague, 0)):
        tile = tiles(viewer)["Now: error" if count == 1 else "Now: errors"]
        cards = logged_in(viewer).get(tile.url).context["cards"]
        assert (tile.number, len(cards)) == (str(count), count)


def test_the_oldest_that_waits_leads_to_its_page(org: Connection, people: People) -> None:
    complete(org, people.other_rep, NOW)
    [mine] = complete(org, people.rep, NOW)
    OutboxRow.objects.filter(task=mine).update(created_at=NOW - timedelta(hours=3))
    complete(org, people.rep, NOW)
    with time_machine.travel(NOW, tick=False):
        tile = tiles(people.manager)["Now: oldest waiting"]
    assert (tile.number, tile.url) == ("3 h", f"/manager/sync/task/{mine.uuid}/change/")


def test_without_anything_it_says_so(people: People) -> None:
    found = numbers(people.manager)
    assert [found[f"Now: {label}"] for label in ("errors", "oldest waiting", "connection")] == ["0", "–", "none"]
    assert found["Time to the CRM: median, last 24 hours"] == "–"


def test_without_a_connection_what_is_completed_waits_for_one(people: People) -> None:
    complete(None, people.rep, NOW, 2)
    complete(None, people.other_rep, NOW)
    with time_machine.travel(NOW, tick=False):
        found = tiles(people.manager)
        tile = found["Completed today: waiting for a connection"]
        listed = logged_in(people.manager).get(tile.url).context["cl"].result_list
    assert (tile.number, len(listed)) == ("2", 2)
    assert [found[label].number for label in COUNTED[:3]] == ["2", "0", "0"]


@pytest.mark.parametrize(
    ("changes", "words", "tone"),
    [
        ({}, "connected", "good"),
        ({"state": ConnectionState.DISCONNECTED, "down_since": NOW}, "disconnected", "bad"),
        ({"paused_until": NOW + timedelta(days=4000)}, "rests", "warn"),
    ],
)
def test_the_connection(org: Connection, people: People, changes: dict[str, Any], words: str, tone: str) -> None:
    Connection.objects.update(**changes)
    found = [tiles(viewer)["Now: connection"] for viewer in (people.admin, people.manager)]
    assert [(tile.number, tile.tone) for tile in found] == [(words, tone)] * 2
    # Its page is the admins'.
    assert [bool(tile.url) for tile in found] == [True, False]


def test_api_calls(org: Connection, people: People) -> None:
    tile = tiles(people.admin)["Now: API calls in 24 hours"]
    assert (tile.number, tile.hint, tile.tone) == ("12,345", "of 100,000 of the whole org (12 %)", "")
    Connection.objects.update(api_used=90_000)
    assert tiles(people.admin)["Now: API calls in 24 hours"].tone == "warn"


def test_time_to_the_crm_is_of_the_viewers_tasks(org: Connection, people: People) -> None:
    for user, seconds in ((people.rep, (1, 2, 3)), (people.other_rep, (100, 200, 300))):
        for second in seconds:
            [task] = complete(org, user, NOW)
            OutboxRow.objects.filter(task=task).update(
                state=OutboxState.DONE, created_at=NOW - timedelta(seconds=second), settled_at=NOW
            )
    with time_machine.travel(NOW, tick=False):
        found = [numbers(viewer) for viewer in (people.manager, people.other_manager, people.admin)]
        shown = [each["Time to the CRM: median, last 24 hours"] for each in found]
        picture = logged_in(people.admin).get("/manager/").context["pictures"][1]
    assert shown == ["2 s", "3 min", "52 s"]
    assert [row[1][0].number for row in picture.rows] == ["1", "2", "0", "3", "0", "0"]


@pytest.mark.parametrize("count", [3, 300])
def test_queries_do_not_grow(
    org: Connection, people: People, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    refuse(org, people.rep, LONG, count)
    complete(org, people.rep, timezone.now(), count)
    for viewer in (people.manager, people.admin):
        client = logged_in(viewer)
        client.get("/manager/")
        with django_assert_num_queries(15):
            client.get("/manager/")


def test_pictures_have_no_inline_style_or_script_and_a_table(busy: Connection, people: People) -> None:
    with time_machine.travel(NOW, tick=False):
        html = logged_in(people.manager).get("/manager/").content.decode()
    pictures = html[html.index('class="pb-pictures"') :]
    pictures = pictures[: pictures.rindex("</table>")]
    assert [pictures.count(words) for words in ("style=", "<script", "<table", 'role="img"')] == [0, 0, 2, 2]
