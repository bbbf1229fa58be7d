"""CRM Email Sync of the whole organisation: its switches, the suggestion to fill the blacklist first, own domains."""

import pytest
from auditlog.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from blacklist.models import Rule, RuleKind
from teams.models import EmailDirection, EmailSwitch, MailProvider, Organisation, User
from tests.factories import UserFactory
from tests.people import People, logged_in, people
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
    organisation_page,
    press,
    press_with_script,
    set_switch,
    synced,
    version_of,
)

__all__ = ["people", "synced"]

PAGE = organisation_page()
FIRST = f"{PAGE}outbound/first/"


def form(client: Client, **changes: str) -> dict[str, str]:
    """The form as the page holds it, with `changes`; what is off stands in no form."""
    initial = client.get(PAGE).context["form"].initial
    data = {"domains": initial["domains"], "seen": initial["seen"], "skip": "on" if initial["skip"] else "", **changes}
    return {name: value for name, value in data.items() if value or name != "skip"}


def errors(client: Client, domains: str) -> dict[str, list[str]]:
    response = client.post(PAGE, form(client, domains=domains))
    assert response.status_code == 422
    return dict(response.context["form"].errors)


@pytest.mark.parametrize(
    ("viewer", "status"), [("admin", 200), ("manager", 200), ("other_manager", 200), ("rep", 403), ("other_rep", 403)]
)
def test_page_is_managers_and_admins(people: People, viewer: str, status: int) -> None:
    client = logged_in(getattr(people, viewer))
    assert client.get(PAGE).status_code == status
    assert client.get(FIRST).status_code == status


def test_page_of_a_stranger(people: People) -> None:
    for url in (PAGE, FIRST, organisation_page(OUTBOUND)):
        assert Client().get(url).status_code == 302
    assert Client().post(organisation_page(OUTBOUND), {"choice": "on", "seen": 0, "anyway": "yes"}).status_code == 302
    assert EmailSwitch.objects.count() == 0


def test_page_says_whom_each_switch_reaches_and_who_changed_it(synced: People) -> None:
    give_mailboxes(synced.colleague, provider=MailProvider.SMTP)
    give_mailboxes(synced.admin, provider=MailProvider.NONE)
    set_switch(synced.rep, OUTBOUND, OFF, synced.rep)
    rows = logged_in(synced.manager).get(PAGE).context["rows"]
    assert [(row.title, row.is_on, row.text) for row in rows] == [
        ("Outbound", True, "On for 3 users. 1 has it off. 1 can't: SMTP. 1 has no mailbox."),
        ("Inbound", True, "On for 4 users. 1 can't: SMTP. 1 has no mailbox."),
        ("Attachments", False, "Off. Switched on, it is on for 4 users. 1 can't: SMTP. 1 has no mailbox."),
    ]
    assert [row.changed.partition(",")[0] for row in rows] == ["Last change: Ada Admin switched it on"] * 2 + [""]


@pytest.mark.parametrize("direction", [OUTBOUND, INBOUND, ATTACHMENTS])
def test_switch_forged_by_a_rep(synced: People, direction: EmailDirection) -> None:
    before = choice_of(None, direction)
    choice = "off" if before == ON else "on"
    client = logged_in(synced.rep)
    assert (
        press(client, organisation_page(direction), choice, version_of(None, direction), anyway="yes").status_code
        == 403
    )
    assert choice_of(None, direction) == before


def test_switching_on_with_an_empty_blacklist_suggests_to_fill_it_first(people: People) -> None:
    client = logged_in(people.manager)
    for direction in (OUTBOUND, INBOUND):
        response = press(client, organisation_page(direction), "on")
        assert response["Location"] == f"{organisation_page(direction)}first/"
    response = press_with_script(client, organisation_page(OUTBOUND), "on")
    assert (response["X-Location"], response.content) == (FIRST, b"")
    assert EmailSwitch.objects.count() == 0
    page = client.get(FIRST).content.decode()
    assert f'href="{reverse("company_blacklist")}"' in page
    assert "Fill it first" in page


def test_switching_on_anyway(people: People) -> None:
    client = logged_in(people.manager)
    seen = client.get(FIRST).context["version"]
    assert press(client, organisation_page(OUTBOUND), "on", seen, anyway="yes")["Location"] == PAGE
    assert choice_of(None, OUTBOUND) == ON
    # Whoever said so for one direction isn't asked again for the other.
    assert press(client, organisation_page(INBOUND), "on")["Location"] == PAGE
    assert choice_of(None, INBOUND) == ON


def test_switching_on_from_a_suggestion_that_is_too_old(people: People) -> None:
    client = logged_in(people.manager)
    seen = client.get(FIRST).context["version"]
    set_switch(None, OUTBOUND, ON, people.admin)
    set_switch(None, OUTBOUND, OFF, people.admin)
    press(client, organisation_page(OUTBOUND), "on", seen, anyway="yes")
    assert choice_of(None, OUTBOUND) == OFF
    (said,) = messages_of(client, PAGE)
    assert said.startswith(
        "Outbound for the whole organisation. "
        "Nothing was changed: somebody was faster. Last change: Ada Admin switched it off, "
    )


def test_switching_on_with_a_filled_blacklist_is_not_held_up(people: People) -> None:
    Rule.objects.create(kind=RuleKind.DOMAIN, value="bank.example", match="bank.example")
    press(logged_in(people.manager), organisation_page(OUTBOUND), "on")
    assert choice_of(None, OUTBOUND) == ON


def test_a_private_rule_fills_no_company_blacklist(people: People) -> None:
    Rule.objects.create(user=people.rep, kind=RuleKind.DOMAIN, value="bank.example", match="bank.example")
    assert press(logged_in(people.manager), organisation_page(OUTBOUND), "on")["Location"] == FIRST


def test_attachments_alone_sync_nothing_and_are_not_held_up(people: People) -> None:
    client = logged_in(people.manager)
    press(client, organisation_page(ATTACHMENTS), "on")
    assert choice_of(None, ATTACHMENTS) == ON
    assert press(client, organisation_page(OUTBOUND), "on")["Location"] == FIRST


def test_switch_stale_tells_who_was_faster(synced: People) -> None:
    seen = version_of(None, OUTBOUND)
    set_switch(None, OUTBOUND, OFF, synced.other_manager)
    set_switch(None, OUTBOUND, ON, synced.admin)
    response = press_with_script(logged_in(synced.manager), organisation_page(OUTBOUND), "off", seen)
    assert response.context["problem"].startswith(
        "Nothing was changed: somebody was faster. Last change: Ada Admin switched it on, "
    )
    assert choice_of(None, OUTBOUND) == ON


def test_switch_has_nothing_to_follow(synced: People) -> None:
    press(logged_in(synced.admin), organisation_page(OUTBOUND), "follow", version_of(None, OUTBOUND))
    assert choice_of(None, OUTBOUND) == OFF


def test_switch_address_leads_to_its_page(people: People) -> None:
    client = logged_in(people.manager)
    assert client.get(organisation_page(OUTBOUND))["Location"] == PAGE
    assert client.get(f"{PAGE}sideways/first/").status_code == 404
    assert press(client, f"{PAGE}sideways/", "on").status_code == 404


def test_own_domains_are_saved_in_one_spelling(people: People) -> None:
    client = logged_in(people.manager)
    response = client.post(PAGE, form(client, domains="Example.com, straße.de\nmail.example.com\nexample.com", skip=""))
    assert (response.status_code, response["Location"]) == (302, PAGE)
    organisation = Organisation.load()
    assert organisation.own_domains == ["example.com", "xn--strae-oqa.de"]
    assert organisation.skip_internal_mail is False
    assert messages_of(client, PAGE) == [
        "Saved.",
        "“example.com” stood there twice.",
        "“mail.example.com” was left out: Example.com covers it.",
    ]


def test_own_domains_are_noted_in_the_audit(people: People) -> None:
    client = logged_in(people.manager)
    client.post(PAGE, form(client, domains="example.com"))
    entry = LogEntry.objects.get_for_model(Organisation).latest("pk")
    assert (entry.actor, list(entry.changes_dict)) == (people.manager, ["own_domains"])


def test_own_domains_unchanged(people: People) -> None:
    client = logged_in(people.manager)
    client.post(PAGE, form(client))
    assert messages_of(client, PAGE) == ["Nothing was different."]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "co.uk\ngood.example\nexa mple.com",
            [
                "“co.uk” is no one organisation's: anybody may have a domain below it.",
                "“exa mple.com” is not a domain. Enter one like example.com.",
            ],
        ),
        ("x" * 1_000_000, ["Ensure this value has at most 50000 characters (it has 1000000)."]),
        ("a\0.example", ["Null characters are not allowed."]),
    ],
)
def test_own_domains_wrong_input_is_said_and_nothing_saved(people: People, typed: str, said: list[str]) -> None:
    client = logged_in(people.admin)
    assert errors(client, typed) == {"domains": said}
    assert Organisation.load().own_domains == []


def test_own_domains_where_strangers_are_need_a_confirmation(people: People) -> None:
    client = logged_in(people.admin)
    said = "Strangers have addresses at gmail.com, too: mail with them would count as internal. Confirm below."
    assert errors(client, "gmail.com\nexample.com") == {"domains": [said]}
    response = client.post(PAGE, form(client, domains="gmail.com"))
    assert '<input type="checkbox" name="really"' in response.content.decode()
    # What stands hidden in a form that never asked is no confirmation.
    assert client.post(PAGE, form(client, domains="gmail.com", really="True")).status_code == 422
    assert client.post(PAGE, form(client, domains="gmail.com", really="on")).status_code == 302
    assert Organisation.load().own_domains == ["gmail.com"]
    # Said once: what stands there already isn't asked for again.
    assert client.post(PAGE, form(client, domains="gmail.com\nexample.com")).status_code == 302


def test_own_domains_that_the_company_blacklist_stops_are_pointed_out(people: People) -> None:
    Rule.objects.create(kind=RuleKind.DOMAIN, value="Acme.com", match="acme.com")
    Rule.objects.create(kind=RuleKind.DOMAIN, value="other.example", match="other.example")
    Rule.objects.create(user=people.rep, kind=RuleKind.DOMAIN, value="mail.acme.com", match="mail.acme.com")
    client = logged_in(people.manager)
    said = "The Company Blacklist has Acme.com, which stops the mail of your own organisation. Remove it there."
    pages = [
        client.post(PAGE, form(client, domains=typed), follow=True).content.decode()
        for typed in ("acme.com", "mail.acme.com", "acme.com.example")
    ]
    assert [page.count(said) for page in pages] == [1, 1, 0]


def test_own_domains_stale_form_overwrites_nothing(people: People) -> None:
    mine, others = logged_in(people.manager), logged_in(people.admin)
    stale = form(mine, domains="mine.example")
    others.post(PAGE, form(others, domains="theirs.example", skip=""))
    response = mine.post(PAGE, stale)
    assert response.status_code == 409
    (said,) = response.context["messages"]
    assert str(said) == (
        "Nothing was saved: somebody was faster (added: theirs.example; internal mail is synced). "
        "What you typed still stands here; save again to keep it."
    )
    assert Organisation.load().own_domains == ["theirs.example"]
    again = response.context["form"].initial
    assert again["domains"] == "mine.example"
    mine.post(PAGE, {**stale, "seen": again["seen"]})
    assert Organisation.load().own_domains == ["mine.example"]


def test_own_domains_forged_by_a_rep(people: People) -> None:
    response = logged_in(people.rep).post(PAGE, {"domains": "evil.example", "seen": "1 "})
    assert response.status_code == 403
    assert Organisation.load().own_domains == []


def test_page_queries(synced: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client = logged_in(synced.manager)
    client.get(PAGE)
    with django_assert_num_queries(10):
        client.get(PAGE)
    for user in UserFactory.create_batch(300, mail_provider=MailProvider.GMAIL):
        set_switch(user, OUTBOUND, OFF, user)
    with django_assert_num_queries(10):
        client.get(PAGE)
    assert User.objects.count() == 306
    assert choice_of(None, ATTACHMENTS) == NOT_CHOSEN
