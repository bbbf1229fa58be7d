"""Settings, Profile: everyone's own, and what others decide is only shown."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from teams.models import User
from tests.people import People, logged_in
from tests.teams.logging_in import give_app

URL = "/settings/profile/"


def test_name_and_time_zone_are_ones_own(people: People) -> None:
    response = logged_in(people.rep).post(URL, {"name": "Rosa R.", "time_zone": "Europe/Berlin"})
    assert (response.status_code, response["Location"]) == (302, URL)
    people.rep.refresh_from_db()
    assert (people.rep.name, people.rep.time_zone) == ("Rosa R.", "Europe/Berlin")


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({"name": "", "time_zone": ""}, {"name": ["This field is required."]}),
        (
            {"name": "x" * 151, "time_zone": ""},
            {"name": ["Ensure this value has at most 150 characters (it has 151)."]},
        ),
        (
            {"name": "R", "time_zone": "Mars/Base"},
            {"time_zone": ["Select a valid choice. Mars/Base is not one of the available choices."]},
        ),
    ],
)
def test_wrong_is_said_beside_the_field_and_nothing_is_saved(
    people: People, data: dict[str, str], errors: dict[str, list[str]]
) -> None:
    response = logged_in(people.rep).post(URL, data)
    assert response.context["form"].errors == errors
    assert response.content.decode().count("<b>Rosa Rep</b>") == 2
    assert User.objects.get(pk=people.rep.pk).name == "Rosa Rep"


def test_what_others_decide_cannot_be_sent_along(people: People) -> None:
    data = {"name": "Rosa", "time_zone": "", "role": "admin", "email": "x@example.com", "is_active": "", "team": ""}
    logged_in(people.rep).post(URL, data)
    user = User.objects.get(pk=people.rep.pk)
    assert (user.role, user.email, user.is_active, user.team) == ("rep", "rosa@example.com", True, people.north)


def test_forged_is_refused(people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.rep)
    assert client.post(URL, {"name": "Forged", "time_zone": ""}).status_code == 403


def test_second_factor_is_shown(people: People) -> None:
    client = logged_in(people.rep)
    assert client.get(URL).context["has_factor"] is False
    give_app(people.rep)
    context = client.get(URL).context
    assert (context["has_factor"], context["has_app"], context["passkeys"]) == (True, True, 0)


def test_queries(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(people.rep)
    client.get(URL)
    # Session, user, organisation (for the zone and for the page), the form's copy, team, authenticators, notices.
    with django_assert_num_queries(8):
        client.get(URL)


def test_saving_keeps_a_time_zone_that_a_file_named(people: People) -> None:
    people.rep.time_zone = "US/Eastern"
    people.rep.full_clean()
    people.rep.save()
    client = logged_in(people.rep)
    form = client.get("/settings/profile/").context["form"]
    assert [str(option.data["value"]) for option in form["time_zone"] if option.data["selected"]] == ["US/Eastern"]
    response = client.post("/settings/profile/", {"name": "Rosa Roe", "time_zone": "US/Eastern"})
    assert response.status_code == 302
