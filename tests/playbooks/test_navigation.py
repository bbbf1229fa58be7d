"""The one list of pages: each role sees what it may open, under the names that the help uses, in both frames."""

import pytest
from django.test import RequestFactory

from playbooks.navigation import sidebar
from teams.models import User
from tests.people import People, logged_in, people

__all__ = ["people"]

EMAIL, CRM = "Settings \u203a Email", "Settings \u203a CRM"
API = "Settings \u203a API"
WORKSPACE = ["My tasks", "Find records", "Orphaned calls"]
OWN = [("{} \u203a Email", ["CRM Email Sync", "My Blacklist"]), ("{}", ["CRM", "Profile", "Notices"])]
MANAGERS = [
    ("", ["Dashboard", "Teams", "Records", "Tasks", "Plays"]),
    (EMAIL, ["CRM Email Sync", "Company Blacklist"]),
]


def own(title: str) -> list[tuple[str, list[str]]]:
    workspace = "My workspace" if title == "My settings" else "Workspace"
    return [(workspace, WORKSPACE), *((heading.format(title), entries) for heading, entries in OWN)]


def groups(viewer: User, path: str = "/") -> list[tuple[str, list[str]]]:
    request = RequestFactory().get(path)
    request.user = viewer
    return [(str(group["title"]), [str(item["title"]) for item in group["items"]]) for group in sidebar(request)]


def active(viewer: User, path: str) -> list[str]:
    request = RequestFactory().get(path)
    request.user = viewer
    return [str(item["title"]) for group in sidebar(request) for item in group["items"] if item["active"]]


def test_rep_sees_the_workspace_and_everyones_settings(people: People) -> None:
    assert groups(people.rep) == own("Settings")


def test_manager_sees_the_manager_app_and_their_own_settings(people: People) -> None:
    assert groups(people.manager) == [
        *MANAGERS,
        (CRM, ["Task Sync"]),
        ("", ["Users", "Audit"]),
        ("System", ["Outbox"]),
        *own("My settings"),
    ]


def test_admin_sees_all(people: People) -> None:
    assert groups(people.admin) == [
        *MANAGERS,
        (CRM, ["Connection", "Fields", "Task Sync"]),
        (API, ["Senders"]),
        ("", ["Users", "Audit"]),
        ("System", ["Organisation", "Troubles", "Outbox", "Schedules", "Failed jobs"]),
        *own("My settings"),
    ]


def test_deactivated_sees_what_a_stranger_sees_of_the_manager_app(people: People) -> None:
    people.admin.is_active = False
    assert groups(people.admin) == own("Settings")


@pytest.mark.parametrize("role", ["rep", "manager", "admin"])
def test_each_entry_opens(people: People, role: str) -> None:
    request = RequestFactory().get("/")
    viewer = request.user = getattr(people, role)
    client = logged_in(viewer)
    links = [item["link"] for group in sidebar(request) for item in group["items"]]
    assert {link: client.get(link, follow=True).status_code for link in links} == dict.fromkeys(links, 200)


@pytest.mark.parametrize("role", ["rep", "manager"])
def test_who_does_not_see_an_entry_gets_403_at_its_address(people: People, role: str) -> None:
    request = RequestFactory().get("/")
    request.user = people.admin
    everything = {item["link"] for group in sidebar(request) for item in group["items"]}
    viewer = request.user = getattr(people, role)
    hidden = sorted(everything - {item["link"] for group in sidebar(request) for item in group["items"]})
    client = logged_in(viewer)
    assert hidden != []
    assert {link: client.get(link).status_code for link in hidden} == dict.fromkeys(hidden, 403)


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/manager/", ["Dashboard"]),
        ("/manager/sync/task/?sync=failed", ["Tasks"]),
        ("/manager/sync/task/123/change/", ["Tasks"]),
        ("/manager/tasks/import/", ["Tasks"]),
        ("/manager/tasks/import/123/", ["Tasks"]),
        ("/manager/plays/enrol/", ["Plays"]),
        ("/manager/sync/enrolment/?play=1", ["Plays"]),
        ("/manager/sync/enrolment/123/change/", ["Plays"]),
        ("/manager/users/without-crm-user/", ["Users"]),
        ("/manager/settings/crm/task-sync/results/", ["Task Sync"]),
        ("/manager/settings/crm/fields/", ["Fields"]),
        ("/manager/settings/api/123/tokens/123/revoke/", ["Senders"]),
        ("/tasks/new/", ["My tasks"]),
        ("/records/123/", ["Find records"]),
        ("/settings/profile/", ["Profile"]),
        ("/manager/somewhere/else/", []),
        ("/accounts/2fa/", []),
    ],
)
def test_the_entry_of_this_page_is_marked(people: People, path: str, entry: list[str]) -> None:
    assert active(people.admin, path) == entry


def test_both_frames_show_the_same_list(people: People) -> None:
    client = logged_in(people.manager)
    inside = client.get("/manager/").context["sidebar_navigation"]
    outside = client.get("/settings/profile/").context["navigation"]
    assert [item["link"] for group in inside for item in group["items"]] == [
        item["link"] for group in outside for item in group["items"]
    ]
