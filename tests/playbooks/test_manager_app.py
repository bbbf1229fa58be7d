"""Navigation and the first page: each role sees what it may."""

from pytest_django import DjangoAssertNumQueries

from sync.enums import OutboxState
from sync.models import Task
from teams.models import User
from tests.people import People, logged_in, people
from tests.sync.admin.conftest import make_connection, make_task

__all__ = ["people"]

WORK = ["Overview", "Records", "Tasks", "Plays", "Teams", "Users"]


def entries(viewer: User) -> list[str]:
    groups = logged_in(viewer).get("/manager/").context["sidebar_navigation"]
    return [str(item["title"]) for group in groups for item in group["items"] if item["has_permission"]]


def tiles(viewer: User) -> list[tuple[str, str]]:
    return [(tile.number, tile.label) for tile in logged_in(viewer).get("/manager/").context["tiles"]]


def test_navigation_holds_what_the_viewer_may_open(people: People) -> None:
    assert entries(people.manager) == [*WORK, "Outbox"]
    assert entries(people.admin) == [
        *WORK,
        "Connection",
        "Troubles",
        "Outbox",
        "Organisation",
        "Schedules",
        "Failed jobs",
    ]


def test_navigation_entries_open(people: People) -> None:
    for viewer in (people.manager, people.admin):
        client = logged_in(viewer)
        groups = client.get("/manager/").context["sidebar_navigation"]
        links = [str(item["link"]) for group in groups for item in group["items"] if item["has_permission"]]
        assert [client.get(link, follow=True).status_code for link in links] == [200] * len(links)


def test_overview_counts_the_viewers(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    connection = make_connection()
    make_task(connection, people.rep, "Waits", OutboxState.PENDING)
    make_task(connection, people.rep, "Failed", OutboxState.FAILED)
    make_task(connection, people.other_rep, "Failed, too", OutboxState.FAILED)
    Task.objects.filter(subject="Waits").update(is_orphan=True)
    assert tiles(people.manager) == [("1", "waiting or being sent"), ("1", "failed"), ("1", "orphaned phone calls")]
    assert tiles(people.admin) == [
        ("1", "waiting or being sent"),
        ("2", "failed"),
        ("1", "orphaned phone calls"),
        ("0", "open troubles"),
    ]
    client = logged_in(people.admin)
    client.get("/manager/")
    with django_assert_num_queries(9):
        client.get("/manager/")
