"""A whole team in one go: the preview, the confirmation, and a preview that is too old."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from teams.models import EmailSwitch, MailProvider
from teams.views import team_email_sync
from tests.factories import UserFactory
from tests.people import People, logged_in
from tests.teams.switches import (
    NOT_CHOSEN,
    OFF,
    ON,
    OUTBOUND,
    choice_of,
    give_mailboxes,
    messages_of,
    set_switch,
    team_page,
)


def url_of(people: People, direction: str = "outbound", choice: str = "off") -> str:
    return f"{team_page(people.north)}crm-email-sync/?direction={direction}&choice={choice}"


def confirmation(client: Client, people: People, choice: str = "off") -> dict[str, str]:
    """The form that the preview offers."""
    plan = client.get(url_of(people, choice=choice)).context["plan"]
    return {"direction": "outbound", "choice": choice, "plan": plan.fingerprint}


def test_preview_says_who_changes_and_who_not_and_why(synced: People) -> None:
    give_mailboxes(synced.colleague, provider=MailProvider.SMTP)
    olga = UserFactory.create(name="Olga Off", team=synced.north, mail_provider=MailProvider.GMAIL)
    set_switch(olga, OUTBOUND, OFF, synced.manager)
    response = logged_in(synced.manager).get(url_of(synced))
    groups = {group["title"]: group["shown"] for group in response.context["groups"]}
    assert list(groups) == ["Will change", "Left out", "Stand so already"]
    assert groups["Will change"] == [("Rosa Rep", "On: it is on for the organisation, and Rosa Rep has not chosen.")]
    assert groups["Left out"] == [
        ("Cleo Colleague", "Not possible: SMTP mailboxes are not supported. CRM Email Sync needs Gmail or Outlook.")
    ]
    assert [name for name, _state in groups["Stand so already"]] == ["Olga Off"]
    assert "Switch outbound off for 1 user" in response.content.decode()
    assert EmailSwitch.objects.exclude(user=None).count() == 1


def test_confirmed_and_the_result_is_said(synced: People) -> None:
    client = logged_in(synced.manager)
    response = client.post(url_of(synced), confirmation(client, synced))
    assert (response.status_code, response["Location"]) == (302, team_page(synced.north))
    assert messages_of(client, team_page(synced.north)) == ["Switch outbound off: 2 users were changed."]
    assert [choice_of(user, OUTBOUND) for user in (synced.rep, synced.colleague, synced.other_rep)] == [
        OFF,
        OFF,
        NOT_CHOSEN,
    ]


def test_confirmed_too_late_shows_the_preview_anew(synced: People) -> None:
    client = logged_in(synced.manager)
    form = confirmation(client, synced)
    set_switch(synced.rep, OUTBOUND, ON, synced.rep)
    response = client.post(url_of(synced), form)
    assert response.status_code == 409
    assert [str(message) for message in response.context["messages"]] == [
        "Nobody was switched: something has changed since the preview. This is how it is now."
    ]
    assert (choice_of(synced.rep, OUTBOUND), choice_of(synced.colleague, OUTBOUND)) == (ON, NOT_CHOSEN)
    fresh = {**form, "plan": response.context["plan"].fingerprint}
    assert client.post(url_of(synced), fresh).status_code == 302
    assert choice_of(synced.rep, OUTBOUND) == OFF


def test_preview_while_off_for_the_organisation_offers_nothing(synced: People) -> None:
    set_switch(None, OUTBOUND, OFF, synced.admin)
    client = logged_in(synced.manager)
    response = client.get(url_of(synced, choice="on"))
    assert response.context["count"] == 0
    assert "Nobody would change." in response.content.decode()
    assert client.post(url_of(synced), confirmation(client, synced, "on")).status_code == 302
    assert EmailSwitch.objects.exclude(user=None).count() == 0


@pytest.mark.parametrize(
    ("direction", "choice", "what"),
    [
        ("outbound", "on", "Switch outbound on"),
        ("outbound", "off", "Switch outbound off"),
        ("outbound", "follow", "Let outbound follow the organisation"),
        ("inbound", "on", "Switch inbound on"),
        ("inbound", "off", "Switch inbound off"),
        ("inbound", "follow", "Let inbound follow the organisation"),
    ],
)
def test_preview_names_what_was_asked(synced: People, direction: str, choice: str, what: str) -> None:
    context = logged_in(synced.manager).get(url_of(synced, direction, choice)).context
    assert (context["what"], context["choice"]) == (what, choice)


@pytest.mark.parametrize(
    ("direction", "choice", "status"), [("attachments", "on", 404), ("", "on", 404), ("outbound", "", 400)]
)
def test_preview_of_nonsense(synced: People, direction: str, choice: str, status: int) -> None:
    assert logged_in(synced.admin).get(url_of(synced, direction, choice)).status_code == status


@pytest.mark.parametrize(("actor", "status"), [("rep", 403), ("colleague", 404), ("other_manager", 404)])
def test_forged_by_who_may_not(synced: People, actor: str, status: int) -> None:
    form = confirmation(logged_in(synced.manager), synced)
    client = logged_in(getattr(synced, actor))
    assert client.get(url_of(synced)).status_code == status
    assert client.post(url_of(synced), form).status_code == status
    assert EmailSwitch.objects.exclude(user=None).count() == 0


def test_stranger_logs_in_first(synced: People) -> None:
    assert Client().get(url_of(synced)).status_code == 302


def test_preview_of_many_shows_some_and_counts_all(synced: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team_email_sync, "MOST_SHOWN", 1)
    (group,) = logged_in(synced.manager).get(url_of(synced)).context["groups"]
    assert (group["count"], len(group["shown"]), group["more"]) == (2, 1, 1)


@pytest.mark.parametrize("members", [3, 300])
def test_preview_queries_do_not_grow(
    synced: People, members: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    UserFactory.create_batch(members - 2, team=synced.north, mail_provider=MailProvider.GMAIL)
    client = logged_in(synced.manager)
    client.get(url_of(synced))
    with django_assert_num_queries(9):
        assert client.get(url_of(synced)).context["count"] == members
