"""Getting in and being kept out, as people meet it."""

from collections.abc import Callable

from django.core import mail
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from teams.models import Organisation, Role, SecondFactor, User
from tests.people import PASSWORD, People
from tests.teams.logging_in import code_now, give_app
from tests.teams.test_sign_in import NEW, link_in

OpenPage = Callable[..., Page]


def log_in(page: Page, user: User, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in", exact=True).click()


def test_log_in_leads_to_what_was_asked_for(people: People, open_page: OpenPage) -> None:
    page = open_page("/manager/sync/task/")
    log_in(page, people.manager)
    page.wait_for_url("**/manager/sync/task/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tasks")


def test_wrong_password_is_said_and_the_right_one_still_works(people: People, open_page: OpenPage) -> None:
    page = open_page("/accounts/login/")
    log_in(page, people.rep, "wrong")
    refusal = "E-mail and password don't fit together, or the user is deactivated."
    expect(page.get_by_role("alert").filter(has_text=refusal)).to_be_visible()
    log_in(page, people.rep)
    expect(page.get_by_role("heading", name="My tasks", level=1)).to_be_visible()


def test_second_factor_is_asked_for(people: People, open_page: OpenPage) -> None:
    secret = give_app(people.rep)
    page = open_page("/accounts/login/")
    log_in(page, people.rep)
    expect(page.get_by_role("heading", name="Your second factor")).to_be_visible()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_text("This code is wrong, or was used already.")).to_be_visible()
    page.get_by_label("Code").fill(code_now(secret))
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name="My tasks", level=1)).to_be_visible()


def test_second_factor_required_of_a_role_is_set_up_first(people: People, open_page: OpenPage) -> None:
    Organisation.objects.update(second_factor=SecondFactor.MANAGERS)
    page = open_page("/accounts/login/")
    log_in(page, people.manager)
    expect(page.get_by_text("Your role needs a second factor.")).to_be_visible()
    page.goto("/manager/")
    expect(page.get_by_text("Your role needs a second factor.")).to_be_visible()
    page.get_by_role("link", name="Set up the app").click()
    secret = page.locator(".sh-secret dd").inner_text()
    page.get_by_label("Code").fill(code_now(secret))
    page.get_by_role("button", name="Switch it on").click()
    expect(page.get_by_role("heading", name="Recovery codes").first).to_be_visible()
    page.goto("/manager/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Dashboard")


def test_who_is_deactivated_is_out_at_the_next_click(people: People, open_page: OpenPage) -> None:
    page = open_page("/accounts/login/")
    log_in(page, people.rep)
    expect(page.get_by_role("heading", name="My tasks", level=1)).to_be_visible()
    admin = open_page(f"/manager/teams/user/{people.rep.uuid}/change/", people.admin)
    admin.get_by_label("Active").uncheck()
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("was changed successfully")).to_be_visible()

    page.get_by_role("link", name="Profile").first.click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    log_in(page, people.rep)
    expect(page.get_by_role("alert").filter(has_text="or the user is deactivated.")).to_be_visible()


def test_invited_choose_a_password_and_log_in(
    people: People, open_page: OpenPage, live_server: LiveServer, settings: Settings
) -> None:
    settings.SITE_URL = live_server.url
    newcomer = User.objects.create_user("nina@example.com", name="Nina New", role=Role.REP, team=people.north)
    admin = open_page(f"/manager/teams/user/{newcomer.uuid}/change/", people.admin)
    admin.get_by_role("button", name="Invite", exact=True).click()
    expect(admin.get_by_text("has not logged in yet")).to_be_visible()
    [message] = mail.outbox

    page = open_page(link_in(str(message.body)))
    page.get_by_label("New Password", exact=True).fill(NEW)
    page.get_by_label("New Password (again)").fill(NEW)
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_role("heading", name="Your password is saved")).to_be_visible()
    page.get_by_role("link", name="Log in").click()
    log_in(page, newcomer, NEW)
    expect(page.get_by_role("heading", name="My tasks", level=1)).to_be_visible()


def test_passkey_is_added_and_logs_in_without_a_password(people: People, open_page: OpenPage) -> None:
    page = open_page("/accounts/login/")
    give_authenticator(page)
    log_in(page, people.rep)
    expect(page.get_by_role("heading", name="My tasks", level=1)).to_be_visible()
    page.goto("/accounts/2fa/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()

    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("heading", name="My tasks", level=1)).to_be_visible()


def give_authenticator(page: Page) -> None:
    """Put a device into the browser that says yes to whatever it is asked."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
