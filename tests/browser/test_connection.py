"""Connecting in the browser (M23): lost, reconnected on Salesforce's own page, and what waited goes out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from sandbox.control import SandboxControl
from sync.completion import Completion, complete
from sync.connecting import forget_gateways
from sync.enums import AuthFlow, OutboxState, TaskKind
from sync.models import Connection, OutboxRow
from tests.people import People
from tests.real_worker import work_off

OpenPage = Callable[..., Page]
CONNECTION = "/manager/settings/crm/connection/"


@pytest.fixture
def site(salesforce_settings: Settings, sandbox: SandboxControl, live_server: LiveServer) -> Settings:
    """A site that Salesforce's connected app sends browsers back to."""
    salesforce_settings.SITE_URL = live_server.url
    sandbox.register_client("sandbox-client", callback_urls=[f"{live_server.url}{CONNECTION}callback/"])
    return salesforce_settings


def log_in_at_salesforce(page: Page, sandbox: SandboxControl) -> None:
    page.get_by_role("radio", name="My Domain").check()
    page.get_by_role("textbox", name="My Domain").fill(sandbox.url)
    page.get_by_role("button", name="Continue to Salesforce").click()
    expect(page.get_by_role("heading", name="Sandbox Salesforce: Allow access?")).to_be_visible()


def call(people: People) -> None:
    complete(Completion(user=people.rep, kind=TaskKind.CALL, subject="Call about the offer"))
    work_off()


def test_m23_reconnected_in_the_browser_and_what_waited_syncs(
    people: People, connection: Connection, site: Settings, sandbox: SandboxControl, open_page: OpenPage
) -> None:
    people.rep.crm_user_id = None
    people.rep.save(update_fields=["crm_user_id"])
    sandbox.add_fault("invalid_grant")
    sandbox.expire_sessions()
    call(people)

    manager = open_page("/manager/", people.manager)
    banner = manager.get_by_role("alert").filter(has_text="The Access User is disconnected")
    expect(banner).to_contain_text("Nothing syncs, and nothing is lost.")
    expect(banner).to_contain_text("An admin has to reconnect it.")

    sandbox.clear_faults()
    page = open_page("/manager/", people.admin)
    page.get_by_role("alert").get_by_role("link", name="Open Connection").click()
    log_in_at_salesforce(page, sandbox)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Who would work for everyone")).to_be_visible()
    expect(page.get_by_role("heading", name="What it may do")).to_be_visible()
    assert OutboxRow.objects.get().state == OutboxState.PENDING
    page.get_by_role("button", name="Accept").click()
    expect(page.locator(".pb-state").get_by_text("Connected", exact=True)).to_be_visible()
    connection.refresh_from_db()
    assert connection.auth_flow == AuthFlow.WEB_SERVER

    forget_gateways()
    work_off()
    assert OutboxRow.objects.get().state == OutboxState.DONE
    manager.reload()
    expect(banner).to_have_count(0)


def test_m23_whoever_says_no_at_salesforce_connects_nothing(
    people: People, site: Settings, sandbox: SandboxControl, open_page: OpenPage
) -> None:
    page = open_page(CONNECTION, people.admin)
    log_in_at_salesforce(page, sandbox)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_contain_text("Salesforce was not connected. Nothing has changed.")
    assert not Connection.objects.exists()


def test_m23_disconnecting_asks_first(
    people: People, connection: Connection, site: Settings, open_page: OpenPage
) -> None:
    page = open_page(CONNECTION, people.admin)
    page.get_by_role("link", name="Disconnect", exact=True).click()
    expect(page.get_by_text("Nothing syncs, for anybody")).to_be_visible()
    page.get_by_role("button", name="Disconnect", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Ada Admin disconnected Salesforce on")).to_be_visible()
