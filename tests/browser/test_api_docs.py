"""The HTTP API's page in a real browser: it works under the strict policy, without anything from other sites."""

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from tests.browser import looks
from tests.browser.conftest import Visitor


@pytest.mark.parametrize("narrow", [False, True])
def test_the_page_shows_what_the_api_can(visitor: Visitor, live_server: LiveServer, narrow: bool) -> None:
    page = visitor.page(narrow=narrow)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/api/v1/docs")
    page.get_by_text("Hand in tasks").click()
    expect(page.get_by_text("Request body")).to_be_visible()
    expect(page.get_by_text("The key was used for another task.")).to_be_visible()
    assert looks.overflow(page) == []
    assert [found for found in looks.findings(page) if found.startswith("color-contrast")] == []
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []


def test_the_page_is_dark_where_the_system_is(visitor: Visitor) -> None:
    page = visitor.page(dark=True)
    page.goto("/api/v1/docs")
    expect(page.locator("body")).to_have_css("background-color", "rgb(22, 22, 22)")
    expect(page.locator(".swagger-ui").first).to_have_css("filter", "invert(0.92) hue-rotate(180deg)")
