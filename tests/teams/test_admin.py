"""Users, teams and the organisation in the Manager App: for whom, and what must not leak."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from teams.models import Organisation, Role, Team, User
from tests.people import PASSWORD, People, logged_in

USERS = "/manager/teams/user/"


def page(user: User) -> str:
    return f"{USERS}{user.uuid}/change/"


def names_in(client: Client, url: str) -> list[str]:
    return [str(user) for user in client.get(url).context["cl"].result_list]


def form_of(user: User, **changes: object) -> dict[str, object]:
    return {
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "team": user.team_id or "",
        "is_active": "on" if user.is_active else "",
        "crm_user_id": user.crm_user_id or "",
        "mail_provider": user.mail_provider,
        "time_zone": user.time_zone,
        **changes,
    }


@pytest.mark.parametrize("path", ["teams/user/", "teams/team/", "teams/organisation/", "sync/task/", ""])
def test_manager_app_reps_and_strangers_stay_outside(people: People, path: str) -> None:
    response = Client().get(f"/manager/{path}")
    assert (response.status_code, response["Location"]) == (302, f"/manager/login/?next=/manager/{path}")
    assert logged_in(people.rep).get(f"/manager/{path}").status_code == 403


def test_manager_app_deactivated_is_logged_out(people: People) -> None:
    client = logged_in(people.manager)
    assert client.get("/manager/").status_code == 200
    User.objects.filter(pk=people.manager.pk).update(is_active=False)
    assert client.get("/manager/").status_code == 302


def test_user_list_is_the_viewers(people: People) -> None:
    assert names_in(logged_in(people.manager), USERS) == ["Cleo Colleague", "Mia Manager", "Rosa Rep"]
    assert names_in(logged_in(people.other_manager), USERS) == ["Otto Other", "Sven Stranger"]
    assert len(names_in(logged_in(people.admin), USERS)) == 6


def test_user_page_of_another_team_is_not_there(people: People) -> None:
    client = logged_in(people.manager)
    for url in (page(people.other_rep), f"{USERS}{people.other_rep.pk}/change/"):
        response = client.get(url)
        assert response.status_code == 302
        assert response["Location"] == "/manager/"
    assert client.get(f"{USERS}{people.other_rep.pk}/history/").status_code == 302
    assert client.get(page(people.rep)).status_code == 200


def test_user_password_of_another_team_is_not_set(people: People) -> None:
    client = logged_in(people.manager)
    passwords = {"password1": "a brand new secret", "password2": "a brand new secret"}
    assert client.post(f"{USERS}{people.other_rep.pk}/password/", passwords).status_code == 404
    for user in (people.colleague, people.admin):
        assert client.post(f"{USERS}{user.pk}/password/", passwords).status_code in (403, 404)
    for user in (people.other_rep, people.colleague, people.admin):
        user.refresh_from_db()
        assert user.check_password(PASSWORD)
    assert client.post(f"{USERS}{people.rep.pk}/password/", passwords).status_code == 302
    people.rep.refresh_from_db()
    assert people.rep.check_password("a brand new secret")


def test_user_change_by_a_manager(people: People) -> None:
    response = logged_in(people.manager).post(page(people.rep), form_of(people.rep, name="Rosa Roe"))
    assert response.status_code == 302
    people.rep.refresh_from_db()
    assert people.rep.name == "Rosa Roe"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER])
def test_user_role_is_an_admins_choice(people: People, role: Role) -> None:
    client = logged_in(people.manager)
    assert "role" not in client.get(page(people.rep)).context["adminform"].form.fields
    client.post(page(people.rep), form_of(people.rep, role=role))
    people.rep.refresh_from_db()
    assert people.rep.role == Role.REP
    logged_in(people.admin).post(page(people.rep), form_of(people.rep, role=role))
    people.rep.refresh_from_db()
    assert people.rep.role == role


def test_user_own_role_and_team_are_not_ones_own_choice(people: People) -> None:
    for viewer in (people.manager, people.admin):
        before = (viewer.role, viewer.team_id)
        logged_in(viewer).post(page(viewer), form_of(viewer, role=Role.REP, is_active="", name="New Name"))
        viewer.refresh_from_db()
        assert (viewer.role, viewer.team_id, viewer.is_active, viewer.name) == (*before, True, "New Name")
    logged_in(people.manager).post(page(people.manager), form_of(people.manager, team=people.south.pk))
    people.manager.refresh_from_db()
    assert people.manager.team is None


def test_user_admin_and_managers_are_not_changed_by_a_manager(people: People) -> None:
    User.objects.filter(pk=people.admin.pk).update(team=people.north)
    client = logged_in(people.manager)
    for user in (people.admin, people.colleague):
        assert client.get(page(user)).status_code == 200
        assert client.post(page(user), form_of(user, name="Changed")).status_code == 403
        user.refresh_from_db()
        assert user.name != "Changed"


def test_user_team_choices_are_the_managers(people: People) -> None:
    client = logged_in(people.manager)
    form = client.get(page(people.rep)).context["adminform"].form
    assert [str(label) for _value, label in form.fields["team"].choices] == ["Select value", "North"]
    for team in (people.south.pk, ""):
        client.post(page(people.rep), form_of(people.rep, team=team))
        people.rep.refresh_from_db()
        assert people.rep.team == people.north


def test_user_team_filter_shows_and_takes_the_viewers_only(people: People) -> None:
    client = logged_in(people.manager)
    assert "South" not in client.get(USERS).content.decode()
    assert names_in(client, f"{USERS}?team={people.south.uuid}") == ["Cleo Colleague", "Mia Manager", "Rosa Rep"]
    assert names_in(client, f"{USERS}?team={people.north.uuid}") == ["Cleo Colleague", "Rosa Rep"]


def test_user_list_is_not_filtered_by_passwords(people: People) -> None:
    response = logged_in(people.manager).get(f"{USERS}?password__startswith=md5")
    assert response.status_code == 400


def test_user_search_by_crm_id_is_exact(people: People) -> None:
    client = logged_in(people.admin)
    assert people.rep.crm_user_id == "005AAAAAAAAAAa1Y5H"
    for term in ("005AAAAAAAAAAa1Y5H", "005AAAAAAAAAAa1", " 005AAAAAAAAAAa1 "):
        assert names_in(client, f"{USERS}?q={term}") == ["Rosa Rep"]
    assert names_in(client, f"{USERS}?q=005AAAAAAAAAAA1") == []
    assert names_in(client, f"{USERS}?q=005aaaaaaaaaaa1") == []
    assert names_in(client, f"{USERS}?q=sven@EXAMPLE") == ["Sven Stranger"]
    assert names_in(logged_in(people.manager), f"{USERS}?q=005AAAAAAAAAAa2") == []


def test_user_actions_by_forged_post_reach_ones_own_reps_only(people: People) -> None:
    everyone = [people.admin, people.manager, people.other_manager, people.rep, people.other_rep, people.colleague]
    data = {"action": "deactivate", ACTION_CHECKBOX_NAME: [user.pk for user in everyone]}
    response = logged_in(people.manager).post(USERS, data)
    assert response.status_code == 302
    inactive = User.objects.filter(is_active=False)
    assert [user.name for user in inactive] == ["Rosa Rep"]


def test_user_deactivated_by_an_admin_but_never_the_last(people: People) -> None:
    client = logged_in(people.admin)
    data = {"action": "deactivate", ACTION_CHECKBOX_NAME: [people.admin.pk, people.rep.pk]}
    messages = client.post(USERS, data, follow=True).context["messages"]
    assert [str(message) for message in messages] == [
        "1 user was deactivated.",
        "1 user was left as it was: you may not change this one.",
    ]
    assert [user.name for user in User.objects.filter(is_active=False)] == ["Rosa Rep"]
    client.post(USERS, {**data, "action": "activate"})
    assert User.objects.filter(is_active=False).count() == 0


def test_user_is_never_deleted(people: People) -> None:
    client = logged_in(people.admin)
    assert client.post(f"{USERS}{people.rep.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(USERS, {"action": "delete_selected", ACTION_CHECKBOX_NAME: [people.rep.pk], "post": "yes"})
    assert User.objects.filter(pk=people.rep.pk).exists()


def test_user_added_by_an_admin_can_log_in(people: People) -> None:
    client = logged_in(people.admin)
    assert client.get(f"{USERS}add/").status_code == 200
    data = {
        "name": "Nora New",
        "email": "Nora@Example.com",
        "role": Role.REP,
        "team": people.north.pk,
        "password1": "a brand new secret",
        "password2": "a brand new secret",
    }
    assert client.post(f"{USERS}add/", data).status_code == 302
    nora = User.objects.get(email="nora@example.com")
    assert (nora.name, nora.role, nora.team) == ("Nora New", Role.REP, people.north)
    assert nora.check_password("a brand new secret")
    again = client.post(f"{USERS}add/", {**data, "email": "NORA@example.com"})
    assert again.context["adminform"].form.errors == {"email": ["User with this E-mail already exists."]}


def test_user_is_not_added_by_a_manager(people: People) -> None:
    assert logged_in(people.manager).get(f"{USERS}add/").status_code == 403


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("email", "rosa", "Enter a valid email address."),
        ("email", "sven@example.com", "User with this E-mail already exists."),
        ("crm_user_id", "12", "Enter a CRM id of 15 or 18 letters and digits, as the CRM shows it."),
        ("time_zone", "Mars/Olympus", "“Mars/Olympus” is not a time zone. Enter one like Europe/Berlin."),
    ],
)
def test_user_wrong_input_is_said(people: People, field: str, value: str, message: str) -> None:
    response = logged_in(people.admin).post(page(people.rep), form_of(people.rep, **{field: value}))
    assert response.context["adminform"].form.errors == {field: [message]}


def test_user_crm_id_may_stay_empty_for_many(people: People) -> None:
    client = logged_in(people.admin)
    for user in (people.rep, people.other_rep):
        assert client.post(page(user), form_of(user, crm_user_id="")).status_code == 302
    assert User.objects.filter(crm_user_id=None).count() == 6


def test_user_list_queries_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(people.admin)
    client.get(USERS)
    with django_assert_num_queries(9):
        assert len(names_in(client, f"{USERS}?q=r")) == 4
    User.objects.bulk_create(User(email=f"u{n}@x.example", name=f"U {n}", team=people.north) for n in range(294))
    with django_assert_num_queries(9):
        assert len(names_in(client, USERS)) == 50


def autocomplete(client: Client, term: str = "") -> tuple[int, list[str]]:
    query = {"app_label": "teams", "model_name": "team", "field_name": "managers", "term": term}
    response = client.get(reverse("admin:autocomplete"), query)
    return response.status_code, [
        row["text"] for row in response.json()["results"]
    ] if response.status_code == 200 else []


def test_autocomplete_holds_what_the_viewer_may_see(people: People) -> None:
    assert autocomplete(logged_in(people.manager)) == (200, ["Cleo Colleague", "Mia Manager", "Rosa Rep"])
    assert autocomplete(logged_in(people.manager), "sven") == (200, [])
    assert autocomplete(logged_in(people.admin), "sven") == (200, ["Sven Stranger"])
    assert autocomplete(logged_in(people.rep))[0] == 403


def test_autocomplete_of_teams_is_the_viewers_in_order(people: People) -> None:
    Team.objects.create(name="East")
    query = {"app_label": "teams", "model_name": "user", "field_name": "team"}
    for viewer, names in ((people.manager, ["North"]), (people.admin, ["East", "North", "South"])):
        response = logged_in(viewer).get(reverse("admin:autocomplete"), query)
        assert [row["text"] for row in response.json()["results"]] == names


def test_team_list_is_the_viewers(people: People) -> None:
    assert names_in(logged_in(people.manager), "/manager/teams/team/") == ["North"]
    assert names_in(logged_in(people.admin), "/manager/teams/team/") == ["North", "South"]


def test_team_page_of_another_manager_is_not_there(people: People) -> None:
    client = logged_in(people.manager)
    assert client.get(f"/manager/teams/team/{people.south.uuid}/change/").status_code == 302
    assert client.get(f"/manager/teams/team/{people.north.uuid}/change/").status_code == 200


def test_team_managers_are_an_admins_choice(people: People) -> None:
    url = f"/manager/teams/team/{people.north.uuid}/change/"
    data = {"name": "North", "managers": [people.manager.pk, people.other_manager.pk]}
    assert logged_in(people.manager).post(url, data).status_code == 403
    assert list(people.north.managers.all()) == [people.manager]
    assert logged_in(people.admin).post(url, data).status_code == 302
    assert list(people.north.managers.all()) == [people.manager, people.other_manager]


def test_team_list_queries_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(people.admin)
    client.get("/manager/teams/team/")
    with django_assert_num_queries(9):
        assert names_in(client, "/manager/teams/team/?q=north") == ["North"]
    Team.objects.create(name="West").managers.add(people.manager, people.other_manager)
    with django_assert_num_queries(9):
        assert names_in(client, "/manager/teams/team/") == ["North", "South", "West"]


def test_organisation_is_one_page_for_admins(people: People) -> None:
    client = logged_in(people.admin)
    response = client.get("/manager/teams/organisation/", follow=True)
    assert response.redirect_chain == [("/manager/teams/organisation/1/change/", 302)]
    data = {"name": "Northwind", "time_zone": "Europe/Berlin", "phone_region": "DE", "second_factor": "optional"}
    assert client.post("/manager/teams/organisation/1/change/", data).status_code == 302
    assert str(Organisation.load()) == "Northwind"
    assert client.get("/manager/teams/organisation/add/").status_code == 403
    assert client.post("/manager/teams/organisation/1/delete/", {"post": "yes"}).status_code == 403
    assert logged_in(people.manager).get("/manager/teams/organisation/").status_code == 403
    assert logged_in(people.manager).get("/manager/teams/organisation/1/change/").status_code == 403


def test_password_is_replaced_and_never_taken_away(people: People) -> None:
    """Taken away, it would leave no entry in the audit."""
    data = {"usable_password": "false", "unset-password": "1"}
    response = logged_in(people.manager).post(f"{USERS}{people.rep.pk}/password/", data)
    assert response.status_code == 200
    assert User.objects.get(pk=people.rep.pk).has_usable_password()
