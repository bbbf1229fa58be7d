"""Navigation: each role sees what it may."""

from teams.models import User
from tests.people import People, logged_in, people

__all__ = ["people"]

WORK = ["Overview", "Records", "Tasks", "Plays", "Teams", "Users"]


def entries(viewer: User) -> list[str]:
    groups = logged_in(viewer).get("/manager/").context["sidebar_navigation"]
    return [str(item["title"]) for group in groups for item in group["items"] if item["has_permission"]]


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
