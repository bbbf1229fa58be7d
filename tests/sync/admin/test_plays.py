"""Plays and their steps, which can change places."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync import plays
from sync.enums import TaskKind
from sync.models import Enrolment, Play, PlayStep
from tests.factories import RecordFactory, TaskFactory
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


@pytest.mark.parametrize(("asked", "rows"), [("", 1), ("5", 5), ("999", 20), ("-1", 1), ("²", 1), ("0", 0)])
def test_empty_rows_can_be_asked_for_without_scripts(people: People, asked: str, rows: int) -> None:
    response = logged_in(people.manager).get(f"{PLAYS}add/", {"rows": asked})
    assert len(response.context["inline_admin_formsets"][0].formset.forms) == rows


def test_a_play_that_is_there_has_no_empty_row(people: People, play: Play) -> None:
    response = logged_in(people.manager).get(f"{PLAYS}{play.uuid}/change/")
    assert len(response.context["inline_admin_formsets"][0].formset.forms) == 3


def test_an_active_play_without_a_step_says_that_it_can_t_be_enrolled(people: People) -> None:
    client, words = logged_in(people.manager), "has no step yet: nobody can enrol records in it"
    empty = {"name": "", "day_offset": 0}
    assert words in client.post(f"{PLAYS}add/", form([empty]), follow=True).content.decode()
    play = Play.objects.get()
    assert not play.steps.exists()
    Play.objects.update(is_active=False)
    active = f"{PLAYS}{play.uuid}/active/"
    assert words in client.post(active, {"active": "yes"}, follow=True).content.decode()
    assert words not in client.post(active, {"active": "no"}, follow=True).content.decode()
    PlayStep.objects.create(play=play, position=1, kind=TaskKind.CALL, name="Call")
    assert words not in client.post(active, {"active": "yes"}, follow=True).content.decode()


def test_an_empty_row_is_left_out_and_one_with_a_day_alone_is_not(people: People) -> None:
    client = logged_in(people.manager)
    half = form([{"name": "Call"}, {"name": "", "day_offset": 3}])
    response = client.post(f"{PLAYS}add/", half)
    assert "name" in response.context["inline_admin_formsets"][0].formset.forms[1].errors
    steps: list[dict[str, Any]] = [{"name": "Call"}, {"name": "", "position": 4, "day_offset": 0}]
    assert client.post(f"{PLAYS}add/", form(steps)).status_code == 302
    assert order(Play.objects.get()) == [(1, "Call")]


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


def test_a_step_without_a_position_goes_to_the_end_and_positions_count_from_one(people: People, play: Play) -> None:
    first, second, third = play.steps.order_by("position")
    steps = [
        {"id": first.pk, "play": play.pk, "position": 7, "name": "Announce"},
        {"id": second.pk, "play": play.pk, "position": 0, "name": "Call"},
        {"id": third.pk, "play": play.pk, "position": 3, "name": "Offer"},
        {"play": play.pk, "position": "", "name": "Last"},
        {"play": play.pk, "position": 3, "name": "After the offer"},
    ]
    assert logged_in(people.manager).post(f"{PLAYS}{play.uuid}/change/", form(steps, initial=3)).status_code == 302
    assert order(play) == [(1, "Call"), (2, "Offer"), (3, "After the offer"), (4, "Announce"), (5, "Last")]


def saved_as_they_are(play: Play, **changed: Any) -> dict[str, Any]:
    """The form with the play's three steps, the first of them changed."""
    steps = [
        {"id": step.pk, "play": play.pk, "position": step.position, "kind": step.kind, "name": step.name}
        for step in play.steps.order_by("position")
    ]
    steps[0] |= changed
    return form(steps, initial=3)


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("subject", "Call {them}", "{them} is no placeholder. Known are {name}, {first_name}"),
        ("description", "Dear {first_name", "A brace stands alone."),
        ("description", "x" * 32_001, "The text has 32001 characters; at most 32000 are possible."),
    ],
)
def test_a_text_that_can_not_be_filled_is_refused_at_its_field(
    people: People, play: Play, field: str, text: str, words: str
) -> None:
    response = logged_in(people.manager).post(f"{PLAYS}{play.uuid}/change/", saved_as_they_are(play, **{field: text}))
    step_form = response.context["inline_admin_formsets"][0].formset.forms[0]
    (message,) = step_form.errors[field]
    assert message.startswith(words)
    assert step_form[field].value() == text


def test_texts_are_previewed_for_an_example(people: People, play: Play) -> None:
    play.steps.filter(position=1).update(subject="Call {first_name}", description="Yours, {rep_first_name}")
    client = logged_in(people.manager)
    assert client.get(f"{PLAYS}{play.uuid}/change/").context["preview"] is None
    RecordFactory.create(name="Hana Novak", fields={"FirstName": "Hana"})
    preview = client.get(f"{PLAYS}{play.uuid}/change/").context["preview"]
    assert [(row["subject"], row["description"]) for row in preview["rows"]] == [
        ("Call Hana", "Yours, Mia"),
        ("Call", ""),
        ("Offer", ""),
    ]


def test_a_step_with_tasks_is_not_deleted_and_names_them(people: People, play: Play) -> None:
    first = play.steps.get(position=1)
    TaskFactory.create(step=first, user=people.rep, subject="Call Hana")
    TaskFactory.create(step=first, user=people.other_rep, subject="A stranger's call")
    response = logged_in(people.manager).post(f"{PLAYS}{play.uuid}/change/", saved_as_they_are(play, DELETE="on"))
    (message,) = response.context["inline_admin_formsets"][0].formset.non_form_errors()
    assert message == (
        "“Announce” stays, because tasks belong to it: “Call Hana” (Rosa Rep, Completed), 1 more. Undo its removal and "
        "save again. To go on without this step, duplicate the play and remove it there."
    )
    assert order(play) == [(1, "Announce"), (2, "Call"), (3, "Offer")]


def test_a_step_with_tasks_keeps_its_kind_but_not_its_texts(people: People, play: Play) -> None:
    task = TaskFactory.create(step=play.steps.get(position=1), user=people.rep, subject="Call Hana")
    url, client = f"{PLAYS}{play.uuid}/change/", logged_in(people.manager)
    response = client.post(url, saved_as_they_are(play, kind=TaskKind.EMAIL))
    assert list(response.context["inline_admin_formsets"][0].formset.forms[0].errors) == ["kind"]
    assert client.post(url, saved_as_they_are(play, subject="Ring {name}")).status_code == 302
    task.refresh_from_db()
    assert (play.steps.get(position=1).subject, task.subject) == ("Ring {name}", "Call Hana")


def test_a_step_without_tasks_changes_its_kind(people: People, play: Play) -> None:
    data = saved_as_they_are(play, kind=TaskKind.EMAIL)
    assert logged_in(people.manager).post(f"{PLAYS}{play.uuid}/change/", data).status_code == 302
    assert play.steps.get(position=1).kind == TaskKind.EMAIL


def words_after(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_deactivated_and_activated_by_a_button(people: People, play: Play) -> None:
    client, url = logged_in(people.manager), f"{PLAYS}{play.uuid}/active/"
    plays.enrol(play, RecordFactory.create(), people.rep)
    assert words_after(client.post(url, {"active": "no"}, follow=True)) == [
        "“Renewal” is not active any more: nobody can enrol records in it. The record that is in it goes on."
    ]
    play.refresh_from_db()
    assert (play.is_active, Enrolment.objects.running().count()) == (False, 1)
    assert words_after(client.post(url, {"active": "yes"}, follow=True)) == [
        "“Renewal” is active: records can be enrolled in it."
    ]
    play.refresh_from_db()
    assert play.is_active
    assert client.get(url).status_code == 405


def test_saving_a_play_keeps_whether_it_is_active(people: People, play: Play) -> None:
    Play.objects.update(is_active=False)
    client = logged_in(people.manager)
    assert client.post(f"{PLAYS}{play.uuid}/change/", saved_as_they_are(play)).status_code == 302
    play.refresh_from_db()
    assert not play.is_active


def test_duplicated_by_a_button(people: People, play: Play) -> None:
    response = logged_in(people.manager).post(f"{PLAYS}{play.uuid}/duplicate/", follow=True)
    copy = Play.objects.exclude(pk=play.pk).get()
    assert response.redirect_chain[-1][0] == f"{PLAYS}{copy.uuid}/change/"
    assert (copy.name, copy.is_active, order(copy)) == ("Renewal (copy)", False, order(play))
    assert words_after(response) == [
        "This is a copy of “Renewal”. Nobody can enrol records in it before you activate it."
    ]


@pytest.mark.parametrize("verb", ["active", "duplicate"])
def test_reps_have_no_buttons(people: People, play: Play, verb: str) -> None:
    assert logged_in(people.rep).post(f"{PLAYS}{play.uuid}/{verb}/", {"active": "no"}).status_code in (302, 403)
    play.refresh_from_db()
    assert (play.is_active, Play.objects.count()) == (True, 1)


def test_a_play_that_had_an_enrolment_is_not_deleted(people: People, play: Play) -> None:
    plays.end_enrolment(plays.enrol(play, RecordFactory.create(), people.rep), people.rep)
    client = logged_in(people.admin)
    assert client.post(f"{PLAYS}{play.pk}/delete/", {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": play.pk, "index": 0, "post": "yes"}
    client.post(PLAYS, chosen)
    assert Play.objects.filter(pk=play.pk).exists()


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
    for number in range(29):
        Play.objects.create(name=f"Another {number}")
    for _number in range(3):
        plays.enrol(play, RecordFactory.create(), people.rep)
    Enrolment.objects.filter(pk=Enrolment.objects.earliest("pk").pk).update(ended_at=timezone.now())
    with django_assert_num_queries(8):
        listed = list(client.get(PLAYS).context["cl"].result_list)
    assert len(listed) == 30
    (mine,) = [each for each in listed if each == play]
    assert (mine.steps_in_it, mine.running_now, mine.ended_before) == (3, 2, 1)
