"""M13 to M16, as the mission words them, through the pages."""

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
    is_on,
    messages_of,
    my_page,
    organisation_page,
    press,
    user_page,
    version_of,
)


def organisation(people: People, choice: str) -> None:
    """Mia, a manager, switches outbound and inbound for the whole organisation."""
    client = logged_in(people.manager)
    for direction in (OUTBOUND, INBOUND):
        press(client, organisation_page(direction), choice, version_of(None, direction), anyway="yes")


def test_m13_organisation_first(people: People) -> None:
    """While a direction is off for the organisation, nobody can change it for a user."""
    give_mailboxes(people.rep)
    press(logged_in(people.manager), organisation_page(INBOUND), "on", anyway="yes")
    why = "Nothing was changed. Off: outbound is off for the whole organisation."
    for user, url in (
        (people.rep, my_page()),
        (people.manager, user_page(people.rep)),
        (people.admin, user_page(people.rep)),
    ):
        client = logged_in(user)
        row = client.get(url).context["rows"][0]
        assert (row.text, row.may_change) == ("Off: outbound is off for the whole organisation.", False)
        press(client, f"{url}outbound/", "on")
        assert [said.partition(". ")[2] for said in messages_of(client, url)] == [why]
    assert version_of(people.rep, OUTBOUND) == 0
    # The other direction is on, and may be changed.
    press(logged_in(people.rep), my_page(INBOUND), "off")
    assert choice_of(people.rep, INBOUND) == OFF


def test_m13_first_switching_on_suggests_to_fill_the_company_blacklist(people: People) -> None:
    client = logged_in(people.manager)
    response = client.post(organisation_page(OUTBOUND), {"choice": "on", "seen": 0}, follow=True)
    assert "the Company Blacklist is empty" in response.content.decode()
    assert choice_of(None, OUTBOUND) == NOT_CHOSEN
    press(client, organisation_page(OUTBOUND), "on", anyway="yes")
    assert choice_of(None, OUTBOUND) == ON


def test_m14_switched_on_by_a_manager_everyones_turns_on_by_itself(people: People) -> None:
    give_mailboxes(people.rep, people.other_rep, people.colleague)
    users = (people.rep, people.other_rep, people.colleague)
    assert [is_on(user, direction) for user in users for direction in (OUTBOUND, INBOUND)] == [False] * 6
    organisation(people, "on")
    assert [is_on(user, direction) for user in users for direction in (OUTBOUND, INBOUND)] == [True] * 6
    assert [choice_of(user, OUTBOUND) for user in users] == [NOT_CHOSEN] * 3


def test_m14_an_explicit_choice_survives_the_organisations_off_and_on(people: People) -> None:
    give_mailboxes(people.rep, people.other_rep)
    organisation(people, "on")
    press(logged_in(people.rep), my_page(OUTBOUND), "off")
    organisation(people, "off")
    assert [is_on(people.rep, OUTBOUND), is_on(people.other_rep, OUTBOUND)] == [False, False]
    organisation(people, "on")
    # Nobody is silently opted back in.
    assert [is_on(people.rep, OUTBOUND), is_on(people.other_rep, OUTBOUND)] == [False, True]
    # Who wants to can follow the organisation again.
    press(logged_in(people.rep), my_page(OUTBOUND), "follow", seen=1)
    assert is_on(people.rep, OUTBOUND) is True


def test_m15_one_pair_of_switches_and_the_page_says_whose_the_last_change_was(people: People) -> None:
    give_mailboxes(people.rep)
    organisation(people, "on")
    mine, managers = logged_in(people.rep), logged_in(people.manager)
    press(mine, my_page(OUTBOUND), "off")
    row = managers.get(user_page(people.rep)).context["rows"][0]
    assert (row.is_on, row.text.startswith("Off: Rosa Rep switched outbound off on ")) == (False, True)
    press(managers, user_page(people.rep, OUTBOUND), "on", seen=row.version)
    row = mine.get(my_page()).context["rows"][0]
    assert (row.is_on, row.text.startswith("On: your manager Mia Manager switched outbound on, ")) == (True, True)
    press(mine, my_page(OUTBOUND), "off", seen=row.version)
    assert (choice_of(people.rep, OUTBOUND), version_of(people.rep, OUTBOUND)) == (OFF, 3)


def test_m16_attachments_are_the_managers_choice_alone(people: People) -> None:
    give_mailboxes(people.rep)
    organisation(people, "on")
    for choice, expected in (("on", True), ("off", False)):
        press(logged_in(people.manager), organisation_page(ATTACHMENTS), choice, version_of(None, ATTACHMENTS))
        assert is_on(people.rep, ATTACHMENTS) is expected
        row = logged_in(people.rep).get(my_page()).context["rows"][2]
        assert (row.is_on, row.may_change) == (expected, False)
        press(logged_in(people.rep), my_page(ATTACHMENTS), "off" if expected else "on")
        press(logged_in(people.rep), organisation_page(ATTACHMENTS), "off" if expected else "on", 1)
        press(logged_in(people.manager), user_page(people.rep, ATTACHMENTS), "off" if expected else "on")
        assert is_on(people.rep, ATTACHMENTS) is expected
    assert version_of(people.rep, ATTACHMENTS) == 0
