"""CRM Email Sync as people switch it: M13 to M16 step by step, by mouse, by keyboard and without JavaScript."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.people import People
from tests.teams.switches import INBOUND, OUTBOUND, give_mailboxes, is_on

OpenPage = Callable[..., Page]


def reason(page: Page, key: str) -> str:
    """What stands beside a switch."""
    return page.locator(f"#switch-{key}-why").inner_text()


def switch_organisation_on(page: Page) -> None:
    """Walk to the organisation's switches and switch both directions on, with an empty Company Blacklist."""
    page.goto("/manager/")
    page.get_by_role("link", name="CRM Email Sync").first.click()
    page.get_by_role("switch", name="Outbound for the whole organisation").click()
    page.get_by_role("button", name="Switch on anyway").click()
    page.get_by_role("switch", name="Inbound for the whole organisation").click()
    expect(page.get_by_role("switch", name="Inbound for the whole organisation")).to_be_checked()


def open_member(page: Page, team: str, name: str) -> None:
    """Walk Teams › team › user."""  # noqa: RUF002
    page.goto("/manager/")
    page.get_by_role("link", name="Teams").first.click()
    page.get_by_role("link", name=team, exact=True).first.click()
    page.get_by_role("link", name=name).click()


def test_m13_organisation_first_and_the_blacklist_before(people: People, open_page: OpenPage) -> None:
    give_mailboxes(people.rep)
    rep = open_page("/settings/email/crm-email-sync/", people.rep)
    expect(rep.get_by_role("switch", name="Outbound")).to_be_disabled()
    assert reason(rep, "outbound") == "Off: outbound is off for the whole organisation."
    manager = open_page("/manager/", people.manager)
    open_member(manager, "North", "Rosa Rep")
    expect(manager.get_by_role("switch", name="Outbound: Rosa Rep")).to_be_disabled()

    manager.goto("/manager/settings/email/crm-email-sync/")
    manager.get_by_role("switch", name="Outbound for the whole organisation").click()
    expect(manager.get_by_role("heading", name="the Company Blacklist is empty")).to_be_visible()
    expect(manager.get_by_role("link", name="Fill it first")).to_be_visible()
    manager.get_by_role("link", name="Leave it off").click()
    expect(manager.get_by_role("switch", name="Outbound for the whole organisation")).not_to_be_checked()
    switch_organisation_on(manager)
    rep.reload()
    expect(rep.get_by_role("switch", name="Outbound")).to_be_enabled()


def test_m14_switched_on_for_everyone_and_who_opted_out_stays_out(people: People, open_page: OpenPage) -> None:
    give_mailboxes(people.rep, people.other_rep)
    manager = open_page("/manager/", people.manager)
    switch_organisation_on(manager)
    rep = open_page("/settings/email/crm-email-sync/", people.rep)
    expect(rep.get_by_role("switch", name="Outbound")).to_be_checked()
    rep.get_by_role("switch", name="Outbound").click()
    expect(rep.get_by_role("switch", name="Outbound")).not_to_be_checked()

    organisation = manager.get_by_role("switch", name="Outbound for the whole organisation")
    organisation.click()
    expect(organisation).not_to_be_checked()
    # Nothing of the other direction is held up, so nobody is asked about the blacklist again.
    organisation.click()
    expect(organisation).to_be_checked()
    assert (is_on(people.rep, OUTBOUND), is_on(people.other_rep, OUTBOUND)) == (False, True)


def test_m15_the_last_change_wins_and_the_page_says_whose(people: People, open_page: OpenPage) -> None:
    give_mailboxes(people.rep)
    manager = open_page("/manager/", people.manager)
    switch_organisation_on(manager)
    open_member(manager, "North", "Rosa Rep")
    manager.get_by_role("switch", name="Outbound: Rosa Rep").click()
    expect(manager.get_by_role("switch", name="Outbound: Rosa Rep")).not_to_be_checked()

    rep = open_page("/settings/email/crm-email-sync/", people.rep)
    assert reason(rep, "outbound").startswith("Off: your manager Mia Manager switched outbound off on ")
    rep.get_by_role("switch", name="Outbound").click()
    expect(rep.get_by_role("switch", name="Outbound")).to_be_checked()
    assert reason(rep, "outbound").startswith("On: you switched outbound on, ")

    # The manager's page is older than that: nothing is overwritten unseen.
    manager.get_by_role("button", name="Follow the organisation: Outbound: Rosa Rep").click()
    expect(manager.locator(".pb-banner-bad")).to_contain_text("Nothing was changed: somebody was faster.")
    assert reason(manager, f"{people.rep.uuid}-outbound").startswith("On: Rosa Rep switched outbound on, ")


def test_m16_attachments_are_the_managers_choice_alone(people: People, open_page: OpenPage) -> None:
    give_mailboxes(people.rep)
    manager = open_page("/manager/settings/email/crm-email-sync/", people.manager)
    attachments = manager.get_by_role("switch", name="Attachments for the whole organisation")
    attachments.click()
    expect(attachments).to_be_checked()
    rep = open_page("/settings/email/crm-email-sync/", people.rep)
    expect(rep.get_by_role("switch", name="Attachments")).to_be_disabled()
    expect(rep.get_by_role("switch", name="Attachments")).to_be_checked()
    assert reason(rep, "attachments") == "On for the whole organisation. Attachments are the managers' choice."


def test_switch_by_keyboard_keeps_the_focus_and_is_announced(people: People, open_page: OpenPage) -> None:
    give_mailboxes(people.rep)
    switch_organisation_on(open_page("/manager/", people.manager))
    page = open_page("/settings/email/crm-email-sync/", people.rep)
    inbound = page.get_by_role("switch", name="Inbound")
    inbound.focus()
    page.keyboard.press("Space")
    expect(inbound).not_to_be_checked()
    expect(inbound).to_be_focused()
    expect(page.locator("[data-live]")).to_contain_text("Inbound. Off: you switched inbound off on ")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Follow the organisation: Inbound")).to_be_focused()
    page.keyboard.press("Enter")
    expect(inbound).to_be_checked()
    # The button is gone with the choice; the focus isn't.
    expect(inbound).to_be_focused()


def test_switch_without_javascript(people: People, open_page: OpenPage) -> None:
    give_mailboxes(people.rep)
    switch_organisation_on(open_page("/manager/", people.manager))
    page = open_page("/settings/email/crm-email-sync/", people.rep, java_script_enabled=False)
    page.get_by_role("switch", name="Inbound").click()
    expect(page.get_by_role("switch", name="Inbound")).not_to_be_checked()
    expect(page.get_by_text("Inbound. Off: you switched inbound off on ")).to_be_visible()
    assert is_on(people.rep, INBOUND) is False


def test_whole_team_with_a_preview(people: People, open_page: OpenPage) -> None:
    give_mailboxes(people.rep)
    page = open_page("/manager/", people.manager)
    switch_organisation_on(page)
    page.get_by_role("link", name="Teams").first.click()
    page.get_by_role("link", name="North", exact=True).first.click()
    page.get_by_role("combobox", name="Switch").select_option(label="off")
    page.get_by_role("button", name="Show who changes").click()
    expect(page.get_by_role("heading", name="Will change: 1")).to_be_visible()
    expect(page.get_by_role("heading", name="Left out: 1")).to_be_visible()
    assert is_on(people.rep, OUTBOUND) is True
    page.get_by_role("button", name="Switch outbound off for 1 user").click()
    expect(page.get_by_text("Switch outbound off: 1 user was changed.")).to_be_visible()
    assert is_on(people.rep, OUTBOUND) is False
