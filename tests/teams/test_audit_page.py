"""The audit's page: who sees which entries, in which words, and that nobody changes them."""

import csv
import io
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from teams import audit
from teams.models import EmailDirection, EmailSwitch, Organisation, SwitchChoice, User
from tests.people import People, logged_in

AUDIT = "/manager/auditlog/logentry/"


def objects_in(client: Client, query: str = "") -> list[str]:
    return [entry.object_repr for entry in client.get(f"{AUDIT}{query}").context["cl"].result_list]


def rows_of(client: Client, query: str = "") -> list[list[str]]:
    response: Any = client.get(f"{AUDIT}export/{query}")
    assert response.status_code == 200
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


@pytest.fixture
def entries(people: People) -> People:
    LogEntry.objects.all().delete()
    audit.note(people.admin, people.rep, {"role": ("rep", "manager")})
    audit.note(people.admin, people.other_rep, {"role": ("rep", "manager")})
    audit.note(people.admin, people.south, {"managers": ("", "Otto")})
    audit.note(people.manager, Organisation.load(), {"own_domains": ("", '["a.example", "b.example"]')})
    return people


def test_audit_is_the_viewers(entries: People) -> None:
    assert objects_in(logged_in(entries.admin)) == ["Playbooks", "South", "Sven Stranger", "Rosa Rep"]
    assert objects_in(logged_in(entries.manager)) == ["Playbooks", "Rosa Rep"]
    assert objects_in(logged_in(entries.other_manager)) == ["Playbooks", "South", "Sven Stranger"]


@pytest.mark.parametrize("path", ["", "export/"])
def test_audit_is_not_for_reps_and_strangers(people: People, path: str) -> None:
    for client in (Client(), logged_in(people.rep)):
        assert client.get(f"{AUDIT}{path}").status_code in (302, 403)


def test_audit_of_switches(people: People) -> None:
    for user in (None, people.rep, people.other_rep):
        EmailSwitch.objects.create(
            user=user, direction=EmailDirection.OUTBOUND, choice=SwitchChoice.ON, changed_at="2026-01-01T00:00Z"
        )
    seen = objects_in(logged_in(people.manager), "?kind=teams.emailswitch")
    assert seen == ["Rosa Rep: Outbound", "organisation: Outbound"]


@pytest.mark.parametrize("path", ["", "export/"])
def test_audit_refuses_a_forged_change(entries: People, path: str) -> None:
    client = logged_in(entries.admin)
    ids = list(LogEntry.objects.values_list("pk", flat=True))
    forged = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    assert client.post(f"{AUDIT}{path}", forged).status_code == 405
    for url in ("add/", f"{ids[0]}/change/", f"{ids[0]}/delete/"):
        assert client.post(f"{AUDIT}{url}", {"post": "yes"}).status_code == 404
    assert LogEntry.objects.count() == len(ids)


def test_audit_is_said_in_words(entries: People) -> None:
    page = logged_in(entries.admin).get(AUDIT).content.decode()
    assert "role: Rep → Manager" in page
    assert "own domains: a.example, b.example" in page
    assert reverse("admin:teams_user_change", args=(entries.rep.uuid,)) in page


def test_audit_export_is_scoped_filtered_and_defused(entries: People) -> None:
    User.objects.filter(pk=entries.rep.pk).update(name="=HYPERLINK(1)")
    entries.rep.refresh_from_db()
    audit.note(entries.manager, entries.rep, {"name": ("Rosa Rep", "=HYPERLINK(1)")})
    heading, *rows = rows_of(logged_in(entries.manager))
    assert heading == ["Time", "Who", "E-mail", "Action", "Kind", "Object", "What", "From", "To"]
    assert [row[1:] for row in rows] == [
        ["Mia Manager", "mia@example.com", "Changed", "User", "'=HYPERLINK(1)", "name", "Rosa Rep", "'=HYPERLINK(1)"],
        [
            "Mia Manager",
            "mia@example.com",
            "Changed",
            "Organisation",
            "Playbooks",
            "own domains",
            "",
            "a.example, b.example",
        ],
        ["Ada Admin", "ada@example.com", "Changed", "User", "Rosa Rep", "role", "Rep", "Manager"],
    ]
    assert [row[5] for row in rows_of(logged_in(entries.manager), "?kind=teams.organisation")[1:]] == ["Playbooks"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=sven", ["Sven Stranger"]),
        ("?q=b.example", ["Playbooks"]),
        ("?q=mia@example", ["Playbooks"]),
        ("?kind=teams.team", ["South"]),
        ("?action=0", []),
        ("?timestamp_to=1999-01-01", []),
        ("?kind=nonsense", ["Playbooks", "South", "Sven Stranger", "Rosa Rep"]),
        ("?object=teams.user:99999999999999999999", ["Playbooks", "South", "Sven Stranger", "Rosa Rep"]),
    ],
)
def test_audit_is_found(entries: People, query: str, found: list[str]) -> None:
    assert objects_in(logged_in(entries.admin), query) == found


def test_audit_of_who(entries: People) -> None:
    assert objects_in(logged_in(entries.admin), f"?actor__id__exact={entries.manager.pk}") == ["Playbooks"]


def test_history_of_an_object_is_the_audit(entries: People) -> None:
    response = logged_in(entries.manager).get(f"/manager/teams/user/{entries.rep.pk}/history/", follow=True)
    assert [entry.object_repr for entry in response.context["cl"].result_list] == ["Rosa Rep"]
    stranger = logged_in(entries.manager).get(f"/manager/teams/user/{entries.other_rep.pk}/history/")
    assert stranger["Location"] == "/manager/"


@pytest.mark.parametrize("role", ["admin", "manager"])
def test_audit_queries_do_not_grow(
    people: People, role: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = logged_in(getattr(people, role))
    LogEntry.objects.all().delete()
    audit.note_all(people.admin, [(people.rep, {"name": ("a", "b")})] * 3)
    client.get(AUDIT)
    with django_assert_num_queries(7):
        assert len(objects_in(client)) == 3
    users = [User(email=f"u{n}@example.com", name=f"U {n}", team=people.north) for n in range(297)]
    User.objects.bulk_create(users)
    audit.note_all(people.admin, [(user, {"name": ("a", "b")}) for user in users])
    with django_assert_num_queries(7):
        assert len(objects_in(client)) == 50


def test_export_with_a_broken_filter_leads_to_the_list(people: People) -> None:
    response = logged_in(people.manager).get("/manager/auditlog/logentry/export/?actor__id__exact=x")
    assert (response.status_code, response["Location"]) == (302, "/manager/auditlog/logentry/?e=1")
