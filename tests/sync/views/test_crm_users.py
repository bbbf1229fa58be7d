"""Users › Without CRM user: for whom, what it lists, and what its buttons do."""  # noqa: RUF002

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sandbox.control import SandboxControl
from sync.enums import CrmUserFinding
from sync.models import Connection, CrmUserLookup
from teams.models import User
from tests.factories import UserFactory, crm_id
from tests.people import People, logged_in, people

__all__ = ["people"]
PAGE = "/manager/users/without-crm-user/"
MARA = "mara.lindqvist@northwind.example"


def names_in(client: Client, query: str = "") -> list[str]:
    return [str(row["user"]) for row in client.get(f"{PAGE}{query}").context["rows"]]


def said(client: Client) -> list[str]:
    return [str(message) for message in client.get(PAGE).context["messages"]]


def lookup(user: User, finding: CrmUserFinding, *numbers: int) -> CrmUserLookup:
    candidates = [
        {"id": crm_id("005", n), "name": f"Name {n}", "username": f"n{n}@x.example", "is_active": True, "is_free": True}
        for n in numbers
    ]
    return CrmUserLookup.objects.create(user=user, finding=finding, candidates=candidates, at=timezone.now())


@pytest.fixture
def without(people: People) -> People:
    User.objects.filter(pk__in=[people.rep.pk, people.other_rep.pk]).update(crm_user_id=None)
    people.rep.refresh_from_db()
    people.other_rep.refresh_from_db()
    return people


def test_crm_users_is_the_viewers(without: People) -> None:
    assert names_in(logged_in(without.manager)) == ["Rosa Rep"]
    assert names_in(logged_in(without.admin)) == ["Rosa Rep", "Sven Stranger"]


@pytest.mark.parametrize("path", ["", "match/"])
def test_crm_users_is_not_for_reps_and_strangers(without: People, path: str) -> None:
    assert logged_in(without.rep).get(f"{PAGE}{path}").status_code == 403
    assert Client().get(f"{PAGE}{path}").status_code == 302
    assert logged_in(without.rep).post(f"{PAGE}{path}").status_code in (403, 405)


def test_crm_users_everyone_has_one(people: People) -> None:
    assert "Every active rep has a CRM user" in logged_in(people.manager).get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?why=several", ["Rosa Rep"]),
        ("?why=unasked", ["Sven Stranger"]),
        ("?why=none", []),
        ("?why=nonsense", ["Rosa Rep", "Sven Stranger"]),
        ("?q=SVEN", ["Sven Stranger"]),
        ("?page=99", ["Rosa Rep", "Sven Stranger"]),
    ],
)
def test_crm_users_are_filtered(without: People, query: str, found: list[str]) -> None:
    lookup(without.rep, CrmUserFinding.SEVERAL, 1, 2)
    assert names_in(logged_in(without.admin), query) == found


def test_crm_users_a_nul_byte_is_refused(without: People) -> None:
    assert logged_in(without.admin).get(f"{PAGE}?q=%00").status_code == 400


def test_crm_users_match_now(connection: Connection, sandbox: SandboxControl, without: People) -> None:
    User.objects.filter(pk=without.rep.pk).update(email=MARA)
    client = logged_in(without.manager)
    assert client.post(f"{PAGE}match/")["Location"] == PAGE
    # The manager and the colleague have none either, and are looked up with their team.
    assert said(client) == ["3 users were looked up by e-mail, 1 found."]
    assert set(CrmUserLookup.objects.values_list("user", flat=True)) == {
        without.rep.pk,
        without.manager.pk,
        without.colleague.pk,
    }


def test_crm_users_match_without_a_connection(without: People) -> None:
    client = logged_in(without.manager)
    client.post(f"{PAGE}match/")
    assert said(client) == ["No CRM is connected yet. An admin connects it under Settings › CRM › Connection."]  # noqa: RUF001


def test_crm_users_match_says_the_crms_error(connection: Connection, sandbox: SandboxControl, without: People) -> None:
    sandbox.add_fault("api_disabled")
    client = logged_in(without.manager)
    client.post(f"{PAGE}match/")
    assert "API_DISABLED_FOR_ORG" in said(client)[0]


def test_crm_users_choose(without: People) -> None:
    lookup(without.rep, CrmUserFinding.SEVERAL, 1, 2)
    client = logged_in(without.manager)
    client.post(f"{PAGE}{without.rep.uuid}/", {"crm_user": crm_id("005", 2)})
    without.rep.refresh_from_db()
    assert without.rep.crm_user_id == crm_id("005", 2)
    assert names_in(client) == []


def test_crm_users_choose_is_refused_outside_ones_teams(without: People) -> None:
    lookup(without.other_rep, CrmUserFinding.SEVERAL, 1, 2)
    lookup(without.colleague, CrmUserFinding.SEVERAL, 3, 4)
    client = logged_in(without.manager)
    data = {"crm_user": crm_id("005", 1)}
    assert client.post(f"{PAGE}{without.other_rep.uuid}/", data).status_code == 404
    # A colleague is seen, but another manager's account is not a manager's to change.
    assert client.post(f"{PAGE}{without.colleague.uuid}/", {"crm_user": crm_id("005", 3)}).status_code == 403
    assert logged_in(without.rep).post(f"{PAGE}{without.rep.uuid}/", data).status_code == 403
    assert User.objects.exclude(crm_user_id=None).count() == 0


def test_crm_users_queries_do_not_grow(without: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(without.admin)
    UserFactory.create(team=without.north)
    client.get(PAGE)
    with django_assert_num_queries(10):
        assert len(names_in(client)) == 3
    User.objects.bulk_create(User(email=f"u{n}@x.example", name=f"U {n}", team=without.north) for n in range(297))
    for user in User.objects.filter(email__startswith="u", email__endswith="@x.example")[:50]:
        lookup(user, CrmUserFinding.SEVERAL, 1, 2)
    with django_assert_num_queries(10):
        assert len(names_in(client)) == 50
