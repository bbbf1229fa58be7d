"""Without a mouse: from the log-in to a switch, with Tab, Space and Enter alone."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.people import PASSWORD, People
from tests.teams.switches import ON, OUTBOUND, give_mailboxes, is_on, set_switch

MOST_STOPS = 100


def tab_to(page: Page, control: Locator) -> None:
    """Press Tab until the focus is on `control`; the test fails when it never gets there."""
    expect(control).to_be_visible()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if control.evaluate("element => element === document.activeElement"):
            return
    expect(control).to_be_focused()


def test_m15_a_rep_logs_in_and_switches_their_outbound_off(people: People, open_page: Callable[..., Page]) -> None:
    give_mailboxes(people.rep)
    set_switch(None, OUTBOUND, ON, people.admin)
    page = open_page("/")
    tab_to(page, page.get_by_label("E-mail"))
    page.keyboard.type(people.rep.email)
    tab_to(page, page.get_by_label("Password", exact=True))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("navigation").get_by_role("link", name="CRM Email Sync").first)
    page.keyboard.press("Enter")
    outbound = page.get_by_role("switch", name="Outbound")
    tab_to(page, outbound)
    page.keyboard.press("Space")
    expect(outbound).not_to_be_checked()
    assert is_on(people.rep, OUTBOUND) is False
