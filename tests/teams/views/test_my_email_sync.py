"""Everyone's own switches: what is in force and why, with and without JavaScript."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from teams.models import EmailSwitch, MailProvider, Role, User
from tests.factories import UserFactory
from tests.people import People, logged_in
from tests.teams.switches import (
    ATTACHMENTS,
    INBOUND,
    NOT_CHOSEN,
    OFF,
    ON,
    OUTBOUND,
    choice_of,
    give_mailboxes,
    messages_of,
    my_page,
    press,
    press_with_script,
    set_switch,
    version_of,
)


def texts(client: Client) -> list[str]:
    return [row.text for row in client.get(my_page()).context["rows"]]


def test_page_says_what_is_in_force_and_why(synced: People) -> None:
    set_switch(synced.rep, INBOUND, OFF, synced.manager)
    rows = logged_in(synced.rep).get(my_page()).context["rows"]
    assert [(row.title, row.is_on, row.may_change, row.offers_follow) for row in rows] == [
        ("Outbound", True, True, False),
        ("Inbound", False, True, True),
        ("Attachments", False, False, False),
    ]
    assert rows[1].text.startswith("Off: your manager Mia Manager switched inbound off on ")
    assert rows[2].text == "Off for the whole organisation. Attachments are the managers' choice."


@pytest.mark.parametrize("role", list(Role))
def test_page_is_everyones(synced: People, role: Role) -> None:
    user = UserFactory.create(role=role, mail_provider=MailProvider.OUTLOOK, team=None)
    client = logged_in(user)
    assert client.get(my_page()).status_code == 200
    assert press(client, my_page(OUTBOUND), "off").status_code == 302
    assert choice_of(user, OUTBOUND) == OFF


def test_page_of_a_stranger(db: None) -> None:
    for url in (my_page(), my_page(OUTBOUND)):
        response = Client().get(url)
        assert (response.status_code, response["Location"].endswith(f"?next={url}")) == (302, True)
    assert Client().post(my_page(OUTBOUND), {"choice": "off", "seen": 0}).status_code == 302
    assert EmailSwitch.objects.count() == 0


def test_page_tells_smtp_users_that_they_cant(synced: People) -> None:
    give_mailboxes(synced.rep, provider=MailProvider.SMTP)
    client = logged_in(synced.rep)
    response = client.get(my_page())
    assert [row.may_change for row in response.context["rows"]] == [False, False, False]
    said = "Not possible: SMTP mailboxes are not supported. CRM Email Sync needs Gmail or Outlook."
    assert texts(client) == [said] * 3
    assert "Your mailbox is an SMTP mailbox." in response.content.decode()
    press(client, my_page(OUTBOUND), "off")
    assert messages_of(client, my_page()) == [f"Outbound. Nothing was changed. {said}"]
    assert version_of(synced.rep, OUTBOUND) == 0


def test_page_tells_users_without_a_mailbox(synced: People) -> None:
    give_mailboxes(synced.rep, provider=MailProvider.NONE)
    assert texts(logged_in(synced.rep)) == ["Not possible yet: you have no Gmail or Outlook mailbox here."] * 3


def test_press_without_javascript_leads_back_and_says_how_it_stands(synced: People) -> None:
    client = logged_in(synced.rep)
    response = press(client, my_page(OUTBOUND), "off")
    assert (response.status_code, response["Location"]) == (302, my_page())
    (said,) = messages_of(client, my_page())
    assert said.startswith("Outbound. Off: you switched outbound off on ")
    press(client, my_page(OUTBOUND), "follow", seen=1)
    assert choice_of(synced.rep, OUTBOUND) == NOT_CHOSEN
    assert messages_of(client, my_page()) == ["Outbound. On: it is on for the organisation, and you have not chosen."]


def test_press_with_javascript_answers_with_the_row(synced: People) -> None:
    client = logged_in(synced.rep)
    response = press_with_script(client, my_page(OUTBOUND), "off")
    assert (response.status_code, response["X-Fragment"]) == (200, "switch")
    assert [template.name for template in response.templates] == ["email_sync/switch.html"]
    row = response.context["row"]
    assert (row.is_on, row.version, response.context["problem"]) == (False, 1, "")
    # Nothing is left for the next page to say: the row has said it.
    assert messages_of(client, my_page()) == []


def test_press_of_a_stale_page_says_who_was_faster(synced: People) -> None:
    mine = logged_in(synced.rep)
    set_switch(synced.rep, OUTBOUND, OFF, synced.rep)
    set_switch(synced.rep, OUTBOUND, ON, synced.manager)
    response = press_with_script(mine, my_page(OUTBOUND), "follow", seen=1)
    problem = response.context["problem"]
    assert problem.startswith("Nothing was changed: somebody was faster. Last change: Mia Manager switched it on, ")
    assert problem in response.content.decode()
    press(mine, my_page(OUTBOUND), "follow", seen=1)
    assert [said.partition(",")[0] for said in messages_of(mine, my_page())] == [
        "Outbound. Nothing was changed: somebody was faster. Last change: Mia Manager switched it on"
    ]
    assert choice_of(synced.rep, OUTBOUND) == ON


@pytest.mark.parametrize(
    ("direction", "data", "status"),
    [
        ("outbound", {"choice": "maybe", "seen": "0"}, 400),
        ("outbound", {"seen": "0"}, 400),
        ("outbound", {"choice": "off"}, 400),
        ("outbound", {"choice": "off", "seen": "-1"}, 400),
        ("outbound", {"choice": "off", "seen": "²"}, 400),
        ("outbound", {"choice": "off", "seen": "9" * 30}, 400),
        ("sideways", {"choice": "off", "seen": "0"}, 404),
        ("attachments", {"choice": "on", "seen": "0"}, 302),
    ],
)
def test_press_forged(synced: People, direction: str, data: dict[str, str], status: int) -> None:
    response = logged_in(synced.rep).post(f"{my_page()}{direction}/", data)
    assert response.status_code == status
    assert EmailSwitch.objects.filter(user=synced.rep).count() == 0
    assert choice_of(None, ATTACHMENTS) == NOT_CHOSEN


def test_press_needs_the_forms_token(synced: People) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(synced.rep)
    assert press(client, my_page(OUTBOUND), "off").status_code == 403
    assert version_of(synced.rep, OUTBOUND) == 0


def test_switch_address_leads_to_its_page(synced: People) -> None:
    # After a log-in that a press asked for.
    response = logged_in(synced.rep).get(my_page(OUTBOUND))
    assert (response.status_code, response["Location"]) == (302, my_page())


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil.example"]
)
def test_press_leads_nowhere_else(synced: People, back: str) -> None:
    assert press(logged_in(synced.rep), my_page(OUTBOUND), "off", next=back)["Location"] == my_page()


def test_page_queries(synced: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(synced.rep)
    client.get(my_page())
    with django_assert_num_queries(6):
        client.get(my_page())
    for user in User.objects.all():
        set_switch(user, OUTBOUND, OFF, user)
    with django_assert_num_queries(6):
        client.get(my_page())
