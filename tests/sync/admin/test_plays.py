"""Plays and their steps, which can change places."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from sync.enums import TaskKind
from sync.models import Play, PlayStep
from tests.people import People, logged_in

PLAYS = "/manager/sync/play/"


def form(steps: list[dict[str, Any]], initial: int = 0, **fields: Any) -> dict[str, Any]:
    data = {
        "name": "Renewal",
        "is_active": "on",
        "steps-TOTAL_FORMS": len(steps),
        "steps-INITIAL_FORMS": initial,
        **fields,
    }
    for number, step in enumerate(steps):
        defaults = {"kind": TaskKind.CALL, "name": f"Step {number}", "day_offset": 0, "subject": "", "description": ""}
        data |= {f"steps-{number}-{key}": value for key, value in {**defaults, **step}.items()}
    return data


@pytest.fixture
def play(people: People) -> Play:
    play = Play.objects.create(name="Renewal")
    for position, name in ((1, "Announce"), (2, "Call"), (3, "Offer")):
        PlayStep.objects.create(play=play, position=position, kind=TaskKind.CALL, name=name)
    return play


def order(play: Play) -> list[tuple[int, str]]:
    return list(play.steps.order_by("position").values_list("position", "name"))


def test_play_added_by_a_manager(people: People) -> None:
    client = logged_in(people.manager)
    assert client.get(f"{PLAYS}add/").status_code == 200
    steps = [{"position": 2, "name": "Call"}, {"position": 1, "name": "Announce"}]
    assert client.post(f"{PLAYS}add/", form(steps)).status_code == 302
    assert order(Play.objects.get()) == [(1, "Announce"), (2, "Call")]


def test_steps_change_places(people: People, play: Play) -> None:
    first, second, third = play.steps.order_by("position")
    steps = [
        {"id": first.pk, "play": play.pk, "position": 2, "name": "Announce"},
        {"id": second.pk, "play": play.pk, "position": 1, "name": "Call"},
        {"id": third.pk, "play": play.pk, "position": 3, "name": "Offer"},
    ]
    assert logged_in(people.manager).post(f"{PLAYS}{play.uuid}/change/", form(steps, initial=3)).status_code == 302
    assert order(play) == [(1, "Call"), (2, "Announce"), (3, "Offer")]


def test_steps_removed_and_added_at_the_same_position(people: People, play: Play) -> None:
    first, second, third = play.steps.order_by("position")
    steps = [
        {"id": first.pk, "play": play.pk, "position": 1, "name": "Announce"},
        {"id": second.pk, "play": play.pk, "position": 2, "name": "Call", "DELETE": "on"},
        {"id": third.pk, "play": play.pk, "position": 3, "name": "Offer"},
        {"play": play.pk, "position": 2, "name": "Visit"},
    ]
    assert logged_in(people.manager).post(f"{PLAYS}{play.uuid}/change/", form(steps, initial=3)).status_code == 302
    assert order(play) == [(1, "Announce"), (2, "Visit"), (3, "Offer")]


def test_steps_at_one_position_are_refused(people: People, play: Play) -> None:
    first, second, third = play.steps.order_by("position")
    steps = [
        {"id": first.pk, "play": play.pk, "position": 2, "name": "Announce"},
        {"id": second.pk, "play": play.pk, "position": 2, "name": "Call"},
        {"id": third.pk, "play": play.pk, "position": 3, "name": "Offer"},
    ]
    response = logged_in(people.manager).post(f"{PLAYS}{play.uuid}/change/", form(steps, initial=3))
    formset = response.context["inline_admin_formsets"][0].formset
    assert formset.non_form_errors() == ["Two steps have the same position."]
    assert order(play) == [(1, "Announce"), (2, "Call"), (3, "Offer")]


@pytest.mark.parametrize("position", [10_000, -1, 99_999])
def test_step_with_an_impossible_position_is_refused(people: People, position: object) -> None:
    response = logged_in(people.manager).post(f"{PLAYS}add/", form([{"position": position}]))
    assert response.status_code == 200
    assert Play.objects.count() == 0


def test_play_is_deleted_by_admins_only(people: People, play: Play) -> None:
    assert logged_in(people.manager).post(f"{PLAYS}{play.pk}/delete/", {"post": "yes"}).status_code == 403
    assert logged_in(people.admin).post(f"{PLAYS}{play.pk}/delete/", {"post": "yes"}).status_code == 302
    assert Play.objects.count() == 0


def test_play_list_queries_do_not_grow(
    people: People, play: Play, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = logged_in(people.manager)
    client.get(PLAYS)
    with django_assert_num_queries(8):
        client.get(PLAYS)
    for name in ("Second", "Third"):
        Play.objects.create(name=name)
    with django_assert_num_queries(8):
        assert len(client.get(PLAYS).context["cl"].result_list) == 3
