"""The Manager App's frame: by keyboard, and without scripts."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.people import People


def test_the_menus_open_and_log_out_by_keyboard(people: People, open_page: Callable[..., Page]) -> None:
    page = open_page("/manager/", people.manager, narrow=True)
    page.get_by_role("button", name="Navigation").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Company Blacklist")).to_be_visible()
    page.get_by_role("button", name="Mia Manager").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Log out").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/login/**")


def test_the_manager_app_works_without_scripts(people: People, open_page: Callable[..., Page]) -> None:
    page = open_page("/manager/teams/user/", people.manager, java_script_enabled=False)
    page.get_by_role("link", name="Rosa Rep").first.click()
    page.get_by_label("Name").fill("Rosa Renamed")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Rosa Renamed").first).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/**")
